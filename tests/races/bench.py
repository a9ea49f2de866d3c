"""A bench for interleavings: sessions make calls in turns, and the model says whether their answers are right.

A session is to the database what a server process is: an engine with its own connections. Answers are right if the same
calls, made one after the other, could have got them in an order in which a call that ended before another began also
comes first (linearizability: Herlihy and Wing, ACM TOPLAS 12, 1990).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import create_engine, make_url, text

from rafflekit import RaffleEngine
from rafflekit.core.ledger.proofs import check_ticket
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.notes import Note, SignerKey
from rafflekit.core.storage.schema import raffle_key
from tests.databases import KINDS
from tests.races.calls import NOW, Call, Scene, World
from tests.races.scheduler import Clock, Made, Scheduler, Session, stopping_connections
from tests.raffle_model import Asking, RaffleModel, Terms

SESSIONS = ("A", "B", "C")
PEOPLE = ("ann", "ben", "cat")
KEY, OTHER_KEY = "a key of one request", "a key of another one"
SIGNER = SignerKey.make("raffles.example")

KINDS_OF_DATABASES = (*KINDS, "PostgreSQL, serializable")


@dataclass(frozen=True)
class Plan:
    """An example: a raffle, how many of its tickets the first people hold, and the calls of each session.

    The sessions take turns, each of a number of statements; after the last turn, they run to their ends in order.
    """

    terms: Terms
    sold: int
    calls: tuple[tuple[Call, ...], ...]
    turns: tuple[int, ...]
    is_drawn: bool = False


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

    def check(self, plan: Plan) -> list[Made]:
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
        try:
            after = explained(made, world, scene)
            assert after is not None, "no order of these calls gives these answers"
            self._check_what_is_stored(scene, after.raffle)
        except AssertionError as error:
            ends = [f"from {each.begun} to {each.ended}: {each.call} → {each.outcome!r}" for each in made]
            error.add_note("\n".join((*scheduler.log, *ends)))
            raise
        return made

    def _scene(self, plan: Plan) -> tuple[Scene, World]:
        engine, model = self.setting_up, RaffleModel(plan.terms, NOW)
        raffle = engine.create("Raced for", **plan.terms.given)
        tickets = {}
        for person in PEOPLE[: plan.sold]:
            tickets[person] = engine.participate(raffle.id, person, idempotency_key=KEY)
            model = model.with_ticket(Asking(name=person, key=KEY), tickets[person], NOW)
        if plan.is_drawn:
            if model.closed_at is None:
                engine.close_raffle(raffle.id)
            wins = engine.draw(raffle.id)
            model = model.closed(NOW).drawn(wins, engine.queue(raffle.id).items, NOW)
        return Scene(raffle, tickets, f"mark-{next(self.marks)}", model.wins or ()), World(model)

    def _check_what_is_stored(self, scene: Scene, model: RaffleModel) -> None:
        key = raffle_key(scene.raffle.id, "sqlite" if self.url.startswith("sqlite") else "postgresql")

        def rows(columns: str, table: str) -> list[Any]:
            found = self.look(f"SELECT {columns} FROM {table} WHERE raffle = :raffle ORDER BY 1", raffle=key)
            return [row[0] if len(row) == 1 else tuple(row) for row in found]

        stored = dict(rows("number, code_hash", "tickets"))
        tickets = {each.ticket.number: each.ticket for each in model.tickets}
        assert len(tickets) == len(model.tickets)
        assert stored.keys() == tickets.keys()
        announced = self.setting_up.get(scene.raffle.id).terms.hash()
        for number, ticket in tickets.items():
            assert codes.CodeHasher().check(stored[number], ticket.verification_code)
            if ticket.receipt is not None:
                receipt = check_ticket(ticket, SIGNER.verifier)
                assert Checkpoint.read(Note.read(receipt.checkpoint).text).terms == announced
        assert rows("serial", "tickets") == list(range(len(tickets)))
        assert rows("issued", "counters") == [len(tickets)]
        wins = model.wins or ()
        heirs = [win for win in wins if win.in_place_of is not None]
        assert rows("ordinal", "wins") == list(range(1, 1 + len(wins) - len(heirs)))
        assert rows("number", "forfeits") == list(range(1, 1 + len(heirs) + len(model.lapsed)))
        redeemed = [place for place, win in enumerate(wins, start=1) if win.redeemed_at is not None]
        assert [ordinal for ordinal, undone in rows("ordinal, undone_at", "redemptions") if undone is None] == redeemed
        assert rows("count(*)", "secrets") == [0 if model.is_finished else 1]


def explained(made: Sequence[Made], world: World, scene: Scene) -> World | None:
    """Return the world after an order of calls that explains their outcomes and keeps what came before what."""
    if not made:
        return world
    first_end = min(each.ended for each in made)
    for chosen in made:
        # A call that had not begun cannot come before one that had already ended.
        if chosen.begun <= first_end:
            after = chosen.call.after(world, scene, chosen.outcome)
            rest = [other for other in made if other is not chosen]
            explanation = None if after is None else explained(rest, after, scene)
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
        setting_up, *engines = (
            stack.enter_context(RaffleEngine(url, clock=lambda: NOW, signing_key=SIGNER))
            for _ in range(1 + len(SESSIONS))
        )
        yield Bench(url, setting_up, engines, look, is_held_up)
