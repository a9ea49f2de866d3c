"""The layout of a database: made when it is empty, upgraded when it is older, refused when it is newer.

An empty database gets today's tables at once; Alembic, which takes its time to be imported, only brings older ones
up to that. A test compares the two.
"""

from sqlalchemy import Connection, insert, select

from rafflekit.core.errors import SchemaMismatch
from rafflekit.core.models import DatabaseState, DatabaseStatus
from rafflekit.core.storage import rules, schema
from rafflekit.core.storage.backend import Backend


def make(connection: Connection, backend: Backend) -> None:
    """Make all tables and rules in an empty database; another process may have been faster."""
    backend.lock_layout(connection)
    if backend.is_made(connection):
        return
    make_tables(connection)
    backend.mark_as_ours(connection)
    connection.execute(insert(schema.schema_version).values(version_num=schema.VERSION))


def make_tables(connection: Connection) -> None:
    """Make all tables and rules."""
    schema.metadata.create_all(connection)
    for statement in rules.statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


VERSION_FOUND = select(schema.schema_version.c.version_num)
"""Reads the layout of a made database: the name of its newest migration."""


def version(connection: Connection) -> str:
    """Return the layout that a made database has."""
    found = connection.execute(VERSION_FOUND).scalar()
    # SQLite may have something else there than a text.
    return found if isinstance(found, str) else "none"


def check_unchanged(found: str, backend: Backend) -> None:
    """Check that a database that this program has opened still has the layout with which it was opened.

    Raises:
        SchemaMismatch: another version of rafflekit, or somebody else, has changed it since.
    """
    if found != schema.VERSION:
        raise SchemaMismatch(
            f"{backend.name} has the layout {found} by now, and this rafflekit, which has it open, knows "
            f"{schema.VERSION}; stop it, and start the version of rafflekit that fits."
        )


def status(url: str, found: str | None, *, exists: bool = True) -> DatabaseStatus:
    """Return what the layout that was found, or None, means for this program."""
    state: DatabaseState
    if found is None:
        state = "empty" if exists else "missing"
    elif not _is_known(found):
        state = "newer"
    else:
        state = "older" if found < schema.VERSION else "current"
    return DatabaseStatus(url, found, schema.VERSION, state)


def needs_upgrade(found: str, backend: Backend, *, is_asked_for: bool) -> bool:
    """Tell whether a database is older and may be upgraded: it is embedded, or somebody asked for it.

    Raises:
        SchemaMismatch: it is newer; or it is older, others may use it, too, and nobody asked.
    """
    if not _is_known(found):
        raise SchemaMismatch(
            f"{backend.name} has the layout {found}, and this rafflekit knows {schema.VERSION} and older ones; "
            "use the version of rafflekit that wrote it, or a newer one."
        )
    if found < schema.VERSION and not (backend.is_embedded or is_asked_for):
        raise SchemaMismatch(
            f"{backend.name} has the layout {found}, and this rafflekit needs {schema.VERSION}; "
            "stop the programs that use it, make a backup, and run 'rafflekit db upgrade'."
        )
    return found < schema.VERSION


def upgrade(connection: Connection, backend: Backend) -> None:
    """Bring an older database to today's layout, all of it or nothing; another process may have been faster."""
    from rafflekit.core.storage import migrations

    backend.lock_layout(connection)
    if needs_upgrade(version(connection), backend, is_asked_for=True):
        migrations.run(connection)


def _is_known(found: str) -> bool:
    # Layouts are named by numbers of four digits; whatever else is there, this program did not write it.
    return found.isdecimal() and schema.FIRST_VERSION <= found <= schema.VERSION
