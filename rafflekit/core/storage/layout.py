"""The layout of a database: made when it is empty, upgraded when it is older, refused when it is newer.

An empty database gets today's tables directly; Alembic, which is slow to import, only upgrades older ones. A test
compares the results.
"""

from sqlalchemy import Connection, insert, select

from rafflekit.core.errors import SchemaMismatch
from rafflekit.core.models import DatabaseState, DatabaseStatus
from rafflekit.core.storage import rules, schema
from rafflekit.core.storage.backend import Backend


def make(connection: Connection, backend: Backend) -> None:
    """Make all tables and rules in an empty database, unless another process was faster."""
    backend.lock_layout(connection)
    if backend.is_made(connection):
        return
    rules.make_tables(connection)
    backend.mark_as_ours(connection)
    connection.execute(insert(schema.schema_version).values(version_num=schema.VERSION))


VERSION_FOUND = select(schema.schema_version.c.version_num)
"""Reads the layout of a made database: the name of its newest migration."""


def version(connection: Connection) -> str:
    """Return the layout that a made database has."""
    found = connection.execute(VERSION_FOUND).scalar()
    # SQLite may have a value that is not text.
    return found if isinstance(found, str) else "none"


def check_unchanged(found: str, backend: Backend) -> None:
    """Check that an open database still has the layout with which it was opened.

    Raises:
        SchemaMismatch: another version of rafflekit, or another program, has changed it.
    """
    if found != schema.VERSION:
        raise SchemaMismatch(
            f"{backend.name} now has the layout {found}, and this running rafflekit knows only "
            f"{schema.VERSION}; stop it, and start the version of rafflekit that knows {found}."
        )


def status_of(url: str, found: str | None, *, exists: bool = True) -> DatabaseStatus:
    """Return what the layout of a database (None: it has no tables) means for this program."""
    state: DatabaseState
    if found is None:
        state = "empty" if exists else "missing"
    elif not _is_known(found):
        state = "newer"
    else:
        state = "older" if found < schema.VERSION else "current"
    return DatabaseStatus(url, found, schema.VERSION, state)


def needs_upgrade(found: str, backend: Backend, *, is_asked_for: bool) -> bool:
    """Return whether a database is older and may be upgraded: it is embedded, or the upgrade was asked for.

    Raises:
        SchemaMismatch: it is newer; or it is older, others may use it as well, and no one asked for an upgrade.
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


def upgrade_tables(connection: Connection, backend: Backend) -> None:
    """Upgrade an older database to today's layout, completely or not at all, unless another process was faster."""
    from rafflekit.core.storage import migrations

    backend.lock_layout(connection)
    if needs_upgrade(version(connection), backend, is_asked_for=True):
        migrations.migrate(connection)


def _is_known(found: str) -> bool:
    # Layouts are named by numbers of four digits; anything else was not written by this program.
    return found.isdecimal() and schema.FIRST_VERSION <= found <= schema.VERSION
