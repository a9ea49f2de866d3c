"""What of a ticket stands in the ledger, and the bytes of it that are hashed (section 3 of the protocol; pure)."""

from dataclasses import dataclass
from uuid import UUID

from rafflekit.core.protocol.tree import leaf_hash

_LEAF_VERSION = b"\1"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A ticket as everybody may see it: order of issue (from 0), number, and the Argon2id hash of its code."""

    serial: int
    ticket_number: int
    code_hash: str

    def hash(self, raffle: UUID) -> bytes:
        """Return the leaf's hash in the tree of its raffle.

        Raises:
            UnicodeEncodeError, OverflowError: a value is none that a leaf can have.
        """
        return leaf_hash(leaf_data(raffle, self.serial, self.ticket_number, self.code_hash))


def leaf_data(raffle: UUID, serial: int, ticket_number: int, code_hash: str) -> bytes:
    """Return the bytes of a leaf.

    Raises:
        UnicodeEncodeError, OverflowError: a value is none that a leaf can have.
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
