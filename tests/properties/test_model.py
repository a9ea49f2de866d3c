"""A state machine drives the engine, with restarts and a second session, next to a simple model."""

from collections.abc import Callable
from dataclasses import dataclass
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

from rafflekit import Prize, Raffle, RaffleEngine, RaffleError, Ticket, Win
from tests.databases import PostgresqlServer
from tests.raffle_model import RaffleModel

people = st.sampled_from([f"person {n}" for n in range(6)])
keys = st.none() | st.sampled_from(["the first idempotency key", "another idempotency key"])
sessions = st.integers(0, 1)


@dataclass
class Modelled:
    """A raffle, and what it should be by now."""

    raffle: Raffle
    model: RaffleModel


class RaffleMachine(RuleBasedStateMachine):
    """Several raffles in one database, used from two engine sessions at a time."""

    raffles = Bundle("raffles")

    def __init__(self, new_url: Callable[[], str]) -> None:
        super().__init__()
        self.new_url = new_url

    @initialize()
    def open(self) -> None:
        self.url = self.new_url()
        self.sessions = [self.new_session(), self.new_session()]
        self.created: list[Modelled] = []

    def new_session(self) -> RaffleEngine:
        return RaffleEngine(self.url)

    def teardown(self) -> None:
        for session in self.sessions:
            session.close()

    @rule(session=sessions)
    def restart(self, session: int) -> None:
        self.sessions[session].close()
        self.sessions[session] = self.new_session()

    @rule(target=raffles, session=sessions, tickets=st.integers(1, 4), data=st.data())
    def create(self, session: int, tickets: int, data: st.DataObject) -> Modelled:
        prizes = [Prize("first"), Prize("second", data.draw(st.integers(1, 2)))][: data.draw(st.integers(1, 2))]
        if sum(prize.amount for prize in prizes) > tickets:
            prizes = prizes[:1]
        raffle = self.sessions[session].create(f"Raffle {len(self.created)}", total_tickets=tickets, prizes=prizes)
        self.created.append(Modelled(raffle, RaffleModel(tickets)))
        return self.created[-1]

    @rule(chosen=raffles, session=sessions, person=people, key=keys)
    def participate(self, chosen: Modelled, session: int, person: str, key: str | None) -> None:
        expected = chosen.model.answer_to_participant(person, key)

        def ask() -> Ticket:
            return self.sessions[session].participate(chosen.raffle.id, person, idempotency_key=key)

        if expected is None:
            ticket = ask()
            assert chosen.model.can_issue(ticket.number)
            chosen.model = chosen.model.with_ticket(person, key, ticket)
        else:
            assert_answer(expected, ask)

    @rule(chosen=raffles, session=sessions)
    def draw(self, chosen: Modelled, session: int) -> None:
        refusal = chosen.model.refusal_of_draw()

        def ask() -> tuple[Win, ...]:
            return tuple(self.sessions[session].draw(chosen.raffle.id))

        if refusal is None:
            chosen.model = chosen.model.with_wins(ask())
        else:
            assert_answer(refusal, ask)

    @rule(chosen=raffles, session=sessions, person=people, other=people)
    def verify(self, chosen: Modelled, session: int, person: str, other: str) -> None:
        tickets = chosen.model.tickets
        if person not in tickets or other not in tickets:
            return
        number, code = tickets[person][1].number, tickets[other][1].verification_code

        assert_answer(
            chosen.model.verification(person, other),
            lambda: self.sessions[session].verify(chosen.raffle.id, number, code),
        )

    @invariant()
    def every_session_shows_what_the_model_says(self) -> None:
        for session in self.sessions:
            shown = session.list(page_size=1000).items
            assert [raffle.id for raffle in shown] == [modelled.raffle.id for modelled in reversed(self.created)]
            for raffle, modelled in zip(reversed(shown), self.created, strict=True):
                model = modelled.model
                assert raffle.available_tickets == model.available_tickets
                assert raffle.winners_drawn == (model.wins is not None)
                assert session.winners(raffle.id).items == (model.wins or ())


def assert_answer(expected: object, ask: Callable[[], object]) -> None:
    if isinstance(expected, type) and issubclass(expected, RaffleError):
        with pytest.raises(expected):
            ask()
    else:
        assert ask() == expected


def test_the_engine_does_what_the_model_says_on_sqlite(tmp_path: Path) -> None:
    numbers = count()
    machine = partial(RaffleMachine, lambda: f"sqlite:///{tmp_path}/raffles-{next(numbers)}.db")

    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=40))


def test_the_engine_does_what_the_model_says_on_postgresql(postgresql: PostgresqlServer) -> None:
    machine = partial(RaffleMachine, postgresql.new_url)

    run_state_machine_as_test(machine, settings=settings(max_examples=6, stateful_step_count=40))
