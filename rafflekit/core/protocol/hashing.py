"""The hashes of the protocol but for the tree's: SHA-256 under a tag, so that none can be taken for another."""

from collections.abc import Iterable
from hashlib import sha256

PROTOCOL = 1
HASH_BYTES = 32


def tagged_hash(tag: str, data: bytes) -> bytes:
    """Return H(tag, data), 32 bytes (section 1 of the protocol)."""
    return tagged_hash_of_all(tag, (data,))


def tagged_hash_of_all(tag: str, pieces: Iterable[bytes]) -> bytes:
    """Return H(tag, data) for data that comes in pieces, none of which is kept."""
    growing = sha256(b"rafflekit v1 " + tag.encode("ascii") + b"\0")
    for piece in pieces:
        growing.update(piece)
    return growing.digest()
