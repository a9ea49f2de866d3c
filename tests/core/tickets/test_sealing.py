"""Sealing: a raffle's keys open with the operator's key and the raffle's id, and with nothing else."""

import os
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rafflekit.core.protocol.notes import OPERATOR, SignerKey
from rafflekit.core.records import RaffleKeys
from rafflekit.core.tickets.sealing import SealBroken, seal, unseal

RAFFLE = UUID("3f0c3f0c-1111-4222-8333-0123456789ab")
SIGNER = SignerKey("raffles.example", OPERATOR, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEYS = RaffleKeys(bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32)

FROZEN = bytes.fromhex(
    "000102030405060708090a0b12f7a199e9bc4533dd5f7956329abcb861605476e8b319a73939fdd9b54703db337fd4c777dc"
    "bf05ccc1677a560fb1d9ef97731aefdae0a162e419f22259a95fb1b55ec18841c17b90f9c3636c2dac95e920a3da9dcc91c4"
    "83d161ad81b33b380771f88459d11ed188917ed1a946557e"
)
"""`KEYS` under the nonce 00 01 … 0b, computed from RFC 5869 and RFC 8439 in plain Python, without `cryptography`."""


def count_up(size: int) -> bytes:
    return bytes(range(size))


def test_what_is_sealed_never_changes_its_form() -> None:
    """Databases hold it."""
    assert seal(KEYS, SIGNER, RAFFLE, count_up) == FROZEN
    assert unseal(FROZEN, SIGNER, RAFFLE) == KEYS


def test_each_sealing_differs_and_opens() -> None:
    one, another = (seal(KEYS, SIGNER, RAFFLE, os.urandom) for _ in range(2))

    assert one != another
    assert unseal(one, SIGNER, RAFFLE) == unseal(another, SIGNER, RAFFLE) == KEYS


def test_neither_another_key_nor_another_raffle_opens_it() -> None:
    sealed = seal(KEYS, SIGNER, RAFFLE, os.urandom)

    for signer, raffle in ((SignerKey.make("raffles.example"), RAFFLE), (SIGNER, UUID(int=RAFFLE.int ^ 1))):
        with pytest.raises(SealBroken):
            unseal(sealed, signer, raffle)


@pytest.mark.parametrize("place", range(0, 124, 3))
def test_a_changed_byte_is_noticed(place: int) -> None:
    damaged = bytearray(FROZEN)
    damaged[place] ^= 0x80

    with pytest.raises(SealBroken):
        unseal(bytes(damaged), SIGNER, RAFFLE)


@pytest.mark.parametrize("size", [0, 7, 8, 11, 12, 27, 28, 123])
def test_a_missing_end_is_noticed(size: int) -> None:
    with pytest.raises(SealBroken):
        unseal(FROZEN[:size], SIGNER, RAFFLE)


def test_a_longer_one_is_noticed() -> None:
    with pytest.raises(SealBroken):
        unseal(FROZEN + b"\0", SIGNER, RAFFLE)
