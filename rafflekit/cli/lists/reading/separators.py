"""Which character separates the columns of a list: the one with which its rows agree best on their number.

All rows count. A few at the beginning would not do: a name with a comma may be in any line.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from rafflekit.cli.lists.reading.columns import folded_name, width_of
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

    A row may have empty cells at its end. So it agrees with each number of columns from that of its last text to that
    of its last cell. `agreeing` rows have the same `width`, which is above one.
    """

    separator: str
    first: Sequence[str] = ()
    rows: int = 0
    further: int = 0
    width: int = 1
    agreeing: int = 0

    @property
    def has_one_column(self) -> bool:
        """Whether the first row has a text in its first cell only."""
        return width_of(self.first) <= 1

    def count(self, spans: Counter[tuple[int, int]]) -> None:
        """Count rows by the columns with their last text and their last cell."""
        self.rows = spans.total()
        self.further = sum(rows for (last_text, _), rows in spans.items() if last_text > 1)
        changes = Counter[int]()
        for (last_text, last_cell), rows in spans.items():
            changes[max(last_text, 2)] += rows
            changes[max(last_cell, 1) + 1] -= rows
        agreeing = 0
        for width in sorted(changes):
            agreeing += changes[width]
            if agreeing > self.agreeing:
                self.width, self.agreeing = width, agreeing


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
    wanted = set(map(folded_name, columns))
    with_columns = [candidate for candidate in candidates if wanted <= set(map(folded_name, candidate.first))]
    if wanted and len(with_columns) == 1:
        return Separation(with_columns[0].separator)
    if not candidates:
        return Separation(",")
    candidates.sort(key=lambda candidate: -candidate.agreeing / candidate.rows)
    return _decided(candidates)


def _decided(candidates: list[_Candidate]) -> Separation:
    best = candidates[0]
    rivals = [other for other in candidates[1:] if other.agreeing * best.rows == best.agreeing * other.rows]
    kind = NAMES[best.separator]
    agree = f"there are {best.width} columns in {best.agreeing:,} of {counted(best.rows, 'line')}"
    is_agreed = 2 * best.agreeing > best.rows
    if rivals:
        others = " or ".join(NAMES[candidate.separator] for candidate in rivals)
        doubt = f"the columns are read as separated by {kind}, but {others} fit as well; {_GIVE}"
    elif best.has_one_column and 2 * best.further > best.rows:
        doubt = (
            f"separated by {kind}, {agree}, but the first has one; delete any title above the column names, or {_GIVE}"
        )
    elif is_agreed or (best.has_one_column and len(candidates) == 1):
        # In a list with one column, the few lines that have more are refused, each by itself.
        doubt = None
    else:
        doubt = f"the lines disagree: separated by {kind}, {agree}; {_GIVE}"
    return Separation(best.separator, doubt)


def _candidate(file: BinaryIO, separator: str, encoding: str, errors: str) -> _Candidate:
    candidate = _Candidate(separator)
    spans = Counter[tuple[int, int]]()
    # What could be read decides; the reader of the list will say what is wrong.
    with suppress(RecordWrong):
        # Not strict: with a wrong separator, quotes are in wrong places.
        for _, row in records(file, encoding=encoding, errors=errors, separator=separator, strict=False):
            if not spans:
                candidate.first = row
            width = cells = len(row)
            while not row[width - 1].strip():
                width -= 1
            spans[width, cells] += 1
    candidate.count(spans)
    return candidate
