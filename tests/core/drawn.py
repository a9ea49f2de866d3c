"""A drawn raffle whose prizes are handed out or pass on."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from rafflekit import (
    Prize,
    RaffleEngine,
    RaffleError,
    Ticket,
    Verification,
    Win,
)
from rafflekit.core.models import Raffle
from tests.raffles import people, sold_out

if TYPE_CHECKING:
    from tests.core.conftest import Clock

Result = TypeVar("Result")

# What is published without a reason.
_REASONS = {"unclaimed": "not collected", "renounced": "renounced by the winner"}

PRIZES = [Prize("car"), Prize("hug", 2)]


@dataclass
class Scene:
    """A drawn raffle: its tickets by number, its wins, and the numbers that are next, in order."""

    engine: RaffleEngine
    clock: "Clock"
    raffle: Raffle
    tickets: dict[int, Ticket]
    wins: list[Win]
    queue: list[int]

    def code(self, number: int) -> tuple[int, str]:
        return number, self.tickets[number].verification_code

    def redeem(self, number: int, *, undo: bool = False) -> Verification:
        code, before = self.code(number), self.verify(number)
        return checked_first(
            lambda: self.engine.check_redeem(self.raffle.id, *code, undo=undo),
            lambda: self.engine.redeem(self.raffle.id, *code, undo=undo),
            finds=before,
        )

    def verify(self, number: int) -> Verification:
        return self.engine.verify(self.raffle.id, *self.code(number))

    def forfeit(self, number: int, why: str = "disqualified", **how: Any) -> Win | None:
        if why == "disqualified":
            how = {"reason": "a relative"} | how
        if why == "renounced":
            how = {"verification_code": self.tickets[number].verification_code} | how
        reason = how.get("reason", _REASONS.get(why, "")).strip()
        won = [win for win in self.listed() if win.ticket_number == number]
        return checked_first(
            lambda: self.engine.check_forfeit(self.raffle.id, number, why=why, **how),
            lambda: self.engine.forfeit(self.raffle.id, number, why=why, **how),
            finds=replace(won[0], why=why, reason=reason) if won else None,
        )

    def listed(self, **how: Any) -> list[Win]:
        page = self.engine.winners(self.raffle.id, **how)
        assert page.count == len(page.items)
        return list(page.items)

    def number(self, place: int) -> int:
        """The ticket of a win, from 0."""
        return self.wins[place].ticket_number


def checked_first(check: Callable[[], object], act: Callable[[], Result], *, finds: object) -> Result:
    """Act after the check, which stores nothing: it finds this, or refuses as the act does."""
    refusal = None
    try:
        found = check()
    except RaffleError as error:
        refusal = error
    if refusal is not None:
        with pytest.raises(type(refusal), match=f"^{re.escape(str(refusal))}$"):
            act()
        raise refusal
    assert found == finds
    return act()


def drawn(engine: RaffleEngine, clock: "Clock", *, tickets: int = 6, **options: Any) -> Scene:
    """Draw a raffle that was closed early, and another one, so that a statement without the raffle finds too much."""
    engine.draw(sold_out(engine, tickets=9, prizes=(Prize("tea", 3),)).id)
    raffle = engine.create("Foobar", total_tickets=20, prizes=PRIZES, **options)
    numbered = {ticket.number: ticket for ticket in (engine.participate(raffle.id, each) for each in people(tickets))}
    engine.close_raffle(raffle.id)
    wins = list(engine.draw(raffle.id))
    return Scene(engine, clock, engine.get(raffle.id), numbered, wins, list(engine.queue(raffle.id).items))
