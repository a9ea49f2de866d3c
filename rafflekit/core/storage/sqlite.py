"""SQLite: the file, the pragmas of a connection, the journal, and what its errors mean to people."""

import os
import sqlite3
import time
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPICursor, ExceptionContext
from sqlalchemy.pool import NullPool

from rafflekit.core.errors import NAMELESS_URL, InvalidSetting, SchemaMismatch, StorageUnavailable
from rafflekit.core.private_files import exposure, folder_exposure, private
from rafflekit.core.storage.backend import ENGINE_OPTIONS, Backend

if TYPE_CHECKING:
    from rafflekit.core.storage.remains import Remains

BUSY_TIMEOUT_S = 10.0
"""How long a statement waits for another process's transaction. A service that is being stopped (`http.serving`) has
time for two such waits."""

# Prepared statements that a connection keeps: those of groups differ by the group's size.
_PREPARED_STATEMENTS = 512

# 4 MiB: interrupting a backup waits for the current step.
_PAGES_PER_STEP = 1_024

_APPLICATION_ID = int.from_bytes(b"rafl", "big")

# recursive_triggers: without it INSERT OR REPLACE deletes rows unseen by the triggers that guard them.
# secure_delete: the secrets of a drawn raffle are overwritten, not just unlinked.
# synchronous FULL: a ticket survives a power cut once its participant has the answer.
_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA synchronous = FULL",
    "PRAGMA trusted_schema = OFF",
)

_NOT_WRITABLE = "cannot be written; check the permissions of the file, its -wal and -shm files, and its folder"

_MEANINGS = {
    sqlite3.SQLITE_BUSY: "is in use by another program; try again when that is done",
    sqlite3.SQLITE_LOCKED: "is in use by another program; try again when that is done",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space",
    sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
    sqlite3.SQLITE_PERM: _NOT_WRITABLE,
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that it is a file, and check its permissions and its folder's",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore a backup",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk is full or reports an error",
}


class Sqlite(Backend):
    """A SQLite file.

    Raises:
        InvalidSetting: the URL names no file.
    """

    begin_reading = "BEGIN"
    # A transaction that reads and then writes may fail immediately, whatever the busy timeout.
    begin_writing = "BEGIN IMMEDIATE"
    is_embedded = True
    # SQLite waits by polling, which starves some writers.
    writes_in_turn = True

    def __init__(self, url: URL) -> None:
        self.path = _file_of(url.database)
        self.url = URL.create("sqlite", database=str(self.path)).render_as_string()
        self.name = f"The database {self.path}"
        self.key_file = key_beside(self.path)

    def exists(self) -> bool:
        """Return whether the file exists; a folder of this name is refused."""
        try:
            if self.path.is_dir():
                raise StorageUnavailable(f"{self.name} is a folder; name a file in it.")
            return self.path.exists()
        except OSError as error:
            raise StorageUnavailable(f"{self.name} cannot be opened: {error.strerror}.") from error

    def create_engine(self, *, is_patient: bool = False) -> Engine:
        """Return the engine; a missing file is made, readable only by its owner.

        Another program's file, or one that is not private, is refused, and not a byte of it changes.
        """
        is_there = self.exists()
        self._check_private()
        if not is_there:
            self._make_file()
        # Checked before connecting, which would switch the file to a write-ahead log.
        self._check_whose_it_is()
        engine = create_engine(
            self.url,
            connect_args={
                "timeout": BUSY_TIMEOUT_S,
                "check_same_thread": False,
                "cached_statements": _PREPARED_STATEMENTS,
            },
            **ENGINE_OPTIONS,
        )
        event.listen(engine, "connect", lambda connection, _entry: prepare_connection(connection))
        event.listen(engine, "handle_error", _give_up_read_only)
        return engine

    def create_looking_engine(self) -> Engine:
        """Return an engine that only reads; another program's file is refused."""
        self._check_private()
        self._check_whose_it_is()
        return create_engine("sqlite://", creator=self._connect_to_look, poolclass=NullPool, hide_parameters=True)

    def back_up(self, to: Path) -> None:
        """Copy the database with SQLite's online backup (https://sqlite.org/backup.html)."""
        if not self.exists():
            raise StorageUnavailable(f"{self.name} does not exist, so there is nothing to back up.")
        self._check_private()
        self._check_whose_it_is()
        address = f"{self.path.as_uri()}?mode=rw"
        try:
            with (
                closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as source,
                closing(sqlite3.connect(to)) as copy,
            ):
                # Without a transaction, a copy restarts whenever another program writes between two of its steps.
                source.execute("BEGIN")
                source.execute("SELECT count(*) FROM sqlite_master").fetchone()
                source.backup(copy, pages=_PAGES_PER_STEP, progress=_between_steps)
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{self.name} could not be copied: {error}.") from error

    def remains(self, raffles: Collection[UUID]) -> "Remains":
        """Search for the secrets in the file and its journal."""
        # Imported only for a check-up.
        from rafflekit.core.storage.remains import remains_in

        try:
            return remains_in(self.path, raffles)
        except OSError as error:
            raise StorageUnavailable(f"{self.name} cannot be read: {error.strerror}.") from error

    def is_made(self, connection: Connection) -> bool:
        """Return whether the file has tables; they are ours, since another program's file was refused."""
        return bool(connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar())

    def lock_layout(self, connection: Connection) -> None:
        """Do nothing: a writer holds the only lock."""

    def mark_as_ours(self, connection: Connection) -> None:
        """Write rafflekit's application id into the file's header (https://sqlite.org/fileformat2.html)."""
        connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION_ID}")

    def says_participant_has_ticket(self, error: BaseException | None) -> bool:
        """Decide by the constraint's columns, since SQLite does not name the constraint."""
        return "tickets.raffle, tickets.participant" in str(error)

    def meaning(self, error: BaseException | None) -> str:
        """Return the sentence for an error of SQLite."""
        code = getattr(error, "sqlite_errorcode", None)
        # The low byte is the primary error code.
        reason = None if code is None else _MEANINGS.get(code & 0xFF)
        return f"{self.name} {reason or f'failed: {error}'}."

    def _make_file(self) -> None:
        try:
            # SQLite gives its journal the permissions of the database.
            open(self.path, "xb", opener=private).close()
        except FileExistsError:
            # Another process was faster.
            pass
        except FileNotFoundError as error:
            raise StorageUnavailable(
                f"{self.name} cannot be made: the folder {self.path.parent} does not exist."
            ) from error
        except OSError as error:
            raise StorageUnavailable(f"{self.name} cannot be made: {error.strerror}.") from error

    def _check_private(self) -> None:
        # SQLite opens these by their names, so no one else may be able to put other files there. It follows a link to a
        # database, and makes the journals next to the file itself.
        real, key = self.path.resolve(), key_beside(self.path)
        try:
            found = {
                file: exposure(file, is_written=True)
                for file in (Path(f"{real}{ending}") for ending in ("", "-wal", "-shm", "-journal"))
            }
            found[key] = exposure(key, is_written=False)
            for folder in {self.path.parent, real.parent}:
                if folder.is_dir():
                    found[folder] = folder_exposure(folder, holds_still=False)
        except OSError as error:
            raise StorageUnavailable(f"{self.name} cannot be opened: {error.strerror}.") from error
        problems = [f"{path}: {problem}." for path, problem in found.items() if problem is not None]
        if not problems:
            return
        # No one is told to change the rights of another program's file. (With a log, SQLite would use that.)
        if real.is_file() and not Path(f"{real}-wal").exists():
            self._check_whose_it_is()
        refusal = StorageUnavailable(f"{self.name} is not private. {problems[0]}")
        for problem in problems[1:]:
            refusal.add_note(problem)
        raise refusal

    def _connect_to_look(self) -> sqlite3.Connection:
        # Without a writer there is no log, and SQLite would create an empty one and not delete it.
        is_quiet = not Path(f"{self.path.resolve()}-wal").exists()
        address = f"{self.path.as_uri()}?mode=ro" + ("&immutable=1" if is_quiet else "")
        return sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)

    def _check_whose_it_is(self) -> None:
        try:
            with closing(self._connect_to_look()) as connection:
                (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                (application,) = connection.execute("PRAGMA application_id").fetchone()
        except sqlite3.Error as error:
            raise StorageUnavailable(self.meaning(error)) from error
        if tables and application != _APPLICATION_ID:
            raise SchemaMismatch(f"{self.name} belongs to another program; name another file.")


def key_beside(database: Path) -> Path:
    """Return the file for a database file's own signing key."""
    return Path(f"{database}.key")


def empty_journal(cursor: DBAPICursor, *, wait_s: float) -> bool:
    """Move the write-ahead log into the file and truncate it; return False if it is still in use after `wait_s`."""
    _set_busy_timeout(cursor, wait_s)
    try:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()
    finally:
        _set_busy_timeout(cursor, BUSY_TIMEOUT_S)
    return row is not None and row[0] == 0


def prepare_connection(connection: sqlite3.Connection) -> None:
    """Set up a new connection: explicit transactions, the write-ahead log, and the pragmas."""
    # Otherwise pysqlite would begin transactions itself, and always deferred ones.
    connection.isolation_level = None
    with closing(connection.cursor()) as cursor:
        _use_write_ahead_log(cursor)
        for pragma in _PRAGMAS:
            cursor.execute(pragma)


def _between_steps(_status: int, _remaining: int, _total: int) -> None:
    """Do nothing; as this is Python, the interpreter handles signals between two steps."""


def _give_up_read_only(context: ExceptionContext) -> None:
    # A connection opened while the file was read-only stays read-only, even if the file's permissions change.
    code = getattr(context.original_exception, "sqlite_errorcode", 0)
    context.is_disconnect = context.is_disconnect or code & 0xFF == sqlite3.SQLITE_READONLY


def _file_of(database: str | None) -> Path:
    if not database or database == ":memory:" or database.startswith("file:"):
        reason = "name a file (sqlite:///raffles.db); a raffle must outlive the program."
        raise InvalidSetting(NAMELESS_URL, f"sqlite:///{database or ''}", reason)
    try:
        # A NUL or a lone surrogate, which no path can have.
        is_possible = b"\0" not in os.fsencode(database)
    except UnicodeEncodeError:
        is_possible = False
    if not is_possible:
        raise InvalidSetting(NAMELESS_URL, f"sqlite:///{database}", "no file can have this name.")
    return Path(database).absolute()


def _set_busy_timeout(cursor: DBAPICursor, seconds: float) -> None:
    cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _use_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    # If two processes switch a new file at the same time, one of them gets "locked" immediately, whatever the busy
    # timeout, because waiting could be a deadlock.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
