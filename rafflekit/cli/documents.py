"""Where documents come from that somebody else wrote: a file, standard input, a server, each up to a size; a key.

What is fetched is fetched by HTTP or HTTPS alone, wherever a server leads; nothing of it is believed here.
"""

import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import BufferedReader
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from rafflekit.cli.failures import IO_FAILED, WRONG_USAGE, CommandStopped

if TYPE_CHECKING:
    from rafflekit.core.ledger.notes import VerifierKey

STDIN = "-"
SERVER = "server"

_TIMEOUT_S = 30
_PROOF_S = 120
_CHUNK_BYTES = 64 * 1024
_PROBLEM_BYTES = 64 * 1024
_SHOWN = 200
_PROOF_PATH = re.compile(r"(?P<raffle>.*/raffles/(?P<id>[0-9a-f-]{36}))/proof/?")


@dataclass(frozen=True, slots=True)
class ProofAddress:
    """The address of a proof; `raffle` is that of its raffle, and `id` the raffle's, where it tells them."""

    url: str
    raffle: str | None
    id: str | None

    @classmethod
    def read(cls, text: str) -> "ProofAddress | None":
        """Read an address; None if `text` is none but a file's name.

        Raises:
            CommandStopped: it is an address that cannot be fetched.
        """
        if "://" not in text:
            return None
        try:
            parts = urllib.parse.urlsplit(text)
            fetchable = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
            # Spaces and controls would end up in the request's first line.
            fetchable = fetchable and text.isascii() and text.isprintable() and " " not in text and parts.port != 0
        except ValueError:
            fetchable = None
        if not fetchable:
            # Not shown: a password may be in it.
            raise CommandStopped(
                "PROOF is no address that can be fetched; it begins with http:// or https://, without a user name.",
                status=WRONG_USAGE,
            )
        found = _PROOF_PATH.fullmatch(parts.path)
        if found is None:
            return cls(text, None, None)
        raffle = urllib.parse.urlunsplit((parts.scheme, parts.netloc, found["raffle"], "", ""))
        return cls(text, raffle, found["id"])

    def of_raffle(self, rest: str) -> str:
        """Return an address below the raffle's.

        Raises:
            CommandStopped: this one does not tell it.
        """
        if self.raffle is None:
            raise CommandStopped(
                f"'{SERVER}' needs an address of a proof that ends with /raffles/<id>/proof/.",
                status=WRONG_USAGE,
            )
        return f"{self.raffle}/{rest}"


def read_file(name: str, most: int, parameter: str) -> bytes:
    """Return the content of a file, or of standard input (`STDIN`): at most one byte more than `most`.

    Raises:
        CommandStopped: it cannot be opened; the sentence names the option or argument (`parameter`) that gives it.
    """
    if name == STDIN:
        return _standard_input().read(most + 1)
    with _open_file(name, parameter) as opened:
        return opened.read(most + 1)


def _open_file(name: str, parameter: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise CommandStopped(f"{parameter}: {name} cannot be read: {error.strerror}.", status=WRONG_USAGE) from error


def fetch(url: str, most: int) -> bytes:
    """Return what a server answers: at most one byte more than `most`.

    Raises:
        CommandStopped: it does not answer, or with an error, or not in time.
    """
    begun, content = time.monotonic(), b""
    with _opened(url) as answer:
        announced = answer.length
        # Whatever is there: a server that sends a byte now and then would never fill a larger piece.
        while chunk := answer.read1(min(_CHUNK_BYTES, most + 1 - len(content))):
            content += chunk
            if time.monotonic() - begun > _PROOF_S:
                raise CommandStopped(f"{url} takes longer than {_PROOF_S} s to answer.", status=IO_FAILED)
    if announced is not None and len(content) < min(announced, most + 1):
        raise _breaks_off(url)
    return content


def read_key(text: str, kind: int, option: str) -> "VerifierKey":
    """Read the verifier key of this kind (`notes.OPERATOR`, `notes.WITNESS`) that an option gives.

    Raises:
        CommandStopped: it is none, or one of another kind.
    """
    from rafflekit.core.ledger.notes import OPERATOR, NoteWrong, VerifierKey

    try:
        key = VerifierKey.read(text)
    except NoteWrong as error:
        raise CommandStopped(f"{option}: this is no verifier key: {error}.", status=WRONG_USAGE) from error
    if key.kind != kind:
        needed = "an operator's" if kind == OPERATOR else "a witness's"
        raise CommandStopped(f"{option}: this is not {needed} key.", status=WRONG_USAGE)
    return key


def lines_of_file(name: str, most: int, parameter: str) -> Iterator[bytes]:
    """Yield the lines of a file, or of standard input; one longer than `most` bytes is cut behind the next.

    Raises:
        CommandStopped: it cannot be read.
    """
    if name == STDIN:
        yield from _lines(_standard_input(), most)
    else:
        with _open_file(name, parameter) as opened:
            yield from _lines(opened, most)


def lines_fetched(url: str, most: int) -> Iterator[bytes]:
    """Yield the lines that a server answers, as they come, like `lines_of_file`.

    Raises:
        CommandStopped: it does not answer, or with an error, or not to the end.
    """
    with _opened(url) as answer:
        for line in _lines(BufferedReader(answer, _CHUNK_BYTES), most):
            if not line.endswith(b"\n"):
                _refuse_half_an_answer(url, answer, unless=len(line) > most)
            yield line
        _refuse_half_an_answer(url, answer)


def _lines(stream: IO[bytes], most: int) -> Iterator[bytes]:
    while line := stream.readline(most + 1):
        yield line


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise CommandStopped("There is no standard input to read from.", status=WRONG_USAGE)
    return sys.stdin.buffer


def _refuse_half_an_answer(url: str, answer: HTTPResponse, *, unless: bool = False) -> None:
    if answer.length and not unless:
        raise _breaks_off(url)


def _breaks_off(url: str) -> CommandStopped:
    # Documents that a bad line cut off are not wrong, and must not be called so.
    return CommandStopped(f"{url} breaks off before its end; try again.", status=IO_FAILED)


@contextmanager
def _opened(url: str) -> Iterator[HTTPResponse]:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _SafeRedirects(),
        _NothingElse(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"Accept": "*/*", "User-Agent": "rafflekit"})  # noqa: S310 - see above
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        with error:
            raise CommandStopped(f"{url} answers {error.code}{_detail_of(error)}.", status=IO_FAILED) from error
    except urllib.error.URLError as error:
        raise CommandStopped(f"{url} cannot be reached: {error.reason}.", status=IO_FAILED) from error
    # A time-out is an OSError; an answer that breaks off or is none is an HTTPException.
    except (OSError, HTTPException, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise CommandStopped(f"{url} cannot be read to its end: {reason}.", status=IO_FAILED) from error


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    max_redirections = 5
    max_repeats = 2

    def redirect_request(  # noqa: PLR0917 - as the library calls it
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> urllib.request.Request | None:
        scheme = urllib.parse.urlsplit(newurl).scheme
        # Not from HTTPS to anything that others can read and change on the way.
        if scheme not in {"http", "https"} or (req.type == "https" and scheme != "https"):
            raise urllib.error.URLError(f"it leads to {newurl[:_SHOWN]}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]  # HTTPMessage


class _NothingElse(urllib.request.BaseHandler):
    def unknown_open(self, request: urllib.request.Request) -> None:
        raise urllib.error.URLError(f"nothing is fetched by {request.type}")


def _detail_of(error: urllib.error.HTTPError) -> str:
    # Problem details (RFC 9457), as rafflekit answers.
    try:
        detail = json.loads(error.read(_PROBLEM_BYTES))["detail"]
    except (OSError, HTTPException, ValueError, TypeError, LookupError, RecursionError):
        return ""
    return f" ({detail.rstrip('.')[:_SHOWN]})" if isinstance(detail, str) else ""
