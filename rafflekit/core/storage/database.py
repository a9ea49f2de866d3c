"""A database and its transactions: opened, read, written, closed.

`fetch`, `query`, `read` and `write` are the only ways to a connection. They turn operational errors (locked, full,
damaged, unreachable) into `StorageUnavailable`.
"""

import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.compiler import SQLCompiler

from rafflekit.core.errors import AlreadyParticipated, StorageUnavailable
from rafflekit.core.models import DatabaseStatus
from rafflekit.core.storage import driver, forks, layout, schema, sqlite
from rafflekit.core.storage.backend import Backend
from rafflekit.core.storage.location import backend_of

__all__ = ["Connection", "Database", "layout_status"]

Result = TypeVar("Result")

_log = logging.getLogger(__name__)

# A transaction that conflicted with another one runs again, after a random pause whose limit doubles each time.
_RUNS = 14
_FIRST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 1.0

# A draw waits for the journal, so this must be short.
_JOURNAL_WAIT_S = 2.0


class _MetAnother(Exception):
    """The transaction conflicted with another one and did nothing."""


class Database:
    """An open database with this version's layout: an empty one gets its tables, an older file is upgraded.

    An older database that several servers share is only upgraded if `upgrades_shared`. `is_patient` sets no limit to
    how long a server may take to answer, for statements that run for hours.

    Raises:
        InvalidSetting: the URL is invalid, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program or another version.
        StorageUnavailable: it cannot be opened or made.
    """

    def __init__(self, url: str, *, upgrades_shared: bool = False, is_patient: bool = False) -> None:
        self._backend = backend_of(url)
        self.url = self._backend.url
        self._closed = False
        self._journal_is_due = False
        self._writers_turn = threading.Lock()
        self._known_statements: dict[Select[Any], tuple[str, Sequence[str] | None]] = {}
        self._engine = self._backend.create_engine(is_patient=is_patient)
        self._driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        forks.watch(self)
        with ExitStack() as unless_opened:
            unless_opened.callback(self.close)
            self._open(upgrades_shared=upgrades_shared)
            unless_opened.pop_all()
        # A crash between a draw and its clean-up may have left secrets in the journal.
        self._try_to_empty_journal(wait_s=0)

    def fetch(self, statement: Select[Any], values: Mapping[str, Any]) -> list[Any]:
        """Return the rows of one statement, as the driver gives them: the fastest way, for the most frequent queries.

        `values` are ids of raffles, or values that need no conversion. SQLAlchemy only compiles the statement, once,
        and keeps the connections; the rest of its work would take several times as long as the database's.
        """
        sent, given = self.as_sent(statement, values)

        def attempt() -> list[Any]:
            self.require_open()
            try:
                return driver.fetch_rows(self._engine, sent, given)
            except self._driver_error as error:
                raise _meaning(self._backend, error) from error

        return self._repeated(attempt)

    def query(self, work: Callable[[Connection], Result]) -> Result:
        """Return what `work` reads on a connection where each statement is its own transaction: the cheapest read."""
        return self._run(work)

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Return what `work` reads in one transaction, from one state of the database; it may run several times."""
        return self._run(work, begin=self._backend.begin_reading)

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Return what `work` returns, once what it wrote in one transaction is durable.

        An exception from `work` undoes everything. `work` may run several times, each time in a new transaction.
        """
        return self._run(work, begin=self._backend.begin_writing, writes=True)

    def confirm(self) -> None:
        """Return once everything read so far is as durable as committed writes: a standby, if any, has it too."""
        statement = self._backend.confirmation
        if statement is not None:
            self.write(lambda connection: connection.exec_driver_sql(statement))

    def as_sent(self, statement: Select[Any], values: Mapping[str, Any]) -> tuple[str, Any]:
        """Return a statement and its values as `fetch` passes them to the driver."""
        known = self._known_statements.get(statement)
        if known is None:
            written = statement.compile(dialect=self._engine.dialect)
            assert isinstance(written, SQLCompiler)
            # The values' names in order, or None if the driver takes them by name.
            known = self._known_statements[statement] = written.string, written.positiontup
        sql, names = known
        taken = {
            name: schema.raffle_key(value, self._engine.dialect.name) if isinstance(value, UUID) else value
            for name, value in values.items()
        }
        return sql, taken if names is None else tuple(taken[name] for name in names)

    @property
    def key_file(self) -> Path | None:
        """The file for the database's own signing key, if it can have one."""
        return self._backend.key_file

    def check_layout(self) -> None:
        """Check, with one light query, that the database still has the layout with which it was opened.

        Raises:
            SchemaMismatch: it has another layout now.
            StorageUnavailable: it does not answer.
        """
        rows = self.fetch(layout.VERSION_FOUND, {})
        layout.check_unchanged(rows[0][0] if rows else "none", self._backend)

    def broke_a_rule(self, error: StorageUnavailable) -> bool:
        """Return whether an error of `write` is the fault of the rows, and not operational."""
        return isinstance(error.__cause__, IntegrityError)

    def empty_journal(self) -> None:
        """Move SQLite's write-ahead log into the file and truncate it, so that deleted bytes are in neither.

        It never fails: committed work stays committed. While another program reads the log, it cannot be emptied;
        then a warning is logged, and every later transaction tries again until one succeeds. On PostgreSQL it does
        nothing: the server overwrites its log in its own time.
        """
        self._journal_is_due = isinstance(self._backend, sqlite.Sqlite)
        if not self._try_to_empty_journal(wait_s=_JOURNAL_WAIT_S):
            _log.warning("The journal of %s is in use; what was deleted leaves it when its reader is done.", self.url)

    def require_open(self) -> None:
        """Check that the database is open, for work that does not use it.

        Raises:
            StorageUnavailable: it is closed, or was opened by another process.
        """
        forks.check_inheritance(self._backend.name)
        if self._closed:
            raise StorageUnavailable(f"{self._backend.name} has been closed; open a new engine.")

    def close(self) -> None:
        """Close the database permanently; a second call does nothing.

        On SQLite it waits for this process's writer. A connection in use is closed after its use.
        """
        with self._writers_turn:
            self._closed = True
            self._engine.pool.dispose()

    def before_fork(self) -> bool:
        """Close all connections, since none may be inherited; return True if some are in use."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        if pool.checkedout() > 0:
            return True
        pool.dispose()
        return False

    def after_fork(self) -> None:
        """Start afresh in a child: other threads, and the locks that they hold, are the parent's."""
        self._writers_turn = threading.Lock()
        self._engine.dispose(close=False)

    def _run(self, work: Callable[[Connection], Result], *, begin: str | None = None, writes: bool = False) -> Result:
        def attempt() -> Result:
            is_commit = False
            with self._writers_turn if writes and self._backend.writes_in_turn else nullcontext():
                self.require_open()
                try:
                    with self._engine.begin() as connection:
                        if begin is not None:
                            driver.send(connection, begin)
                        result = work(connection)
                        is_commit = writes
                    return result
                except DBAPIError as error:
                    # A writer has the lock by then, so the connection failed, or the disk.
                    raise _meaning(self._backend, error, is_in_doubt=is_commit) from error

        return self._repeated(attempt)

    def _repeated(self, attempt: Callable[[], Result]) -> Result:
        try:
            result = _run_until_alone(self._backend, attempt)
        finally:
            if self._closed:
                self._engine.pool.dispose()
        if self._journal_is_due:
            self._try_to_empty_journal(wait_s=0)
        return result

    def _open(self, *, upgrades_shared: bool) -> None:
        if not self.query(self._backend.is_made):
            self.write(lambda connection: layout.make(connection, self._backend))
        found = self.query(layout.version)
        if layout.needs_upgrade(found, self._backend, is_asked_for=upgrades_shared):
            self._upgrade(found)

    def _upgrade(self, found: str) -> None:
        try:
            self.write(lambda connection: layout.upgrade_tables(connection, self._backend))
        except StorageUnavailable as error:
            stays = f"Its upgrade from layout {found} to {schema.VERSION} failed and changed nothing."
            raise StorageUnavailable(f"{error} {stays}") from error.__cause__

    def _try_to_empty_journal(self, *, wait_s: float) -> bool:
        if not isinstance(self._backend, sqlite.Sqlite):
            return True
        try:
            with self._writers_turn, closing(self._engine.raw_connection()) as connection:
                emptied = sqlite.empty_journal(connection.cursor(), wait_s=wait_s)
                # Set in the writers' turn, so that later deletions are not mistaken for emptied.
                self._journal_is_due = self._journal_is_due and not emptied
        except (DBAPIError, sqlite3.Error):
            return False
        return emptied


def layout_status(url: str) -> DatabaseStatus:
    """Return which layout a database has; nothing is made or changed.

    Raises:
        InvalidSetting: the URL is invalid, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program.
        StorageUnavailable: it cannot be opened.
    """
    backend = backend_of(url)
    if not backend.exists():
        return layout.status_of(backend.url, None, exists=False)
    engine = backend.create_looking_engine()

    def look() -> str | None:
        try:
            with engine.connect() as connection:
                return layout.version(connection) if backend.is_made(connection) else None
        except DBAPIError as error:
            raise _meaning(backend, error) from error

    try:
        return layout.status_of(backend.url, _run_until_alone(backend, look))
    finally:
        engine.dispose()


def _run_until_alone(backend: Backend, attempt: Callable[[], Result]) -> Result:
    longest_pause_s = _FIRST_PAUSE_S
    for _ in range(_RUNS):
        try:
            return attempt()
        except _MetAnother as error:
            met = error
            time.sleep(secrets.SystemRandom().uniform(0, longest_pause_s))
            longest_pause_s = min(2 * longest_pause_s, _LONGEST_PAUSE_S)
    raise StorageUnavailable(f"{backend.name} is too busy; try again later.") from met


def _meaning(backend: Backend, error: Exception, *, is_in_doubt: bool = False) -> Exception:
    """Return what an error of SQLAlchemy or a driver means."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if backend.must_run_again(original):
        return _MetAnother()
    if isinstance(error, IntegrityError) and backend.says_participant_has_ticket(original):
        return AlreadyParticipated()
    return StorageUnavailable(backend.meaning(original), is_in_doubt=is_in_doubt)
