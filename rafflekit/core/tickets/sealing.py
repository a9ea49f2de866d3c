"""Sealing: a raffle's three keys are stored encrypted, so that a copy of the database alone does not open them (pure).

The key that seals is derived from the operator's signing key and the raffle's id with HKDF (RFC 5869, SHA-256). The
cipher is ChaCha20-Poly1305 (RFC 8439): unlike AES, it takes the same time for every key on machines of every kind. The
associated data holds the raffle's id again, so the secrets of one raffle do not open as those of another.

A raffle's secrets are sealed once. The nonce is random all the same: if one id were ever sealed twice, a fixed nonce
would reveal both contents.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from rafflekit.core.protocol import codes
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.records import RaffleKeys
from rafflekit.core.tickets import numbering, participants

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_PURPOSE = b"rafflekit secrets"
_CIPHER_KEY_BYTES = 32
_NONCE_BYTES = 12
_SIZES = (numbering.KEY_BYTES, participants.KEY_BYTES, codes.KEY_BYTES)


class SealBroken(Exception):
    """Sealed secrets do not open: they are damaged, or belong to another raffle or another signing key."""


def seal(keys: RaffleKeys, signer: SignerKey, raffle: UUID, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return a raffle's keys as they are stored: the nonce, and what the cipher makes of the keys."""
    nonce = random_bytes(_NONCE_BYTES)
    content = keys.numbering_key + keys.participant_key + keys.code_key
    return nonce + _cipher(signer, raffle).encrypt(nonce, content, _purpose_of(raffle))


def unseal(sealed: bytes, signer: SignerKey, raffle: UUID) -> RaffleKeys:
    """Return the keys of a raffle from what is stored of them.

    Raises:
        SealBroken: they do not open.
    """
    from cryptography.exceptions import InvalidTag

    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        content = _cipher(signer, raffle).decrypt(nonce, rest, _purpose_of(raffle))
    # ValueError: the nonce is too short.
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error
    first, second, _ = _SIZES
    return RaffleKeys(content[:first], content[first : first + second], content[first + second :])


def _cipher(signer: SignerKey, raffle: UUID) -> "ChaCha20Poly1305":
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), _CIPHER_KEY_BYTES, salt=None, info=_purpose_of(raffle))
    return ChaCha20Poly1305(derived.derive(signer.private.private_bytes_raw()))


def _purpose_of(raffle: UUID) -> bytes:
    return _PURPOSE + raffle.bytes
