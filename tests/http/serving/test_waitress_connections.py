"""What waitress keeps for its clients, and for how long; its loop runs in the test, whose clock stands still."""

import math
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from rafflekit.core import limits
from rafflekit.http.serving import waitress_connections, waitress_server
from rafflekit.http.serving.listening import (
    ANSWER_BYTES,
    ANSWER_BYTES_PER_S,
    ANSWER_GRACE_S,
    CONNECTIONS,
    KEEP_ALIVE_S,
    KEPT_BYTES,
    SOCKET_BUFFER_BYTES,
    THREADS,
    listening_socket,
)
from rafflekit.http.serving.waitress_connections import Channel
from tests.programs import Program
from tests.waiting import LIMIT_S, wait_until

MIB = 2**20
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Served:
    """waitress with an application, and clients of it; `turn` is one turn of its loop."""

    def __init__(self, application: Application, opened: ExitStack) -> None:
        self.now = 1_000.0
        self._opened = opened
        self._connections: dict[int, Any] = {}
        self._listener = opened.enter_context(listening_socket("127.0.0.1", 0))
        self.server = waitress_server._server_on(self._listener, application, self._connections)  # type: ignore[arg-type]  # any WSGI application will do

    def turn(self) -> bool:
        """Let the server look at its connections once."""
        waitress_server._turn(self.server, self._connections, wait_s=0.01)
        return True

    def turn_until(self, holds: Callable[[], object]) -> None:
        """Let the server work until a condition holds."""
        wait_until(lambda: self.turn() and holds())

    def client(self, sends: bytes, *, window: int = 4096) -> tuple[socket.socket, Channel]:
        """Connect a client that sends something and reads nothing; return both ends when all of it is on its way."""
        client = self._opened.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        client.connect(self._listener.getsockname())
        client.setblocking(False)
        self.turn_until(lambda: client.getsockname() in self.channels())
        unsent = memoryview(sends)

        def is_sent() -> bool:
            nonlocal unsent
            with suppress(BlockingIOError):
                unsent = unsent[client.send(unsent) :]
            return not unsent

        channel = self.channels()[client.getsockname()]
        self.turn_until(is_sent)
        self.turn_until(lambda: channel.requests or channel.request or channel.answer_bytes)
        return client, channel

    def answer(self, client: socket.socket) -> bytes:
        """Return the beginning of what a client gets."""
        received = b""

        def has_come() -> bytes:
            nonlocal received
            with suppress(BlockingIOError):
                received = client.recv(200)
            return received

        self.turn_until(has_come)
        return received

    def channels(self) -> dict[Any, Channel]:
        """Return the server's ends of its connections, by their clients' addresses."""
        return {channel.addr: channel for channel in self.server.active_channels.values()}

    def holds(self, channel: Channel) -> bool:
        """Return whether the server still has a connection after looking at all of them."""
        self.server._next_look = 0.0
        self.turn()
        return channel in self.server.active_channels.values()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Application], Served]]:
    """Serve an application: `serve(application)`; no temporary file may be made for it."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("waitress made a temporary file")

    with ExitStack() as opened:

        def start(application: Application) -> Served:
            served = Served(application, opened)
            clock = SimpleNamespace(time=time.time, monotonic=lambda: served.now)
            monkeypatch.setattr(waitress_connections, "time", clock)
            opened.callback(served.server.close)
            opened.callback(lambda: [channel.handle_close() for channel in served.channels().values()])
            opened.callback(served.server.task_dispatcher.shutdown)
            return served

        monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
        yield start


def answering(*parts: bytes) -> Application:
    """Return an application that answers with these parts, whatever the request."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(sum(map(len, parts))))])
        return iter(parts)

    return application


def is_answered(channel: Channel) -> bool:
    # At last, its thread says since when the server waits for the client.
    return channel.waiting_since < math.inf and channel.answer_bytes > 0


def test_no_thread_waits_for_a_reader(serve: Callable[[Application], Served]) -> None:
    served = serve(answering(*[bytes(MIB // 8)] * 16))

    for _ in range(THREADS + 1):
        _, channel = served.client(GET)
        served.turn_until(lambda channel=channel: is_answered(channel))


def test_an_answer_that_is_too_long_is_broken_off(
    serve: Callable[[Application], Served], caplog: pytest.LogCaptureFixture
) -> None:
    served = serve(answering(*[bytes(MIB)] * 9))

    _, channel = served.client(GET)
    served.turn_until(lambda: channel.close_when_flushed)

    assert channel.total_outbufs_len <= ANSWER_BYTES
    assert "An answer is too long" in caplog.text


def test_an_answer_has_to_be_taken_at_a_minimum_rate(serve: Callable[[Application], Served]) -> None:
    served = serve(answering(bytes(2 * MIB)))
    client, channel = served.client(GET)
    served.turn_until(lambda: is_answered(channel))
    began = served.now

    def limit_s() -> float:
        return ANSWER_GRACE_S + (channel.answer_bytes - channel.total_outbufs_len) / ANSWER_BYTES_PER_S

    first_limit_s = limit_s()
    served.now = began + first_limit_s - 1
    assert served.holds(channel)

    unread = channel.total_outbufs_len

    def has_taken_more() -> bool:
        with suppress(BlockingIOError):
            client.recv(65536)
        return channel.total_outbufs_len < unread

    served.turn_until(has_taken_more)
    assert limit_s() > first_limit_s
    served.now = began + limit_s() - 1
    assert served.holds(channel)
    served.now += 2
    assert not served.holds(channel)


def test_the_longest_answer_has_five_minutes() -> None:
    assert ANSWER_BYTES / ANSWER_BYTES_PER_S + ANSWER_GRACE_S <= 300


def test_a_request_in_progress_is_never_overdue(serve: Callable[[Application], Served]) -> None:
    go_on = threading.Event()

    def application(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        go_on.wait()
        return [b"ok"]

    served = serve(application)
    client, channel = served.client(GET)
    served.now += 10 * KEEP_ALIVE_S

    assert served.holds(channel)

    go_on.set()
    served.turn_until(lambda: channel.waiting_since < math.inf)
    assert served.holds(channel)
    assert served.answer(client).endswith(b"ok")
    served.now += KEEP_ALIVE_S + 1
    assert not served.holds(channel)


def test_a_sent_answer_leaves_nothing_in_memory(serve: Callable[[Application], Served]) -> None:
    served = serve(answering(bytes(2 * MIB)))
    client, channel = served.client(GET, window=MIB)
    received = 0

    def is_whole() -> bool:
        nonlocal received
        with suppress(BlockingIOError):
            received += len(client.recv(MIB))
        return received > 2 * MIB

    served.turn_until(is_whole)

    assert (channel.answer_bytes, channel.request_bytes) == (0, 0)
    (buffer,) = channel.outbufs
    assert buffer.buf is None


def test_unread_answers_make_room_for_new_ones(
    serve: Callable[[Application], Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waitress_connections, "KEPT_BYTES", 5 * MIB)
    served = serve(answering(bytes(2 * MIB)))
    _, idle = served.client(b"GET / HT")
    channels = []
    for _ in range(4):
        served.now += 1
        _, channel = served.client(GET)
        served.turn_until(lambda channel=channel: is_answered(channel))
        channels.append(channel)
    served.turn()

    # The oldest ones made room, but not the one that keeps next to nothing.
    assert [served.holds(channel) for channel in (idle, *channels)] == [True, False, False, True, True]


def test_unread_answers_do_not_fill_the_memory(
    serve: Callable[[Application], Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waitress_connections, "KEPT_BYTES", 8 * MIB)
    served = serve(answering(bytes(2 * MIB)))
    tracemalloc.start()
    try:
        for _ in range(20):
            _, channel = served.client(GET)
            served.turn_until(lambda channel=channel: is_answered(channel))
            served.turn()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # Within the limit, the last answer, and what it takes to send a part of it.
    assert most < (8 + 2 + 2) * MIB


def test_bodies_make_room_for_new_ones(serve: Callable[[Application], Served], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waitress_connections, "KEPT_BYTES", 2 * MIB)
    served = serve(answering(b"ok"))
    channels = []
    for _ in range(4):
        served.now += 1
        _, channel = served.client(POST % (MIB + 1) + bytes(MIB * 3 // 4))
        served.turn_until(lambda channel=channel: channel.request_bytes > MIB * 3 // 4)
        channels.append(channel)
    served.turn()

    assert [served.holds(channel) for channel in channels] == [False, False, True, True]


def test_a_request_in_progress_makes_no_room(
    serve: Callable[[Application], Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        go_on.wait()
        return answering(b"ok")(environ, start_response)

    served = serve(application)
    client, in_progress = served.client(POST % (MIB * 3 // 4) + bytes(MIB * 3 // 4))
    served.turn_until(lambda: in_progress.requests)
    _, arriving = served.client(POST % MIB + bytes(MIB // 3))
    monkeypatch.setattr(waitress_connections, "KEPT_BYTES", MIB // 2)

    served.turn_until(lambda: not served.holds(arriving))
    assert served.holds(in_progress)

    go_on.set()

    assert served.answer(client).endswith(b"ok")


@pytest.mark.parametrize(
    "body",
    [b"1\r\nx\r\n" * 8_000, b"1" * 40_000, b"1;" + b"a" * 40_000, b"0\r\nX: " + b"a" * 40_000],
    ids=["tiny chunks", "a long size", "a long extension", "a long trailer"],
)
def test_what_surrounds_chunks_counts_as_headers(serve: Callable[[Application], Served], body: bytes) -> None:
    served = serve(answering(b"ok"))

    client, channel = served.client(CHUNKED + body)

    assert served.answer(client).startswith(b"HTTP/1.1 431 ")
    served.turn_until(lambda: not served.holds(channel))


def test_a_large_body_in_chunks_is_read(serve: Callable[[Application], Served]) -> None:
    served = serve(answering(b"ok"))

    client, _ = served.client(CHUNKED + (b"400\r\n" + bytes(1024) + b"\r\n") * 1024 + b"0\r\n\r\n")

    assert served.answer(client).startswith(b"HTTP/1.1 200 ")


def test_the_system_keeps_little_for_a_connection(serve: Callable[[Application], Served]) -> None:
    served = serve(answering(b"ok"))
    _, channel = served.client(GET)

    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        assert channel.socket.getsockopt(socket.SOL_SOCKET, option) == 2 * SOCKET_BUFFER_BYTES


def test_every_connection_has_room_for_a_request() -> None:
    assert limits.BODY_BYTES < KEPT_BYTES // CONNECTIONS


def test_a_long_header_does_not_take_the_square_of_its_length() -> None:
    """Of a header a hundred times longer than the server reads, since it would take days."""
    code = (
        "from rafflekit.http.serving.waitress_connections import _TRANSFER_ENCODING\n"
        "header = b'\\r\\nTransfer-Encoding: a' + b' ' * 3_000_000 + b'b\\r\\n'\n"
        "print(len(_TRANSFER_ENCODING.findall(header)))"
    )
    with Program([sys.executable, "-c", code], stdout=subprocess.PIPE) as program:
        try:
            assert program.communicate(timeout=LIMIT_S)[0] == b"1\n"
        finally:
            program.kill()
