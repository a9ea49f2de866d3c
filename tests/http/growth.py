"""How the work for a text grows with its length: a ratio, not seconds, so that a slow machine does not matter."""

from collections.abc import Callable
from time import process_time

_SHORT, _TIMES_AS_LONG = 4_000, 4


def growth(work: Callable[[int], object]) -> float:
    """Return the work for a text of 16,000 characters divided by that for 4,000, both in processor time.

    It is about 4 if the work grows with the length, and 16 if it grows with its square. The best of five tries counts.
    A plain pass over the characters is added to both, since very short times cannot be compared.
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
