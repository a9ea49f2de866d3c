"""Races that are searched for: hypothesis says which session sends its next statement.

A session is to the database what a server process is: an engine with its own connections. An example has a few calls
for each session, and the turns in which they continue, statement by statement. A failure shrinks to the fewest calls
and turns, and is printed with every statement in its place. Answers are right if the same calls, made one after the
other, could have got them in an order in which a call that ended before another began also comes first
(linearizability: Herlihy and Wing, ACM TOPLAS 12, 1990).

`make test` makes the same search each time; RAFFLEKIT_TEST_INTERLEAVINGS sets the number of examples of a new search.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text

from rafflekit import Prize, RaffleEngine, check_database
from rafflekit.core.protocol import codes
from rafflekit.core.storage.schema import raffle_key
from rafflekit.core.storage.sqlite import Sqlite
from tests.databases import KINDS
from tests.races.calls import (
    Call,
    Create,
    Draw,
    Get,
    List,
    Participate,
    ParticipateMany,
    Scene,
    Verify,
    Winners,
    World,
)
from tests.races.scheduler import Clock, Made, Scheduler, Session, stopping_connections
from tests.raffle_model import RaffleModel

EXAMPLES = os.environ.get("RAFFLEKIT_TEST_INTERLEAVINGS")
SEARCH = settings(max_examples=int(EXAMPLES or "80"), derandomize=EXAMPLES is None)

SESSIONS = ("A", "B", "C")
PEOPLE = ("ann", "ben", "cat")
KEY, OTHER_KEY = "a key of one request", "a key of another one"

KINDS_OF_DATABASES = (*KINDS, "PostgreSQL, serializable")


@dataclass(frozen=True)
class Plan:
    """An example: a raffle, how many of its tickets the first people hold, and the calls of each session.

    The sessions take turns, each of a number of statements; after the last turn, they run to their ends in order.
    """

    total_tickets: int
    sold: int
    calls: tuple[tuple[Call, ...], ...]
    turns: tuple[int, ...]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    # Sold out or nearly: there the races are.
    sold = draw(st.integers(0, 2))
    total_tickets = max(1, sold + draw(st.sampled_from((0, 0, 1, 2))))
    holders = st.sampled_from(PEOPLE[:sold])
    participations = st.builds(Participate, st.sampled_from(PEOPLE), st.sampled_from((KEY, None, KEY, OTHER_KEY)))
    kinds: list[st.SearchStrategy[Call]] = [
        participations,
        st.just(Draw()),
        st.just(Get()),
        st.just(Winners()),
        st.builds(ParticipateMany, st.lists(participations, min_size=1, max_size=3).map(tuple)),
        st.just(List()),
        st.builds(Create, st.sampled_from(("first", "second"))),
        *([st.builds(Verify, holders, holders)] if sold else []),
    ]
    # Two kinds and one request that is repeated, so that sessions often make the same; mostly those that write.
    chosen = st.sampled_from((participations, st.just(Draw()), st.one_of(kinds)))
    calls = st.one_of(draw(chosen), draw(chosen), st.just(Participate(draw(st.sampled_from(PEOPLE[:2])), KEY)))
    of_each = st.lists(calls, min_size=1, max_size=3).map(tuple)
    return Plan(
        total_tickets,
        sold,
        tuple(draw(st.lists(of_each, min_size=2, max_size=len(SESSIONS)))),
        tuple(draw(st.lists(st.integers(0, 8), min_size=2, max_size=12))),
    )


# Found once, and too rarely to be left to the search: a session that knows the raffle from before its draw.
A_REPEAT_AFTER_THE_DRAW = Plan(
    total_tickets=1,
    sold=1,
    calls=((Draw(),), (Participate("ann", KEY), Participate("ann", KEY))),
    turns=(0, 3),
)


@dataclass
class Bench:
    """A database with the engines of all sessions, and a separate connection to look at the stored rows."""

    url: str
    setting_up: RaffleEngine
    engines: Sequence[RaffleEngine]
    look: Callable[..., Sequence[Any]]
    is_held_up: Callable[[int], bool]
    marks: Iterator[int] = field(default_factory=count)
    statements: int = 0
    waits: int = 0

    def check(self, plan: Plan) -> None:
        """Make a plan's calls in its turns; fail where an answer, or what is stored, is not right."""
        scene, world = self._scene(plan)
        clock = Clock()
        sessions = [
            Session(name, calls, lambda call, engine=engine: call.on(engine, scene), clock=clock)
            for name, calls, engine in zip(SESSIONS, plan.calls, self.engines, strict=False)
        ]
        scheduler = Scheduler(sessions, clock=clock, is_held_up=self.is_held_up)
        made = scheduler.run(plan.turns)
        self.statements += clock.step
        self.waits += scheduler.waits
        note("\n".join(scheduler.log))
        for each in made:
            note(f"from {each.begun} to {each.ended}: {each.call} → {each.outcome!r}")

        after = explained(made, world)

        assert after is not None, "no order of these calls gives these answers"
        self._check_what_is_stored(scene, after.raffle)

    def _scene(self, plan: Plan) -> tuple[Scene, World]:
        raffle = self.setting_up.create("Raced for", total_tickets=plan.total_tickets, prizes=[Prize("hug")])
        model = RaffleModel(plan.total_tickets)
        for person in PEOPLE[: plan.sold]:
            ticket = self.setting_up.participate(raffle.id, person, idempotency_key=KEY)
            model = model.with_ticket(person, KEY, ticket)
        tickets = {person: ticket for person, (_, ticket) in model.tickets.items()}
        return Scene(raffle, tickets, f"mark-{next(self.marks)}"), World(model)

    def _check_what_is_stored(self, scene: Scene, model: RaffleModel) -> None:
        key = raffle_key(scene.raffle.id, "sqlite" if self.url.startswith("sqlite") else "postgresql")
        stored = dict(self.look("SELECT number, code_hash FROM tickets WHERE raffle = :raffle", raffle=key))
        serials = self.look("SELECT serial FROM tickets WHERE raffle = :raffle ORDER BY serial", raffle=key)
        tickets = {ticket.number: ticket for _, ticket in model.tickets.values()}

        assert len(tickets) == len(model.tickets)
        assert stored.keys() == tickets.keys()
        for number, ticket in tickets.items():
            assert codes.CodeHasher().check(stored[number], ticket.verification_code)
        assert [serial for (serial,) in serials] == list(range(len(tickets)))
        assert self.look("SELECT issued FROM counters WHERE raffle = :raffle", raffle=key) == [(len(tickets),)]
        is_drawn = model.wins is not None
        wins = self.look("SELECT ordinal FROM wins WHERE raffle = :raffle", raffle=key)
        assert wins == ([(1,)] if is_drawn else [])
        secrets = self.look("SELECT count(*) FROM secrets WHERE raffle = :raffle", raffle=key)
        assert secrets == [(0 if is_drawn else 1,)]


def explained(made: Sequence[Made], world: World) -> World | None:
    """Return the world after an order of calls that explains their outcomes and keeps what came before what."""
    if not made:
        return world
    first_end = min(each.ended for each in made)
    for chosen in made:
        # A call that had not begun cannot come before one that had already ended.
        if chosen.begun <= first_end:
            after = chosen.call.after(world, chosen.outcome)
            rest = [other for other in made if other is not chosen]
            explanation = None if after is None else explained(rest, after)
            if explanation is not None:
                return explanation
    return None


@contextmanager
def bench_on(url: str) -> Iterator[Bench]:
    """Open all engines on a database, and let their sessions stop before each statement."""
    with ExitStack() as stack:
        looking = create_engine(make_url(url), isolation_level="AUTOCOMMIT")
        stack.callback(looking.dispose)
        connection = stack.enter_context(looking.connect())

        def look(statement: str, **values: Any) -> Sequence[Any]:
            return connection.execute(text(statement), values).fetchall()

        def is_held_up(backend_pid: int) -> bool:
            [(blocking,)] = look("SELECT pg_blocking_pids(:pid)", pid=backend_pid)
            return bool(blocking)

        stack.enter_context(stopping_connections())
        setting_up, *engines = (stack.enter_context(RaffleEngine(url)) for _ in range(1 + len(SESSIONS)))
        yield Bench(url, setting_up, engines, look, is_held_up)


@pytest.mark.parametrize("database_url", KINDS_OF_DATABASES, indirect=True)
def test_every_interleaving_of_statements_gives_right_answers(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    with bench_on(database_url) as bench:
        search = SEARCH(example(A_REPEAT_AFTER_THE_DRAW)(given(plans())(bench.check)))

        search()

    report = check_database(database_url)
    assert report.problems == ()
    print(
        f"{request.node.callspec.id}: {next(bench.marks):,} interleavings of {bench.statements:,} steps, "
        f"{bench.waits:,} waits for a lock; {report.draws:,} draws, {report.tickets:,} tickets, every answer right"
    )


def test_the_search_finds_a_race_where_there_is_one(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise its silence would mean nothing: here, writers read before they lock."""
    monkeypatch.setattr(Sqlite, "begin_writing", "BEGIN")
    with bench_on(f"sqlite:///{database}") as bench:
        search = settings(SEARCH, phases=[Phase.generate])(given(plans())(bench.check))

        with pytest.raises(AssertionError, match="no order of these calls gives these answers"):
            search()
