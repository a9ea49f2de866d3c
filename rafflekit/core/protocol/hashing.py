"""The protocol's hashes outside the tree: SHA-256 with a tag, so that no hash can be taken for another (section 1)."""

from collections.abc import Iterable
from hashlib import sha256

PROTOCOL = 1
HASH_BYTES = 32


def tagged_hash(tag: str, data: bytes) -> bytes:
    """Return H(tag, data), 32 bytes."""
    return tagged_hash_of_all(tag, (data,))


def tagged_hash_of_all(tag: str, pieces: Iterable[bytes]) -> bytes:
    """Return H(tag, data) for data that arrives in pieces."""
    growing = sha256(b"rafflekit v1 " + tag.encode("ascii") + b"\0")
    for piece in pieces:
        growing.update(piece)
    return growing.digest()
