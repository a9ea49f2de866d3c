"""Verification codes: derive, spell, read, hash and check them (section 3).

A code is 120 random bits, spelled in Crockford's base 32 (https://www.crockford.com/base32.html) as six
groups of four: 4XK2-9QRM-…. It is stored only as an Argon2id hash (RFC 9106) in the PHC string format.

Why the hash is cheap: Argon2 is slow so that each guess of a password that people choose is expensive. A code of 120
random bits needs no such protection: it is a look-up secret above the limit of 112 bits in NIST SP 800-63B (5.1.2.2),
and at one guess per nanosecond, guessing it takes 4·10¹⁹ years. So the parameters are the least that Argon2 allows
(8 KiB, one pass, one lane: about 30 µs), for speed in a rush. They are settings, and a stored hash names its own
parameters, so they can be raised at any time.
"""

import base64
import re
import secrets
from collections.abc import Sequence
from hashlib import blake2b

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, HashingError, InvalidHashError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION, Type, error_to_str, hash_secret_raw

from rafflekit.core.characters import DASHES, FORMAT, WHITE_SPACE
from rafflekit.core.errors import InvalidSetting, StorageUnavailable

CODE_BYTES = 15
CHARACTERS = 24
"""The letters and digits of a code, without the dashes."""

KEY_BYTES = 32

_CODE_TAG = b"rafflekit code"
_HASH_BYTES = 16
_SALT_BYTES = 16
_GROUP = 4

_DAMAGED = "A stored verification code is damaged; restore a backup."
_NO_MEMORY = "There is not enough memory to hash a verification code; free some, or lower RAFFLEKIT_ARGON2_MEMORY_KIB."
# ARGON2_MEMORY_ALLOCATION_ERROR; argon2 raises the same class of error for a hash that it cannot read.
_OUT_OF_MEMORY = error_to_str(-22)

# The same 32 values in two alphabets: RFC 4648, which the standard library spells fast, and Crockford's.
_RFC_4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SPELL = bytes.maketrans(_RFC_4648.encode(), _CROCKFORD.encode())
_UNSPELL = bytes.maketrans(_CROCKFORD.encode(), _RFC_4648.encode())
_FORGIVE = str.maketrans("oOiIlL", "001111")
_UNCOUNTED = re.compile(f"[{WHITE_SPACE}{FORMAT}{DASHES}]")
_QUOTES = "'\"`‘’‚“”„‹›«»"
_READABLE = re.compile(rf"[{_CROCKFORD}]{{{CHARACTERS}}}")


def derive_code(key: bytes, participant: bytes, idempotency_key: str) -> bytes:
    """Return the 15 bytes of the code for a participant's hash and an idempotency key.

    They are the first 120 bits of a keyed BLAKE2b (RFC 7693). The same request gives the same code in any process and
    after any restart, and nothing that is stored contains it. `key` is the raffle's code key, 32 bytes.
    """
    digest = blake2b(participant + idempotency_key.encode(), digest_size=32, key=key, person=_CODE_TAG).digest()
    return digest[:CODE_BYTES]


def spell(code: bytes) -> str:
    """Return a code of 15 bytes as people read it.

    >>> spell(bytes(15))
    '0000-0000-0000-0000-0000-0000'
    """
    text = base64.b32encode(code).translate(_SPELL).decode()
    return "-".join([text[at : at + _GROUP] for at in range(0, len(text), _GROUP)])


def read(text: str) -> str | None:
    """Return the 24 characters of a code as they are hashed, or None if `text` is not a code.

    Letter case, dashes, white space, invisible characters and quotes around it do not matter; O counts as 0, I and L
    as 1.

    >>> read("“oooo-llll iiii–00001111zzzz”")
    '00001111111100001111ZZZZ'
    """
    characters = _counted(text)
    # ASCII only: upper() turns some other letters (such as a dotless i) into ASCII ones, which are on no ticket.
    if not characters.isascii():
        return None
    characters = characters.translate(_FORGIVE).upper()
    return characters if _READABLE.fullmatch(characters) else None


def unspell(characters: str) -> bytes:
    """Return the 15 bytes of a code as `read` returns it.

    >>> unspell("0" * 23 + "1").hex()
    '000000000000000000000000000001'
    """
    return base64.b32decode(characters.encode().translate(_UNSPELL))


def length_of(text: str) -> int:
    """Return how many characters of a code `text` has, of those that matter when it is read.

    >>> length_of("0000-0000 0000")
    12
    """
    return len(_counted(text))


def _counted(text: str) -> str:
    return _UNCOUNTED.sub("", text).strip(_QUOTES)


def cut(data: bytes, size: int, pieces: int) -> list[bytes]:
    """Cut `data` into exactly `pieces` pieces of `size` bytes."""
    assert len(data) == size * pieces
    return [data[at : at + size] for at in range(0, len(data), size)]


class CodeHasher:
    """Hash and check codes with Argon2id.

    `time_cost` is the number of passes (from 1), `memory_kib` the memory in KiB (from 8 times `parallelism`),
    `parallelism` the lanes (from 1).

    Raises:
        InvalidSetting: for parameters that Argon2 refuses.
    """

    def __init__(self, *, time_cost: int = 1, memory_kib: int = 8, parallelism: int = 1) -> None:
        self._argon2 = PasswordHasher(
            time_cost=time_cost,
            memory_cost=memory_kib,
            parallelism=parallelism,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )
        # https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
        self._prefix = f"$argon2id$v={ARGON2_VERSION}$m={memory_kib},t={time_cost},p={parallelism}"
        try:
            # Matches no code. It is checked if the ticket does not exist.
            self._dummy_hash = self._argon2.hash("no ticket")
        except HashingError as error:
            parameters = f"time {time_cost}, memory {memory_kib} KiB, parallelism {parallelism}"
            raise InvalidSetting("Argon2's cost", parameters, f"{error}.") from error

    def hash_all(self, codes: Sequence[str]) -> list[str]:
        """Return the PHC strings of codes as `spell` gives them, in order, each with a new random salt.

        Raises:
            StorageUnavailable: the machine has too little memory.
        """
        salts = cut(secrets.token_bytes(_SALT_BYTES * len(codes)), _SALT_BYTES, len(codes))
        try:
            return [self.hash(code, salt) for code, salt in zip(codes, salts, strict=True)]
        except HashingError as error:
            raise StorageUnavailable(_NO_MEMORY) from error

    def hash(self, code: str, salt: bytes) -> str:
        """Return the PHC string of a code as `spell` gives it, with a salt of 16 bytes.

        Raises:
            argon2.exceptions.HashingError: the machine has too little memory.
        """
        # Not PasswordHasher.hash, which makes a second call of C to ask how long the string will be: each call hands
        # the interpreter's lock to another thread, and in a rush, waiting to get it back costs more than the call.
        digest = hash_secret_raw(
            code.replace("-", "").encode(),
            salt,
            time_cost=self._argon2.time_cost,
            memory_cost=self._argon2.memory_cost,
            parallelism=self._argon2.parallelism,
            hash_len=_HASH_BYTES,
            type=Type.ID,
        )
        return f"{self._prefix}${_in_base64(salt)}${_in_base64(digest)}"

    def check(self, stored: str | None, text: str) -> bool:
        """Return whether `text` spells the code whose PHC string is `stored`.

        One hash is computed even if there is nothing to compare (`stored` is None, or `text` is not a code), so that
        the time of an answer does not reveal which tickets exist.

        Raises:
            StorageUnavailable: `stored` is not a PHC string, so the database is damaged.
        """
        canonical = read(text)
        known = stored is not None and canonical is not None
        try:
            self._argon2.verify(stored if stored is not None and known else self._dummy_hash, canonical or "")
        except VerifyMismatchError:
            return False
        # argon2's InvalidHashError is a ValueError, not an Argon2Error.
        except (InvalidHashError, Argon2Error) as error:
            raise StorageUnavailable(_NO_MEMORY if str(error) == _OUT_OF_MEMORY else _DAMAGED) from error
        return known


def _in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
