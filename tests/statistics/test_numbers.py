"""The order of tickets looks random in every way that we can think of. Each test has one false alarm in 10⁶ runs.

Keys are new in every run: a frozen set of keys would prove something about those keys only.
"""

import secrets
from collections import Counter
from itertools import permutations

import pytest

from rafflekit.core.tickets.numbering import KEY_BYTES, Numbering
from tests.statistics.chi_square import SAMPLES, assert_half, assert_uniform


def new_numbering(size: int) -> Numbering:
    return Numbering(secrets.token_bytes(KEY_BYTES), size)


def order(size: int) -> tuple[int, ...]:
    numbering = new_numbering(size)
    return tuple(numbering.number(serial) for serial in range(size))


@pytest.mark.parametrize(("size", "samples"), [(2, 2_000), (3, 2_000), (4, 2_000), (5, 3_000)])
def test_every_order_of_a_small_raffle_is_equally_likely(size: int, samples: int) -> None:
    seen = Counter(order(size) for _ in range(SAMPLES * samples))

    assert_uniform([seen[each] for each in permutations(range(1, size + 1))])


@pytest.mark.parametrize(("size", "samples"), [(9, 500), (25, 250), (121, 100), (940, 25), (961, 25)])
def test_an_order_is_even_as_often_as_odd(size: int, samples: int) -> None:
    """A Feistel network on a square of an odd number gives even orders only: the last two tickets are known."""
    even = sum(is_even(order(size)) for _ in range(SAMPLES * samples))

    assert_half(even, SAMPLES * samples)


def is_even(numbers: tuple[int, ...]) -> bool:
    seen = [False] * len(numbers)
    transpositions = 0
    for start in range(len(numbers)):
        place = start
        while not seen[place]:
            seen[place] = True
            place = numbers[place] - 1
            transpositions += place != start
    return transpositions % 2 == 0


@pytest.mark.parametrize("serial", [0, 49, 98])
def test_a_number_does_not_hint_at_the_next(serial: int) -> None:
    """The distance of successive numbers, around the circle of 100, is 1 … 99 equally often."""
    distances: Counter[int] = Counter()
    for _ in range(SAMPLES * 3_000):
        numbering = new_numbering(100)
        distances[(numbering.number(serial + 1) - numbering.number(serial)) % 100] += 1

    assert_uniform([distances[distance] for distance in range(1, 100)])


@pytest.mark.parametrize("serial", [0, 499_999, 999_999])
def test_each_ticket_of_a_large_raffle_may_get_any_number(serial: int) -> None:
    tenths = Counter((new_numbering(1_000_000).number(serial) - 1) // 100_000 for _ in range(SAMPLES * 2_000))

    assert_uniform([tenths[tenth] for tenth in range(10)])
