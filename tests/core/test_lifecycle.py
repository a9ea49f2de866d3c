"""Which state a raffle is in, and what is allowed in it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from rafflekit import AlreadyDrawn, NotDrawnYet, Prize, Raffle, RaffleError, TicketsRemaining
from rafflekit.core import lifecycle
from rafflekit.core.lifecycle import State
from rafflekit.core.protocol.terms import Terms

CREATED_AT = datetime(2026, 11, 23, tzinfo=UTC)
OPEN = Raffle(Terms(UUID(int=1), "Foobar", CREATED_AT, 15, (Prize("hug"),)))
LAST_TICKET = replace(OPEN, issued=14)
CLOSED = replace(OPEN, issued=15)
DRAWN = replace(CLOSED, drawn_at=CREATED_AT)

Check = Callable[[Raffle], None]


@pytest.mark.parametrize(
    ("raffle", "state"), [(OPEN, State.OPEN), (LAST_TICKET, State.OPEN), (CLOSED, State.CLOSED), (DRAWN, State.DRAWN)]
)
def test_a_raffle_is_in_one_state(raffle: Raffle, state: State) -> None:
    assert lifecycle.state_of(raffle) is state
    assert lifecycle.is_drawn(raffle) is (state is State.DRAWN)


@pytest.mark.parametrize(("issued", "expected"), [(0, False), (14, False), (15, True), (16, True)])
def test_a_raffle_is_sold_out_with_its_last_ticket(issued: int, expected: bool) -> None:
    assert lifecycle.is_sold_out(issued=issued, total_tickets=15) is expected


@pytest.mark.parametrize(
    ("check", "raffle", "refusal"),
    [
        (lifecycle.check_drawable, OPEN, TicketsRemaining),
        (lifecycle.check_drawable, LAST_TICKET, TicketsRemaining),
        (lifecycle.check_drawable, DRAWN, AlreadyDrawn),
        (lifecycle.check_closed, LAST_TICKET, TicketsRemaining),
        (lifecycle.check_drawn, OPEN, NotDrawnYet),
        (lifecycle.check_drawn, CLOSED, NotDrawnYet),
    ],
)
def test_a_state_refuses_what_it_does_not_allow(check: Check, raffle: Raffle, refusal: type[RaffleError]) -> None:
    with pytest.raises(refusal):
        check(raffle)


@pytest.mark.parametrize(
    ("check", "raffle"),
    [
        (lifecycle.check_drawable, CLOSED),
        (lifecycle.check_closed, CLOSED),
        (lifecycle.check_closed, DRAWN),
        (lifecycle.check_drawn, DRAWN),
    ],
)
def test_a_state_lets_pass_what_it_allows(check: Check, raffle: Raffle) -> None:
    check(raffle)


def test_a_draw_that_is_too_early_says_how_many_are_left() -> None:
    with pytest.raises(TicketsRemaining, match="Winners can't be drawn when tickets are still available") as refused:
        lifecycle.check_drawable(OPEN)

    assert refused.value.remaining == 15
