"""No request walks a table: every statement that the engine sends is asked for its plan."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Select, event

from rafflekit import Prize, Raffle, RaffleEngine, Ticket
from rafflekit.core.storage import schema
from rafflekit.core.storage.database import Database
from tests.raffles import sell_all, sold_out

KEY = "an idempotency key"
TABLE_WALK = re.compile(rf"SCAN ({'|'.join(schema.metadata.tables)})\b")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """The statements that were sent to any database, with their values."""
    statements: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        statements.append((statement, values[0] if many else values))

    def fetch(database: Database, statement: Select[Any], values: dict[str, Any]) -> list[Any]:
        remember(None, None, *database.as_sent(statement, values), None, False)
        return fetched(database, statement, values)

    # What is fetched goes past SQLAlchemy's events.
    fetched = Database.fetch
    monkeypatch.setattr(Database, "fetch", fetch)
    event.listen(Engine, "before_cursor_execute", remember)
    yield statements
    event.remove(Engine, "before_cursor_execute", remember)


@dataclass(frozen=True)
class Scene:
    """An open raffle in which bob takes part, and a drawn one with a ticket."""

    open: Raffle
    drawn: Raffle
    ticket: Ticket


@pytest.fixture
def scene(engine: RaffleEngine) -> Scene:
    """Two raffles, so that a statement that forgets the raffle has something to find."""
    open_raffle = engine.create("Open", total_tickets=9, prizes=[Prize("hug")])
    engine.participate(open_raffle.id, "bob", idempotency_key=KEY)
    drawn = engine.create("Drawn", total_tickets=3, prizes=[Prize("hug", 3)])
    ticket = sell_all(engine, drawn)[0]
    engine.draw(drawn.id)
    return Scene(open_raffle, drawn, ticket)


USE_CASES: dict[str, Callable[[RaffleEngine, Scene], object]] = {
    "create": lambda engine, _: engine.create("New", total_tickets=2, prizes=[Prize("a"), Prize("b")]),
    "list": lambda engine, _: engine.list(),
    "list what is drawn": lambda engine, _: engine.list(winners_drawn=True),
    "list what is not drawn": lambda engine, _: engine.list(winners_drawn=False),
    "get": lambda engine, scene: engine.get(scene.open.id),
    "find": lambda engine, scene: engine.find(str(scene.open.id)[:30]),
    "participate": lambda engine, scene: engine.participate(scene.open.id, "ann", idempotency_key=KEY),
    "participate, many at once": lambda engine, scene: list(engine.participate_many(scene.open.id, "abcdefg")),
    "repeat": lambda engine, scene: engine.participate(scene.open.id, "bob", idempotency_key=KEY),
    "draw": lambda engine, _: engine.draw(sold_out(engine).id),
    "winners": lambda engine, scene: engine.winners(scene.drawn.id, page=2, page_size=1),
    "verify": lambda engine, scene: engine.verify(scene.drawn.id, scene.ticket.number, scene.ticket.verification_code),
}


@pytest.mark.parametrize("use_case", USE_CASES)
def test_no_request_walks_a_table(
    engine: RaffleEngine, scene: Scene, database: Path, sent: list[tuple[str, Any]], use_case: str
) -> None:
    sent.clear()

    USE_CASES[use_case](engine, scene)

    plans = []
    with closing(sqlite3.connect(database)) as connection:
        for statement, values in sent:
            if statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
                plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
                plans += [f"{step[3]} — {statement}" for step in plan]
    assert plans
    # What is drawn, or is not, is read from an index of just that. A list of values that was sent is no table.
    assert not [plan for plan in plans if TABLE_WALK.match(plan) and "INDEX raffles_" not in plan]
