"""A state machine drives the engine, restarts and a second session included, beside a simple model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from rafflekit import (
    AlreadyDrawn,
    AlreadyParticipated,
    InvalidVerificationCode,
    NotDrawnYet,
    Prize,
    Raffle,
    RaffleEngine,
    SoldOut,
    Ticket,
    TicketsRemaining,
    Win,
)
from tests.databases import PostgresqlServer

people = st.sampled_from([f"person {n}" for n in range(6)])
keys = st.none() | st.sampled_from(["the first idempotency key", "another idempotency key"])
sessions = st.integers(0, 1)


@dataclass
class Model:
    """What a raffle is, said as simply as possible."""

    raffle: Raffle
    tickets: dict[str, tuple[str | None, Ticket]] = field(default_factory=dict)
    wins: list[Win] | None = None

    @property
    def sold_out(self) -> bool:
        return len(self.tickets) == self.raffle.total_tickets


class RaffleMachine(RuleBasedStateMachine):
    """Several raffles in one database, used from two engine sessions at a time."""

    models = Bundle("models")

    def __init__(self, new_url: Callable[[], str]) -> None:
        super().__init__()
        self.new_url = new_url

    @initialize()
    def open(self) -> None:
        self.url = self.new_url()
        self.sessions = [self.new_session(), self.new_session()]
        self.created: list[Model] = []

    def new_session(self) -> RaffleEngine:
        return RaffleEngine(self.url)

    def teardown(self) -> None:
        for session in self.sessions:
            session.close()

    @rule(session=sessions)
    def restart(self, session: int) -> None:
        self.sessions[session].close()
        self.sessions[session] = self.new_session()

    @rule(target=models, session=sessions, tickets=st.integers(1, 4), data=st.data())
    def create(self, session: int, tickets: int, data: st.DataObject) -> Model:
        prizes = [Prize("first"), Prize("second", data.draw(st.integers(1, 2)))][: data.draw(st.integers(1, 2))]
        if sum(prize.amount for prize in prizes) > tickets:
            prizes = prizes[:1]
        raffle = self.sessions[session].create(f"Raffle {len(self.created)}", total_tickets=tickets, prizes=prizes)
        self.created.append(Model(raffle))
        return self.created[-1]

    @rule(model=models, session=sessions, person=people, key=keys)
    def participate(self, model: Model, session: int, person: str, key: str | None) -> None:
        held = model.tickets.get(person)

        def ask() -> Ticket:
            return self.sessions[session].participate(model.raffle.id, person, idempotency_key=key)

        if held is not None and key is not None and held[0] == key and model.wins is None:
            assert ask() == held[1]
        elif model.sold_out:
            with pytest.raises(SoldOut):
                ask()
        elif held is not None:
            with pytest.raises(AlreadyParticipated):
                ask()
        else:
            ticket = ask()
            assert ticket.number not in {other.number for _, other in model.tickets.values()}
            assert 1 <= ticket.number <= model.raffle.total_tickets
            model.tickets[person] = (key, ticket)

    @rule(model=models, session=sessions)
    def draw(self, model: Model, session: int) -> None:
        engine = self.sessions[session]
        if model.wins is not None:
            with pytest.raises(AlreadyDrawn):
                engine.draw(model.raffle.id)
        elif not model.sold_out:
            with pytest.raises(TicketsRemaining):
                engine.draw(model.raffle.id)
        else:
            model.wins = list(engine.draw(model.raffle.id))

    @rule(model=models, session=sessions, person=people, other=people)
    def verify(self, model: Model, session: int, person: str, other: str) -> None:
        if person not in model.tickets or other not in model.tickets:
            return
        number, code = model.tickets[person][1].number, model.tickets[other][1].verification_code
        engine = self.sessions[session]
        if model.wins is None:
            with pytest.raises(NotDrawnYet):
                engine.verify(model.raffle.id, number, code)
        elif person != other:
            with pytest.raises(InvalidVerificationCode):
                engine.verify(model.raffle.id, number, code)
        else:
            won = {win.ticket_number: win.prize for win in model.wins}.get(number)
            verification = engine.verify(model.raffle.id, number, code)
            assert (verification.has_won, verification.prize) == (won is not None, won)

    @invariant()
    def every_session_shows_what_the_model_says(self) -> None:
        for session in self.sessions:
            shown = session.list(page_size=1000).items
            assert [raffle.id for raffle in shown] == [model.raffle.id for model in reversed(self.created)]
            for raffle, model in zip(reversed(shown), self.created, strict=True):
                assert raffle.available_tickets == model.raffle.total_tickets - len(model.tickets)
                assert raffle.winners_drawn == (model.wins is not None)
                assert list(session.winners(raffle.id).items) == (model.wins or [])


def test_the_engine_does_what_the_model_says_on_sqlite(tmp_path: Path) -> None:
    numbers = count()
    machine = partial(RaffleMachine, lambda: f"sqlite:///{tmp_path}/raffles-{next(numbers)}.db")

    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=40))


def test_the_engine_does_what_the_model_says_on_postgresql(postgresql: PostgresqlServer) -> None:
    machine = partial(RaffleMachine, postgresql.new_url)

    run_state_machine_as_test(machine, settings=settings(max_examples=10, stateful_step_count=40))
