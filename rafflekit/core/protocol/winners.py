"""The draw itself: closing and entropy → seed → winning serials → digest → what the operator signs (section 7).

    seed       = H("seed", closing hash ‖ entropy)
    block(i)   = SHA-256(seed ‖ BE64(i)),  i = 0, 1, 2, …
    uniform(n) : take the next block as a 256-bit big-endian integer v;
                 if v ≥ n·⌊2²⁵⁶/n⌋ take the next; else v mod n
    for k = 0 … W−1:   j = k + uniform(M − k);   swap slot[k], slot[j];   the k-th win goes to slot[k]

M is the number of tickets that were handed out. After the last win the shuffle continues: slot[W], slot[W+1], … are the
tickets that take prizes over (`forfeits`).

This is the shuffle of Fisher and Yates (Durstenfeld, CACM 7, 1964), stopped after W steps, so every sequence of W
different serials is equally likely, and anyone can replay it from the seed. Only displaced slots are kept: memory
grows with the wins, not with the tickets.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

from rafflekit.core.protocol.hashing import HASH_BYTES, tagged_hash, tagged_hash_of_all
from rafflekit.core.protocol.notes import NoteWrong, base64_of, read_base64, read_number

SEED_BYTES = HASH_BYTES

_BLOCK_VALUES = 2**256
_STATEMENT = re.compile(
    r"rafflekit draw v1\n(?P<origin>[^\n]+)\nclosing (?P<closing>[^\n]+)\ndrawn (?P<drawn>[0-9]+)\n"
    r"entropy (?P<entropy>[0-9a-f]{64})\nseed (?P<seed>[0-9a-f]{64})\nwinners (?P<wins>[0-9]+) (?P<digest>[^\n]+)\n"
)


def seed_of(closing_hash: bytes, entropy: bytes) -> bytes:
    """Return the seed of a draw, 32 bytes."""
    assert len(closing_hash) == len(entropy) == HASH_BYTES
    return tagged_hash("seed", closing_hash + entropy)


def winning_serials(seed: bytes, *, tickets: int, wins: int) -> Iterator[int]:
    """Yield the serials (0 … tickets−1, all different) that win, in draw order; with more `wins`, also who is next.

    `seed` has `SEED_BYTES` bytes; 0 ≤ wins ≤ tickets.
    """
    assert len(seed) == SEED_BYTES
    return shuffled(_blocks(seed), tickets=tickets, wins=wins)


def winners_digest(wins: Iterable[tuple[int, int, int]]) -> bytes:
    """Return the digest of all wins in draw order; each is a serial, a ticket number and a prize (from 0)."""
    rows = (
        serial.to_bytes(8, "big") + number.to_bytes(8, "big") + prize.to_bytes(4, "big")
        for serial, number, prize in wins
    )
    return tagged_hash_of_all("winners", rows)


@dataclass(frozen=True, slots=True)
class DrawStatement:
    """What the operator states and signs about a draw."""

    origin: str
    closing_hash: bytes
    drawn: int
    """In seconds since 1970."""
    entropy: bytes
    seed: bytes
    wins: int
    winners_digest: bytes

    @classmethod
    def read(cls, text: str) -> "DrawStatement":
        """Read the text of a statement.

        Raises:
            NoteWrong: it is not a statement of a draw.
        """
        found = _STATEMENT.fullmatch(text)
        if found is None:
            raise NoteWrong("it is not a statement of a draw: origin, closing, drawn, entropy, seed and winners")
        closing_hash, digest = read_base64(found["closing"]), read_base64(found["digest"])
        if len(closing_hash) != HASH_BYTES or len(digest) != HASH_BYTES:
            raise NoteWrong("a hash of a draw has 32 bytes")
        entropy, seed = bytes.fromhex(found["entropy"]), bytes.fromhex(found["seed"])
        drawn, wins = read_number(found["drawn"]), read_number(found["wins"])
        return cls(found["origin"], closing_hash, drawn, entropy, seed, wins, digest)

    def text(self) -> str:
        """Return the text that is signed."""
        return (
            f"rafflekit draw v1\n{self.origin}\nclosing {base64_of(self.closing_hash)}\ndrawn {self.drawn}\n"
            f"entropy {self.entropy.hex()}\nseed {self.seed.hex()}\n"
            f"winners {self.wins} {base64_of(self.winners_digest)}\n"
        )

    def hash(self) -> bytes:
        """Return the draw hash, to which every forfeit is bound."""
        return tagged_hash("draw", self.text().encode())


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
