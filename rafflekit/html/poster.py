"""The poster of a raffle: one page of A4 with everything that has to be announced, to be printed and hung up."""

from math import ceil

from rafflekit.core.models import Raffle
from rafflekit.core.protocol.terms import TEXTS
from rafflekit.html.assets import static_text
from rafflekit.html.rendering import rendered

_PRIZES_SHOWN = 30
_PRIZES_IN_A_COLUMN = 10
_CHARACTERS_IN_A_LINE = 34
_LARGE_LINES = 10
_LINES_IN_COLUMNS = 34
_MUCH_TEXT = 600


def poster(
    raffle: Raffle,
    language: str,
    *,
    address: str | None = None,
    stylesheet: str | None = None,
    script: str | None = None,
) -> str:
    """Return the poster of a raffle as HTML, in one of `languages.LANGUAGES`; it holds nothing secret.

    `address` is that of the raffle's page, for the QR code; None if people cannot open it. Without the addresses of
    `poster.css` and `times.js`, both are in the page, so that it is one file. The script turns times into local ones.
    """
    prizes = raffle.prizes
    return rendered(
        "poster.html",
        language,
        raffle=raffle,
        terms=raffle.terms,
        prizes=prizes if len(prizes) <= _PRIZES_SHOWN else prizes[: _PRIZES_SHOWN - 1],
        more=0 if len(prizes) <= _PRIZES_SHOWN else sum(prize.amount for prize in prizes[_PRIZES_SHOWN - 1 :]),
        room=_room(raffle),
        is_dense=_is_dense(raffle),
        address=address,
        stylesheet=stylesheet,
        script=script,
        style_text=static_text("poster.css"),
        script_text=static_text("times.js"),
    )


def _is_dense(raffle: Raffle) -> bool:
    """Return whether there is so much text next to the prizes that it has to be small."""
    texts = [raffle.name, raffle.terms.source, *(getattr(raffle.terms, name) for name in TEXTS)]
    return sum(len(text) for text in texts if text is not None) > _MUCH_TEXT


def _room(raffle: Raffle) -> str:
    """Return how much room the prizes get: a class of the stylesheet."""
    names = [prize.name for prize in raffle.prizes[:_PRIZES_SHOWN]]
    lines = sum(ceil(len(name) / _CHARACTERS_IN_A_LINE) for name in names)
    if lines <= _LARGE_LINES and not _is_dense(raffle):
        return "few"
    if len(names) <= _PRIZES_IN_A_COLUMN:
        return "some"
    return "many" if lines <= _LINES_IN_COLUMNS else "crowded"
