"""How the work for a text grows with its length: no limit in seconds, so that a slow machine changes nothing."""

from collections.abc import Callable
from time import process_time

_SHORT, _TIMES_AS_LONG = 4_000, 4


def growth(work: Callable[[int], object]) -> float:
    """Return the work for a text of 16,000 characters over that for one of 4,000, both in time of the processor.

    About 4 where the work grows with the length, and 16 where it grows with its square. Of five tries the best counts;
    a plain look at the characters is added to both, since what takes hardly any time cannot be compared.
    """
    return _seconds(work, _SHORT * _TIMES_AS_LONG) / _seconds(work, _SHORT)


def _seconds(work: Callable[[int], object], length: int) -> float:
    def tried(some: Callable[[int], object]) -> float:
        began = process_time()
        some(length)
        return process_time() - began

    return min(tried(work) for _ in range(5)) + min(tried(_look) for _ in range(5))


def _look(length: int) -> int:
    return sum(ord(character) for character in "x" * length)
