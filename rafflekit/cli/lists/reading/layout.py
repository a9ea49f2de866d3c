"""How a list is laid out: which columns are read, whether it has a header, and how its bytes become rows.

The same shape holds what the options ask for, where None is "not given", and what was decided. The run file keeps the
decisions, so that a resumed run reads the list in the same way.
"""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class Columns(NamedTuple):
    """The columns that are read, by their names, or by their numbers (from 1) in a list without a header.

    The `participant` columns make one participant together; without any, the list has one column. `quantity` has the
    number of tickets that each line gets (None: one).
    """

    participant: tuple[str, ...] = ()
    quantity: str | None = None

    def all(self) -> tuple[str, ...]:
        """Return every column that is read."""
        return self.participant if self.quantity is None else (*self.participant, self.quantity)


_ONLY = Columns()


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a list. `separator` and `encoding` belong to CSV files, and `sheet` to Excel files."""

    columns: Columns = _ONLY
    header: bool | None = None
    separator: str | None = None
    encoding: str | None = None
    sheet: str | None = None

    def shape(self) -> dict[str, Any]:
        """Return the layout as an object of JSON."""
        return asdict(self) | {"columns": self.columns.participant, "count_column": self.columns.quantity}

    @classmethod
    def from_shape(cls, shape: dict[str, Any]) -> "Layout":
        """Return the layout of such an object.

        Raises:
            KeyError: a member is missing.
        """
        columns = Columns(tuple(shape["columns"]), shape["count_column"])
        return cls(columns, shape["header"], shape["separator"], shape["encoding"], shape["sheet"])
