"""Search a SQLite file for deleted secrets, byte by byte, without SQLite.

A row of `secrets` is recognized by its format (https://sqlite.org/fileformat2.html#record_format): the sizes of its
columns, a raffle's id, and its sealed keys, of 124 bytes (two bytes in that format). When a row is deleted, SQLite
overwrites its first four bytes. Anyone who has the signing key could open what is left.
"""

import os
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

_ID_BYTES = 16
# A nonce, three keys, and a tag: `core.tickets.sealing`.
_SEALED_BYTES = 12 + 3 * 32 + 16
_SIZE_OF_SEALED = b"\x82\x04"
_ROW_BYTES = len(_SIZE_OF_SEALED) + _ID_BYTES + _SEALED_BYTES
_READ_BYTES = 1024 * 1024

_one_reader = threading.Lock()


@dataclass(frozen=True, slots=True)
class Remains:
    """Raffles whose secrets can still be read, although no table has them."""

    in_file: frozenset[UUID] = frozenset()
    in_journal: frozenset[UUID] = frozenset()


def remains_in(database: Path, raffles: Collection[UUID]) -> Remains:
    """Search a database file and its write-ahead log for the secrets of these raffles.

    Raises:
        OSError: the file cannot be read.
    """
    ids = {raffle.bytes: raffle for raffle in raffles}
    found = os.stat(database)
    in_file = _found(_descriptor(database, found.st_dev, found.st_ino), ids)
    try:
        with Path(f"{database}-wal").open("rb") as journal:
            return Remains(in_file, _found(journal.fileno(), ids))
    except FileNotFoundError:
        return Remains(in_file)


@cache
def _descriptor(database: Path, _device: int, _inode: int) -> int:
    # Never closed: closing it would release the locks of all connections of this process to the file
    # (https://sqlite.org/howtocorrupt.html, 2.2). The journal has no locks.
    return os.open(database, os.O_RDONLY | getattr(os, "O_BINARY", 0))


def _found(descriptor: int, ids: dict[bytes, UUID]) -> frozenset[UUID]:
    # Threads share a descriptor's position, and not every system can read without it.
    with _one_reader:
        return frozenset(ids[found] for part in _overlapping_parts(descriptor) for found in _ids_with_keys(part, ids))


def _ids_with_keys(part: bytes, ids: Collection[bytes]) -> Iterator[bytes]:
    at = part.find(_SIZE_OF_SEALED)
    while 0 <= at <= len(part) - _ROW_BYTES:
        begin = at + len(_SIZE_OF_SEALED)
        end = begin + _ID_BYTES
        if part[begin:end] in ids and any(part[end : end + _SEALED_BYTES]):
            yield part[begin:end]
        # Matches may overlap.
        at = part.find(_SIZE_OF_SEALED, at + 1)


def _overlapping_parts(descriptor: int) -> Iterator[bytes]:
    os.lseek(descriptor, 0, os.SEEK_SET)
    while len(part := os.read(descriptor, _READ_BYTES)) >= _ROW_BYTES:
        yield part
        os.lseek(descriptor, 1 - _ROW_BYTES, os.SEEK_CUR)
