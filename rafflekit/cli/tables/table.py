"""A table of any length: what its rows are called, its columns, and its rows one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rafflekit.core.protocol.dates import write_time

Value = str | int | datetime | None
"""What a cell holds; None is an empty cell."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is written once, since its rows are read while they are written."""

    name: str
    columns: Sequence[str]
    rows: Iterator[Sequence[Value]]
    is_private: bool
    """Whether it has something that is not public, so that only its owner may read the file."""


def written(value: Value) -> str | int | None:
    """Return a value as it is written; a time as in the contract, in UTC, so that no reader has to guess its zone."""
    return write_time(value) if isinstance(value, datetime) else value
