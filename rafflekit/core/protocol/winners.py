"""Seed → winning serials: a stream of blocks, rejection, a sparse shuffle (pure).

    block(i)   = SHA-256(seed ‖ BE64(i)),  i = 0, 1, 2, …
    uniform(n) : take the next block as a 256-bit big-endian integer v;
                 if v ≥ n·⌊2²⁵⁶/n⌋ take the next; else v mod n
    for k = 0 … W−1:   j = k + uniform(M − k);   swap slot[k], slot[j];   the k-th win goes to slot[k]

It is the shuffle of Fisher and Yates (Durstenfeld, CACM 7, 1964), stopped after W steps, so every sequence
of W distinct serials is equally likely; from the seed anybody can replay it. Only displaced slots are kept:
memory grows with the wins, not with the tickets.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import chain, count, repeat

SEED_BYTES = 32

_BLOCK_VALUES = 2**256


def winning_serials(seed: bytes, *, tickets: int, wins: int) -> Iterator[int]:
    """Yield the serials (0 … tickets−1, all different) that win, in draw order.

    `seed` has `SEED_BYTES` bytes; 0 ≤ wins ≤ tickets.
    """
    assert len(seed) == SEED_BYTES
    return shuffled(_blocks(seed), tickets=tickets, wins=wins)


def prizes_of_wins(amounts: Iterable[int]) -> Iterator[int]:
    """Yield which prize (from 0) each win gets, in draw order; `amounts` has how many there are of each prize.

    >>> list(prizes_of_wins([1, 2]))
    [0, 1, 1]
    """
    return chain.from_iterable(repeat(prize, amount) for prize, amount in enumerate(amounts))


def shuffled(blocks: Iterator[int], *, tickets: int, wins: int) -> Iterator[int]:
    """Yield the first `wins` places of 0 … tickets−1 after a shuffle driven by `blocks` (0 … 2²⁵⁶−1 each)."""
    assert 0 <= wins <= tickets
    slot: dict[int, int] = {}
    for k in range(wins):
        j = k + uniform(tickets - k, blocks)
        displaced = slot.pop(k, k)
        if j == k:
            yield displaced
        else:
            yield slot.get(j, j)
            slot[j] = displaced


def uniform(n: int, blocks: Iterator[int]) -> int:
    """Return a number from 0 … n−1, each exactly as likely as the others if the blocks are uniform; n ≥ 1."""
    bound = n * (_BLOCK_VALUES // n)
    while (value := next(blocks)) >= bound:
        pass
    return value % n


def _blocks(seed: bytes) -> Iterator[int]:
    for i in count():
        yield int.from_bytes(sha256(seed + i.to_bytes(8, "big")).digest(), "big")
