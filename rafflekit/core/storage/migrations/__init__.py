"""Migrations: how a database of an older release becomes one of today's, with Alembic, inside one transaction.

`versions` has one file a step, named by its number. A step is never changed once it was released. What it makes is
written out in it, not taken from `schema`, which tells only of today; rules come from `rules`, by their `since`.
"""

from threading import Lock

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

# Alembic keeps the upgrade that is running in module-wide variables.
_one_at_a_time = Lock()


def run(connection: Connection, *, to: str = "head") -> None:
    """Run the steps that a database lacks, up to and with `to`, in the transaction that is open."""
    configuration = Config()
    configuration.set_main_option("script_location", "rafflekit.core.storage:migrations")
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(configuration, to)
