"""What both servers of `rafflekit serve` do over real sockets: waitress, and Granian with two workers."""

import json
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.core import limits
from rafflekit.http.serving.listening import STOP_LIMIT_S
from tests.databases import writers_waiting
from tests.http.conftest import RAFFLE
from tests.live_server import SERVE, Answer, LiveServer, Serve, is_refused, read_answer, until_read
from tests.waiting import wait_until

Connect = Callable[[int], socket.socket]

LIST = b"GET /raffles/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
# More than the threads of a server, so that some requests wait for one.
CROWD = 40

ARGUMENTS = {"waitress": (), "granian": ("--server", "granian", "--workers", "2")}


@pytest.fixture(params=ARGUMENTS)
def serve(serve: Serve, request: pytest.FixtureRequest) -> Serve:
    """Start a server of each kind, Granian with one worker: call it with environment variables."""
    return partial(serve, *ARGUMENTS[request.param][:2])


@pytest.fixture(scope="module", params=ARGUMENTS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of each kind, with this machine as its manager, for all tests that do not change it."""
    folder = tmp_path_factory.mktemp("running")
    live = LiveServer(
        folder / "raffles.db", *ARGUMENTS[request.param], log=folder / "server.log", MANAGER_IPS="127.0.0.1"
    )
    yield live
    live.stop()


def ask_to_stop(live: LiveServer) -> None:
    """Send the signal and wait until the server has noticed it and no longer listens."""
    live.process.send_signal(signal.SIGTERM)
    wait_until(lambda: is_refused(live.port))


def stopped_well(live: LiveServer) -> bool:
    """Return whether the server, already asked to stop, ends with status 0."""
    return live.process.wait(STOP_LIMIT_S) == 0


def test_the_announced_url_is_the_one_that_answers(running: LiveServer) -> None:
    assert running.url == f"http://127.0.0.1:{running.port}"
    assert running.request("GET", "/raffles/").status == 200


def test_an_answer_names_no_version(running: LiveServer) -> None:
    for answer in (running.request("GET", "/raffles/"), running.request("GET", "/nothing")):
        # waitress can hide its name, Granian cannot.
        assert answer.headers.get("server", "granian") == "granian"
        assert b"waitress" not in answer.body


def test_a_body_over_the_limit_is_a_problem(running: LiveServer) -> None:
    for path, most in (("/raffles/", limits.CREATE_BODY_BYTES), ("/raffles/x/verify-ticket/", limits.BODY_BYTES)):
        answer = running.request("POST", path, b" " * (most + 1), Content_Type="application/json")
        assert answer.status == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == 413


def test_a_body_over_the_servers_own_limit_is_refused_unread(running: LiveServer, connect: Connect) -> None:
    connection = connect(running.port)

    connection.sendall(b"POST /raffles/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n")

    assert read_answer(connection).status == 413


def test_a_chunked_body_is_read(running: LiveServer) -> None:
    with closing(HTTPConnection("127.0.0.1", running.port, timeout=20)) as connection:
        pieces = iter([b'{"name": "Foobar raffle", "total_tick', json.dumps(RAFFLE).encode().partition(b"tick")[2]])
        connection.request("POST", "/raffles/", pieces, {"Content-Type": "application/json"}, encode_chunked=True)
        answer = Answer.of(connection.getresponse())

    assert answer.status == 201
    assert answer.json["total_tickets"] == 2


def test_a_chunked_body_has_the_same_limit(running: LiveServer) -> None:
    with closing(HTTPConnection("127.0.0.1", running.port, timeout=20)) as connection:
        pieces = iter([b" " * limits.CREATE_BODY_BYTES, b" "])
        connection.request("POST", "/raffles/", pieces, {"Content-Type": "application/json"}, encode_chunked=True)
        answer = Answer.of(connection.getresponse())

    assert (answer.status, answer.json["status"]) == (413, 413)


def test_one_connection_serves_many_requests_one_after_the_other(running: LiveServer, connect: Connect) -> None:
    connection = connect(running.port)

    for _ in range(3):
        connection.sendall(LIST)
        assert read_answer(connection).status == 200


def test_a_client_that_asks_first_is_told_to_continue(running: LiveServer, connect: Connect) -> None:
    connection = connect(running.port)
    body = json.dumps(RAFFLE).encode()
    headers = "Host: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue"

    for _ in range(2):
        connection.sendall(f"POST /raffles/ HTTP/1.1\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        continued = b""
        while not continued.endswith(b"\r\n\r\n"):
            continued += connection.recv(1)
        connection.sendall(body)
        assert continued.startswith(b"HTTP/1.1 100 ")
        assert read_answer(connection).status == 201


@pytest.mark.parametrize("length", ["", "Content-Length: 0\r\n"], ids=["no length", "length 0"])
def test_a_client_that_asks_first_may_send_nothing(running: LiveServer, connect: Connect, length: str) -> None:
    connection = connect(running.port)
    raffle = running.request("POST", "/raffles/", RAFFLE).json["id"]
    head = f"POST /raffles/{raffle}/participate/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n{length}\r\n"

    connection.sendall(head.encode())

    assert read_answer(connection).status == 201
    connection.sendall(LIST.replace(b"Host", b"Expect: 100-continue\r\nHost"))
    assert read_answer(connection).json["count"] >= 1


@pytest.mark.parametrize("running", ["granian"], indirect=True)
def test_granian_refuses_many_headers_and_invalid_http(running: LiveServer, connect: Connect) -> None:
    for headers in (b"X: " + b"x" * 100_000 + b"\r\n", b"".join(b"X%d: x\r\n" % number for number in range(101))):
        connection = connect(running.port)
        connection.sendall(LIST[:-2] + headers + b"\r\n")
        assert read_answer(connection).status == 431
    for head in (b"nonsense", b"GET / HTTP/1.1\r\nContent-Length: x", b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip"):
        connection = connect(running.port)
        connection.sendall(head + b"\r\n\r\n")
        assert read_answer(connection).status == 400


def test_pipelined_requests_are_answered_in_order(running: LiveServer, connect: Connect) -> None:
    connection = connect(running.port)

    connection.sendall(LIST + LIST.replace(b"/raffles/", b"/nothing"))

    received = b""
    while b"Nothing is at this address" not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404"]


def test_an_answer_arrives_in_one_piece(running: LiveServer, connect: Connect) -> None:
    connection = connect(running.port)

    connection.sendall(LIST)

    head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head.lower()
    assert body.endswith(b"]}")


def test_head_and_options_have_no_body(running: LiveServer) -> None:
    head, options = running.request("HEAD", "/raffles"), running.request("OPTIONS", "/raffles")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == running.request("GET", "/raffles").headers["content-length"]
    assert (options.status, options.body, options.headers["allow"]) == (204, b"", "GET, HEAD, OPTIONS, POST")


def test_a_key_that_is_sent_in_two_headers_is_refused(running: LiveServer, connect: Connect) -> None:
    raffle_id = running.request("POST", "/raffles/", RAFFLE).json["id"]
    connection = connect(running.port)

    key = b'Idempotency-Key: "0123456789abcdef"\r\n'
    head = f"POST /raffles/{raffle_id}/participate HTTP/1.1\r\nHost: localhost\r\n".encode()
    connection.sendall(head + key + key + b"\r\n")

    answer = read_answer(connection)
    assert answer.status == 400
    assert "Idempotency-Key" in answer.json["detail"]


@pytest.mark.parametrize(("how", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "Ctrl-C")])
def test_a_stop_closes_idle_connections_and_is_logged(
    serve: Serve, connect: Connect, how: signal.Signals, name: str
) -> None:
    live = serve(MANAGER_IPS="127.0.0.1")
    idle, used = connect(live.port), connect(live.port)
    used.sendall(LIST)
    assert read_answer(used).status == 200

    assert live.stop(how) == ""

    assert (idle.recv(1), used.recv(1)) == (b"", b"")
    *_, last = live.log.read_text().splitlines()
    assert re.fullmatch(rf"\S+Z INFO Stopped by {name}\.", last)
    assert live.complaints() == ""


def test_a_stop_answers_every_request_that_was_sent_before_it(serve: Serve, connect: Connect, database: Path) -> None:
    live = serve(MANAGER_IPS="127.0.0.1")
    content = json.dumps(RAFFLE).encode()
    head = "POST /raffles/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    with writers_waiting(database):
        crowd = [connect(live.port) for _ in range(CROWD)]
        for connection in crowd:
            connection.sendall(head.format(len(content)).encode() + content)
        until_read(*crowd)
        ask_to_stop(live)
        assert live.process.poll() is None

    answers = [read_answer(connection) for connection in crowd]

    assert {answer.status for answer in answers} == {201}
    assert stopped_well(live)
    with RaffleEngine(f"sqlite:///{database}") as engine:
        assert engine.list().count == CROWD


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_a_second_signal_does_not_wait(
    connect: Connect, database: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    live = LiveServer(database, *arguments, log=tmp_path / "log")
    assert live.request("GET", "/raffles/").status == 200
    connection = connect(live.port)
    connection.sendall(LIST[:20])
    until_read(connection)
    ask_to_stop(live)

    live.process.send_signal(signal.SIGTERM)
    live.process.communicate(timeout=20)

    assert live.process.returncode == -signal.SIGTERM


def test_a_closed_terminals_second_signal_does_not_kill(serve: Serve, connect: Connect) -> None:
    live = serve()
    connection = connect(live.port)
    connection.sendall(LIST[:20])
    until_read(connection)
    for _ in range(2):
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: is_refused(live.port))

    connection.sendall(LIST[20:])

    assert read_answer(connection).status == 200
    assert stopped_well(live)
    assert live.log.read_text().splitlines()[-1].endswith("Stopped by SIGHUP.")


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_a_server_under_nohup_outlives_its_terminal(database: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    live = LiveServer(database, *arguments, log=tmp_path / "log", program=("nohup", *SERVE))

    live.process.send_signal(signal.SIGHUP)

    assert live.request("GET", "/raffles/").status == 200
    live.stop()
    assert live.log.read_text().splitlines()[-1].endswith("Stopped by SIGTERM.")


def test_a_stop_waits_for_the_rest_of_a_request(serve: Serve, connect: Connect) -> None:
    live = serve()
    connection = connect(live.port)
    connection.sendall(LIST[:20])
    until_read(connection)
    ask_to_stop(live)

    connection.sendall(LIST[20:])

    assert read_answer(connection).status == 200
    assert stopped_well(live)


def test_a_client_that_never_pauses_does_not_prevent_a_stop(serve: Serve, connect: Connect) -> None:
    live = serve()
    crowd = [connect(live.port) for _ in range(CROWD)]
    all_served = threading.Barrier(CROWD + 1)

    def never_pause(connection: socket.socket) -> None:
        connection.sendall(LIST)
        read_answer(connection)
        all_served.wait(20)
        # A server may close a connection while the next request is on its way.
        with suppress(OSError, HTTPException):
            while True:
                connection.sendall(LIST)
                assert read_answer(connection).status == 200

    threads = [threading.Thread(target=never_pause, args=(connection,)) for connection in crowd]
    for thread in threads:
        thread.start()
    all_served.wait(20)
    began = time.monotonic()
    ask_to_stop(live)

    assert stopped_well(live)
    assert time.monotonic() - began < STOP_LIMIT_S / 2
    for thread in threads:
        thread.join(20)


def test_a_slow_client_gets_the_whole_of_a_long_answer(serve: Serve, connect: Connect, database_url: str) -> None:
    with RaffleEngine(database_url) as engine:
        prizes = [Prize(f"{number} ".ljust(limits.NAME_CHARACTERS, "🎁")) for number in range(limits.PRIZE_KINDS)]
        raffle = engine.create("Long", total_tickets=10**6, prizes=prizes)
    live = serve()
    connection = connect(live.port)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.sendall(LIST.replace(b"/raffles/", f"/raffles/{raffle.id}/".encode()))
    first = connection.recv(15, socket.MSG_PEEK)
    ask_to_stop(live)

    answer = read_answer(connection)

    assert first == b"HTTP/1.1 200 OK"
    assert len(answer.json["prizes"]) == limits.PRIZE_KINDS
    assert stopped_well(live)
