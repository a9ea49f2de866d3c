"""Invitation codes: a number and a proof that the raffle gave it out; nothing is stored (pure).

A code is 40 bits of the invitation's number and 80 bits of a keyed BLAKE2b (RFC 7693) of it, spelled like a
verification code. Any number of them can be made at any time, and none can be guessed.
"""

import hmac
from hashlib import blake2b

from rafflekit.core import limits
from rafflekit.core.protocol import codes

_NUMBER_BYTES = 5
_PROOF_BYTES = codes.CODE_BYTES - _NUMBER_BYTES
_TAG = b"rafflekit invite"


def invitation_of(key: bytes, number: int) -> str:
    """Return the code of an invitation, from 1 to `limits.INVITATIONS` − 1, under a raffle's code key."""
    written = number.to_bytes(_NUMBER_BYTES, "big")
    return codes.spell(written + _proof(key, written))


def invitation_number(key: bytes, text: str) -> int | None:
    """Return the number of an invitation, or None if `text` is not one of this raffle's codes.

    A wrong code costs what a right one does.
    """
    characters = codes.read(text)
    code = codes.unspell(characters) if characters is not None else bytes(codes.CODE_BYTES)
    written, proof = code[:_NUMBER_BYTES], code[_NUMBER_BYTES:]
    is_ours = hmac.compare_digest(proof, _proof(key, written))
    number = int.from_bytes(written, "big")
    return number if is_ours and 1 <= number < limits.INVITATIONS else None


def _proof(key: bytes, written: bytes) -> bytes:
    return blake2b(written, digest_size=_PROOF_BYTES, key=key, person=_TAG).digest()
