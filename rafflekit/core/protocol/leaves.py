"""Leaves: what the ledger contains of a ticket, and the bytes that are hashed (section 3)."""

from dataclasses import dataclass
from uuid import UUID

from rafflekit.core.protocol.tree import leaf_hash

_LEAF_VERSION = b"\1"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A ticket as the public sees it: its place in the order of issue (from 0), number, and code hash (Argon2id)."""

    serial: int
    ticket_number: int
    code_hash: str

    def hash(self, raffle: UUID) -> bytes:
        """Return the leaf's hash in the tree of its raffle.

        Raises:
            UnicodeEncodeError, OverflowError: a leaf cannot have one of the values.
        """
        return leaf_hash(leaf_data(raffle, self.serial, self.ticket_number, self.code_hash))


def leaf_data(raffle: UUID, serial: int, ticket_number: int, code_hash: str) -> bytes:
    """Return the bytes of a leaf.

    Raises:
        UnicodeEncodeError, OverflowError: a leaf cannot have one of the values.
    """
    text = code_hash.encode("ascii")
    return b"".join(
        (
            _LEAF_VERSION,
            raffle.bytes,
            serial.to_bytes(8, "big"),
            ticket_number.to_bytes(8, "big"),
            len(text).to_bytes(2, "big"),
            text,
        )
    )
