"""A database and its transactions: opened, checked or made, read, written, closed.

`read()` and `write()` are the only two ways to a connection, each one transaction. Errors of the database's
surroundings (locked, full, damaged) leave here as `StorageUnavailable`.
"""

import logging
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, insert, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from rafflekit.core.errors import AlreadyParticipated, InvalidSetting, RaffleError, SchemaMismatch, StorageUnavailable
from rafflekit.core.storage import schema, sqlite

_log = logging.getLogger(__name__)

_WRITES = "rafflekit_writes"

# Whoever draws waits for the journal, so it is tried for a moment only.
_JOURNAL_WAIT_S = 2.0


class Database:
    """An open SQLite database of this version's schema; an empty one is made into that.

    Raises:
        InvalidSetting: the URL is none, or names a database that is not supported.
        SchemaMismatch: it belongs to another program or another version.
        StorageUnavailable: it cannot be opened or made.
    """

    def __init__(self, url: str) -> None:
        self._path = sqlite.prepare_file(_sqlite_url(url).database)
        # Before anything is set up: another program's database must stay as it is, to the byte.
        is_made = sqlite.is_ours(self._path)
        self.url = URL.create("sqlite", database=str(self._path)).render_as_string()
        self._engine = create_engine(
            self.url,
            connect_args={"timeout": sqlite.BUSY_TIMEOUT_S, "check_same_thread": False},
            # An error names its statement, never the hashes that were in it.
            hide_parameters=True,
            # A connection for each thread that asks: what limits them is the caller's number of threads.
            max_overflow=-1,
        )
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writing_engine = self._engine.execution_options(**{_WRITES: True})
        # Writers of one process wait here, in turn, not in SQLite's polling, which starves some of them.
        self._writers_turn = threading.Lock()
        self._closed = False
        self._journal_is_due = False
        with ExitStack() as unless_opened:
            unless_opened.callback(self.close)
            if not is_made:
                self._make_schema()
            self._check_schema()
            unless_opened.pop_all()
        # A crash between a draw and its clean-up may have left secrets in the journal.
        self._try_to_empty_journal(wait_s=0)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database."""
        with self._translated(), self._engine.begin() as connection:
            yield connection
        self._catch_up_with_journal()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that holds the write lock from its beginning; commit it unless an error leaves it."""
        with self._writers_turn, self._translated(), self._writing_engine.begin() as connection:
            yield connection
        self._catch_up_with_journal()

    def empty_journal(self) -> None:
        """Move the write-ahead log into the file and truncate it, so that deleted bytes are in neither.

        Never fails: what was committed before stays done. While somebody else reads the log it cannot be
        emptied; then a warning is logged, and every later transaction tries again until one succeeds.
        """
        self._journal_is_due = True
        if not self._try_to_empty_journal(wait_s=_JOURNAL_WAIT_S):
            _log.warning("The journal of %s is in use; what was deleted leaves it when its reader is done.", self._path)

    def close(self) -> None:
        """Close every connection, for good; a second time does nothing."""
        self._closed = True
        self._engine.dispose()

    def _catch_up_with_journal(self) -> None:
        if self._journal_is_due:
            self._try_to_empty_journal(wait_s=0)

    def _try_to_empty_journal(self, *, wait_s: float) -> bool:
        try:
            with self._writers_turn, closing(self._engine.raw_connection()) as connection:
                emptied = sqlite.empty_journal(connection.cursor(), wait_s=wait_s)
                # Noted in the writers' turn: nothing that is deleted afterwards can be taken for gone.
                self._journal_is_due = self._journal_is_due and not emptied
        except (DBAPIError, sqlite3.Error):
            return False
        return emptied

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._closed:
            raise StorageUnavailable(f"The database {self._path} has been closed; open a new engine.")
        try:
            yield
        except DBAPIError as error:
            raise _translated_error(error, self._path) from error

    def _make_schema(self) -> None:
        with self.write() as connection:
            # Another process may have been faster.
            if inspect(connection).get_table_names():
                return
            schema.metadata.create_all(connection)
            for statement in (*schema.sqlite_triggers(), sqlite.MARK_AS_OURS):
                connection.exec_driver_sql(statement)
            connection.execute(insert(schema.schema_version).values(version_num=schema.VERSION))

    def _check_schema(self) -> None:
        with self.read() as connection:
            version = connection.execute(select(schema.schema_version.c.version_num)).scalar()
        if version != schema.VERSION:
            raise SchemaMismatch(
                f"The database {self._path} has the layout {version}, and this rafflekit reads {schema.VERSION}; "
                "use the version of rafflekit that made it, or a newer one."
            )


def _sqlite_url(text: str) -> URL:
    try:
        url = make_url(text)
    # ValueError: a port that is no number, brackets that do not close.
    except (ArgumentError, ValueError) as error:
        raise _wrong_url(text, "write it as sqlite:///raffles.db.") from error
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise _wrong_url(text, "only SQLite is supported: sqlite:///raffles.db.")
    if url.query or url.host or url.port or url.username is not None:
        raise _wrong_url(text, "it takes a path only: three slashes, then the file.")
    return url


def _wrong_url(text: str, reason: str) -> InvalidSetting:
    # What stands before an @ may be a password, in whatever way the rest is wrong.
    return InvalidSetting("The database URL", re.sub(r".*@", "…@", text, flags=re.DOTALL), reason)


def _prepare(dbapi_connection: Any, _entry: ConnectionPoolEntry) -> None:
    sqlite.prepare_connection(dbapi_connection)


def _begin(connection: Connection) -> None:
    # A SQLite transaction that reads first and writes then may fail at once, whatever the busy timeout.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _translated_error(error: DBAPIError, path: Path) -> RaffleError:
    # SQLite tells a broken constraint by its columns.
    if isinstance(error, IntegrityError) and "tickets.raffle, tickets.participant" in str(error.orig):
        return AlreadyParticipated()
    return StorageUnavailable(sqlite.meaning(error.orig, path))
