"""Every test of the engine runs on each kind of database."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Select, event

from rafflekit import RaffleEngine
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.storage import driver
from rafflekit.core.storage.database import Database
from tests.core.drawn import Scene, drawn
from tests.databases import KEY, KINDS, new_database_url, open_engine, prepare

__all__ = ["KEY"]

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

Sent = list[tuple[str, Any]]


class Clock:
    """A clock that shows the time that it is set to, at first `NOW`."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that only the test moves."""
    return Clock()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with empty tables: a SQLite file, then PostgreSQL."""
    url = new_database_url(request)
    prepare(url)
    return url


@pytest.fixture
def signing_key() -> SignerKey | None:
    """The key that the engine is given: None, so it makes its own key on SQLite and has `KEY` on PostgreSQL."""
    return None


@pytest.fixture
def engine(database_url: str, signing_key: SignerKey | None) -> Iterator[RaffleEngine]:
    """An engine on that database, with that key."""
    with open_engine(database_url, **({} if signing_key is None else {"signing_key": signing_key})) as opened:
        yield opened


@pytest.fixture
def timed(database_url: str, clock: Clock) -> Iterator[RaffleEngine]:
    """An engine on that database, with that clock and a key."""
    with RaffleEngine(database_url, clock=clock, signing_key=KEY) as opened:
        yield opened


@pytest.fixture
def scene(timed: RaffleEngine, clock: Clock) -> Scene:
    """A drawn raffle without a deadline: six tickets, three of them have won."""
    return drawn(timed, clock)


@pytest.fixture
def dated(timed: RaffleEngine, clock: Clock) -> Scene:
    """The same with a deadline of ten days."""
    return drawn(timed, clock, claim_days=10)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    """The statements that were sent to any database, with their values."""
    statements: Sent = []

    def remember(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        statements.append((statement, values[0] if many else values))

    def fetch(database: Database, statement: Select[Any], values: dict[str, Any]) -> list[Any]:
        remember(None, None, *database.as_sent(statement, values), None, False)
        return fetched(database, statement, values)

    def send(connection: Connection, statement: str, values: driver.Values = ()) -> list[Any]:
        remember(None, None, statement, values, None, False)
        return gone(connection, statement, values)

    def send_many(connection: Connection, statement: str, rows: Sequence[driver.Values]) -> None:
        remember(None, None, statement, rows, None, True)
        many_gone(connection, statement, rows)

    # These go past SQLAlchemy's events.
    fetched, gone, many_gone = Database.fetch, driver.send, driver.send_many
    monkeypatch.setattr(Database, "fetch", fetch)
    monkeypatch.setattr(driver, "send", send)
    monkeypatch.setattr(driver, "send_many", send_many)
    event.listen(Engine, "before_cursor_execute", remember)
    yield statements
    event.remove(Engine, "before_cursor_execute", remember)
