"""Prizes, and the wins of a draw (pure)."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload


@dataclass(frozen=True, slots=True)
class Prize:
    """What can be won: a name, and the number of tickets that win it (1 or more)."""

    name: str
    amount: int = 1


def count_wins(prizes: Iterable[Prize]) -> int:
    """Return the number of wins of these prizes."""
    return sum(prize.amount for prize in prizes)


@dataclass(frozen=True, slots=True)
class Win:
    """One ticket and the prize that it won."""

    ticket_number: int
    prize: str


class Wins(Sequence[Win]):
    """All wins of a draw, in draw order. A win takes eight bytes; its `Win` is made when it is asked for.

    `numbers` are the winning ticket numbers. The first prize takes the first `amount` of them, and so on.
    """

    __slots__ = ("_ends", "_numbers", "_prizes")

    def __init__(self, numbers: Sequence[int], prizes: Sequence[Prize]) -> None:
        self._numbers = numbers
        self._prizes = tuple(prizes)
        self._ends = tuple(accumulate(prize.amount for prize in prizes))

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> Win: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Win, ...]: ...

    def __getitem__(self, place: int | slice) -> Win | tuple[Win, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(len(self))))
        one = range(len(self))[place]
        return Win(self._numbers[one], self._prizes[bisect_right(self._ends, one)].name)

    def __eq__(self, other: object) -> bool:
        # A page of wins holds a tuple.
        return tuple(self) == tuple(other) if isinstance(other, Wins | tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self):,} wins>"
