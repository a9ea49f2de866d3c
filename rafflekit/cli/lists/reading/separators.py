"""Which character separates the columns of a list: the one with which its rows agree best on their number.

All rows count. A few at the beginning would not do: a name with a comma may be in any line.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from rafflekit.cli.lists.reading.columns import column_name
from rafflekit.cli.lists.reading.csv_records import NO_SEPARATOR, RecordWrong, named_separator, records
from rafflekit.cli.spreadsheets import Separator
from rafflekit.cli.words import counted

NAMES = {
    Separator.COMMA.character: "commas",
    Separator.SEMICOLON.character: "semicolons",
    Separator.TAB.character: "tabs",
    Separator.BAR.character: "vertical bars",
    NO_SEPARATOR: "one column",
}
"""What the separators are called, by their characters."""

_GIVE = f"give --separator ('{NO_SEPARATOR}' if each line is one participant)"


class Separation(NamedTuple):
    """The separator of a list, and what is in doubt about it."""

    separator: str
    doubt: str | None = None


@dataclass(slots=True)
class _Candidate:
    """A separator, and how the rows of a list look with it.

    `widths` has the number of rows of each width, and `further` the number of rows with a text after the first cell:
    empty cells at a row's end are ignored.
    """

    separator: str
    first: Sequence[str] = ()
    widths: Counter[int] = field(default_factory=Counter)
    further: int = 0

    @property
    def rows(self) -> int:
        return self.widths.total()

    @property
    def width(self) -> int:
        """The most common number of columns, of those above one."""
        return max((width for width in self.widths if width > 1), key=lambda width: self.widths[width], default=1)

    @property
    def agreeing(self) -> int:
        """The number of rows that have it."""
        return self.widths[self.width] if self.width > 1 else 0

    @property
    def has_one_column(self) -> bool:
        """Whether the first row has a text in its first cell only."""
        return not any(map(str.strip, self.first[1:]))


def separation_of(
    file: BinaryIO, *, encoding: str, errors: str, occurring: Sequence[str], columns: Collection[str]
) -> Separation:
    """Return the separator of a list, one of those that are `occurring` in it; commas in a list that has one column.

    A first line that names it decides, and otherwise a first row that has all these `columns`.
    """
    if named := named_separator(file, encoding=encoding, errors=errors):
        return Separation(named)
    looked_at = [_candidate(file, separator, encoding, errors) for separator in occurring]
    candidates = [candidate for candidate in looked_at if candidate.agreeing]
    wanted = {column_name(name).casefold() for name in columns}
    with_columns = [
        candidate for candidate in candidates if wanted <= {column_name(name).casefold() for name in candidate.first}
    ]
    if wanted and len(with_columns) == 1:
        return Separation(with_columns[0].separator)
    if not candidates:
        return Separation(",")
    candidates.sort(key=lambda candidate: -candidate.agreeing / candidate.rows)
    return _decided(candidates)


def _decided(candidates: list[_Candidate]) -> Separation:
    best = candidates[0]
    rivals = [other for other in candidates[1:] if other.agreeing * best.rows == best.agreeing * other.rows]
    kinds = " or ".join(NAMES[candidate.separator] for candidate in (best, *rivals))
    agree = f"there are {best.width} columns in {best.agreeing:,} of {counted(best.rows, 'line')}"
    is_agreed = 2 * best.agreeing > best.rows
    if rivals:
        doubt = f"the columns could be separated by {kinds}; {_GIVE}"
    elif best.has_one_column and 2 * best.further > best.rows:
        doubt = (
            f"separated by {kinds}, {agree}, but the first has one; delete what is above the column names, or {_GIVE}"
        )
    elif is_agreed or (best.has_one_column and len(candidates) == 1):
        # In a list with one column, the few lines that have more are refused, each by itself.
        doubt = None
    else:
        doubt = f"the lines disagree: separated by {kinds}, {agree}; {_GIVE}"
    return Separation(best.separator, doubt)


def _candidate(file: BinaryIO, separator: str, encoding: str, errors: str) -> _Candidate:
    candidate = _Candidate(separator)
    try:
        # Not strict: with a wrong separator, quotes are in wrong places.
        for _, row in records(file, encoding=encoding, errors=errors, separator=separator, strict=False):
            if not candidate.widths:
                candidate.first = row
            candidate.widths[len(row)] += 1
            candidate.further += any(map(str.strip, row[1:]))
    except RecordWrong:
        # What could be read decides; the reader of the list will say what is wrong.
        pass
    return candidate
