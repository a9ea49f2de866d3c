"""Sets of ticket numbers, which take little memory if the highest number is known."""

IN_BITS = 10**8
"""Up to this highest number, one bit per number is enough for any number of tickets: 12.5 MB."""


class _Bits:
    """A set of numbers up to a highest one, with one bit for each."""

    def __init__(self, highest: int) -> None:
        self._bits = bytearray(highest // 8 + 1)

    def __contains__(self, number: int) -> bool:
        return bool(self._bits[number >> 3] >> (number & 7) & 1)

    def add(self, number: int) -> None:
        self._bits[number >> 3] |= 1 << (number & 7)


def number_set(highest: int) -> _Bits | set[int]:
    """Return an empty set for numbers from 0 to `highest`: in bits up to `IN_BITS`, else about 100 bytes per number."""
    return _Bits(highest) if highest <= IN_BITS else set()
