"""Documents from elsewhere: files and standard input, read up to a size; the address of a proof; public keys."""

import re
import sys
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped

if TYPE_CHECKING:
    from rafflekit.core.protocol.notes import VerifierKey

STDIN = "-"
SERVER = "server"

_ADDRESS_WITHOUT_SCHEME = re.compile(r"[\w.-]+:[0-9]+/")
_PROOF_PATH = re.compile(r"(?P<raffle>.*/raffles/(?P<id>[0-9A-Fa-f-]{36}))/proof/?")


@dataclass(frozen=True, slots=True)
class ProofAddress:
    """The address of a proof, with the address (`raffle`) and the id of its raffle if it contains them."""

    url: str
    raffle: str | None
    id: str | None

    @classmethod
    def read(cls, text: str) -> "ProofAddress | None":
        """Read an address; return None if `text` is a file's name.

        Raises:
            CommandStopped: it is an address that cannot be fetched.
        """
        if "://" not in text:
            if _ADDRESS_WITHOUT_SCHEME.match(text) and not Path(text).exists():
                raise CommandStopped("PROOF: begin an address with http:// or https://.", status=WRONG_USAGE)
            return None
        try:
            parts = urllib.parse.urlsplit(text)
            fetchable = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
            # Spaces and control characters would end up in the request's first line.
            fetchable = fetchable and text.isascii() and text.isprintable() and " " not in text and parts.port != 0
        except ValueError:
            fetchable = None
        if not fetchable:
            # The address is not shown: it may contain a password.
            raise CommandStopped(
                "PROOF: this address cannot be fetched; it must begin with http:// or https://, without a user name, "
                "and have a port up to 65535.",
                status=WRONG_USAGE,
            )
        found = _PROOF_PATH.fullmatch(parts.path)
        if found is None:
            return cls(text, None, None)
        raffle = urllib.parse.urlunsplit((parts.scheme, parts.netloc, found["raffle"], "", ""))
        return cls(text, raffle, found["id"].lower())

    def of_raffle(self, rest: str) -> str:
        """Return an address below the raffle's.

        Raises:
            CommandStopped: this one does not contain it.
        """
        if self.raffle is None:
            raise CommandStopped(
                f"'{SERVER}' needs a PROOF address that ends with /raffles/<id>/proof/.",
                status=WRONG_USAGE,
            )
        return f"{self.raffle}/{rest}"


def read_file(name: str, most: int, *, parameter: str) -> bytes:
    """Return the content of a file, or of standard input (`STDIN`): at most one byte more than `most`.

    Raises:
        CommandStopped: it cannot be opened; the sentence names the option or argument (`parameter`) that gives it.
    """
    if name == STDIN:
        return _standard_input().read(most + 1)
    with _open_file(name, parameter) as opened:
        content = opened.read(most + 1)
    if not content:
        raise CommandStopped(f"{parameter}: the file {name} is empty.", status=WRONG_USAGE)
    return content


def _open_file(name: str, parameter: str) -> BinaryIO:
    if not name:
        raise CommandStopped(f"{parameter}: must not be empty.", status=WRONG_USAGE)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise CommandStopped(f"{parameter}: {name} cannot be read: {error.strerror}.", status=WRONG_USAGE) from error


def read_key(text: str, kind: int, option: str) -> "VerifierKey":
    """Read the verifier key of this kind (`notes.OPERATOR`, `notes.WITNESS`) that an option gives.

    Raises:
        CommandStopped: it is not a key, or a key of another kind.
    """
    from rafflekit.core.protocol.notes import OPERATOR, NoteWrong, VerifierKey

    try:
        key = VerifierKey.read(text)
    except NoteWrong as error:
        raise CommandStopped(
            f"{option}: this is not a public key; copy the whole line that 'rafflekit key show' prints.",
            status=WRONG_USAGE,
        ) from error
    if key.kind != kind:
        needed = "an operator's" if kind == OPERATOR else "a witness's"
        raise CommandStopped(f"{option}: this is not {needed} key.", status=WRONG_USAGE)
    return key


def lines_of_leaves(name: str, most: int) -> Iterator[bytes]:
    """Yield the lines of a file of leaves, or of standard input; a line longer than `most` is cut one byte later.

    Raises:
        CommandStopped: it cannot be read.
    """
    if name == STDIN:
        yield from lines(_standard_input(), most)
    else:
        with _open_file(name, "--leaves") as opened:
            yield from lines(opened, most)


def lines(stream: IO[bytes], most: int) -> Iterator[bytes]:
    """Yield the lines of a stream; a line longer than `most` bytes is cut one byte later."""
    while line := stream.readline(most + 1):
        yield line


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise CommandStopped("There is no standard input to read from.", status=WRONG_USAGE)
    return sys.stdin.buffer
