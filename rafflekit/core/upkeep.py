"""The upkeep of a database: its layout, its upgrade, its backup.

`RaffleEngine` sets up an empty database and upgrades an older SQLite file. A database that several servers can share is
upgraded only on request, here.
"""

import os
from contextlib import ExitStack, closing
from pathlib import Path

from rafflekit.core.errors import InvalidValue, StorageUnavailable
from rafflekit.core.models import DatabaseBackup, DatabaseStatus
from rafflekit.core.private_files import partial_file, private, private_target, require_folder, sync, sync_name
from rafflekit.core.storage import database
from rafflekit.core.storage.location import backend_of, url_or_default
from rafflekit.core.storage.sqlite import key_beside


def database_status(database_url: str | None = None) -> DatabaseStatus:
    """Return which layout a database has, by default the default database; nothing is created or changed.

    Raises:
        InvalidSetting: the URL is not valid, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program.
        StorageUnavailable: the database cannot be opened.
    """
    return database.layout_status(url_or_default(database_url, makes_folder=False))


def back_up_database(file: Path | str, database_url: str | None = None) -> DatabaseBackup:
    """Back up a SQLite database to a new file that only its owner can read.

    The copy shows the database at one moment, and servers keep running. The file appears only when the copy is complete
    and on the disk. It holds the secrets of raffles that are not drawn, as the database does, and they open with the
    signing key: keep the two apart, and no longer than you need them. A key next to the database (`raffles.db.key`) is
    copied as well.

    Raises:
        InvalidValue: a file of that name already exists, or its folder does not; nothing is ever overwritten.
        InvalidSetting: the URL is not valid, or names a PostgreSQL database, which has its own backups.
        SchemaMismatch: the database belongs to another program.
        StorageUnavailable: the database or its key cannot be read, or the copy cannot be written; no file is left.
    """
    path = Path(file).absolute()
    backend = backend_of(url_or_default(database_url, makes_folder=False))
    key = key_beside(path)
    require_folder(path, field="file")
    for new in (path, key):
        _require_free(new)
    try:
        with partial_file(path) as partial, ExitStack() as unless_made:
            try:
                backend.back_up(partial)
            finally:
                # SQLite leaves this next to a copy that it could not finish.
                Path(f"{partial}-journal").unlink(missing_ok=True)
            # The key first: a copy that exists is complete, and without its key its raffles could not continue.
            has_key = _copy_key(backend.key_file, key, unless_made)
            # Not a link, which could not overwrite anything, because not every disk for backups supports links.
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
        with open(key, "rb", opener=private_target) as original:
            content = original.read()
    except OSError as error:
        raise StorageUnavailable(f"The signing key {key} cannot be copied: {error.strerror}.") from error
    with open(copy, "xb", opener=private) as file:
        unless_made.callback(copy.unlink)
        file.write(content)
        sync(file, copy)
    return True


def _require_free(path: Path) -> None:
    if os.path.lexists(path):
        raise InvalidValue("file", f"{path} already exists; name a new file, because no backup is overwritten.")


def upgrade_database(database_url: str | None = None) -> DatabaseStatus:
    """Upgrade an older database to today's layout, or set up an empty one, in one transaction; return its status.

    A database with today's layout is not changed. First stop older versions of rafflekit that use the database.

    Raises:
        InvalidSetting: the URL is not valid, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program, or to a newer version of rafflekit.
        StorageUnavailable: the database cannot be opened, or could not be upgraded and is unchanged.
    """
    url = url_or_default(database_url)
    with closing(database.Database(url, upgrades_shared=True, is_patient=True)):
        return database.layout_status(url)
