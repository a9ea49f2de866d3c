"""Requests that two programs could read in two ways (request smuggling): what follows one is never a request.

A proxy may see one request where the server sees two, and send one client's request under the name of another. Each
case is one request directly followed by another one, `BEHIND`.
"""

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.live_server import LiveServer

SERVERS = {"waitress": (), "granian": ("--server", "granian")}

BEHIND = b"GET /behind HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ANSWER_TO_BEHIND = b"Nothing is at this address"

NO_RAFFLE = b"/raffles/00000000-0000-0000-0000-000000000000/participate/"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CHUNKS = b"1\r\n{\r\n01\r\n}\r\n" + LAST_CHUNK


def post(headers: bytes, body: bytes = b"", *, version: bytes = b"1.1") -> bytes:
    line = b"POST " + NO_RAFFLE + b" HTTP/" + version
    return line + b"\r\nHost: localhost\r\nContent-Type: application/json\r\n" + headers + b"\r\n" + body


# Refused by both.
AMBIGUOUS = {
    "two lengths": post(b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(BEHIND)),
    "a list of lengths": post(b"Content-Length: 0, 0\r\n"),
    "a length with a sign": post(b"Content-Length: +0\r\n"),
    "a length that is no number to Python": post(b"Content-Length: " + b"9" * 5_000 + b"\r\n"),
    "an address that is none": post(b"").replace(NO_RAFFLE, b"http://["),
    "a length with an underscore": post(b"Content-Length: 0_0\r\n"),
    "a hexadecimal length": post(b"Content-Length: 0x0\r\n"),
    "an empty length": post(b"Content-Length: \r\n"),
    "a length that overflows": post(b"Content-Length: 18446744073709551616\r\n"),
    "chunked, then another coding": post(b"Transfer-Encoding: chunked, identity\r\n", LAST_CHUNK),
    "identity": post(b"Transfer-Encoding: identity\r\n"),
    "another coding that ends in chunked": post(b"Transfer-Encoding: xchunked\r\n", LAST_CHUNK),
    "another coding and a length": post(b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", LAST_CHUNK),
    "chunked and another coding in two headers": post(CHUNKED + b"Transfer-Encoding: x\r\n", LAST_CHUNK),
    "a vertical tab before the coding": post(b"Transfer-Encoding: \x0bchunked\r\n", LAST_CHUNK),
    "a coding in quotes": post(b'Transfer-Encoding: "chunked"\r\n', LAST_CHUNK),
    "a coding with a parameter": post(b"Transfer-Encoding: chunked;q=1\r\n", LAST_CHUNK),
    "no coding": post(b"Transfer-Encoding: \r\n"),
    "no coding, and a length": post(b"Transfer-Encoding: \r\nContent-Length: 5\r\n", LAST_CHUNK),
    "a space before the colon": post(b"Transfer-Encoding : chunked\r\n", LAST_CHUNK),
    "a space before the first header": post(b"Content-Length: 5\r\n", LAST_CHUNK).replace(b"Host:", b" Host:"),
    "a folded coding": post(b"Transfer-Encoding:\r\n chunked\r\n", LAST_CHUNK),
    "a folded header": post(b"X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", LAST_CHUNK),
    "a bare carriage return": post(b"X: a\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", LAST_CHUNK),
    "a NUL in a value": post(b"X: a\0b\r\n"),
    "a NUL in a name": post(b"X\0: a\r\n"),
    "a NUL behind the coding": post(b"Transfer-Encoding: chunked\0\r\n", LAST_CHUNK),
    "chunks in HTTP/1.0": post(b"Connection: keep-alive\r\n" + CHUNKED, LAST_CHUNK, version=b"1.0"),
    "chunks and a length in HTTP/1.0": post(
        b"Connection: keep-alive\r\nContent-Length: 5\r\n" + CHUNKED, LAST_CHUNK, version=b"1.0"
    ),
    "chunks in HTTP/1.2": post(CHUNKED, LAST_CHUNK, version=b"1.2"),
    "chunks in HTTP/2.0": post(CHUNKED, LAST_CHUNK, version=b"2.0"),
    "HTTP in lower case": post(b"").replace(b"HTTP", b"http"),
    "two spaces": post(b"").replace(b"POST ", b"POST  "),
}

# Refused by waitress; Granian may answer, and closes then.
CLOSED = {
    "a length, then chunked": post(b"Content-Length: 6\r\n" + CHUNKED, LAST_CHUNK),
    "chunked, then a length": post(CHUNKED + b"Content-Length: %d\r\n" % (len(LAST_CHUNK + BEHIND)), LAST_CHUNK),
    "a bare line feed": post(b"X: a\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", LAST_CHUNK),
    "a line feed in a chunk's extension": post(CHUNKED, b"0;a=\nb\r\n\r\n"),
    "a chunk's size with a plus": post(CHUNKED, b"+0\r\n\r\n"),
    "a chunk's size with a minus": post(CHUNKED, b"-0\r\n\r\n"),
    "a chunk's size with an underscore": post(CHUNKED, b"0_0\r\n\r\n"),
    "a chunk's size with 0x": post(CHUNKED, b"0x0\r\n\r\n"),
    "a space before a chunk's size": post(CHUNKED, b" 0\r\n\r\n"),
    "a line feed behind a chunk's size": post(CHUNKED, b"0\n\r\n\r\n"),
    "chunks that end in a line feed": post(CHUNKED, b"0\n\n"),
    "a chunk that is longer than its size": post(CHUNKED, b"2\r\n{}XX" + LAST_CHUNK),
}

# Refused by waitress; Granian reads them, in the only way that makes sense.
READ_BY_GRANIAN = {
    "the same length twice": post(b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    "another coding, then chunked": post(b"Transfer-Encoding: identity, chunked\r\n", CHUNKS),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS),
    "chunked twice in two headers": post(CHUNKED + CHUNKED, CHUNKS),
    "a comma before the coding": post(b"Transfer-Encoding: ,chunked\r\n", CHUNKS),
    "lines that end in a line feed": post(b"Content-Length: 0\r\n").replace(b"\r\n", b"\n"),
    "a space behind a chunk's size": post(CHUNKED, b"2 \r\n{}\r\n" + LAST_CHUNK),
}

# Every HTTP parser reads them like this.
CLEAR = {
    "no body": post(b""),
    "a length": post(b"Content-Length: 0\r\n"),
    "a length with zeros in front": post(b"Content-Length: 000\r\n"),
    "chunks": post(CHUNKED, CHUNKS),
    "chunks with an extension": post(CHUNKED, b'2;a=b;c="d"\r\n{}\r\n' + LAST_CHUNK),
    "chunks with a trailer": post(CHUNKED, b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n"),
    "a coding in capitals, behind a tab": post(b"Transfer-Encoding:\tCHUNKED\r\n", b"2\r\n{}\r\n" + LAST_CHUNK),
    "empty lines in front": b"\r\n\r\n" + post(b""),
}


@pytest.fixture(scope="module", params=SERVERS)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    server = LiveServer(folder / "raffles.db", *SERVERS[request.param], log=folder / "log", MANAGER_IPS="127.0.0.1")
    yield server
    server.stop()
    assert server.complaints() == ""


@pytest.fixture
def is_granian(request: pytest.FixtureRequest) -> bool:
    """Whether this is Granian."""
    return "granian" in request.node.callspec.id


def exchange(live: LiveServer, sent: bytes) -> list[tuple[int, bytes]]:
    """Send bytes, and return every answer with its status, when the server has closed the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", live.port), timeout=20) as connection:
        connection.sendall(sent)
        # Closed with something unread, which is refused: the end is a reset then.
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    _, *answers = received.split(b"HTTP/1.1 ") if b"HTTP/1.1 " in received else received.split(b"HTTP/1.0 ")
    return [(int(answer[:3]), answer) for answer in answers]


def is_refused(answers: list[tuple[int, bytes]]) -> bool:
    return [status for status, _ in answers] in ([400], [413], [501])


def are_two(answers: list[tuple[int, bytes]]) -> bool:
    return [status for status, _ in answers] == [404, 404] and ANSWER_TO_BEHIND in answers[1][1]


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_bytes_after_an_ambiguous_request_are_not_read(live: LiveServer, case: str) -> None:
    assert is_refused(exchange(live, AMBIGUOUS[case] + BEHIND))


@pytest.mark.parametrize("case", CLOSED)
def test_nothing_is_read_after_a_request_with_a_doubtful_end(live: LiveServer, case: str, is_granian: bool) -> None:
    answers = exchange(live, CLOSED[case] + BEHIND)

    assert len(answers) == 1
    assert ANSWER_TO_BEHIND not in answers[0][1]
    assert is_refused(answers) or is_granian


@pytest.mark.parametrize("case", READ_BY_GRANIAN)
def test_only_granian_reads_on_after_an_odd_request(live: LiveServer, case: str, is_granian: bool) -> None:
    answers = exchange(live, READ_BY_GRANIAN[case] + BEHIND)

    assert are_two(answers) if is_granian else is_refused(answers)


@pytest.mark.parametrize("case", CLEAR)
def test_a_clear_request_and_the_next_are_both_answered(live: LiveServer, case: str) -> None:
    assert are_two(exchange(live, CLEAR[case] + BEHIND))


def test_pipelined_requests_are_answered_in_order(live: LiveServer) -> None:
    get, chunked = post(b"").replace(b"POST", b"GET"), CLEAR["chunks"]

    answers = exchange(live, (get + chunked + CLEAR["a length"]) * 50 + BEHIND)

    # This address has no GET.
    assert [status for status, _ in answers] == [405, 404, 404] * 50 + [404]
