"""The poster of a raffle: one page of A4 with everything that has to be announced, to be printed and hung up.

Prizes are in the largest letters in which all of them fit. How much room there is, is estimated from the other texts.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from markupsafe import escape

from rafflekit.core.models import Raffle
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.quoting import visible
from rafflekit.core.protocol.terms import TEXTS
from rafflekit.html.assets import static_text
from rafflekit.html.paper.measuring import MM_OF_POINT, printed_lines, printed_width, with_local_times
from rafflekit.html.rendering import numeral, rendered

_MUCH_TEXT = 600
_WIDTH_MM = 178.0
_FACTS_MM = 113.0
_CODE_MM = 52.0
_COLUMN_GAP_MM = 7.0
# Of the prizes: a line, and what is above and below a name, as multiples of the size of the letters.
_LINE = 1.25
_AROUND = 0.24
_AMOUNT = printed_width(" × ")

_LAYOUTS = ((1, 28), (1, 24), (1, 20), (1, 16), (2, 16), (2, 13), (2, 11), (3, 9.5), (3, 8.5), (1, 8.5))
"""The columns of the prizes and the size of their letters, in points: the classes `prizes-0` … of the stylesheet.

The last is for the longest names.
"""


class _Text(NamedTuple):
    """Texts of the poster: how to find them, their size in points, their line, and what is between two, in mm."""

    pattern: re.Pattern[str]
    points: float
    dense_points: float
    line: float
    width_mm: float
    gap_mm: float
    bold: bool = False


def _text(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


_LEAD = _Text(_text('<p class="lead">(.*?)</p>'), 17, 12, 1.4, _WIDTH_MM, 0, bold=True)
_FACT = _Text(_text("<li>(.*?)</li>"), 12, 9, 1.4, _FACTS_MM, 0.7)
_ADDRESS = _Text(_text('<div class="code">.*<p>(.*?)</p>'), 8, 8, 1.25, _CODE_MM, 0)
_FOOTER = _Text(_text("<p>(.*?)</p>"), 9, 7.5, 1.3, _WIDTH_MM, 0)
_CHECK = _Text(_text('<p class="check">(.*?)</p>'), 7.5, 7.5, 1.3, _WIDTH_MM, 0)
_HEADING_MM = 13 * MM_OF_POINT * 1.4 + 1.5


class Poster(NamedTuple):
    """A poster as HTML: how many kinds of prizes it names, and how many more prizes it only counts."""

    html: str
    named: int
    more: int


class _Prizes(NamedTuple):
    """The prizes that a poster names, and how: classes of the stylesheet. `more` are not named."""

    shown: Sequence[Prize]
    more: int
    layout: str
    amounts: str


def poster(
    raffle: Raffle,
    language: str,
    *,
    now: datetime,
    address: str | None = None,
    stylesheet: str | None = None,
    script: str | None = None,
) -> Poster:
    """Return the poster of a raffle in one of `languages.LANGUAGES`; it holds nothing secret.

    It says what is true `now`: one of a raffle that is closed, drawn or called off announces nothing that is over.
    `address` is that of the raffle's page, for the QR code; None if people cannot open it. Without the addresses of
    `poster.css` and `times.js`, both are in the page, so that it is one file. The script turns times into local ones.
    """
    draw_at = raffle.terms.draw_at
    if draw_at is not None and (raffle.winners_drawn or draw_at <= now):
        draw_at = None

    def with_prizes(prizes: _Prizes) -> str:
        return rendered(
            "poster.html",
            language,
            raffle=raffle,
            terms=raffle.terms,
            draw_at=draw_at,
            prizes=prizes,
            is_dense=_is_dense(raffle),
            address=address,
            stylesheet=stylesheet,
            script=script,
            style_text=static_text("poster.css"),
            script_text=static_text("times.js"),
        )

    others = with_local_times(with_prizes(_Prizes((), 0, "", "")), language)
    # A poster of a raffle that was called off names none.
    announced = () if raffle.cancellation is not None else raffle.prizes
    prizes = _fitted(announced, _room_mm(raffle, others), language)
    return Poster(with_prizes(prizes), named=len(prizes.shown), more=prizes.more)


def _is_dense(raffle: Raffle) -> bool:
    """Return whether there is so much text next to the prizes that it has to be small."""
    texts = [raffle.name, raffle.terms.source, *(getattr(raffle.terms, name) for name in TEXTS)]
    return sum(len(text) for text in texts if text is not None) > _MUCH_TEXT


def _room_mm(raffle: Raffle, others: str) -> float:
    """Return the height that is left for the list of prizes, next to the other texts of a poster."""
    dense = _is_dense(raffle)
    main, _, footer = others.partition("<footer>")

    def height_mm(kind: _Text, html: str) -> float:
        points = kind.dense_points if dense else kind.points
        found = kind.pattern.findall(html)
        lines = sum(printed_lines(text, points=points, width_mm=kind.width_mm, bold=kind.bold) for text in found)
        return lines * points * MM_OF_POINT * kind.line + len(found) * kind.gap_mm

    name = str(escape(visible(raffle.name)))
    points = 42 if len(raffle.name) <= 40 else 28 if len(raffle.name) <= 100 else 15 if dense else 19
    name_mm = printed_lines(name, points=points, width_mm=_WIDTH_MM, bold=True) * points * MM_OF_POINT * 1.08
    kind_mm = 14 * MM_OF_POINT * 1.4 - (2 if dense else 4)
    how_mm = max(
        _HEADING_MM + 0.7 + height_mm(_FACT, main), _CODE_MM + height_mm(_ADDRESS, main) if "<svg" in main else 0
    )
    footer_mm = 2.9 + height_mm(_FOOTER, footer) + height_mm(_CHECK, footer)
    gap_mm, edges_mm = (3.5, 5 + 9 + 10) if dense else (6, 5 + 14 + 10)
    # Between kind, name, lead, prizes, facts and footer; then the lines and the gaps around the prizes.
    taken_mm = edges_mm + 5 * gap_mm + kind_mm + name_mm + height_mm(_LEAD, main) + how_mm + footer_mm
    return 296.5 - taken_mm - (0.8 + 8 + _HEADING_MM)


def _fitted(prizes: Sequence[Prize], room_mm: float, language: str) -> _Prizes:
    """Return the prizes in the largest letters in which all fit, or as many as fit in the smallest."""
    digits = max((len(numeral(prize.amount, language)) for prize in prizes if prize.amount > 1), default=0)
    amount = digits * printed_width("0") + _AMOUNT if digits else 0
    fitting = [_fitting(prizes, room_mm, columns=columns, points=points, amount=amount) for columns, points in _LAYOUTS]
    # The first layout with the most prizes.
    most = max(fitting)
    more = sum(prize.amount for prize in prizes[most:])
    return _Prizes(prizes[:most], more, f"prizes-{fitting.index(most)}", f"amounts-{digits}")


def _fitting(prizes: Sequence[Prize], room_mm: float, *, columns: int, points: float, amount: float) -> int:
    """Return how many of the first prizes fit in these columns: all, or with room for a line that counts the others."""
    width_mm = (_WIDTH_MM - (columns - 1) * _COLUMN_GAP_MM) / columns - amount * points * MM_OF_POINT
    fitting, column, used_mm = 0, 1, 0.0
    line_mm, around_mm = points * MM_OF_POINT * _LINE, points * MM_OF_POINT * _AROUND
    for count, prize in enumerate(prizes, 1):
        name = str(escape(visible(prize.name)))
        height_mm = printed_lines(name, points=points, width_mm=width_mm, bold=True) * line_mm + around_mm
        if used_mm + height_mm > room_mm:
            column, used_mm = column + 1, 0.0
        used_mm += height_mm
        if column > columns or used_mm > room_mm:
            return fitting
        if count == len(prizes) or column < columns or used_mm + 2 * line_mm + around_mm <= room_mm:
            fitting = count
    return fitting
