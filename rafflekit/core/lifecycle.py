"""Which state a raffle is in, and what is allowed in it (pure). No other room asks.

A raffle is upcoming until it opens and open while it hands out tickets. It is closed once its last ticket is issued, a
manager closes it or its time is over, and drawn once it has winners. Until the draw it can be cancelled. Its terms can
change until the first ticket. Storage holds the same rules a second time, as constraints and triggers.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from rafflekit.core.errors import (
    AlreadyDrawn,
    Cancelled,
    NotDrawnYet,
    NotOpenYet,
    SoldOut,
    TicketsRemaining,
    TooFewTickets,
    TooLate,
)
from rafflekit.core.models import Raffle, State
from rafflekit.core.prizes import count_wins
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.terms import EntryRule, Terms


class Action(StrEnum):
    """What managers can do with a raffle."""

    CHANGE = "change"
    INVITE = "invite"
    HAND_OUT = "hand_out"
    CLOSE = "close"
    CANCEL = "cancel"
    DRAW = "draw"
    REDEEM = "redeem"
    FORFEIT = "forfeit"
    FORFEIT_UNCLAIMED = "forfeit_unclaimed"


def possible_actions(raffle: Raffle) -> frozenset[Action]:
    """Return what can be done with a raffle in the state in which it was read, at least later.

    So it can be closed before it has a ticket for each prize, as long as it hands out tickets, and drawn before its
    beacon is published.
    """
    state, terms = raffle.state, raffle.terms
    hands_out = state in (State.UPCOMING, State.OPEN)
    is_possible = {
        Action.CHANGE: not raffle.issued and not is_finished(raffle),
        Action.INVITE: hands_out and terms.entry == EntryRule.INVITATION,
        Action.HAND_OUT: state is State.OPEN,
        Action.CLOSE: raffle.end is None and not is_finished(raffle) and not lacks_tickets(raffle),
        Action.CANCEL: not is_finished(raffle),
        Action.DRAW: state is State.CLOSED and not lacks_tickets(raffle),
        Action.REDEEM: state is State.DRAWN,
        Action.FORFEIT: state is State.DRAWN,
        Action.FORFEIT_UNCLAIMED: state is State.DRAWN and terms.claim_days is not None,
    }
    return frozenset(action for action, possible in is_possible.items() if possible)


def seen(raffle: Raffle, now: datetime) -> Raffle:
    """Return a raffle that was just read, with its state."""
    state = state_of(raffle, now)
    # Most raffles that are asked for are open, and a copy costs a tenth of the reading.
    return raffle if state is raffle.state else replace(raffle, state=state)


def state_of(raffle: Raffle, now: datetime) -> State:
    """Return the state that a raffle is in."""
    if raffle.cancellation is not None:
        return State.CANCELLED
    if raffle.drawn_at is not None:
        return State.DRAWN
    if raffle.end is not None or is_over(raffle.terms, now):
        return State.CLOSED
    return State.UPCOMING if is_upcoming(raffle.terms, now) else State.OPEN


def is_sold_out(*, issued: int, total_tickets: int) -> bool:
    """Return whether a raffle with this many issued tickets can issue no more."""
    return issued >= total_tickets


def is_upcoming(terms: Terms, now: datetime) -> bool:
    """Return whether a raffle hands out no tickets yet."""
    return terms.opens_at is not None and now < terms.opens_at


def is_over(terms: Terms, now: datetime) -> bool:
    """Return whether the time in which a raffle hands out tickets has passed."""
    return terms.closes_at is not None and now >= terms.closes_at


def is_drawn(raffle: Raffle) -> bool:
    """Return whether the winners of a raffle have been drawn."""
    return raffle.drawn_at is not None


def drawn_s(raffle: Raffle) -> int:
    """Return when the winners of a drawn raffle were drawn, in seconds since 1970."""
    assert raffle.drawn_at is not None
    return int(raffle.drawn_at.timestamp())


def redeem_until(raffle: Raffle, *, taken_over_at: datetime | None) -> datetime | None:
    """Return when a prize of a drawn raffle can last be redeemed; None if no deadline was announced.

    `taken_over_at` is when it came from another ticket, None if it was won in the draw.
    """
    since, days = taken_over_at or raffle.drawn_at, raffle.terms.claim_days
    return None if since is None or days is None else since + timedelta(days=days)


def ended_s(raffle: Raffle) -> int:
    """Return when a finished raffle stopped handing out tickets, in seconds since 1970."""
    if raffle.end is not None:
        return raffle.end.closed
    assert raffle.cancellation is not None
    return raffle.cancellation.time


def is_finished(raffle: Raffle) -> bool:
    """Return whether a raffle is drawn or cancelled, so that its secrets are deleted."""
    return raffle.drawn_at is not None or raffle.cancellation is not None


def is_overdue(deadline: datetime, now: datetime) -> bool:
    """Return whether a prize that could be redeemed until a time can no longer be."""
    return now >= deadline


def is_due(raffle: Raffle) -> bool:
    """Return whether a raffle's time was over when it was read, but its list of tickets was not closed yet."""
    return raffle.end is None and raffle.state is State.CLOSED


def lacks_tickets(raffle: Raffle) -> bool:
    """Return whether a raffle's time was over when it was read, and it has more prizes than tickets.

    So it can only be cancelled or, without any ticket, be changed.
    """
    return is_due(raffle) and raffle.issued < count_wins(raffle.prizes)


def draw_possible_at(raffle: Raffle) -> datetime | None:
    """Return when the beacon that decides a closed raffle is published, in UTC; None without one or after a draw."""
    if raffle.end is None or is_finished(raffle):
        return None
    known_s = source_of(raffle.terms.entropy).known_from(raffle.end)
    return None if known_s is None else datetime.fromtimestamp(known_s, UTC)


def draw_due_at(raffle: Raffle) -> datetime | None:
    """Return when the draw of a closed raffle is due, in UTC: as planned, but not before its beacon; or at once.

    None before the closing, and when there is no draw to wait for.
    """
    if raffle.end is None or is_finished(raffle):
        return None
    closed_at = datetime.fromtimestamp(raffle.end.closed, UTC)
    return max(filter(None, (closed_at, raffle.terms.draw_at, draw_possible_at(raffle))))


def check_open(raffle: Raffle, now: datetime) -> None:
    """Check that a raffle hands out tickets now.

    Raises:
        Cancelled, SoldOut, NotOpenYet: it does not.
    """
    if raffle.cancellation is not None:
        raise Cancelled
    if raffle.end is not None or is_over(raffle.terms, now):
        raise SoldOut
    if is_upcoming(raffle.terms, now):
        raise not_open_yet(raffle.terms, now)


def not_open_yet(terms: Terms, now: datetime) -> NotOpenYet:
    """Return the refusal of a raffle that is upcoming."""
    assert terms.opens_at is not None
    wait_s = int(terms.opens_at.timestamp()) - int(now.timestamp())
    opens = time_text(int(terms.opens_at.timestamp()))
    return NotOpenYet(terms.opens_at, f"{NotOpenYet.sentence}: it opens on {opens}.", retry_after_s=max(1, wait_s))


def check_changeable(raffle: Raffle) -> None:
    """Check that the terms of a raffle can change.

    Raises:
        TooLate: it has tickets, or is cancelled.
    """
    if raffle.cancellation is not None:
        raise _cancelled(raffle)
    if raffle.issued:
        handed_out = "1 ticket has" if raffle.issued == 1 else f"{raffle.issued:,} tickets have"
        raise TooLate(f"The terms are final: {handed_out} been handed out.")


def check_closable(raffle: Raffle) -> None:
    """Check that the list of tickets of a raffle can be closed.

    Raises:
        Cancelled: it is cancelled.
        TooLate: it is closed or drawn.
        TooFewTickets: it has more prizes than tickets.
    """
    if raffle.cancellation is not None:
        raise Cancelled
    if raffle.drawn_at is not None:
        raise _drawn(raffle)
    if raffle.end is not None:
        raise TooLate(f"This raffle has been closed since {time_text(raffle.end.closed)}.")
    check_enough_tickets(raffle)


def check_enough_tickets(raffle: Raffle) -> None:
    """Check that a raffle has a ticket for each prize.

    Raises:
        TooFewTickets: it has more prizes than tickets.
    """
    wins = count_wins(raffle.prizes)
    if raffle.issued < wins:
        prizes = "1 prize" if wins == 1 else f"{wins:,} prizes"
        tickets = "1 ticket" if raffle.issued == 1 else f"{raffle.issued:,} tickets"
        raise TooFewTickets(f"{TooFewTickets.sentence}: {prizes}, {tickets}.")


def check_cancellable(raffle: Raffle) -> None:
    """Check that a raffle can be cancelled.

    Raises:
        TooLate: it is cancelled or drawn.
    """
    if raffle.cancellation is not None:
        raise _cancelled(raffle)
    if raffle.drawn_at is not None:
        raise _drawn(raffle)


def check_drawable(raffle: Raffle) -> None:
    """Check that the winners of a raffle can be drawn now.

    Raises:
        Cancelled: it is cancelled.
        AlreadyDrawn: they have been drawn.
        TicketsRemaining: the raffle is not closed.
    """
    if raffle.cancellation is not None:
        raise Cancelled
    if is_drawn(raffle):
        raise AlreadyDrawn
    check_closed(raffle)


def check_closed(raffle: Raffle) -> None:
    """Check that the list of tickets of a raffle is final.

    Raises:
        TicketsRemaining: it is not.
    """
    if raffle.end is None:
        raise TicketsRemaining(raffle.total_tickets - raffle.issued)


def check_drawn(raffle: Raffle) -> None:
    """Check that the winners of a raffle have been drawn.

    Raises:
        NotDrawnYet: they have not.
    """
    if raffle.cancellation is not None:
        cancelled = time_text(raffle.cancellation.time)
        raise NotDrawnYet(f"{NotDrawnYet.sentence}, and never will be: the raffle was cancelled on {cancelled}.")
    if not is_drawn(raffle):
        raise NotDrawnYet


def check_finished(raffle: Raffle) -> None:
    """Check that a raffle is drawn or cancelled.

    Raises:
        NotDrawnYet: it is neither.
    """
    if not is_finished(raffle):
        raise NotDrawnYet


def _cancelled(raffle: Raffle) -> TooLate:
    assert raffle.cancellation is not None
    return TooLate(f"This raffle was cancelled on {time_text(raffle.cancellation.time)}.")


def _drawn(raffle: Raffle) -> TooLate:
    return TooLate(f"The winners of this raffle were drawn on {time_text(drawn_s(raffle))}.")
