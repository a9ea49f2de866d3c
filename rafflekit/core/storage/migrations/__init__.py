"""Migrations: how a database with an older layout gets today's, with Alembic, in one transaction.

`versions` has one file per step, named by its number. A step is never changed once it was released. What it makes is
written out in it, since `schema` and `rules` only describe today; the first step says when that applies to it.
"""

from threading import Lock

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_STEPS = ("rafflekit.core.storage:migrations/versions",)

# Alembic keeps the running upgrade in module-wide variables.
_one_at_a_time = Lock()


def migrate(connection: Connection, *, to: str = "head") -> None:
    """Run the steps that a database lacks, up to and including `to`, in the open transaction."""
    configuration = Config()
    configuration.set_main_option("script_location", "rafflekit.core.storage:migrations")
    configuration.set_main_option("path_separator", "newline")
    configuration.set_main_option("version_locations", "\n".join(_STEPS))
    configuration.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(configuration, to)
