"""How large the texts of a slip are, and how many prizes it names, so that all of it fits.

The letters are the largest in which everything fits. If it does not even in letters of 6 points, prizes are left out.
If what has to be announced needs more room than that, the letters become smaller, but never smaller than 5 points: then
the longest texts end with "…". `Fitted` says so, for a remark to whoever prints.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from markupsafe import Markup

from rafflekit.core.models import Raffle
from rafflekit.core.protocol.quoting import visible
from rafflekit.core.protocol.terms import TEXTS
from rafflekit.html.paper.measuring import MM_OF_POINT, printed_lines, with_local_times
from rafflekit.html.rendering import rendered

_NAME_LINE = 1.2
_LINE = 1.15

_HEIGHT_MM = 63.0
# Of the name and of the numbers and codes; then between the paragraphs, and around the line above the small print.
_GAPS_MM = 1.5 + 1.5
_GAP_MM = 0.35
_RULE_MM = 1.2

_SIZES = (8, 7.5, 7, 6.75, 6.5, 6.25, 6, 5.5, 5)
"""The sizes of the texts, in points: the classes `size-0` … of the stylesheet."""

_JOINED = 7
"""From this size on, texts may share a paragraph, so that its last line is not nearly empty."""

_SMALLEST = 6
"""Letters are smaller than this only if what has to be announced needs it, not for the sake of more prizes."""

_NAMES = ((13, 1), (10, 2), (8, 3), (6, 4), (5, 6))
"""The sizes of a raffle's name, in points, and the most lines of it: the classes `name-0` …."""

_TIGHT_NAMES = {0: 10, 1: 8}
"""The sizes of those names that are smaller if room is scarce."""

_NUMBERS = (7, 11)
"""Up to how many characters a number is large, and less large: the classes `number-0` …."""

# A first prize that is shortened is at least as long as this, and so is every other text.
_SHORT = 40
# The promoter, the address, the price and the licence are shortened last.
_SHORTENED_FIRST = ("collection", "note")
_PARAGRAPH = re.compile("<p>(.*?)</p>", re.DOTALL)


class _Slip(NamedTuple):
    """A kind of slip: the width of its texts, and the height of its QR code, as a rule and if room is scarce."""

    is_ticket: bool
    width_mm: float
    code_mm: float
    tight_code_mm: float


_TICKET = _Slip(is_ticket=True, width_mm=67.0, code_mm=27.0, tight_code_mm=21.0)
_INVITATION = _Slip(is_ticket=False, width_mm=93.5, code_mm=31.0, tight_code_mm=24.0)


class ShownPrize(NamedTuple):
    """A prize as a slip names it."""

    name: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """How a slip shows its texts: classes of the stylesheet, the prizes that it names, and its other texts.

    If room is scarce, the name, the number and the QR code are smaller (`is_tight`), which phones still read, and then
    texts share a paragraph (`is_joined`). `more` prizes are not named, and what is in `shortened` is not whole: names
    of texts of the terms, or "prize".
    """

    name: str
    number: str
    points: float
    is_tight: bool = False
    is_joined: bool = False
    prizes: Sequence[ShownPrize]
    more: int
    texts: Mapping[str, str | None]
    shortened: Sequence[str] = ()
    terms: Markup = field(default_factory=Markup)

    @property
    def size(self) -> str:
        """The class of the size."""
        return f"size-{_SIZES.index(self.points)}"

    @property
    def is_small(self) -> bool:
        """Whether the letters are smaller than they should be."""
        return self.points < _SMALLEST


def fitted_ticket(raffle: Raffle, language: str, *, address: str | None) -> Fitted:
    """Return how a ticket of a raffle shows its texts; `address` is that of the raffle's page, if there is one."""
    return _fitted(_TICKET, raffle, language, address)


def fitted_invitation(raffle: Raffle, language: str, *, address: str | None) -> Fitted:
    """Return how an invitation to a raffle shows its texts; `address` is that of the raffle's page, if there is one."""
    return _fitted(_INVITATION, raffle, language, address)


def _fitted(slip: _Slip, raffle: Raffle, language: str, address: str | None) -> Fitted:
    step, name_mm = _name(raffle.name, slip.width_mm)
    tight_name_mm = _name_mm(raffle.name, _TIGHT_NAMES.get(step, _NAMES[step][0]), _NAMES[step][1], slip.width_mm)
    largest_number = raffle.total_tickets if slip.is_ticket else 0

    def with_terms(tried: Fitted) -> Fitted:
        values = {"terms": raffle.terms, "fitted": tried, "address": address, "is_ticket": slip.is_ticket}
        return replace(tried, terms=Markup(rendered("paper/terms.html", language, **values)))  # noqa: S704 - a template escapes

    def fits(tried: Fitted) -> bool:
        top_mm = tight_name_mm + slip.tight_code_mm if tried.is_tight else name_mm + slip.code_mm
        html = with_local_times(with_terms(tried).terms, language)
        needed_mm = _height_mm(html, tried.points, slip.width_mm)
        return needed_mm <= _HEIGHT_MM - _GAPS_MM - top_mm

    whole = Fitted(
        name=f"name-{step}",
        number=f"number-{sum(len(f'{largest_number:,}') > most for most in _NUMBERS)}",
        points=_SIZES[0],
        prizes=[ShownPrize(prize.name, prize.amount) for prize in raffle.prizes],
        more=0,
        texts={name: getattr(raffle.terms, name) for name in TEXTS},
    )
    found = next(filter(fits, _attempts(whole, fits)), None)
    return with_terms(found or _shortened(whole, fits))


def _attempts(whole: Fitted, fits: Callable[[Fitted], bool]) -> Iterator[Fitted]:
    """Yield what is tried, the best first: everything in larger letters, then fewer prizes in small ones."""
    for points in _SIZES[: _SIZES.index(_SMALLEST) + 1]:
        yield replace(whole, points=points)
        yield replace(whole, points=points, is_tight=True)
        if points <= _JOINED:
            yield replace(whole, points=points, is_tight=True, is_joined=True)
    for points in _SIZES[_SIZES.index(_SMALLEST) :]:
        yield _with_most_prizes(replace(whole, points=points, is_tight=True, is_joined=True), fits)


def _with_most_prizes(whole: Fitted, fits: Callable[[Fitted], bool]) -> Fitted:
    """Return a slip that names as many prizes as fit, and at least the first."""
    return _first(whole, _largest(range(1, len(whole.prizes) + 1), lambda count: fits(_first(whole, count))))


def _first(whole: Fitted, count: int) -> Fitted:
    """Return a slip that names the first prizes only."""
    more = sum(prize.amount for prize in whole.prizes[count:])
    return replace(whole, prizes=whole.prizes[:count], more=more)


def _shortened(whole: Fitted, fits: Callable[[Fitted], bool]) -> Fitted:
    """Return a slip in the smallest letters with the first prize, whose texts are shortened as far as needed."""
    first = _first(replace(whole, points=_SIZES[-1], is_tight=True, is_joined=True), 1)
    longest = max(len(text) for text in (first.prizes[0].name, *whole.texts.values()) if text)

    def with_prize(slip: Fitted, characters: int) -> Fitted:
        return replace(slip, prizes=[first.prizes[0]._replace(name=_cut(first.prizes[0].name, characters))])

    def with_texts(characters: int) -> Fitted:
        most = {name: max(min(characters - longest * (name in _SHORTENED_FIRST), longest), _SHORT) for name in TEXTS}
        texts = {name: text and _cut(text, most[name]) for name, text in whole.texts.items()}
        shortened = [name for name in TEXTS if texts[name] != whole.texts[name]]
        return with_prize(replace(first, texts=texts, shortened=shortened), _SHORT)

    slip = with_texts(_largest(range(_SHORT, 2 * longest + 1), lambda most: fits(with_texts(most))))
    slip = with_prize(slip, _largest(range(_SHORT, longest + 1), lambda most: fits(with_prize(slip, most))))
    is_whole = slip.prizes[0] == first.prizes[0]
    return slip if is_whole else replace(slip, shortened=[*slip.shortened, "prize"])


def _largest(numbers: range, fits: Callable[[int], bool]) -> int:
    """Return the largest of these numbers that fits, or the first; whatever is smaller than one that fits, fits too."""
    first_too_large = bisect_left(numbers, True, key=lambda number: not fits(number))
    return numbers.start + max(first_too_large - 1, 0)


def _cut(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text
    cut = text[: characters - 1]
    # Not within a word, unless it is a long one.
    words = cut.rpartition(" ")[0]
    return f"{(words if len(words) > characters / 2 else cut).rstrip(' .,;:–-')}…"


def _name(name: str, width_mm: float) -> tuple[int, float]:
    """Return the first size in which a raffle's name fits, and the height of its lines."""
    fits = (_name_lines(name, points, width_mm) <= most for points, most in _NAMES)
    step = next((step for step, is_fitting in enumerate(fits) if is_fitting), len(_NAMES) - 1)
    return step, _name_mm(name, *_NAMES[step], width_mm)


def _name_mm(name: str, points: float, most: int, width_mm: float) -> float:
    return min(_name_lines(name, points, width_mm), most) * points * MM_OF_POINT * _NAME_LINE


def _name_lines(name: str, points: float, width_mm: float) -> int:
    return printed_lines(str(Markup.escape(visible(name))), points=points, width_mm=width_mm, bold=True)


def _height_mm(html: str, points: float, width_mm: float) -> float:
    paragraphs = _PARAGRAPH.findall(html)
    lines = sum(printed_lines(paragraph, points=points, width_mm=width_mm) for paragraph in paragraphs)
    return lines * points * MM_OF_POINT * _LINE + len(paragraphs) * _GAP_MM + _RULE_MM
