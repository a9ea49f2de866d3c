"""From the closing and the entropy to the seed, and the draw as the operator signs it (section 7; pure).

The winners of a seed are `rafflekit.core.protocol.winners`'s.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rafflekit.core.protocol.hashing import HASH_BYTES, tagged_hash, tagged_hash_of_all
from rafflekit.core.protocol.notes import NoteWrong, base64_of, read_base64, read_number
from rafflekit.core.protocol.terms import DRAND_QUICKNET

_TEXT = re.compile(
    r"rafflekit draw v1\n(?P<origin>[^\n]+)\nclosing (?P<closing>[^\n]+)\nentropy (?P<entropy>[0-9a-f]{64})\n"
    r"seed (?P<seed>[0-9a-f]{64})\nwinners (?P<wins>[0-9]+) (?P<digest>[^\n]+)\n"
)


def entropy_of(kind: str, kept: bytes) -> bytes:
    """Return the 32 bytes that decide a draw, from what is kept of it: those, or the signature of a beacon."""
    if kind != DRAND_QUICKNET:
        return kept
    from rafflekit.core.protocol.entropy.drand import randomness_of

    return randomness_of(kept)


def seed_of(closing_hash: bytes, entropy: bytes) -> bytes:
    """Return the seed of a draw, 32 bytes."""
    assert len(closing_hash) == len(entropy) == HASH_BYTES
    return tagged_hash("seed", closing_hash + entropy)


def winners_digest(wins: Iterable[tuple[int, int, int]]) -> bytes:
    """Return the digest of all wins in draw order: serial, ticket number, and which prize (from 0) of each."""
    rows = (
        serial.to_bytes(8, "big") + number.to_bytes(8, "big") + prize.to_bytes(4, "big")
        for serial, number, prize in wins
    )
    return tagged_hash_of_all("winners", rows)


@dataclass(frozen=True, slots=True)
class DrawStatement:
    """What the operator says came of a draw."""

    origin: str
    closing_hash: bytes
    entropy: bytes
    seed: bytes
    wins: int
    winners_digest: bytes

    @classmethod
    def read(cls, text: str) -> "DrawStatement":
        """Read the text of a statement.

        Raises:
            NoteWrong: it is none.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise NoteWrong("it is no statement of a draw: origin, closing, entropy, seed and winners")
        closing_hash, digest = read_base64(found["closing"]), read_base64(found["digest"])
        if len(closing_hash) != HASH_BYTES or len(digest) != HASH_BYTES:
            raise NoteWrong("a hash of a draw has 32 bytes")
        entropy, seed = bytes.fromhex(found["entropy"]), bytes.fromhex(found["seed"])
        return cls(found["origin"], closing_hash, entropy, seed, read_number(found["wins"]), digest)

    def text(self) -> str:
        """Return the text that is signed."""
        return (
            f"rafflekit draw v1\n{self.origin}\nclosing {base64_of(self.closing_hash)}\nentropy {self.entropy.hex()}\n"
            f"seed {self.seed.hex()}\nwinners {self.wins} {base64_of(self.winners_digest)}\n"
        )
