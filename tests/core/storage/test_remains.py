"""Deleted secrets are found at any place of a file."""

from pathlib import Path
from uuid import UUID

import pytest

from rafflekit.core.storage.remains import Remains, remains_in

RAFFLE = UUID("82043f0c-3f0c-4f0c-8f0c-3f0c3f0c3f0c")
OTHER = UUID("00000000-3f0c-4f0c-8f0c-3f0c3f0c3f0c")
ROW = b"\x82\x04" + RAFFLE.bytes + bytes(123) + b"\x01"
MIB = 1024 * 1024


@pytest.mark.parametrize(
    "before", [0, 1, *range(MIB - len(ROW) - 1, MIB - len(ROW) + 3), MIB - 100, MIB - 1, MIB, 2 * MIB + 17]
)
def test_secrets_are_found_anywhere_in_a_file(tmp_path: Path, before: int) -> None:
    database = tmp_path / "raffles.db"
    database.write_bytes(bytes(before) + ROW)

    for _ in range(2):
        assert remains_in(database, [RAFFLE]) == Remains(in_file=frozenset([RAFFLE]))
    assert remains_in(database, [UUID(int=7)]) == Remains()


def test_secrets_of_several_raffles_are_found(tmp_path: Path) -> None:
    database = tmp_path / "raffles.db"
    other = b"\x82\x82\x04" + OTHER.bytes + b"\x01" * 124
    database.write_bytes(ROW + b"\x82\x04" * 50 + other)

    assert remains_in(database, [RAFFLE, OTHER]) == Remains(in_file=frozenset([RAFFLE, OTHER]))


def test_secrets_that_are_overwritten_are_gone(tmp_path: Path) -> None:
    database = tmp_path / "raffles.db"
    database.write_bytes(ROW[:-124] + bytes(124))

    assert remains_in(database, [RAFFLE]) == Remains()


def test_a_new_file_of_the_same_name_is_read(tmp_path: Path) -> None:
    database, another = tmp_path / "raffles.db", tmp_path / "another.db"
    database.write_bytes(bytes(500))
    assert remains_in(database, [RAFFLE]) == Remains()

    another.write_bytes(ROW)
    another.rename(database)

    assert remains_in(database, [RAFFLE]) == Remains(in_file=frozenset([RAFFLE]))
