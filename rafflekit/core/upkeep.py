"""The upkeep of a database, apart from its raffles: which layout it has, and how it gets today's.

`RaffleEngine` makes an empty database and upgrades an older file by itself. A database that several servers share is
upgraded only when somebody says so, here.
"""

from contextlib import closing

from rafflekit.core.models import DatabaseStatus
from rafflekit.core.storage import database
from rafflekit.core.storage.location import default_database_url


def database_status(database_url: str | None = None) -> DatabaseStatus:
    """Tell which layout a database has, without making or changing anything; without a URL, the default one's.

    Raises:
        InvalidSetting: the URL is none, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program.
        StorageUnavailable: it cannot be opened.
    """
    return database.status(default_database_url(makes_folder=False) if database_url is None else database_url)


def upgrade_database(database_url: str | None = None) -> DatabaseStatus:
    """Upgrade an older database to today's layout, or make an empty one; all of it or nothing. Return its status.

    A database of today's layout stays as it is. Stop the programs of older versions that use it before.

    Raises:
        InvalidSetting: the URL is none, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program, or to a newer version of rafflekit.
        StorageUnavailable: it cannot be opened, or could not be upgraded and is as it was.
    """
    url = default_database_url() if database_url is None else database_url
    with closing(database.Database(url, upgrades_shared=True)):
        return database.status(url)
