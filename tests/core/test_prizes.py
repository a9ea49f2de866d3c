"""All wins of a draw in little memory, and yet a sequence like any other."""

import pickle
import sys
from array import array
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import Prize, Win, Wins

amounts = st.lists(st.integers(1, 5), min_size=1, max_size=6)


def wins_of(amounts: list[int]) -> tuple[Wins, list[Win]]:
    """Wins, and the same as a list that was written out one by one."""
    prizes = [Prize(f"prize {position}", amount) for position, amount in enumerate(amounts)]
    names = list(chain.from_iterable([prize.name] * prize.amount for prize in prizes))
    numbers = array("q", range(100, 100 + len(names)))
    return Wins(numbers, prizes), [Win(number, name) for number, name in zip(numbers, names, strict=True)]


@given(amounts=amounts)
def test_wins_are_a_sequence_of_all_wins(amounts: list[int]) -> None:
    wins, written_out = wins_of(amounts)

    assert list(wins) == written_out
    assert len(wins) == len(written_out)
    assert [wins[place] for place in range(-len(wins), len(wins))] == written_out * 2
    assert wins == wins_of(amounts)[0] == tuple(written_out)
    assert pickle.loads(pickle.dumps(wins)) == wins


@given(amounts=amounts, first=st.none() | st.integers(-30, 30), last=st.none() | st.integers(-30, 30))
def test_a_slice_of_wins_is_a_tuple(amounts: list[int], first: int | None, last: int | None) -> None:
    wins, written_out = wins_of(amounts)

    assert wins[first:last] == tuple(written_out[first:last])


def test_an_index_after_the_last_win_is_refused() -> None:
    wins, _ = wins_of([2, 1])

    for place in (3, -4):
        with pytest.raises(IndexError):
            wins[place]


def test_wins_with_other_numbers_or_prizes_are_not_equal() -> None:
    wins = Wins([1, 2], [Prize("hug", 2)])

    assert wins != Wins([2, 1], [Prize("hug", 2)])
    assert wins != Wins([1, 2], [Prize("hug"), Prize("kiss")])
    assert wins != [Win(1, "hug"), Win(2, "hug")]
    assert {wins, Wins([1, 2], [Prize("hug"), Prize("hug")])} == {wins}
    assert (Win(1, "hug"), Win(2, "hug")) in {wins}


def test_a_win_takes_ten_bytes() -> None:
    numbers = array("q", range(100_000))

    wins = Wins(numbers, [Prize("hug", 100_000)])

    assert sys.getsizeof(wins) < 200
    assert numbers.itemsize + wins._prizes.itemsize == 10
