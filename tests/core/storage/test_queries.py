"""No request scans a table: the plan of every statement that the engine sends is checked, on each kind of database.

PostgreSQL scans a small table, because that is faster; so the tables are filled until scanning would be slower.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rafflekit import Prize, Raffle, RaffleEngine, Ticket
from rafflekit.core.storage import schema
from rafflekit.core.storage.location import backend_of
from tests.core.conftest import Sent
from tests.databases import PostgresqlServer, run
from tests.raffles import sell_all, sold_out

KEY = "an idempotency key"
TABLES = "|".join(schema.metadata.tables)
SQLITE_WALK = re.compile(rf"SCAN ({TABLES})\b")
POSTGRESQL_WALK = re.compile(rf"Seq Scan on ({TABLES})\b")
GROUPS = (1, 2, 20, 1000)


@dataclass(frozen=True)
class Scene:
    """An open raffle in which bob takes part, and a drawn one with a ticket."""

    open: Raffle
    drawn: Raffle
    ticket: Ticket


def make_scene(engine: RaffleEngine) -> Scene:
    """Make two raffles, so that a statement without the raffle finds too much."""
    open_raffle = engine.create("Open", total_tickets=10_000_000, prizes=[Prize("hug")])
    engine.participate(open_raffle.id, "bob", idempotency_key=KEY)
    drawn = engine.create("Drawn", total_tickets=3, prizes=[Prize("hug", 3)])
    ticket = sell_all(engine, drawn)[0]
    engine.draw(drawn.id)
    return Scene(open_raffle, drawn, ticket)


def participate_at_once(count: int) -> Callable[[RaffleEngine, Scene], object]:
    return lambda engine, scene: list(engine.participate_many(scene.open.id, (f"{count}/{n}" for n in range(count))))


USE_CASES: dict[str, Callable[[RaffleEngine, Scene], object]] = {
    "create": lambda engine, _: engine.create("New", total_tickets=2, prizes=[Prize("a"), Prize("b")]),
    "list": lambda engine, _: engine.list(),
    "list what is drawn": lambda engine, _: engine.list(winners_drawn=True),
    "list what is not drawn": lambda engine, _: engine.list(winners_drawn=False),
    "get": lambda engine, scene: engine.get(scene.open.id),
    "find": lambda engine, scene: engine.find(str(scene.open.id)),
    "participate": lambda engine, scene: engine.participate(scene.open.id, "ann", idempotency_key=KEY),
    **{f"participate, {count} at once": participate_at_once(count) for count in GROUPS},
    "repeat": lambda engine, scene: engine.participate(scene.open.id, "bob", idempotency_key=KEY),
    "draw": lambda engine, _: engine.draw(sold_out(engine).id),
    "winners": lambda engine, scene: engine.winners(scene.drawn.id, page=2, page_size=1),
    "verify": lambda engine, scene: engine.verify(scene.drawn.id, scene.ticket.number, scene.ticket.verification_code),
}


@pytest.mark.parametrize("use_case", USE_CASES)
def test_no_request_scans_a_table_of_sqlite(engine: RaffleEngine, database: Path, sent: Sent, use_case: str) -> None:
    scene = make_scene(engine)
    sent.clear()

    USE_CASES[use_case](engine, scene)

    plans = []
    with closing(sqlite3.connect(database)) as connection:
        for statement, values in statements_with_plans(sent):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            plans += [f"{step[3]} — {statement}" for step in plan]
    assert plans
    # Drawn raffles, and others, are read from an index of only these. A list of values in a statement is not a table.
    assert not [plan for plan in plans if SQLITE_WALK.match(plan) and "INDEX raffles_" not in plan]


def statements_with_plans(sent: Sent) -> Iterator[tuple[str, Any]]:
    for statement, values in sent:
        if statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            yield statement, values


# Thirty thousand raffles with a ticket and a win each, and two hundred thousand tickets in one of them. The triggers
# that would look at each row have nothing to say here.
FILLING = (
    *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in ("raffles", "counters", "prizes", "tickets", "wins")),
    "INSERT INTO raffles SELECT gen_random_uuid(), 10 + n, 'Full', 'full', 0, 1000000, NULL, NULL "
    "FROM generate_series(1, 30000) AS n",
    "INSERT INTO counters SELECT id, 1 FROM raffles WHERE name = 'Full'",
    "INSERT INTO secrets SELECT id, '', '', '' FROM raffles WHERE name = 'Full'",
    "INSERT INTO prizes SELECT id, n, 'hug', 1 FROM raffles, generate_series(0, 1) AS n WHERE name = 'Full'",
    "INSERT INTO tickets SELECT id, 0, 1, '', '', NULL, 0 FROM raffles WHERE name = 'Full'",
    "INSERT INTO wins SELECT id, 1, 0, 0 FROM raffles WHERE name = 'Full'",
    "INSERT INTO tickets SELECT id, n, n + 1, sha256(n::text::bytea), '', NULL, 0 "
    "FROM (SELECT id FROM raffles WHERE name = 'Full' LIMIT 1) AS one, generate_series(1, 200000) AS n",
    *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in ("raffles", "counters", "prizes", "tickets", "wins")),
    "ANALYZE",
)


@pytest.fixture(scope="module")
def full(postgresql: PostgresqlServer) -> Iterator[tuple[str, RaffleEngine, Scene]]:
    """A PostgreSQL with raffles of every size, its URL, an engine and the scene on it."""
    url = postgresql.new_url()
    with RaffleEngine(url) as engine:
        scene = make_scene(engine)
        for statement in FILLING:
            run(url, statement)
        yield url, engine, scene


@pytest.mark.parametrize("use_case", USE_CASES)
def test_no_request_scans_a_table_of_postgresql(
    full: tuple[str, RaffleEngine, Scene], sent: Sent, use_case: str
) -> None:
    url, engine, scene = full
    sent.clear()

    USE_CASES[use_case](engine, scene)

    walks = [
        f"{line.strip()} — {statement}"
        for statement, values in list(statements_with_plans(sent))
        # To count raffles, PostgreSQL reads the index of just those or, for all of them, the table.
        if "count(" not in statement
        for line in plan_of(url, statement, values)
        if POSTGRESQL_WALK.search(line)
    ]
    assert sent
    assert walks == []


def plan_of(url: str, statement: str, values: Any) -> list[str]:
    engine = backend_of(url).create_engine()
    try:
        with engine.connect() as connection:
            return [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)]
    finally:
        engine.dispose()
