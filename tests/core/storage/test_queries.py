"""No request scans a table: the plan of every statement that the engine sends is checked, on each kind of database.

PostgreSQL scans a small table, because that is faster; so the tables are filled until scanning would be slower.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Connection

from rafflekit import Entry, Prize, Raffle, RaffleEngine, Ticket
from rafflekit.core.models import State
from rafflekit.core.storage import schema
from rafflekit.core.storage.location import backend_of
from tests.core.conftest import Sent
from tests.databases import RAFFLE_COLUMNS, PostgresqlServer, open_engine, run
from tests.raffles import sell_all, sold_out

KEY = "an idempotency key"
NAMES = [*schema.metadata.tables, "ticket", "taken", "loss"]
"""The tables, and what claims call them."""

# A whole table, or the tickets of a whole raffle.
SQLITE_WALK = re.compile(rf"SCAN ({'|'.join(NAMES)})\b|SEARCH (tickets|ticket) USING .*\(raffle=\?\)")
POSTGRESQL_WALK = re.compile(rf"Seq Scan on ({'|'.join(schema.metadata.tables)})\b")
GROUPS = (1, 2, 20, 1000)


@dataclass(frozen=True)
class Scene:
    """An open raffle in which bob takes part; one in which a family holds three tickets; one for the invited.

    Of the drawn raffle, with three winners among nine tickets, one prize is redeemed, and one was passed on.
    """

    open: Raffle
    family: Raffle
    invited: Raffle
    empty: Raffle
    drawn: Raffle
    redeemed: Ticket
    standing: Ticket
    now: datetime


def make_scene(engine: RaffleEngine) -> Scene:
    """Make several raffles, so that a statement without the raffle finds too much."""
    hug = [Prize("hug")]
    open_raffle = engine.create("Open", total_tickets=10_000_000, prizes=hug)
    engine.participate(open_raffle.id, "bob", idempotency_key=KEY)
    family = engine.create("Family", total_tickets=10_000_000, prizes=hug, tickets_each=100)
    for place in range(3):
        engine.participate(family.id, "bob", idempotency_key=f"{KEY} {place}")
    invited = engine.create("Invited", total_tickets=10_000_000, prizes=hug, entry="invitation")
    empty = engine.create("Empty", total_tickets=9, prizes=hug, idempotency_key=KEY)
    drawn = engine.create("Drawn", total_tickets=9, prizes=[Prize("hug", 3)], claim_days=1)
    tickets = {ticket.number: ticket for ticket in sell_all(engine, drawn)}
    redeemed, lost, standing = (tickets[win.ticket_number] for win in engine.draw(drawn.id))
    engine.redeem(drawn.id, redeemed.number, redeemed.verification_code)
    engine.forfeit(drawn.id, lost.number, why="disqualified", reason="a relative")
    return Scene(open_raffle, family, invited, empty, drawn, redeemed, standing, datetime.now(UTC))


def due_raffle(engine: RaffleEngine, scene: Scene) -> Raffle:
    """Make a raffle whose time is over."""
    raffle = engine.create("Due", total_tickets=9, prizes=[Prize("hug")], closes_at=scene.now + timedelta(days=1))
    engine.participate(raffle.id, "ann")
    return raffle


def two_days_later(part: object, scene: Scene) -> AbstractContextManager[Any]:
    return mock.patch.object(part, "_clock", return_value=scene.now + timedelta(days=2))


def close_due(engine: RaffleEngine, scene: Scene) -> None:
    raffle = due_raffle(engine, scene)
    with two_days_later(engine._endings, scene):
        assert raffle.id in engine.close_due()


def cancel(engine: RaffleEngine, scene: Scene) -> None:
    raffle = due_raffle(engine, scene)
    with two_days_later(engine._endings, scene):
        engine.cancel(raffle.id, "rain")


def close(engine: RaffleEngine, scene: Scene) -> None:
    raffle = due_raffle(engine, scene)
    with two_days_later(engine._endings, scene):
        engine.close_raffle(raffle.id)


def forfeit_unclaimed(engine: RaffleEngine, scene: Scene) -> None:
    with two_days_later(engine._claims, scene):
        assert engine.forfeit_unclaimed(scene.drawn.id)


def make_and_revoke_pass(engine: RaffleEngine, _: Scene) -> None:
    engine.passes.make("Ann", may=["redeem"], lasts=timedelta(days=1))
    engine.passes.revoke("Ann")


def participate_at_once(count: int) -> Callable[[RaffleEngine, Scene], object]:
    return lambda engine, scene: list(engine.participate_many(scene.open.id, (f"{count}/{n}" for n in range(count))))


def participate_several_times(count: int) -> Callable[[RaffleEngine, Scene], object]:
    people = [Entry(f"{count}/{n // 2}", f"{KEY} {n // 2} {n % 2}") for n in range(count)]
    return lambda engine, scene: [list(engine.participate_many(scene.family.id, people)) for _ in range(2)]


def compare_codes(count: int) -> Callable[[RaffleEngine, Scene], object]:
    codes = {number: f"{number:030}" for number in range(1, count + 1)}
    return lambda engine, scene: engine.exports.wrong_codes(scene.open.id, codes)


def code_of(ticket: Ticket) -> tuple[int, str]:
    return ticket.number, ticket.verification_code


def list_in_state(state: State) -> Callable[[RaffleEngine, Scene], object]:
    return lambda engine, _: engine.list(state=state)


USE_CASES: dict[str, Callable[[RaffleEngine, Scene], object]] = {
    "create": lambda engine, _: engine.create("New", total_tickets=2, prizes=[Prize("a"), Prize("b")]),
    "create again": lambda engine, _: engine.create(
        "Empty", total_tickets=9, prizes=[Prize("hug")], idempotency_key=KEY
    ),
    "change": lambda engine, scene: engine.change(scene.empty.id, tickets_each=2, prizes=[Prize("a"), Prize("b")]),
    "list": lambda engine, _: engine.list(),
    "list with few prizes": lambda engine, _: engine.list(most_prizes=1),
    "list what is drawn": lambda engine, _: engine.list(winners_drawn=True),
    "list what is not drawn": lambda engine, _: engine.list(winners_drawn=False),
    **{f"list what is {state}": list_in_state(state) for state in State if state is not State.DRAWN},
    "get": lambda engine, scene: engine.get(scene.open.id),
    "find": lambda engine, scene: engine.find(str(scene.open.id)),
    "participate": lambda engine, scene: engine.participate(scene.open.id, "ann", idempotency_key=KEY),
    **{f"participate, {count} at once": participate_at_once(count) for count in GROUPS},
    "participate again": lambda engine, scene: engine.participate(scene.family.id, "bob"),
    **{f"participate twice, {count} at once": participate_several_times(count) for count in GROUPS},
    "participate with an invitation": lambda engine, scene: engine.participate(
        scene.invited.id, invitation=engine.invitations(scene.invited.id, 1)[0]
    ),
    "repeat": lambda engine, scene: engine.participate(scene.open.id, "bob", idempotency_key=KEY),
    "repeat the third": lambda engine, scene: engine.participate(scene.family.id, "bob", idempotency_key=f"{KEY} 2"),
    "close": close,
    "close what is due": close_due,
    "cancel": cancel,
    "draw": lambda engine, _: engine.draw(sold_out(engine).id),
    "winners": lambda engine, scene: engine.winners(scene.drawn.id, page=2, page_size=1),
    "winners that are left": lambda engine, scene: engine.winners(scene.drawn.id, unredeemed=True),
    "queue": lambda engine, scene: engine.queue(scene.drawn.id),
    "verify": lambda engine, scene: engine.verify(scene.drawn.id, *code_of(scene.redeemed)),
    "redeem": lambda engine, scene: engine.redeem(scene.drawn.id, *code_of(scene.standing)),
    "undo": lambda engine, scene: engine.redeem(scene.drawn.id, *code_of(scene.redeemed), undo=True),
    "forfeit": lambda engine, scene: engine.forfeit(
        scene.drawn.id, scene.standing.number, why="disqualified", reason="a relative"
    ),
    "forfeit what is unclaimed": forfeit_unclaimed,
    "find a pass": lambda engine, _: engine.passes.find(f"rkp_{0:032}"),
    "make and revoke a pass": make_and_revoke_pass,
    "holdings": lambda engine, scene: engine.holdings(scene.drawn.id),
    "list tickets before the draw": lambda engine, scene: list(engine.exports.tickets(scene.open.id)),
    "list tickets": lambda engine, scene: list(engine.exports.tickets(scene.drawn.id)),
    "list wins": lambda engine, scene: list(engine.exports.wins(scene.drawn.id)),
    "list claims": lambda engine, scene: list(engine.exports.claims(scene.drawn.id)),
    **{f"compare {count} codes": compare_codes(count) for count in GROUPS},
    "leaves": lambda engine, scene: engine.proofs.leaves_between(scene.drawn.id, 1, 2),
    "version of a proof": lambda engine, scene: engine.proofs.version(scene.drawn.id),
    "look for participants to purge": lambda engine, scene: engine.check_purge(scene.drawn.id),
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
    walks = [plan for plan in plans if SQLITE_WALK.match(plan) and "INDEX raffles_" not in plan]
    assert walks == []


def statements_with_plans(sent: Sent) -> Iterator[tuple[str, Any]]:
    for statement, values in sent:
        if statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            yield statement, values


# Thirty thousand raffles with a ticket, a win, a redemption and a forfeit each, and two hundred thousand tickets in one
# of them. The triggers that would look at each row have nothing to say here.
FILLED = ("raffles", "counters", "prizes", "tickets", "draws", "wins", "redemptions", "forfeits")
FILLING = (
    *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in FILLED),
    f"INSERT INTO raffles ({RAFFLE_COLUMNS}) "
    "SELECT gen_random_uuid(), 100 + n, 'Full', 'full', 0, 1000000, 'secrets', 'address', 1, 'key' "
    "FROM generate_series(1, 30000) AS n",
    "INSERT INTO counters SELECT id, 1 FROM raffles",
    "INSERT INTO secrets SELECT id, '' FROM raffles WHERE drawn_at IS NULL AND cancelled_at IS NULL",
    "INSERT INTO prizes SELECT id, n, 'hug', 1 FROM raffles, generate_series(0, 1) AS n",
    "INSERT INTO tickets SELECT id, 0, 1, '', 1, '', NULL, 0 FROM raffles",
    "INSERT INTO draws SELECT id, '', '', 1 FROM raffles",
    "INSERT INTO wins SELECT id, 1, 0, 0 FROM raffles",
    "INSERT INTO redemptions SELECT id, 1, 1, 0, NULL FROM raffles",
    "INSERT INTO forfeits SELECT id, 1, 1, 0, 'unclaimed', 'not collected', 0, NULL FROM raffles",
    "INSERT INTO passes SELECT sha256(n::text::bytea), 'Ann', 'redeem', 1, 2, NULL FROM generate_series(1, 30000) AS n",
    "INSERT INTO tickets SELECT id, n, n + 1, sha256(n::text::bytea), 1, '', NULL, 0 "
    "FROM (SELECT id FROM raffles LIMIT 1) AS one, generate_series(1, 200000) AS n",
    *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in FILLED),
    "ANALYZE",
)


@pytest.fixture(scope="module")
def full_url(postgresql: PostgresqlServer) -> str:
    """The URL of a PostgreSQL with many raffles, one of them large."""
    url = postgresql.new_url()
    open_engine(url).close()
    for statement in FILLING:
        run(url, statement)
    return url


@pytest.fixture(scope="module")
def full_engine(full_url: str) -> Iterator[RaffleEngine]:
    """An engine whose connections know the tables already; each use case makes its own scene."""
    with open_engine(full_url) as engine:
        yield engine


@pytest.fixture(scope="module")
def explaining(full_url: str) -> Iterator[Connection]:
    """A connection for plans."""
    database = backend_of(full_url).create_engine()
    with database.connect() as connection:
        yield connection
    database.dispose()


@pytest.mark.parametrize("use_case", USE_CASES)
def test_no_request_scans_a_table_of_postgresql(
    full_engine: RaffleEngine, explaining: Connection, sent: Sent, use_case: str
) -> None:
    scene = make_scene(full_engine)
    sent.clear()

    USE_CASES[use_case](full_engine, scene)

    walks = [
        f"{line.strip()} — {statement}"
        for statement, values in list(statements_with_plans(sent))
        # To count raffles, PostgreSQL reads the index of just those or, for all of them, the table.
        if "FROM raffles" not in statement or "count(" not in statement
        for (line,) in explaining.exec_driver_sql(f"EXPLAIN {statement}", values)
        if POSTGRESQL_WALK.search(line)
    ]
    assert sent
    assert walks == []
