"""Sessions that stop before every statement that they send, and a schedule that says which one continues.

A session is a thread. Its engine's connections are the driver's, except that each asks its session before it sends a
statement. Only the database, never the clock, shows which session waits in it and which works.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect

from tests.waiting import LIMIT_S

# Most statements are done by then, so the database is not asked before whether a session waits in it.
_PATIENCE_S = 0.002

_this = threading.local()


@dataclass(frozen=True)
class Made:
    """A call that was made: from the step `begun` to the step `ended`, with its outcome, a value or an error."""

    call: Any
    begun: int
    ended: int
    outcome: Any


@dataclass
class Clock:
    """Counts the steps of all sessions together."""

    step: int = 0


class Session:
    """A thread that makes calls, one after the other, and stops before each call and each statement."""

    def __init__(self, name: str, calls: Sequence[Any], make: Callable[[Any], Any], *, clock: Clock) -> None:
        self.name = name
        self.made: list[Made] = []
        self.next_step = "start"
        self.waits = False
        self.is_done = False
        self.is_sent_back = False
        """SQLite was busy, so the session would ask again."""
        self.backend_pid: int | None = None
        self._calls = calls
        self._make = make
        self._clock = clock
        self._go = threading.Semaphore(0)
        self._arrived = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        assert self.has_arrived(within_s=LIMIT_S)

    def let_go(self) -> None:
        """Let the session take its next step."""
        self._arrived.clear()
        self._go.release()

    def has_arrived(self, *, within_s: float) -> bool:
        """Return whether it reaches its next step, or ends, within a time."""
        return self._arrived.wait(within_s)

    def stop_before(self, what: str) -> None:
        """Wait, in the session's thread, until it is let go."""
        self.next_step = what
        self._arrived.set()
        assert self._go.acquire(timeout=LIMIT_S), "no one let this session continue"

    def join(self) -> None:
        self._thread.join(LIMIT_S)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        _this.session = self
        for call in self._calls:
            self.stop_before(repr(call))
            begun = self._clock.step
            try:
                outcome = self._make(call)
            # Whatever it is: the model says whether it was right.
            except Exception as error:
                outcome = error
            self.made.append(Made(call, begun, self._clock.step, outcome))
        self.is_done = True
        self._arrived.set()


class Scheduler:
    """Take sessions through their steps: first in turns, then, one after the other, to their ends. `is_held_up` returns
    whether the database lets the backend with this process id wait for another one.
    """

    def __init__(self, sessions: Sequence[Session], *, clock: Clock, is_held_up: Callable[[int], bool]) -> None:
        self._sessions = sessions
        self._clock = clock
        self._is_held_up = is_held_up
        self.log: list[str] = []
        self.waits = 0

    def run(self, turns: Sequence[int]) -> list[Made]:
        """Return the calls that were made; each turn is a number of steps, of the next session each time.

        A session that has to wait, or is done, leaves the rest of its turn.
        """
        for session, steps in zip(cycle(self._sessions), turns, strict=False):
            self._take(session, steps)
        while not all(session.is_done for session in self._sessions):
            ready = [session for session in self._sessions if not session.is_done and not session.waits]
            # All wait for one another: the database ends that by itself.
            self._take(ready[0], 10**6) if ready else self._settle_all()
        for session in self._sessions:
            session.join()
        return [made for session in self._sessions for made in session.made]

    def _take(self, session: Session, steps: int) -> None:
        for _ in range(steps):
            if session.is_done or session.waits:
                return
            self._clock.step += 1
            self.log.append(f"{self._clock.step:3} {session.name}: {session.next_step}")
            session.let_go()
            self._settle(session)
            self._settle_all()

    def _settle_all(self) -> None:
        for session in self._sessions:
            if session.waits:
                if session.is_sent_back:
                    session.let_go()
                self._settle(session)

    def _settle(self, session: Session) -> None:
        """Return when a session is at its next step, is done, or waits for another one."""
        waited = session.waits
        while not session.has_arrived(within_s=_PATIENCE_S):
            if session.backend_pid is not None and self._is_held_up(session.backend_pid):
                session.waits = True
                break
        else:
            session.waits = session.is_sent_back
        if session.waits and not waited:
            self.waits += 1
            self.log.append(f"    {session.name} waits")
        elif waited and not session.waits:
            self.log.append(f"    {session.name} continues")


class _StoppingCursor(sqlite3.Cursor):
    connection: "_StoppingConnection"

    def execute(self, statement: str, values: Any = ()) -> "_StoppingCursor":
        return self.connection.send(statement, lambda: super(_StoppingCursor, self).execute(statement, values))

    def executemany(self, statement: str, rows: Any) -> "_StoppingCursor":
        return self.connection.send(statement, lambda: super(_StoppingCursor, self).executemany(statement, rows))


class _StoppingConnection(sqlite3.Connection):
    """SQLite waits for a lock by asking again and again: here it asks again after each step of the others.

    As SQLite has it, only a statement that begins a transaction may wait; within one, what it has seen may be past.
    """

    _has_looked = False

    def cursor(self, *_: Any) -> _StoppingCursor:  # type: ignore[override]  # what sqlite3 asks of a factory
        return super().cursor(_StoppingCursor)

    def commit(self) -> None:
        if self.in_transaction:
            self.send("COMMIT", super().commit)

    def rollback(self) -> None:
        if self.in_transaction:
            self.send("ROLLBACK", super().rollback)

    def send(self, statement: str, send: Callable[[], Any]) -> Any:
        session: Session | None = getattr(_this, "session", None)
        if statement.startswith("PRAGMA busy_timeout"):
            # SQLite itself is never to wait here.
            return None
        if session is None:
            return send()
        session.stop_before(_in_one_line(statement))
        while True:
            try:
                answer = send()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or self._has_looked:
                    raise
                session.is_sent_back = True
                session.stop_before(session.next_step)
                session.is_sent_back = False
            else:
                self._has_looked = self.in_transaction and not statement.startswith("BEGIN")
                return answer


class _StoppingPsycopgCursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, *arguments: Any, **how: Any) -> "_StoppingPsycopgCursor":
        _stop_before(self.connection, query)
        return super().execute(query, *arguments, **how)

    def executemany(self, query: Any, *arguments: Any, **how: Any) -> None:
        _stop_before(self.connection, query)
        super().executemany(query, *arguments, **how)


class _StoppingPsycopgConnection(psycopg.Connection[Any]):
    def commit(self) -> None:
        self._stop_before_the_end("COMMIT")
        super().commit()

    def rollback(self) -> None:
        self._stop_before_the_end("ROLLBACK")
        super().rollback()

    def _stop_before_the_end(self, statement: str) -> None:
        if self.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            _stop_before(self, statement)


def _stop_before(connection: psycopg.Connection[Any], statement: str) -> None:
    session: Session | None = getattr(_this, "session", None)
    if session is not None:
        session.backend_pid = connection.info.backend_pid
        session.stop_before(_in_one_line(statement))


def _in_one_line(statement: str) -> str:
    line = " ".join(statement.split())
    return line if len(line) <= 100 else f"{line[:99]}…"


@contextmanager
def stopping_connections() -> Iterator[None]:
    """Make all new connections stop the sessions that use them; other connections are not affected."""
    event.listen(Engine, "do_connect", _connect)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", _connect)


def _connect(dialect: Dialect, _: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    if dialect.name == "postgresql":
        return _StoppingPsycopgConnection.connect(*arguments, **keywords, cursor_factory=_StoppingPsycopgCursor)
    return dialect.loaded_dbapi.connect(*arguments, **{**keywords, "factory": _StoppingConnection, "timeout": 0})
