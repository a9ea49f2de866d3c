"""How large the texts of a slip are, and how many prizes it shows, so that all of it fits.

Only a browser knows how long a line is, and the file is made without one. So lengths are estimated, on the safe side,
in columns: half the size of the type. What is announced by law or for the draw is always printed whole, small if need
be; prizes get the room that is left. Should an estimate be too low for a rare script, the slip cuts text off at its
edge, and stays as large as it is.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from math import ceil
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
_WIDE = 2.0
_CAPITAL = 1.35
# A line ends before the word that does not fit.
_RAGGED = 1.07

_SIZES = (7.5, 7, 6.5, 6, 5.5, 5, 4.5, 4, 3.5, 3)
"""The sizes of the small print, in points: the classes `size-0` … of the stylesheet."""

_LEGAL = 6
"""The largest size of what only has to be there."""

_NAMES = ((13, 2), (10, 2), (8, 3), (6, 4))
"""The sizes of a raffle's name, in points, and the most lines of it: the classes `name-0` …."""

_NUMBERS = (7, 11)
"""Up to how many characters a number is large, and less large: the classes `number-0` …."""

# The number, the code and the QR code next to them, with the gaps above and below.
_CODE_MM = 34.0
_INVITATION_CODE_MM = 38.0
# From this size on, the QR code is smaller by so much: phones still read it.
_TIGHT = 4.5
_TIGHT_MM = 4.0
_LABEL_COLUMNS = 20
_TIME_COLUMNS = 26
_MORE_COLUMNS = 26
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

    >>> columns("ham"), columns("くじ")
    (3.0, 4.0)
    """
    return sum(map(_columns_of, visible(text)))


def _columns_of(character: str) -> float:
    if character.isascii():
        return _CAPITAL if character.isupper() else 1.0
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
    room = min(left, _PRIZE_LINES) * width_mm / (points * _MM * _COLUMN * _RAGGED)
    prizes = _prizes(raffle.prizes, room)
    more = sum(prize.amount for prize in raffle.prizes[len(prizes) :])
    return Fitted(f"name-{step}", f"number-{number}", f"size-{_SIZES.index(points)}", points <= _TIGHT, prizes, more)


def _name(name: str, width_mm: float) -> tuple[int, float]:
    """Return the first size in which a raffle's name fits, and the height of its lines."""
    for step, (points, most) in enumerate(_NAMES):
        lines = _lines(columns(name) * _BOLD, points, width_mm)
        if lines <= most:
            return step, lines * points * _MM * _LINE
    return len(_NAMES) - 1, _NAMES[-1][1] * _NAMES[-1][0] * _MM * _LINE


def _said(terms: Terms) -> Iterable[float]:
    """Yield the lengths of the paragraphs below the code, except the prizes."""
    yield _TIME_COLUMNS * (bool(terms.draw_at) + bool(terms.closes_at) + 2 * bool(terms.claim_days))
    yield columns(terms.collection) + _LABEL_COLUMNS if terms.collection else 0


def _legal(terms: Terms) -> Iterable[float]:
    """Yield the lengths of the paragraphs at the bottom: what to do with the slip, and what the law asks for."""
    yield 4 * _TIME_COLUMNS
    legal = [text for text in (terms.promoter, terms.address, terms.licence, terms.price, terms.note) if text]
    yield sum(columns(text) + _LABEL_COLUMNS for text in legal)


def _lines(length: float, points: float, width_mm: float) -> int:
    return ceil(length * points * _MM * _COLUMN * _RAGGED / width_mm)


def _height_mm(length: float, points: float, width_mm: float) -> float:
    return _lines(length, points, width_mm) * points * _MM * _LINE


def _prizes(prizes: Sequence[Prize], room: float) -> Sequence[Prize]:
    """Return the first prizes that fit, all or with room for "and 12 more prizes"."""
    taken, used = 0, 0.0
    fitting = 0
    for taken, prize in enumerate(prizes, 1):
        used += columns(prize.name) + len(f"{prize.amount} × ") + len(" · ")
        if used + _MORE_COLUMNS <= room or (taken == len(prizes) and used <= room):
            fitting = taken
        elif used > room:
            break
    return prizes[:fitting]
