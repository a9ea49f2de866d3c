"""Where the columns of a list are: found by their names in its first row, or by their numbers without a header."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rafflekit.cli.lists.reading.layout import Columns
from rafflekit.cli.words import shortened
from rafflekit.core import limits
from rafflekit.core.characters import without_invisible

_SHOWN = 20
_LONGEST_NUMBER = len(str(limits.RECORD_CELLS))


@dataclass(frozen=True, slots=True)
class Positions:
    """The positions of the participant's columns and of the number of tickets; and the width of the list."""

    participant: tuple[int, ...]
    quantity: int | None
    width: int


class ColumnsWrong(Exception):
    """The columns cannot be found, or are not different; the message says why, about the list's first line."""


def column_name(text: str) -> str:
    r"""Return the name of a column without what no one sees: the form of its characters and of its white space.

    >>> column_name("\ufeffE-Mail \n Adresse ")
    'E-Mail Adresse'
    """
    return " ".join(unicodedata.normalize("NFC", without_invisible(text)).split())


def without_case(text: str) -> str:
    """Return a text in the form in which case does not count, not even that of the Turkish i.

    >>> without_case("KATILIMCI") == without_case("katılımcı"), without_case("İsim") == without_case("isim")
    (True, True)
    """
    return text.casefold().replace("i\u0307", "i").replace("ı", "i")


def folded_name(text: str) -> str:
    """Return the form of a column's name that is equal for all spellings of it."""
    return without_case(column_name(text))


def is_same_name(one: str, other: str) -> bool:
    """Return whether two texts name the same column, whatever their case."""
    return folded_name(one) == folded_name(other)


def width_of(row: Sequence[str]) -> int:
    """Return the number of columns of a row. Empty cells at its end are ignored."""
    return next((position for position in range(len(row), 0, -1) if row[position - 1].strip()), 0)


def positions_of(columns: Columns, first: Sequence[str], *, has_header: bool) -> Positions:
    """Return where the columns are in a list with this `first` row.

    Raises:
        ColumnsWrong: a column is not there, or there twice, or given twice; or none is given, and there are several.
    """
    if not columns.participant:
        if (width := width_of(first)) > 1:
            choose = (
                "Choose one with --column NAME or, if there is no line with the names of columns, with --no-header "
                "--column 1"
                if has_header
                else "Choose one with --column NUMBER, such as --column 1"
            )
            raise ColumnsWrong(f"has {width} columns: {_shown(first[:width])}. {choose}")
        return Positions((0,), None, 1)
    find = _named if has_header else _numbered
    found: dict[int, str] = {}
    for column in columns.all():
        position = find(column, first)
        if position in found:
            raise ColumnsWrong(f"has one column for both {found[position]!r} and {column!r}; give each column once")
        found[position] = column
    positions = tuple(found)
    quantity = None if columns.quantity is None else positions[-1]
    return Positions(positions[: len(columns.participant)], quantity, len(first))


def _named(column: str, header: Sequence[str]) -> int:
    """Find a column by its name: exactly, or else whatever its case."""
    names = [column_name(name) for name in header]
    wanted = column_name(column)
    for same in ([name == wanted for name in names], [without_case(name) == without_case(wanted) for name in names]):
        if sum(same) > 1:
            raise ColumnsWrong(f"has {sum(same)} columns named {column!r}; rename those that are not to be read")
        if any(same):
            return same.index(True)
    if not names:
        raise ColumnsWrong(f"has no column {column!r}: the list is empty")
    problem = f"has no column {column!r}, only {_shown(names)}"
    if column.isdigit():
        problem += "; give the column's name, or --no-header if this line is a participant"
    raise ColumnsWrong(problem)


def _numbered(column: str, first: Sequence[str]) -> int:
    if not (
        column.isascii() and column.isdigit() and len(column) <= _LONGEST_NUMBER and 1 <= int(column) <= len(first)
    ):
        raise ColumnsWrong(
            f"has no column {column!r}: without a header, --column takes a number from 1 to {len(first)}"
        )
    return int(column) - 1


def _shown(names: Sequence[str]) -> str:
    further = " …" if len(names) > _SHOWN else ""
    return ", ".join(repr(shortened(name.strip())) for name in names[:_SHOWN]) + further
