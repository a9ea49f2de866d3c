"""Drawing: what a seed gives, step by step as the protocol says, and what a rejected block does."""

import tracemalloc
from collections.abc import Iterator
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core.protocol.winners import SEED_BYTES, shuffled, uniform, winning_serials

seeds = st.binary(min_size=SEED_BYTES, max_size=SEED_BYTES)


def winning_serials_as_the_protocol_has_them(seed: bytes, tickets: int, wins: int) -> list[int]:
    """A second implementation with a whole list of slots, from the text of the protocol alone."""
    block = 0
    slot = list(range(tickets))
    for k in range(wins):
        n = tickets - k
        while True:
            value = int.from_bytes(sha256(seed + block.to_bytes(8, "big")).digest(), "big")
            block += 1
            if value < n * (2**256 // n):
                break
        j = k + value % n
        slot[k], slot[j] = slot[j], slot[k]
    return slot[:wins]


@given(seed=seeds, tickets=st.integers(1, 60), data=st.data())
def test_a_seed_gives_what_the_protocol_says(seed: bytes, tickets: int, data: st.DataObject) -> None:
    wins = data.draw(st.integers(0, tickets))

    serials = list(winning_serials(seed, tickets=tickets, wins=wins))

    assert serials == winning_serials_as_the_protocol_has_them(seed, tickets, wins)


@given(seed=seeds, tickets=st.integers(1, 10**12), wins=st.integers(0, 50))
def test_no_ticket_wins_twice_in_a_raffle_of_any_size(seed: bytes, tickets: int, wins: int) -> None:
    wins = min(wins, tickets)

    serials = list(winning_serials(seed, tickets=tickets, wins=wins))

    assert len(set(serials)) == wins
    assert all(0 <= serial < tickets for serial in serials)


def test_a_block_that_would_favour_low_tickets_is_rejected() -> None:
    most = 2**256 - 1
    # 2²⁵⁶ is not a multiple of 3: its last value is one too many.
    assert uniform(3, iter([most, 7])) == 7 % 3
    assert uniform(3, iter([most - 1])) == (most - 1) % 3
    # It is a multiple of 4: nothing is rejected.
    assert uniform(4, iter([most])) == 3


def test_a_rejected_block_is_used_up() -> None:
    def blocks() -> Iterator[int]:
        yield from (2**256 - 1, 1, 0)

    assert list(shuffled(blocks(), tickets=3, wins=2)) == [1, 0]


def test_memory_grows_with_the_wins_and_not_with_the_tickets() -> None:
    assert peak_bytes(tickets=10**12, wins=1000) < 2 * peak_bytes(tickets=10**4, wins=1000)
    assert peak_bytes(tickets=10**12, wins=1000) < 1_000_000


def peak_bytes(*, tickets: int, wins: int) -> int:
    """Return the most memory that a draw takes."""
    tracemalloc.start()
    try:
        assert sum(1 for _ in winning_serials(bytes(SEED_BYTES), tickets=tickets, wins=wins)) == wins
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_winners_of_a_seed_never_change() -> None:
    """Anyone can replay a draw at any later time: this sequence is frozen."""
    seed = bytes(range(SEED_BYTES))

    assert list(winning_serials(seed, tickets=10, wins=10)) == [6, 2, 5, 9, 3, 4, 7, 1, 8, 0]
