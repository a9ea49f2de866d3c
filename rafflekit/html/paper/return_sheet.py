"""The return sheet: what authorities ask about a raffle after it, as far as rafflekit knows it, and lines for the rest.

It computes no proceeds: a price is a text in the organiser's words, and a ticket that was handed out may have been free
or sold at a discount. A wrong sum in an official return is worse than a line to fill in.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from rafflekit.core.holdings import Holding, tallies_of, tally_of
from rafflekit.core.lifecycle import ended_s
from rafflekit.core.models import Raffle
from rafflekit.html.assets import static_text
from rafflekit.html.rendering import rendered


def return_sheet(raffle: Raffle, holdings: Sequence[Holding], language: str, *, made_at: datetime) -> str:
    """Return the return sheet of a drawn or cancelled raffle as HTML, in one of `languages.LANGUAGES`.

    A cancelled raffle has no `holdings`. The sheet names no participants.
    """
    lost = [
        (win, holding.wins[place + 1] if place + 1 < len(holding.wins) else None)
        for holding in holdings
        for place, win in enumerate(holding.wins)
        if win.forfeited_at is not None
    ]
    return rendered(
        "paper/return.html",
        language,
        raffle=raffle,
        terms=raffle.terms,
        available_from=raffle.terms.opens_at or raffle.created_at,
        available_until=_available_until(raffle),
        cancelled_at=None if raffle.cancellation is None else _moment(raffle.cancellation.time),
        unsold=raffle.total_tickets - raffle.issued,
        tallies=list(zip(raffle.prizes, tallies_of(raffle.prizes, holdings), strict=True)),
        total=tally_of(holdings),
        amount=sum(prize.amount for prize in raffle.prizes),
        lost=lost,
        made_at=made_at,
        style_text=static_text("paper/paper.css") + static_text("paper/return.css"),
        script_text=static_text("times.js"),
    )


def _available_until(raffle: Raffle) -> datetime | None:
    """Return when the tickets of a finished raffle ceased to be available; None if they never were."""
    opens_at, closes_at = raffle.terms.opens_at, raffle.terms.closes_at
    ended = _moment(ended_s(raffle))
    # The list may be closed long after its time, at the draw.
    until = ended if closes_at is None else min(ended, closes_at)
    return None if opens_at is not None and until <= opens_at else until


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
