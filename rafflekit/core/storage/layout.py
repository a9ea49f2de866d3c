"""The layout of a database: made when it is empty, upgraded when it is older, refused when it is newer.

An empty database gets today's tables at once; Alembic, which takes its time to be imported, only brings older ones
up to that. A test compares the two.
"""

from sqlalchemy import Connection, insert, select

from rafflekit.core.errors import SchemaMismatch
from rafflekit.core.storage import rules, schema
from rafflekit.core.storage.backend import Backend


def make(connection: Connection, backend: Backend) -> None:
    """Make all tables and rules in an empty database; another process may have been faster."""
    backend.lock_layout(connection)
    if backend.is_made(connection):
        return
    schema.metadata.create_all(connection)
    for statement in rules.statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    backend.mark_as_ours(connection)
    connection.execute(insert(schema.schema_version).values(version_num=schema.VERSION))


def version(connection: Connection) -> str:
    """Return the layout that a made database has, by the name of its newest migration."""
    return connection.execute(select(schema.schema_version.c.version_num)).scalar() or "none"


def is_newer(found: str) -> bool:
    """Tell whether a layout is one that this program does not know yet; their names are numbers of four digits."""
    return not found.isdecimal() or found > schema.VERSION


def needs_upgrade(found: str, backend: Backend) -> bool:
    """Tell whether a database is older and is upgraded on opening.

    Raises:
        SchemaMismatch: it is newer; or it is older, and others may use it, too.
    """
    if is_newer(found):
        raise SchemaMismatch(
            f"{backend.name} has the layout {found}, and this rafflekit knows {schema.VERSION} and older ones; "
            "use the version of rafflekit that wrote it, or a newer one."
        )
    if found < schema.VERSION and not backend.is_embedded:
        raise SchemaMismatch(
            f"{backend.name} has the layout {found}, and this rafflekit needs {schema.VERSION}; "
            "stop the programs that use it, make a backup, and run 'rafflekit db upgrade'."
        )
    return found < schema.VERSION


def upgrade(connection: Connection, backend: Backend) -> None:
    """Bring an older database to today's layout, all of it or nothing; another process may have been faster."""
    from rafflekit.core.storage import migrations

    backend.lock_layout(connection)
    migrations.run(connection)
