"""What to do about a raffle that cannot be closed or drawn now: only what works in its state."""

from collections.abc import Iterator
from contextlib import contextmanager

from rafflekit.cli.failures import REFUSED, CommandStopped
from rafflekit.cli.words import local_time
from rafflekit.core.errors import TicketsRemaining, TooFewTickets
from rafflekit.core.lifecycle import is_due
from rafflekit.core.models import Raffle, State
from rafflekit.core.prizes import count_wins

_HAND_OUT = "Hand them out first, with 'rafflekit participate' or over HTTP"
_CANCEL = "cancel it with 'rafflekit cancel'"


@contextmanager
def way_out_explained(raffle: Raffle) -> Iterator[None]:
    """Add to a refusal what to do about it."""
    try:
        yield
    except TicketsRemaining as error:
        left = f"{error.remaining:,} of {raffle.total_tickets:,} {'is' if error.remaining == 1 else 'are'} left"
        raise CommandStopped(f"{error}: {left}. {_about_tickets_left(raffle)}", status=REFUSED) from error
    except TooFewTickets as error:
        raise CommandStopped(f"{error} {_about_too_few_tickets(raffle)}", status=REFUSED) from error


def _about_tickets_left(raffle: Raffle) -> str:
    if raffle.state is State.UPCOMING:
        return f"It opens on {_opening(raffle)}."
    if raffle.issued < count_wins(raffle.prizes):
        return f"{_HAND_OUT}. Once there is a ticket for each prize, 'rafflekit close' can end that."
    return f"{_HAND_OUT}, or end that with 'rafflekit close'."


def _about_too_few_tickets(raffle: Raffle) -> str:
    if is_due(raffle):
        more_time = "" if raffle.issued else ", or give it more time with 'rafflekit edit'"
        return f"Its time is over: {_CANCEL}{more_time}."
    if raffle.state is State.UPCOMING:
        return f"Wait until it opens, on {_opening(raffle)}, or {_CANCEL}."
    return f"Hand out more tickets first, or {_CANCEL}."


def _opening(raffle: Raffle) -> str:
    assert raffle.terms.opens_at is not None
    return local_time(raffle.terms.opens_at)
