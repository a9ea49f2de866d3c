"""The upkeep of a database, apart from its raffles: which layout it has, how it gets today's, and its backup.

`RaffleEngine` makes an empty database and upgrades an older file by itself. A database that several servers share is
upgraded only when somebody says so, here.
"""

import os
from contextlib import ExitStack, closing
from pathlib import Path

from rafflekit.core.errors import InvalidValue, StorageUnavailable
from rafflekit.core.models import DatabaseBackup, DatabaseStatus
from rafflekit.core.private_files import partial_file, private, sync, sync_name
from rafflekit.core.storage import database
from rafflekit.core.storage.location import backend_of, url_or_default
from rafflekit.core.storage.sqlite import key_beside


def database_status(database_url: str | None = None) -> DatabaseStatus:
    """Tell which layout a database has, without making or changing anything; without a URL, the default one's.

    Raises:
        InvalidSetting: the URL is none, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program.
        StorageUnavailable: it cannot be opened.
    """
    return database.layout_status(url_or_default(database_url, makes_folder=False))


def back_up_database(file: Path | str, database_url: str | None = None) -> DatabaseBackup:
    """Write a copy of an embedded database, as it is at one moment, to a new file for its owner alone.

    Servers go on meanwhile. The file is there when the copy is whole and on the disk, and not before. Before a
    raffle's draw it holds the raffle's secrets, as the database does: keep it as safe, and not for longer than needed.
    The key that signs the ledgers is copied beside it, if the database has one of its own (`raffles.db.key`).

    Raises:
        InvalidValue: there is something of that name already; nothing is ever overwritten.
        InvalidSetting: the URL is none, or names a PostgreSQL, which has backups of its own.
        SchemaMismatch: the database belongs to another program.
        StorageUnavailable: it or its key cannot be read, or the copy not be written; nothing is left of it.
    """
    path = Path(file).absolute()
    backend = backend_of(url_or_default(database_url, makes_folder=False))
    key = key_beside(path)
    for new in (path, key):
        _require_free(new)
    try:
        with partial_file(path) as partial, ExitStack() as unless_made:
            try:
                backend.back_up(partial)
            finally:
                # What SQLite leaves beside a copy that it could not finish.
                Path(f"{partial}-journal").unlink(missing_ok=True)
            # The key first: a copy that is there is whole, and without its key it could not go on.
            has_key = _copy_key(backend.key_file, key, unless_made)
            # Not a link, which would overwrite nothing, since not every disk for backups has them.
            _require_free(path)
            partial.rename(path)
            unless_made.callback(path.unlink)
            sync_name(path)
            unless_made.pop_all()
    except OSError as error:
        raise StorageUnavailable(f"The backup {path} cannot be made: {error.strerror}.") from error
    return DatabaseBackup(path, key if has_key else None)


def _copy_key(key: Path | None, copy: Path, unless_made: ExitStack) -> bool:
    if key is None or not os.path.lexists(key):
        return False
    try:
        content = key.read_bytes()
    except OSError as error:
        raise StorageUnavailable(f"The signing key {key} cannot be copied: {error.strerror}.") from error
    with open(copy, "xb", opener=private) as file:
        unless_made.callback(copy.unlink)
        file.write(content)
        sync(file, copy)
    return True


def _require_free(path: Path) -> None:
    if os.path.lexists(path):
        raise InvalidValue("file", f"{path} is there already; name a new file, since no backup is overwritten.")


def upgrade_database(database_url: str | None = None) -> DatabaseStatus:
    """Upgrade an older database to today's layout, or make an empty one; all of it or nothing. Return its status.

    A database of today's layout stays as it is. Stop the programs of older versions that use it before.

    Raises:
        InvalidSetting: the URL is none, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program, or to a newer version of rafflekit.
        StorageUnavailable: it cannot be opened, or could not be upgraded and is as it was.
    """
    url = url_or_default(database_url)
    with closing(database.Database(url, upgrades_shared=True, is_patient=True)):
        return database.layout_status(url)
