"""What a request costs in a raffle that has grown: as much as before; and a list, as much for each of its rows.

PostgreSQL keeps the plan of a prepared statement: one that was made for a small raffle must suit a large one. A server
plans its statements while the tables are nearly empty, when scanning them is cheapest. Here another server makes the
raffle grow, and the tests count the rows that the first one then reads. Of SQLite, they count the steps of its machine.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from rafflekit import AlreadyParticipated, Prize, RaffleEngine, Ticket
from rafflekit.core import exports
from rafflekit.core.protocol.tiles import TILE
from tests.databases import RAFFLE_COLUMNS, PostgresqlServer, open_engine, past_the_rules, run
from tests.raffles import people, sell_all
from tests.waiting import wait_until

KEY = "an idempotency key"
TICKETS = 20_000

# psycopg prepares a statement after its fifth run, PostgreSQL may keep a plan from the sixth run after that on.
RUNS_UNTIL_PLANS_ARE_KEPT = 15

EACH = 100

Request = Callable[[RaffleEngine, str, int], object]


def refused(engine: RaffleEngine, raffle: str) -> None:
    """Let someone who has all tickets that one can have ask for another."""
    with pytest.raises(AlreadyParticipated):
        engine.participate(raffle, "cid")


REQUESTS: dict[str, Request] = {
    "participate": lambda engine, raffle, n: engine.participate(raffle, f"participant {n}"),
    "participate, 20 at once": lambda engine, raffle, n: list(
        engine.participate_many(raffle, (f"participant {n}/{m}" for m in range(20)))
    ),
    "participate again": lambda engine, raffle, _: engine.participate(raffle, "bob"),
    "participate once too often": lambda engine, raffle, _: refused(engine, raffle),
    "repeat": lambda engine, raffle, _: engine.participate(raffle, "bob", idempotency_key=KEY),
    "repeat the third": lambda engine, raffle, _: engine.participate(raffle, "bob", idempotency_key=f"{KEY} 3"),
    "get": lambda engine, raffle, _: engine.get(raffle),
    "list": lambda engine, *_: engine.list(),
}

ROWS_READ = """
    SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = current_schema())
         + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = current_schema())
"""


def grow(url: str, raffle: str) -> None:
    """Issue tickets and create raffles elsewhere, without anything that makes the server plan again."""
    ((issued,),) = run(url, "SELECT issued FROM counters WHERE raffle = %s", raffle)
    run(
        url,
        "INSERT INTO tickets SELECT %s, %s + n, n + 1, sha256(n::text::bytea), 1, '', NULL, 0 "
        f"FROM generate_series(0, {TICKETS - 1}) AS n",
        raffle,
        issued,
    )
    run(
        url,
        "INSERT INTO tiles (raffle, level, position, hash) SELECT %s, 0, n, sha256(n::text::bytea) "
        "FROM generate_series(%s::int, %s::int) AS n",
        raffle,
        issued // TILE,
        (issued + TICKETS) // TILE - 1,
    )
    run(url, "UPDATE counters SET issued = %s WHERE raffle = %s", issued + TICKETS, raffle)
    run(
        url,
        f"INSERT INTO raffles ({RAFFLE_COLUMNS}) "
        "SELECT gen_random_uuid(), 10 + n, 'Other', 'other', 0, 1, 'secrets', 'address', 1, 'key' "
        "FROM generate_series(1, 3000) AS n",
    )
    run(url, "INSERT INTO counters SELECT id, 0 FROM raffles WHERE name = 'Other'")
    run(url, "INSERT INTO prizes SELECT id, 0, 'tea', 1 FROM raffles WHERE name = 'Other'")
    until_counted(url)


def until_counted(url: str) -> None:
    """Wait until what filled the tables is counted: its sessions end a moment after their clients."""
    still_there = "SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query ~ '^INSERT INTO .* SELECT'"
    wait_until(lambda: not run(url, still_there))


def rows_read(engine: RaffleEngine, url: str) -> int:
    """Return how many rows and index entries have been read, once the engine's session has reported it."""

    def report(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")

    engine._database.query(report)
    return int(run(url, ROWS_READ)[0][0])


@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_growing_raffle_costs_a_running_server_no_more(postgresql: PostgresqlServer, request_of: str) -> None:
    url = postgresql.new_url()
    with open_engine(url) as engine:
        raffle = str(engine.create("Foobar", total_tickets=10**12, prizes=[Prize("hug")], tickets_each=EACH).id)
        engine.participate(raffle, "bob", idempotency_key=KEY)
        for place in (2, 3):
            engine.participate(raffle, "bob", idempotency_key=f"{KEY} {place}")
        list(engine.participate_many(raffle, ["cid"] * EACH))
        for n in range(RUNS_UNTIL_PLANS_ARE_KEPT):
            REQUESTS[request_of](engine, raffle, n)
        grow(url, raffle)
        before = rows_read(engine, url)

        REQUESTS[request_of](engine, raffle, RUNS_UNTIL_PLANS_ARE_KEPT)

        assert rows_read(engine, url) - before < 1000


def test_verifying_costs_no_more_while_others_draw(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_url()
    with open_engine(url) as engine:
        drawn = engine.create("Foobar", total_tickets=3, prizes=[Prize("hug", 3)])
        ticket = sell_all(engine, drawn)[0]
        engine.draw(drawn.id)
        for _ in range(RUNS_UNTIL_PLANS_ARE_KEPT):
            verify(engine, ticket)
        grow(url, str(engine.create("Another", total_tickets=10**12, prizes=[Prize("hug")]).id))
        before = rows_read(engine, url)

        verify(engine, ticket)

        assert rows_read(engine, url) - before < 1000


def verify(engine: RaffleEngine, ticket: Ticket) -> None:
    assert engine.verify(ticket.raffle_id, ticket.number, ticket.verification_code).has_won
    assert engine.winners(ticket.raffle_id).count == 3


Claim = Callable[[RaffleEngine, Ticket], object]

CLAIMS: dict[str, Claim] = {
    "verify": lambda engine, ticket: engine.verify(ticket.raffle_id, ticket.number, ticket.verification_code),
    "winners": lambda engine, ticket: engine.winners(ticket.raffle_id, page=5, page_size=10),
    "queue": lambda engine, ticket: engine.queue(ticket.raffle_id, page_size=10),
    "redeem": lambda engine, ticket: engine.redeem(ticket.raffle_id, ticket.number, ticket.verification_code),
    "forfeit": lambda engine, ticket: engine.forfeit(
        ticket.raffle_id, ticket.number, why="disqualified", reason="a relative"
    ),
    "first wins of the list": lambda engine, ticket: next(engine.exports.wins(ticket.raffle_id)),
    "first claims of the list": lambda engine, ticket: next(engine.exports.claims(ticket.raffle_id)),
    "first tickets of the list": lambda engine, ticket: next(engine.exports.tickets(ticket.raffle_id)),
}


@dataclass(frozen=True)
class Claimed:
    """A raffle of which thousands of prizes were handed out or passed on, and winners who still have to come."""

    url: str
    engine: RaffleEngine
    winners: dict[str, Ticket]


@pytest.fixture(scope="module")
def claimed(postgresql: PostgresqlServer) -> Iterator[Claimed]:
    url = postgresql.new_url()
    with open_engine(url) as engine:
        raffle = engine.create("Foobar", total_tickets=8_000, prizes=[Prize("hug", 4_000)])
        tickets = {
            ticket.number: ticket
            for ticket in engine.participate_many(raffle.id, people(8_000))
            if isinstance(ticket, Ticket)
        }
        last = engine.draw(raffle.id)[-len(CLAIMS) :]
        queue = engine.queue(raffle.id, page_size=1_000).items
        now = "extract(epoch FROM now())::bigint + 9"
        run(url, f"INSERT INTO redemptions SELECT raffle, ordinal, 1, {now}, NULL FROM wins WHERE ordinal <= 1500")
        forfeits = ", ".join(
            f"({ordinal}, (SELECT serial FROM tickets WHERE number = {number}))"
            for ordinal, number in enumerate(queue, start=1)
        )
        run(
            url,
            f"INSERT INTO forfeits SELECT id, 1500 + ordinal, ordinal, {now}, "
            f"'unclaimed', 'not collected', 0, serial FROM raffles, (VALUES {forfeits}) AS lost (ordinal, serial)",
        )
        until_counted(url)
        yield Claimed(url, engine, {claim: tickets[win.ticket_number] for claim, win in zip(CLAIMS, last, strict=True)})


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_costs_no_more_in_a_raffle_with_many(
    claimed: Claimed, claim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads a few rows of its own, although thousands of prizes were handed out or passed on."""
    monkeypatch.setattr(exports, "_ROWS_AT_ONCE", 10)
    before = rows_read(claimed.engine, claimed.url)

    CLAIMS[claim](claimed.engine, claimed.winners[claim])

    assert rows_read(claimed.engine, claimed.url) - before < 1000


Listing = Callable[[RaffleEngine, str, dict[int, str]], object]

LISTS: dict[str, Listing] = {
    "wins": lambda engine, raffle, _: list(engine.exports.wins(raffle)),
    "claims": lambda engine, raffle, _: list(engine.exports.claims(raffle)),
    "tickets": lambda engine, raffle, _: list(engine.exports.tickets(raffle)),
    "codes": lambda engine, raffle, codes: engine.exports.wrong_codes(raffle, codes),
    "holdings": lambda engine, raffle, _: engine.holdings(raffle),
}


def claimed_raffle(engine: RaffleEngine, url: str, tickets: int) -> tuple[str, dict[int, str]]:
    """Draw a raffle in which every second ticket wins, and redeem every prize; return also the codes of the tickets."""
    raffle = engine.create("Foobar", total_tickets=tickets, prizes=[Prize("hug", tickets // 2)])
    issued = [each for each in engine.participate_many(raffle.id, people(tickets)) if isinstance(each, Ticket)]
    engine.draw(raffle.id)
    redeemed = (
        "SELECT wins.raffle, ordinal, 1, drawn_at + ordinal, NULL, NULL, NULL FROM wins JOIN raffles ON id = raffle"
    )
    past_the_rules(url, f"INSERT OR IGNORE INTO redemptions {redeemed}")
    return str(raffle.id), {each.number: each.verification_code for each in issued}


@pytest.mark.parametrize("rows_at_once", [40, 5_000])
def test_a_list_of_twice_the_length_takes_twice_the_work(
    database: Path, monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    monkeypatch.setattr(exports, "_ROWS_AT_ONCE", rows_at_once)
    monkeypatch.setattr(exports, "_CODES_AT_ONCE", rows_at_once)
    url, steps = f"sqlite:///{database}", 0

    def count(connection: Any, *_: object) -> None:
        connection.set_progress_handler(step, 1)

    def step() -> None:
        nonlocal steps
        steps += 1

    with open_engine(url) as engine:
        raffles = [claimed_raffle(engine, url, tickets) for tickets in (400, 800)]
        event.listen(engine._database._engine, "checkout", count)
        ratios = {}
        for name, listing in LISTS.items():
            work = []
            for raffle, codes in raffles:
                steps = 0
                listing(engine, raffle, codes)
                work.append(steps)
            ratios[name] = work[1] / work[0]

    assert {name: ratio for name, ratio in ratios.items() if not 1.5 < ratio < 2.5} == {}
