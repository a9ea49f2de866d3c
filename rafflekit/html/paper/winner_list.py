"""The list of winners to hang up: prize by prize, with numbers that are large enough to be read from two metres."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from rafflekit.core.holdings import Holding
from rafflekit.core.models import Raffle
from rafflekit.html.assets import static_text
from rafflekit.html.rendering import numeral, rendered

# The most characters of a number, and how many such numbers fit next to each other.
_FITTING = ((3, 6), (5, 4), (7, 3), (9, 2))
_FITTING_WITH_NAMES = 2


def winner_list(
    raffle: Raffle,
    holdings: Sequence[Holding],
    language: str,
    *,
    made_at: datetime,
    owners: Mapping[int, str] | None = None,
    address: str | None = None,
) -> str:
    """Return the winners of a drawn raffle as HTML, in one of `languages.LANGUAGES`.

    Those of one prize are in the order of their numbers, because people look for theirs.
    With `owners`, the participants by their ticket numbers, it has names, and is for the organiser only. `address` is
    that of the raffle's page, for the QR code; None if people cannot open it.
    """
    across = _fitting(raffle, language, has_names=owners is not None)
    return rendered(
        "paper/winners.html",
        language,
        raffle=raffle,
        terms=raffle.terms,
        made_at=made_at,
        until=_until(holdings, made_at),
        passed_on=sum(each.has_passed_on for each in holdings),
        has_lapsed=any(each.has_lapsed for each in holdings),
        prizes=[
            (raffle.prizes[place].name, [wins[at : at + across] for at in range(0, len(wins), across)], len(wins))
            for place, group in groupby(holdings, key=lambda holding: holding.prize)
            if (wins := sorted(group, key=lambda holding: holding.current.ticket_number))
        ],
        across=across,
        owners=owners,
        address=address,
        style_text=static_text("paper/paper.css") + static_text("paper/winners.css"),
        script_text=static_text("times.js"),
    )


def _until(holdings: Sequence[Holding], made_at: datetime) -> datetime | None:
    """Return until when prizes that did not pass on can be collected; None if none of them still can be in time."""
    deadlines = (each.redeem_until for each in holdings if not each.has_passed_on)
    return next((until for until in deadlines if until is not None and made_at < until), None)


def _fitting(raffle: Raffle, language: str, *, has_names: bool) -> int:
    """Return how many numbers fit next to each other."""
    longest = len(numeral(raffle.total_tickets, language))
    fitting = next((across for characters, across in _FITTING if longest <= characters), 1)
    return min(fitting, _FITTING_WITH_NAMES) if has_names else fitting
