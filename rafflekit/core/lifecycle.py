"""Which state a raffle is in, and what is allowed in it (pure). No other room asks.

A raffle is open while it has tickets, closed once it is sold out, and drawn once it has winners. Storage holds the same
rules a second time, as constraints and triggers.
"""

from enum import StrEnum

from rafflekit.core.errors import AlreadyDrawn, NotDrawnYet, TicketsRemaining
from rafflekit.core.models import Raffle


class State(StrEnum):
    """The state of a raffle."""

    OPEN = "open"
    CLOSED = "closed"
    DRAWN = "drawn"


def state_of(raffle: Raffle) -> State:
    """Return the state that a raffle is in."""
    if raffle.winners_drawn:
        return State.DRAWN
    sold_out = is_sold_out(issued=raffle.issued, total_tickets=raffle.total_tickets)
    return State.CLOSED if sold_out else State.OPEN


def is_sold_out(*, issued: int, total_tickets: int) -> bool:
    """Return whether a raffle with this many issued tickets can issue no more."""
    return issued >= total_tickets


def is_drawn(raffle: Raffle) -> bool:
    """Return whether the winners of a raffle have been drawn, so that nothing about it can change."""
    return state_of(raffle) is State.DRAWN


def check_drawable(raffle: Raffle) -> None:
    """Check that the winners of a raffle can be drawn now.

    Raises:
        AlreadyDrawn: they have been drawn.
        TicketsRemaining: the raffle still has tickets.
    """
    if is_drawn(raffle):
        raise AlreadyDrawn
    check_closed(raffle)


def check_closed(raffle: Raffle) -> None:
    """Check that the last ticket of a raffle is issued, so that its list of tickets is final.

    Raises:
        TicketsRemaining: the raffle still has tickets.
    """
    if state_of(raffle) is State.OPEN:
        raise TicketsRemaining(raffle.available_tickets)


def check_drawn(raffle: Raffle) -> None:
    """Check that the winners of a raffle have been drawn.

    Raises:
        NotDrawnYet: they have not.
    """
    if not is_drawn(raffle):
        raise NotDrawnYet
