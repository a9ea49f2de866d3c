"""Documents from servers, over HTTP or HTTPS, each up to a size and within a time; nothing is checked here.

Commands import this only when they fetch: it takes longer to import than most commands take to run.
"""

import io
import json
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BufferedReader
from typing import IO, Any

from rafflekit.cli.failures import IO_FAILED, CommandStopped
from rafflekit.cli.sources import lines
from rafflekit.core.relays import why_unreachable

_TIMEOUT_S = 30
_DOCUMENT_S = 120
_PART_S = 120
_LEAVES_S = 3600
_LEAVES_BYTES = 64 * 1024**3
_CHUNK_BYTES = 64 * 1024
_PROBLEM_BYTES = 64 * 1024
_SHOWN = 200
_LINKS_CHARACTERS = 2_000

_NEXT = re.compile(r"""<([^<>]*)>\s*;(?:[^,"]|"[^"]*")*?\brel\s*=\s*"?next\b""", re.IGNORECASE)


def fetch(url: str, most: int) -> bytes:
    """Return what a server answers: at most one byte more than `most`.

    Raises:
        CommandStopped: it does not answer in time, or answers with an error.
    """
    content = b""
    with _opened(url, _Deadline(url, _DOCUMENT_S)) as answer:
        announced = answer.length
        while chunk := answer.read1(min(_CHUNK_BYTES, most + 1 - len(content))):
            content += chunk
    if announced is not None and len(content) < min(announced, most + 1):
        raise _breaks_off(url)
    return content


def lines_fetched(url: str, most: int) -> Iterator[bytes]:
    """Yield the lines of a server's answer as they arrive, like `lines_of_leaves`, and of those that its links lead to.

    Raises:
        CommandStopped: it does not answer in time, answers with an error, breaks off, or has no end.
    """
    whole, taken = _Deadline(url, _LEAVES_S), 0
    part: str | None = url
    while part is not None:
        before = taken
        whole.wait_s()
        with _opened(part, _Deadline(part, _PART_S)) as answer:
            for line in lines(BufferedReader(answer, _CHUNK_BYTES), most):
                if not line.endswith(b"\n"):
                    _refuse_half_an_answer(part, answer, unless=len(line) > most)
                taken += len(line)
                if taken > _LEAVES_BYTES:
                    raise CommandStopped(f"{url} sends more than {_LEAVES_BYTES:,} bytes.", status=IO_FAILED)
                yield line
            _refuse_half_an_answer(part, answer)
            part = _next_part(answer)
        if part is not None and taken == before:
            raise CommandStopped(f"{url} sends parts without an end.", status=IO_FAILED)


def _next_part(answer: HTTPResponse) -> str | None:
    """Return the address of the next part that an answer names (RFC 8288), if it names one."""
    here, links = str(answer.url), ", ".join(answer.headers.get_all("Link", []))
    # A search takes time in the square of their length.
    if len(links) > _LINKS_CHARACTERS:
        raise CommandStopped(f"{here} sends links that are too long.", status=IO_FAILED)
    found = _NEXT.search(links)
    if found is None:
        return None
    following: str = urllib.parse.urljoin(here, found[1])
    if urllib.parse.urlsplit(following)[:2] != urllib.parse.urlsplit(here)[:2]:
        shown = following[:_SHOWN]
        raise CommandStopped(f"{here} links to {shown}, another server, which is not asked.", status=IO_FAILED)
    return following


def _refuse_half_an_answer(url: str, answer: HTTPResponse, *, unless: bool = False) -> None:
    if answer.length and not unless:
        raise _breaks_off(url)


def _breaks_off(url: str) -> CommandStopped:
    # A document that a bad connection cut off is not wrong, and must not be reported as wrong.
    return CommandStopped(f"{url} breaks off before its end; try again.", status=IO_FAILED)


class _Deadline:
    """When a download has to be complete, however slowly its bytes arrive."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def wait_s(self) -> float:
        """Return how long to wait for the next bytes.

        Raises:
            CommandStopped: the time is over.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise CommandStopped(f"{self._url} takes longer than {self._seconds:g} s to answer.", status=IO_FAILED)
        return min(left, _TIMEOUT_S)


class _TimedSocket:
    """A socket as an answer reads it: a server that sends single bytes, even of its headers, meets the deadline."""

    def __init__(self, deadline: _Deadline, connected: socket.socket) -> None:
        self._deadline = deadline
        self._connected = connected

    def makefile(self, mode: str) -> BufferedReader:
        """Return the bytes that arrive."""
        assert mode == "rb"
        return BufferedReader(_TimedReader(self._deadline, self._connected))


class _TimedReader(io.RawIOBase):
    def __init__(self, deadline: _Deadline, connected: socket.socket) -> None:
        super().__init__()
        self._deadline = deadline
        self._connected = connected
        self._bytes = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, place: Any) -> int | None:
        self._connected.settimeout(self._deadline.wait_s())
        try:
            return self._bytes.readinto(place)
        except TimeoutError:
            # Raises another error if it was the deadline that cut this wait short.
            self._deadline.wait_s()
            raise

    def close(self) -> None:
        self._bytes.close()
        super().close()


def _timed(kind: type[HTTPConnection], deadline: _Deadline, host: str, *, timeout: float) -> HTTPConnection:
    connection = kind(host, timeout=min(timeout, deadline.wait_s()))
    # http.client calls it with a socket, of which it only needs the file.
    connection.response_class = partial(_answer_on, deadline)  # type: ignore[assignment]  # a callable will do
    return connection


def _answer_on(deadline: _Deadline, connected: socket.socket, **arguments: Any) -> HTTPResponse:
    return HTTPResponse(_TimedSocket(deadline, connected), **arguments)  # type: ignore[arg-type]  # see above


class _TimedHttp(urllib.request.HTTPHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(partial(_timed, HTTPConnection, self._deadline), req)


class _TimedHttps(urllib.request.HTTPSHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(partial(_timed, HTTPSConnection, self._deadline), req)


@contextmanager
def _opened(url: str, deadline: _Deadline) -> Iterator[HTTPResponse]:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _TimedHttp(deadline),
        _TimedHttps(deadline),
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
        raise CommandStopped(f"{url} cannot be reached: {why_unreachable(error.reason)}.", status=IO_FAILED) from error
    # OSError: a time-out. HTTPException: an answer that breaks off, or is not HTTP.
    except (OSError, HTTPException, ValueError) as error:
        raise CommandStopped(f"{url} cannot be read to its end: {why_unreachable(error)}.", status=IO_FAILED) from error


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    max_redirections = 5
    max_repeats = 2

    def redirect_request(  # noqa: PLR0917 - as the library calls it
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> urllib.request.Request | None:
        scheme = urllib.parse.urlsplit(newurl).scheme
        # Not from HTTPS to an address whose answer others can read and change.
        if scheme not in {"http", "https"} or (req.type == "https" and scheme != "https"):
            raise urllib.error.URLError(f"it redirects to {newurl[:_SHOWN]}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]  # HTTPMessage


class _NothingElse(urllib.request.BaseHandler):
    def unknown_open(self, request: urllib.request.Request) -> None:
        raise urllib.error.URLError(f"the scheme {request.type} is not supported")


def _detail_of(error: urllib.error.HTTPError) -> str:
    # Problem details (RFC 9457), as rafflekit answers.
    try:
        detail = json.loads(error.read(_PROBLEM_BYTES))["detail"]
    except (OSError, HTTPException, ValueError, TypeError, LookupError, RecursionError):
        return ""
    return f" ({detail.rstrip('.')[:_SHOWN]})" if isinstance(detail, str) else ""
