"""Clients of real servers that are slow, silent, gone or far too many: everyone else is answered."""

import errno
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.core import limits
from rafflekit.http.serving.listening import STOP_LIMIT_S, THREADS
from rafflekit.http.serving.waitress_connections import _GRACE_S
from tests.databases import writers_waiting
from tests.faults.impatience import impatient, server_in
from tests.faults.sockets import (
    SLOW_S,
    exchange,
    holds,
    leaves_unread,
    vanish,
)
from tests.live_server import LiveServer, is_refused, read_answer
from tests.waiting import wait_until

SERVERS = {"waitress": (), "granian": ("--server", "granian")}

ON_WAITRESS = pytest.mark.parametrize("impatient_server", ["waitress"], indirect=True)
"""What is rafflekit's own there."""

GET = b"GET /raffles/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
VERIFY = (
    b"POST /raffles/00000000-0000-0000-0000-000000000000/verify-ticket/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
)
# The start of a request, and what follows from time to time.
ENDLESS = {
    "silent": (b"", b""),
    "begun": (b"GET /", b""),
    "a byte now and then": (b"GET /", b"a"),
    "empty lines": (b"", b"\r\n"),
}
# Granian has no time limit for a body.
ENDLESS_BODIES = {
    "blank lines": (b"", b" \r\n\r\n"),
    "no body": (VERIFY, b""),
    "a body, a byte now and then": (VERIFY, b" "),
}
KEY = "the-key-of-somebody"
MOST = 10_000

Connect = Callable[..., socket.socket]


def long_request(live: LiveServer, times: int = 40) -> bytes:
    """Create a raffle whose details are an answer of 800 kB, and return what asks for them again and again."""
    prizes = [Prize(f"{number} ".ljust(limits.NAME_CHARACTERS, "🎁")) for number in range(limits.PRIZE_KINDS)]
    with RaffleEngine(f"sqlite:///{live.database}") as engine:
        raffle = engine.create("Long", total_tickets=limits.PRIZE_KINDS, prizes=prizes)
    return GET.replace(b"/raffles/", f"/raffles/{raffle.id}/".encode()) * times


@pytest.fixture(scope="module", params=SERVERS)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of each kind."""
    with server_in(tmp_path_factory.mktemp(request.param), *SERVERS[request.param]) as server:
        yield server


@pytest.fixture(scope="module", params=SERVERS)
def impatient_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of each kind that gives a connection one second."""
    folder = tmp_path_factory.mktemp(f"impatient-{request.param}")
    program = impatient(KEEP_ALIVE_S=1, ANSWER_GRACE_S=1, ANSWER_BYTES_PER_S=2**20)
    with server_in(folder, *SERVERS[request.param], program=program) as server:
        yield server


@pytest.fixture(scope="module")
def small_waitress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """waitress with four connections; Granian does not make room."""
    with server_in(tmp_path_factory.mktemp("small"), program=impatient(CONNECTIONS=4)) as server:
        yield server


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Open connections: `connect(live, source=…)`; they are closed afterwards."""
    with ExitStack() as opened:

        def open_one(live: LiveServer, *, source: str = "127.0.0.1") -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", live.port), timeout=SLOW_S, source_address=(source, 0))
            return opened.enter_context(connection)

        yield open_one


@pytest.fixture
def open_files() -> Iterator[int]:
    """Let this process open the largest number of files that is allowed, and return that number."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield before[1] if before[1] > 0 else 10**9
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def new_raffle(live: LiveServer, tickets: int = 100) -> str:
    """Create a raffle and return its path."""
    shape = {"name": "Foobar", "total_tickets": tickets, "prizes": [{"name": "hug", "amount": 1}]}
    return f"/raffles/{live.request('POST', '/raffles/', shape).json['id']}"


def pass_time(seconds: float) -> None:
    """Let time pass: the limits of a server are times."""
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + seconds)


def answers_others(live: LiveServer, connect: Connect) -> bool:
    """Return whether another client is answered before any connection runs out of time."""
    connection = connect(live)
    connection.sendall(GET)
    return read_answer(connection).status == 200


def participate(path: str, headers: str = "") -> bytes:
    return f"POST {path}/participate/ HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()


def available(live: LiveServer, path: str) -> int:
    number: int = live.request("GET", path).json["available_tickets"]
    return number


def test_ten_thousand_idle_connections_keep_no_one_waiting(live: LiveServer, connect: Connect, open_files: int) -> None:
    """Fewer if the limit of open files (`ulimit -Hn`) is lower."""
    with ExitStack() as opened:
        for number in range(min(MOST, open_files * 3 // 5)):
            connection = opened.enter_context(socket.socket())
            connection.setblocking(False)
            assert connection.connect_ex(("127.0.0.1", live.port)) in (0, errno.EINPROGRESS)
            if number % 1_000 == 0:
                assert answers_others(live, connect)

        assert answers_others(live, connect)


def test_the_longest_idle_client_makes_room_first(small_waitress: LiveServer, connect: Connect) -> None:
    def ask(connection: socket.socket, request: bytes = GET) -> int:
        connection.sendall(request)
        return read_answer(connection).status

    begun, first = connect(small_waitress), connect(small_waitress)
    begun.sendall(GET[:20])
    assert ask(first) == 200
    silent, second = connect(small_waitress), connect(small_waitress)
    assert [ask(second), ask(first)] == [200, 200]

    assert answers_others(small_waitress, connect)

    assert silent.recv(1) == b""
    assert [ask(begun, GET[20:]), ask(first), ask(second)] == [200, 200, 200]


def test_a_client_that_reads_no_answer_makes_room(small_waitress: LiveServer, connect: Connect) -> None:
    asks = long_request(small_waitress)
    for _ in range(4):
        connection = connect(small_waitress)
        connection.sendall(asks)
        assert connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"
        wait_until(partial(leaves_unread, small_waitress, connection))

    assert answers_others(small_waitress, connect)


def test_a_client_waiting_for_an_answer_never_makes_room(small_waitress: LiveServer, connect: Connect) -> None:
    path = new_raffle(small_waitress)
    with writers_waiting(small_waitress.database):
        crowd = []
        for number in range(12):
            crowd.append(connect(small_waitress, source=f"127.0.1.{number + 1}"))
            crowd[-1].sendall(participate(path))
        began = time.monotonic()
        wait_until(lambda: time.monotonic() > began + 2 * _GRACE_S)

    # Eight of them were accepted when others had been answered and made room.
    assert [read_answer(connection).status for connection in crowd] == [201] * 12


def test_a_stop_with_no_room_left_answers_everyone(small_waitress: LiveServer, connect: Connect) -> None:
    path = new_raffle(small_waitress)
    crowd = []
    # More than are accepted at once.
    with writers_waiting(small_waitress.database):
        for number in range(100):
            crowd.append(connect(small_waitress, source=f"127.0.1.{number + 1}"))
            crowd[-1].sendall(participate(path))
        small_waitress.process.send_signal(signal.SIGTERM)
        # It has closed its port, after accepting everyone who had come before.
        wait_until(lambda: is_refused(small_waitress.port))

    assert [read_answer(connection).status for connection in crowd] == [201] * 100
    assert small_waitress.process.wait(STOP_LIMIT_S) == 0


def test_requests_that_do_not_arrive_in_time_are_dropped(impatient_server: LiveServer, connect: Connect) -> None:
    endless = ENDLESS if "granian" in impatient_server.process.args else ENDLESS | ENDLESS_BODIES
    connections = {case: connect(impatient_server) for case in endless}
    for case, (begins, _) in endless.items():
        connections[case].sendall(begins)
    received = dict.fromkeys(endless, b"")

    def have_all_ended() -> bool:
        for case, connection in list(connections.items()):
            piece = exchange(connection, endless[case][1])
            received[case] += piece or b""
            if piece is None:
                del connections[case]
        return not connections

    wait_until(have_all_ended)
    assert set(received.values()) == {b""}


def test_the_time_of_a_request_starts_with_its_first_byte(tmp_path: Path, connect: Connect) -> None:
    with server_in(tmp_path, program=impatient(KEEP_ALIVE_S=3)) as live:
        connection = connect(live)
        pass_time(2.4)
        connection.sendall(GET[:20])
        pass_time(2.1)
        connection.sendall(GET[20:])

        assert read_answer(connection).status == 200


def test_an_answer_that_no_one_reads_is_dropped(impatient_server: LiveServer, connect: Connect) -> None:
    asks = long_request(impatient_server)
    connection = connect(impatient_server)
    connection.sendall(asks)
    assert connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"

    wait_until(lambda: not holds(impatient_server, connection.getsockname()))

    answers = 0
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            answers += piece.count(b"HTTP/1.1 200")
    assert 0 < answers < asks.count(GET[:4])


@ON_WAITRESS
def test_an_answer_may_take_longer_than_an_idle_connection(impatient_server: LiveServer, connect: Connect) -> None:
    path = new_raffle(impatient_server)
    connection = connect(impatient_server)
    with writers_waiting(impatient_server.database):
        connection.sendall(participate(path))
        pass_time(3)

    assert read_answer(connection).status == 201


@ON_WAITRESS
def test_bodies_that_never_end_keep_no_one_waiting(impatient_server: LiveServer, connect: Connect) -> None:
    for _ in range(2 * THREADS):
        connect(impatient_server).sendall(VERIFY)

    assert answers_others(impatient_server, connect)


def test_headers_that_never_end_keep_no_one_waiting(live: LiveServer, connect: Connect) -> None:
    for _ in range(5 * THREADS):
        connect(live).sendall(GET[:20])

    assert answers_others(live, connect)


def test_clients_that_do_not_read_keep_no_one_waiting(live: LiveServer, connect: Connect) -> None:
    path, asks = new_raffle(live), long_request(live)
    for _ in range(THREADS + 1):
        connection = connect(live)
        connection.sendall(asks)
        assert connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"

    assert answers_others(live, connect)
    assert live.request("GET", "/healthz").status == 200
    assert live.request("POST", f"{path}/participate/").status == 201


@ON_WAITRESS
def test_a_client_that_takes_too_little_is_dropped(impatient_server: LiveServer, connect: Connect) -> None:
    connection = connect(impatient_server)
    connection.sendall(long_request(impatient_server))

    def is_dropped() -> bool:
        # It never stops, so the server sees something taken now and then.
        return not (connection.recv(16) and holds(impatient_server, connection.getsockname()))

    with suppress(ConnectionResetError):
        wait_until(is_dropped)


def test_a_client_that_vanishes_after_its_request_can_repeat_it(live: LiveServer, connect: Connect) -> None:
    path = new_raffle(live)
    connection = connect(live, source="127.0.0.2")
    with writers_waiting(live.database):
        connection.sendall(participate(path, f'Idempotency-Key: "{KEY}"\r\n'))
        # Requests are answered in order, so this one has been read.
        assert answers_others(live, connect)
        vanish(connection)
    wait_until(lambda: available(live, path) == 99)

    first, second = (
        live.request_from("127.0.0.2", "POST", f"{path}/participate/", Idempotency_Key=f'"{KEY}"') for _ in range(2)
    )

    assert first.status == 201
    assert (second.status, second.json) == (201, first.json)
    assert available(live, path) == 99


@pytest.mark.parametrize("how", [vanish, socket.socket.close])
@pytest.mark.parametrize(
    "cut",
    [
        "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n",
        "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{}",
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n",
        "Idempotency-Key: ",
    ],
    ids=["no body", "half a body", "a chunk", "a header"],
)
def test_a_client_that_vanishes_in_its_request_gets_no_ticket(
    live: LiveServer, connect: Connect, cut: str, how: Callable[[socket.socket], None]
) -> None:
    path = new_raffle(live)
    connection = connect(live)
    client = connection.getsockname()
    connection.sendall(participate(path).removesuffix(b"\r\n") + cut.encode())
    assert answers_others(live, connect)
    how(connection)

    wait_until(lambda: not holds(live, client))
    assert answers_others(live, connect)
    assert available(live, path) == 100


def test_clients_that_vanish_in_their_answers_harm_no_one(live: LiveServer, connect: Connect) -> None:
    asks = long_request(live)
    for _ in range(THREADS + 1):
        connection = connect(live)
        connection.sendall(asks)
        assert connection.recv(12) == b"HTTP/1.1 200"
        vanish(connection)

    assert answers_others(live, connect)


def test_a_draw_whose_reader_vanishes_is_whole(live: LiveServer, connect: Connect) -> None:
    path = new_raffle(live, tickets=1)
    assert live.request("POST", f"{path}/participate/").status == 201
    connection = connect(live)
    with writers_waiting(live.database):
        connection.sendall(f"POST {path}/winners/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        # Requests are answered in order, so this one has been read.
        assert answers_others(live, connect)
        vanish(connection)

    wait_until(lambda: live.request("GET", path).json["winners_drawn"])

    assert live.request("GET", f"{path}/winners/").json["count"] == 1
    assert live.request("POST", f"{path}/winners/").status == 403
