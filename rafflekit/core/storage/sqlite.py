"""What is particular to SQLite: the file, a connection's pragmas, and what its error codes mean to people."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine.interfaces import DBAPICursor

from rafflekit.core.errors import InvalidSetting, SchemaMismatch, StorageUnavailable

BUSY_TIMEOUT_S = 30.0
"""How long a statement waits for another process's transaction."""

_APPLICATION_ID = int.from_bytes(b"rafl", "big")

MARK_AS_OURS = f"PRAGMA application_id = {_APPLICATION_ID}"
"""The statement that writes into the file's header which program it belongs to (https://sqlite.org/fileformat2.html)."""

# recursive_triggers: without it INSERT OR REPLACE deletes rows unseen by the triggers that guard them.
# secure_delete: the secrets of a drawn raffle are overwritten, not just forgotten.
# synchronous FULL: a ticket once answered survives a power cut.
_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA synchronous = FULL",
    "PRAGMA trusted_schema = OFF",
)

_MEANINGS = {
    sqlite3.SQLITE_BUSY: "is in use by another program; try again when that is done",
    sqlite3.SQLITE_LOCKED: "is in use by another program; try again when that is done",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space",
    sqlite3.SQLITE_READONLY: "cannot be written; check the rights of the file and of its folder",
    sqlite3.SQLITE_PERM: "cannot be written; check the rights of the file and of its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that it is a file and that you may write in its folder",
    sqlite3.SQLITE_NOTADB: "is no SQLite database; name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore a backup",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk is full or reports an error",
}


def prepare_file(database: str | None) -> Path:
    """Make sure that the database file exists, readable by its owner alone, and return its path.

    Raises:
        InvalidSetting: the URL names no file.
        StorageUnavailable: the file cannot be made.
    """
    if not database or database == ":memory:" or database.startswith("file:"):
        reason = "name a file (sqlite:///raffles.db); a raffle must outlive the program."
        raise InvalidSetting("The database URL", f"sqlite:///{database or ''}", reason)
    path = Path(database).absolute()
    try:
        if path.is_dir():
            raise StorageUnavailable(f"The database {path} is a folder; name a file in it.")
        # SQLite gives its journal the rights of the database.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    except FileNotFoundError as error:
        raise StorageUnavailable(f"The database {path} cannot be made: there is no folder {path.parent}.") from error
    except OSError as error:
        raise StorageUnavailable(f"The database {path} cannot be made: {error.strerror}.") from error
    # A NUL or a lone surrogate, which no path can have.
    except ValueError as error:
        raise InvalidSetting("The database URL", f"sqlite:///{database}", "no file can have this name.") from error
    return path


def is_ours(path: Path) -> bool:
    """Tell whether rafflekit made a database, without leaving a trace in it; an empty one is nobody's yet.

    Raises:
        SchemaMismatch: it is another program's.
        StorageUnavailable: it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            (application,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error as error:
        raise StorageUnavailable(meaning(error, path)) from error
    if tables and application != _APPLICATION_ID:
        raise SchemaMismatch(f"The database {path} belongs to another program; name another file.")
    return bool(tables)


def prepare_connection(connection: sqlite3.Connection) -> None:
    """Set a new connection up: our own transactions, the write-ahead log, and the pragmas."""
    # pysqlite would otherwise begin transactions by itself, and always deferred ones.
    connection.isolation_level = None
    with closing(connection.cursor()) as cursor:
        _use_write_ahead_log(cursor)
        for pragma in _PRAGMAS:
            cursor.execute(pragma)


def _set_busy_timeout(cursor: DBAPICursor, seconds: float) -> None:
    cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _use_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    # Two processes that switch a new file over at the same time: one is told "locked" at once, whatever the
    # busy timeout says, because waiting could be a deadlock.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def empty_journal(cursor: DBAPICursor, *, wait_s: float) -> bool:
    """Move the write-ahead log into the file and truncate it; return False if others use it for `wait_s` longer."""
    _set_busy_timeout(cursor, wait_s)
    try:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()
    finally:
        _set_busy_timeout(cursor, BUSY_TIMEOUT_S)
    return row is not None and row[0] == 0


def meaning(error: BaseException | None, path: Path) -> str:
    """Return the sentence that says what an error of the database means to people, and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    # The low byte is the kind of error, the rest tells sorts of it apart.
    reason = None if code is None else _MEANINGS.get(code & 0xFF)
    return f"The database {path} {reason or f'does not work as it should: {error}'}."
