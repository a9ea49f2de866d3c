"""How large the texts of a slip are, and how many prizes it shows, so that all of it fits.

Only a browser knows how long a line is, and the file is made without one. So lengths are estimated, on the safe side,
in columns: half the size of the type. What is announced by law or for the draw is always printed whole, small if need
be; prizes get the room that is left. Should an estimate be too low for a rare script, the slip cuts text off at its
edge, and does not grow.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rafflekit.core.models import Raffle
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.quoting import visible
from rafflekit.core.protocol.terms import Terms

_MM = 25.4 / 72
_WIDTH_MM = 66.0
_INVITATION_WIDTH_MM = 92.0
_HEIGHT_MM = 61.0
_COLUMN = 0.52
"""The width of a column, as a part of the size of the type."""

_LINE = 1.25
_BOLD = 1.08

_SPACE, _SMALL, _CAPITAL, _WIDE = 0.7, 1.09, 1.5, 2.0
"""The columns of a space, of most small letters and digits, of wide capitals, and of the widest characters."""

# Of Arial and Helvetica, regular and bold. What is not here is a small letter or, beyond ASCII, a capital.
_CLASSES = {
    _SPACE: " fijlrtI!'(),-./:;[]`|",
    1.0: "cksvxyz",
    1.3: "ABEFJKLPSTVXYZ",
    _CAPITAL: "CDGHNOQRUw&",
    1.6: "Mm",
    _WIDE: "W@%",
}
_COLUMNS = {character: width for width, characters in _CLASSES.items() for character in characters}

_SIZES = (7.5, 7, 6.5, 6, 5.5, 5, 4.5, 4, 3.5, 3)
"""The sizes of the small print, in points: the classes `size-0` … of the stylesheet."""

_LEGAL = 6
"""The largest size of what only has to be there."""

_NAMES = ((13, 2), (10, 2), (8, 3), (6, 4), (5, 6))
"""The sizes of a raffle's name, in points, and the most lines of it: the classes `name-0` …."""

_NUMBERS = (7, 11)
"""Up to how many characters a number is large, and less large: the classes `number-0` …."""

# The number, the code and the QR code next to them, with the gaps above and below.
_CODE_MM = 34.0
_INVITATION_CODE_MM = 38.0
# From this size on, the QR code is smaller by so much: phones still read it.
_TIGHT = 4.5
_TIGHT_MM = 4.0
# As long as the longest in any language.
_LABEL = "nnnnn " * 3
_TIME = "nnnn " * 5
_MORE = " · nnn nnn nnnnnnn nnnnnn"
_PRIZE_LINES = 6


class Fitted(NamedTuple):
    """How a slip shows its texts: classes of the stylesheet, and the prizes that it names; `more` are not named."""

    name: str
    number: str
    size: str
    is_tight: bool
    prizes: Sequence[Prize]
    more: int


def fitted_ticket(raffle: Raffle) -> Fitted:
    """Return how a ticket of a raffle shows its texts."""
    return _fitted(raffle, width_mm=_WIDTH_MM, room_mm=_HEIGHT_MM - _CODE_MM, largest_number=raffle.total_tickets)


def fitted_invitation(raffle: Raffle) -> Fitted:
    """Return how an invitation to a raffle shows its texts."""
    room_mm = _HEIGHT_MM - _INVITATION_CODE_MM
    return _fitted(raffle, width_mm=_INVITATION_WIDTH_MM, room_mm=room_mm, largest_number=0)


def columns(text: str) -> float:
    """Return the length of a text in columns, as it is shown: letters of East Asia and emoji take two.

    >>> columns("sky"), columns("くじ")
    (3.0, 4.0)
    """
    return sum(map(_columns_of, visible(text)))


def _columns_of(character: str) -> float:
    if character.isascii():
        return _COLUMNS.get(character, _SMALL)
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    return _CAPITAL


def _fitted(raffle: Raffle, *, width_mm: float, room_mm: float, largest_number: int) -> Fitted:
    step, name_mm = _name(raffle.name, width_mm)
    number = sum(len(f"{largest_number:,}") > most for most in _NUMBERS)
    for points in _SIZES:
        left_mm = room_mm - name_mm + (_TIGHT_MM if points <= _TIGHT else 0)
        taken_mm = sum(_height_mm(text, points, width_mm) for text in _said(raffle.terms))
        taken_mm += sum(_height_mm(text, min(points, _LEGAL), width_mm) for text in _legal(raffle.terms))
        left = int((left_mm - taken_mm) / (points * _MM * _LINE))
        if left >= 1:
            break
    prizes = _prizes(raffle.prizes, lines=min(left, _PRIZE_LINES), columns_each=_columns_in(width_mm, points))
    more = sum(prize.amount for prize in raffle.prizes[len(prizes) :])
    return Fitted(f"name-{step}", f"number-{number}", f"size-{_SIZES.index(points)}", points <= _TIGHT, prizes, more)


def _name(name: str, width_mm: float) -> tuple[int, float]:
    """Return the first size in which a raffle's name fits, and the height of its lines."""
    for step, (points, most) in enumerate(_NAMES):
        lines = _lines(name, _columns_in(width_mm, points * _BOLD))
        if lines <= most:
            return step, lines * points * _MM * _LINE
    return len(_NAMES) - 1, _NAMES[-1][1] * _NAMES[-1][0] * _MM * _LINE


def _said(terms: Terms) -> Iterable[str]:
    """Yield paragraphs as long as those below the code, except the prizes."""
    yield _TIME * (bool(terms.draw_at) + bool(terms.closes_at) + 2 * bool(terms.claim_days))
    yield _LABEL + terms.collection if terms.collection else ""


def _legal(terms: Terms) -> Iterable[str]:
    """Yield paragraphs as long as those at the bottom: what to do with the slip, and what the law asks for."""
    yield _TIME * 4
    texts = (terms.promoter, terms.address, terms.licence, terms.price, terms.note)
    yield " · ".join(_LABEL + text for text in texts if text)


def _columns_in(width_mm: float, points: float) -> float:
    """Return how many columns a line has."""
    return width_mm / (points * _MM * _COLUMN)


def _lines(text: str, columns_each: float) -> int:
    """Return how many lines a text takes: a word that does not fit begins a line, and only a longer one is broken."""
    lines, used = 0, columns_each
    for word in filter(None, text.split(" ")):
        length = columns(word)
        used += _SPACE + length
        if used > columns_each:
            lines, used = lines + 1, length
        while used > columns_each:
            # What is left of the line may be too short for one more character.
            lines, used = lines + 1, used - (columns_each - _WIDE)
    return lines


def _height_mm(text: str, points: float, width_mm: float) -> float:
    return _lines(text, _columns_in(width_mm, points)) * points * _MM * _LINE


def _prizes(prizes: Sequence[Prize], *, lines: int, columns_each: float) -> Sequence[Prize]:
    """Return the first prizes that fit, all or with room for "and 12 more prizes"."""
    fitting, text = 0, _LABEL
    for taken, prize in enumerate(prizes, 1):
        text += f" · {prize.amount} × {prize.name}"
        if _lines(text + _MORE * (taken < len(prizes)), columns_each) <= lines:
            fitting = taken
        elif _lines(text, columns_each) > lines:
            break
    return prizes[:fitting]
