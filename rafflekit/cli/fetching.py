"""Documents from servers, over HTTP or HTTPS, each up to a size; nothing is checked here.

Commands import this only when they fetch: it takes longer to import than most commands take to run.
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from io import BufferedReader
from typing import IO

from rafflekit.cli.failures import IO_FAILED, CommandStopped
from rafflekit.cli.sources import lines
from rafflekit.core.relays import why_unreachable

_TIMEOUT_S = 30
_PROOF_S = 120
_CHUNK_BYTES = 64 * 1024
_PROBLEM_BYTES = 64 * 1024
_SHOWN = 200


def fetch(url: str, most: int) -> bytes:
    """Return what a server answers: at most one byte more than `most`.

    Raises:
        CommandStopped: it does not answer in time, or answers with an error.
    """
    begun, content = time.monotonic(), b""
    with _opened(url) as answer:
        announced = answer.length
        # `read1` returns what has arrived: a server that sends single bytes would never fill a larger piece.
        while chunk := answer.read1(min(_CHUNK_BYTES, most + 1 - len(content))):
            content += chunk
            if time.monotonic() - begun > _PROOF_S:
                raise CommandStopped(f"{url} takes longer than {_PROOF_S} s to answer.", status=IO_FAILED)
    if announced is not None and len(content) < min(announced, most + 1):
        raise _breaks_off(url)
    return content


def lines_fetched(url: str, most: int) -> Iterator[bytes]:
    """Yield the lines of a server's answer as they arrive, like `lines_of_leaves`.

    Raises:
        CommandStopped: it does not answer, answers with an error, or breaks off.
    """
    with _opened(url) as answer:
        for line in lines(BufferedReader(answer, _CHUNK_BYTES), most):
            if not line.endswith(b"\n"):
                _refuse_half_an_answer(url, answer, unless=len(line) > most)
            yield line
        _refuse_half_an_answer(url, answer)


def _refuse_half_an_answer(url: str, answer: HTTPResponse, *, unless: bool = False) -> None:
    if answer.length and not unless:
        raise _breaks_off(url)


def _breaks_off(url: str) -> CommandStopped:
    # A document that a bad connection cut off is not wrong, and must not be reported as wrong.
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
