"""Signed notes of C2SP (https://c2sp.org/signed-note): a text, and below it the signatures (section 4).

Ed25519 (RFC 8032) comes from `cryptography`, which is imported only when something is signed or checked.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOTE_BYTES = 64 * 1024
SIGNATURES = 100

OPERATOR = 1
"""The signature type of operators (Ed25519 over the text)."""
WITNESS = 4
"""The signature type of cosignatures (https://c2sp.org/tlog-cosignature: Ed25519 over a time and the text)."""

_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_ID_BYTES = 4
_TIME_BYTES = 8
_MOST = 10**12
_MOST_DIGITS = 13
_LINE = "— "
_NOT_IN_NOTES = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_KEY_NAME = re.compile(r"[!-*,-~]{1,200}")
# The points of order 1, 2, 4 and 8 in each of their forms, apart from the highest bit. With one of them as a public
# key, one signature fits every text, so its owner could deny every receipt.
_SMALL_ORDER = {
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
}
_PRIVATE = "PRIVATE+KEY+"


class NoteWrong(Exception):
    """A note, a key or a signature is not valid; the message says why."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and kind; `str` returns the text form that people share."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of a hash over name, kind and key; a signature line names its key by them."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_ID_BYTES]

    @classmethod
    def read(cls, text: str) -> "VerifierKey":
        """Read a key from its text, `<name>+<hex of its id>+<Base64>`.

        Raises:
            NoteWrong: it has another form.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        content = read_base64(encoded)
        if len(content) != 1 + _KEY_BYTES or content[0] not in (OPERATOR, WITNESS):
            raise NoteWrong("a verifier key is <name>+<8 hexadecimal digits>+<Base64 of a type and 32 bytes>")
        _check_key_name(name)
        if content[1:-1] + bytes([content[-1] & 0x7F]) in _SMALL_ORDER:
            raise NoteWrong("it is not a safe key: a signature exists that fits every text")
        key = cls(name, content[0], content[1:])
        if str(key) != text:
            raise NoteWrong(f"the id {key_id!r} does not match the key; it was copied with a mistake")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64_of(bytes([self.kind]) + self.public)}"


# No slots, because `cached_property` stores its result in the object.
@dataclass(frozen=True)
class SignerKey:
    """A private key with its name and its kind."""

    name: str
    kind: int
    private: "Ed25519PrivateKey" = field(repr=False)

    @classmethod
    def make(cls, name: str, *, kind: int = OPERATOR) -> "SignerKey":
        """Make a new key.

        Raises:
            NoteWrong: a key cannot have this name.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        _check_key_name(name)
        return cls(name, kind, Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, text: str) -> "SignerKey":
        """Read a key that `write` wrote, `PRIVATE+KEY+<name>+<hex of its id>+<Base64>`.

        Raises:
            NoteWrong: it has another form. The message contains no part of it.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        name, _, rest = text.removeprefix(_PRIVATE).partition("+")
        content = read_base64(rest.partition("+")[2])
        of_a_known_kind = len(content) == 1 + _KEY_BYTES and content[0] in (OPERATOR, WITNESS)
        if not text.startswith(_PRIVATE) or not of_a_known_kind:
            raise NoteWrong("it is not a signing key")
        _check_key_name(name)
        key = cls(name, content[0], Ed25519PrivateKey.from_private_bytes(content[1:]))
        if key.write() != text:
            raise NoteWrong("its key is damaged: the id does not match")
        return key

    @cached_property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.kind, self.private.public_key().public_bytes_raw())

    def write(self) -> str:
        """Return the text of the key, which is secret."""
        content = bytes([self.kind]) + self.private.private_bytes_raw()
        return f"{_PRIVATE}{self.name}+{self.verifier.id.hex()}+{base64_of(content)}"

    def line(self, text: str, *, time: int = 0) -> str:
        """Return the signature line for a text that ends with a newline; `time` (seconds since 1970) is a witness's."""
        if self.kind == WITNESS:
            signature = time.to_bytes(_TIME_BYTES, "big") + self.private.sign(_cosigned(text, time))
        else:
            signature = self.private.sign(text.encode())
        return Signature(self.name, self.verifier.id, signature).write()


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: the name and id of its key, and the bytes of the signature."""

    name: str
    key_id: bytes
    content: bytes

    def is_by(self, key: VerifierKey) -> bool:
        """Return whether the line names this key."""
        return (self.name, self.key_id) == (key.name, key.id)

    def write(self) -> str:
        """Return the line, with its newline."""
        return f"{_LINE}{self.name} {base64_of(self.key_id + self.content)}\n"

    def check(self, key: VerifierKey, text: str) -> int:
        """Check the signature with its key; return the time of a cosignature, 0 for an operator's signature.

        Raises:
            NoteWrong: it is not a signature of this text by the key.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        stamped = _TIME_BYTES if key.kind == WITNESS else 0
        if len(self.content) != stamped + _SIGNATURE_BYTES:
            raise NoteWrong(f"the signature by {self.name} has the wrong length")
        time = int.from_bytes(self.content[:stamped], "big")
        message = _cosigned(text, time) if stamped else text.encode()
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(self.content[stamped:], message)
        except InvalidSignature as error:
            raise NoteWrong(f"the signature by {self.name} does not match this text") from error
        return time


@dataclass(frozen=True, slots=True)
class Note:
    """A text (with its last newline) and its signatures."""

    text: str
    signatures: Sequence[Signature]

    @classmethod
    def read(cls, written: str) -> "Note":
        """Take a note apart; no signature is checked.

        Raises:
            NoteWrong: it is not a note.
        """
        # Lone surrogates, which UTF-8 cannot encode, are refused with the other characters.
        if len(written.encode(errors="surrogatepass")) > NOTE_BYTES:
            raise NoteWrong(f"a note has at most {NOTE_BYTES:,} bytes")
        if _NOT_IN_NOTES.search(written):
            raise NoteWrong("a note must not contain control characters (lines end with a newline only)")
        text, found, lines = written.rpartition("\n\n")
        if not found or not lines.endswith("\n"):
            raise NoteWrong("it is not a signed note: a text, an empty line, and lines of signatures")
        signatures = [_read_line(line) for line in lines[:-1].split("\n")]
        if len(signatures) > SIGNATURES:
            raise NoteWrong(f"a note has at most {SIGNATURES} signatures")
        return cls(text + "\n", signatures)

    def check(self, key: VerifierKey) -> list[int]:
        """Check all signatures that name this key; return their times. Without such a signature, the list is empty.

        Raises:
            NoteWrong: one of them is not the key's signature of this text.
        """
        return [signature.check(key, self.text) for signature in self.signatures if signature.is_by(key)]


def _check_key_name(name: str) -> None:
    """Check that a key can have this name.

    Raises:
        NoteWrong: it cannot.
    """
    if not _KEY_NAME.fullmatch(name):
        raise NoteWrong("a key's name has 1 to 200 printable ASCII characters, without spaces or +")


def base64_of(content: bytes) -> str:
    """Return bytes in Base64 with padding."""
    return base64.b64encode(content).decode()


def read_base64(text: str) -> bytes:
    """Return the bytes of a text in Base64 with padding.

    Raises:
        NoteWrong: it has other characters, wrong padding or leftover bits.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteWrong("it is not Base64") from error
    if base64_of(content) != text:
        raise NoteWrong("it is not Base64 in the one form that its bytes have")
    return content


def read_number(digits: str) -> int:
    """Return the number that a line of a note has in decimal digits.

    Raises:
        NoteWrong: it is above 10¹², or has leading zeros.
    """
    number = int(digits) if len(digits) <= _MOST_DIGITS else _MOST + 1
    if number > _MOST or str(number) != digits:
        raise NoteWrong("a number is from 0 to 10¹², in decimal digits")
    return number


def _read_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_LINE).partition(" ")
    content = read_base64(encoded)
    if not line.startswith(_LINE) or len(content) <= _ID_BYTES:
        raise NoteWrong("a signature line has the form — <name> <Base64>")
    _check_key_name(name)
    return Signature(name, content[:_ID_BYTES], content[_ID_BYTES:])


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()
