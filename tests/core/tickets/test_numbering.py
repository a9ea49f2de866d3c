"""Numbering: a permutation of 1 … N under a key, at any size."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core.limits import TICKETS
from rafflekit.core.tickets.numbering import KEY_BYTES, Numbering

keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)


@given(key=keys, size=st.integers(1, 300))
def test_every_number_is_handed_out_exactly_once(key: bytes, size: int) -> None:
    numbering = Numbering(key, size)

    numbers = [numbering.number(serial) for serial in range(size)]

    assert sorted(numbers) == list(range(1, size + 1))


@given(key=keys, size=st.integers(1, TICKETS), data=st.data())
def test_the_rounds_in_reverse_order_find_the_serial_again(key: bytes, size: int, data: st.DataObject) -> None:
    serial = data.draw(st.integers(0, size - 1))
    backwards = Numbering(key, size)
    backwards._rounds = backwards._rounds[::-1]

    number = Numbering(key, size).number(serial)

    assert 1 <= number <= size
    assert backwards.number(number - 1) == serial + 1


@pytest.mark.parametrize("size", [1, 2, 3, TICKETS])
def test_first_and_last_tickets_have_numbers_of_the_raffle(size: int) -> None:
    numbering = Numbering(secrets.token_bytes(KEY_BYTES), size)

    assert all(1 <= numbering.number(serial) <= size for serial in (0, size - 1))


def test_a_serial_beyond_the_raffle_has_no_number() -> None:
    numbering = Numbering(bytes(KEY_BYTES), 5)

    for beyond in (5, -1):
        with pytest.raises(AssertionError):
            numbering.number(beyond)


def test_the_order_of_a_key_never_changes() -> None:
    """The numbers of a running raffle must not change, so this order is frozen."""
    numbering = Numbering(bytes(range(KEY_BYTES)), 10)

    assert [numbering.number(serial) for serial in range(10)] == [8, 2, 3, 9, 6, 5, 4, 10, 1, 7]
