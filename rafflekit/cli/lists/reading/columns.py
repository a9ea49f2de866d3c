"""Where the columns of a list are: found by their names in its first row, or by their numbers without a header."""

from collections.abc import Sequence
from dataclasses import dataclass

from rafflekit.cli.lists.reading.layout import Columns

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Positions:
    """The positions of the participant's columns and of the number of tickets; and the width of the list."""

    participant: tuple[int, ...]
    quantity: int | None
    width: int


class ColumnMissing(Exception):
    """A column cannot be found; the message says why, about the list's first line."""


def width_of(row: Sequence[str]) -> int:
    """Return the number of columns of a row. Empty cells at its end say nothing."""
    return max((position for position, cell in enumerate(row, start=1) if cell.strip()), default=0)


def positions_of(columns: Columns, first: Sequence[str], *, has_header: bool) -> Positions:
    """Return where the columns are in a list with this `first` row.

    Raises:
        ColumnMissing: for the first column that is not there, or there twice; or none is given, and there are several.
    """
    if not columns.participant:
        if (width := width_of(first)) > 1:
            shown = _shown(first[:width])
            choose = "--column NAME" if has_header else "--column NUMBER, such as --column 1"
            raise ColumnMissing(f"has {width} columns: {shown}. Choose one with {choose}")
        return Positions((0,), None, 1)
    find = _named if has_header else _numbered
    participant = tuple(find(column, first) for column in columns.participant)
    quantity = None if columns.quantity is None else find(columns.quantity, first)
    return Positions(participant, quantity, len(first))


def _named(column: str, header: Sequence[str]) -> int:
    """Find a column by its name: exactly, or else whatever its case."""
    names = [name.strip() for name in header]
    wanted = column.strip()
    for same in ([name == wanted for name in names], [name.casefold() == wanted.casefold() for name in names]):
        if sum(same) > 1:
            raise ColumnMissing(f"has {sum(same)} columns named {column!r}")
        if any(same):
            return same.index(True)
    if not names:
        raise ColumnMissing(f"has no column {column!r}: the list is empty")
    raise ColumnMissing(f"has no column {column!r}, only {_shown(names)}")


def _numbered(column: str, first: Sequence[str]) -> int:
    if not (column.isascii() and column.isdigit() and 1 <= int(column[:9]) <= len(first)):
        raise ColumnMissing(
            f"has no column {column!r}: without a header, --column takes a number from 1 to {len(first)}"
        )
    return int(column) - 1


def _shown(names: Sequence[str]) -> str:
    further = " …" if len(names) > _SHOWN else ""
    return ", ".join(repr(name.strip()) for name in names[:_SHOWN]) + further
