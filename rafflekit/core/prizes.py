"""Prizes, and the wins of a draw (pure)."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from typing import overload


@dataclass(frozen=True, slots=True)
class Prize:
    """What can be won: a name, and the number of tickets that win it (1 or more)."""

    name: str
    amount: int = 1


def count_wins(prizes: Iterable[Prize]) -> int:
    """Return the number of wins of these prizes."""
    return sum(prize.amount for prize in prizes)


def prizes_of_wins(amounts: Iterable[int]) -> Iterator[int]:
    """Yield the prize (from 0) of each win, in draw order; `amounts` has the amount of each prize.

    >>> list(prizes_of_wins([1, 2]))
    [0, 1, 1]
    """
    return chain.from_iterable(repeat(prize, amount) for prize, amount in enumerate(amounts))


@dataclass(frozen=True, slots=True)
class Win:
    """One ticket and the prize that it won, and what has happened to it since.

    `why` is the kind of a forfeit (`protocol.forfeits.Why`), and `reason` says it in words. `in_place_of` is the number
    of the ticket that lost the prize to this one. `redeemed_by` and `forfeited_by` are the names of the desk passes
    with which that was done; None without a pass.
    """

    ticket_number: int
    prize: str
    redeemed_at: datetime | None = None
    forfeited_at: datetime | None = None
    reason: str | None = None
    in_place_of: int | None = None
    why: str | None = None
    redeemed_by: str | None = None
    forfeited_by: str | None = None


class Wins(Sequence[Win]):
    """All wins of a draw, in draw order. A win takes ten bytes; its `Win` is made when it is asked for.

    `numbers` are the winning ticket numbers. The first prize takes the first `amount` of them, and so on.
    """

    __slots__ = ("_names", "_numbers", "_prizes")

    def __init__(self, numbers: Sequence[int], prizes: Sequence[Prize]) -> None:
        self._numbers = numbers
        self._names = tuple(prize.name for prize in prizes)
        self._prizes = array("H", prizes_of_wins(prize.amount for prize in prizes))

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
        return Win(self._numbers[one], self._names[self._prizes[one]])

    def __eq__(self, other: object) -> bool:
        # A page of wins holds a tuple.
        return tuple(self) == tuple(other) if isinstance(other, Wins | tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self):,} wins>"
