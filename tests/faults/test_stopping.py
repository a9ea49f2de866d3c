"""A server stopped in a rush: requests from before are answered, later ones are not, and every ticket is kept."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPException
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.http.serving.listening import STOP_LIMIT_S
from tests.databases import writers_waiting
from tests.faults.rush import check_tickets
from tests.live_server import LiveServer, is_refused, read_answer, until_read
from tests.waiting import wait_until

SERVERS = {"waitress": (), "granian": ("--server", "granian", "--workers", "2")}
CLIENTS = 24
SENT_BEFORE = 60
"""Requests that the server has read but cannot answer yet when it is asked to stop."""


@pytest.fixture
def raffle(database_url: str) -> UUID:
    """A raffle that is never sold out."""
    with RaffleEngine(database_url) as engine:
        return engine.create("Foobar", total_tickets=10**9, prizes=[Prize("hug")]).id


@pytest.fixture(params=SERVERS)
def live(request: pytest.FixtureRequest, database: Path, tmp_path: Path) -> Iterator[LiveServer]:
    """A server of each kind, which is ended by the test."""
    server = LiveServer(database, *SERVERS[request.param], log=tmp_path / "log", MANAGER_IPS="127.0.0.1")
    yield server
    server.process.kill()
    server.process.communicate()


class Crowd:
    """Clients that take part many times, each on one connection as long as it lasts, until the port is closed."""

    def __init__(self, live: LiveServer, raffle: UUID) -> None:
        self.tickets: dict[str, tuple[int, str]] = {}
        self.surprises: list[object] = []
        self.was_refused = 0
        self._live = live
        self._path = f"/raffles/{raffle}/participate/"
        self._numbers = count()
        self._threads = [threading.Thread(target=self._take_part) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join(STOP_LIMIT_S)
            assert not thread.is_alive()

    def _take_part(self) -> None:
        while True:
            number = next(self._numbers)
            address = f"127.2.{number // 250}.{number % 250 + 1}"
            try:
                # Several requests of one address: the first gets the ticket, its repeats the same one.
                connection = socket.create_connection(("127.0.0.1", self._live.port), 20, (address, 0))
            except ConnectionRefusedError:
                self.was_refused += 1
                return
            except ConnectionResetError:
                continue
            with connection:
                self._ask_on(connection, address)

    def _ask_on(self, connection: socket.socket, address: str) -> None:
        for _ in range(3):
            try:
                connection.sendall(request(self._path, f"the-key-of-{address}"))
                answer = read_answer(connection)
            except (OSError, HTTPException):
                # The connection was idle and was closed; this request came after the stop.
                return
            if answer.status != 201:
                self.surprises.append(answer)
                return
            ticket = answer.json["ticket_number"], answer.json["verification_code"]
            if self.tickets.setdefault(address, ticket) != ticket:
                self.surprises.append(answer)


def request(path: str, key: str) -> bytes:
    return f'POST {path} HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: "{key}"\r\n\r\n'.encode()


@pytest.mark.parametrize(("live", "how"), [("waitress", signal.SIGTERM), ("granian", signal.SIGINT)], indirect=["live"])
def test_a_stop_in_a_rush_answers_all_and_keeps_every_ticket(
    live: LiveServer, raffle: UUID, database: Path, database_url: str, how: signal.Signals
) -> None:
    crowd = Crowd(live, raffle)
    crowd.start()
    wait_until(lambda: len(crowd.tickets) > 2 * CLIENTS or crowd.surprises)
    with ExitStack() as opened:
        sent_before = {}
        held = opened.enter_context(ExitStack())
        held.enter_context(writers_waiting(database))
        for number in range(SENT_BEFORE):
            address = f"127.3.0.{number + 1}"
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", live.port), 30, (address, 0)))
            connection.sendall(request(f"/raffles/{raffle}/participate/", f"the-key-of-{address}"))
            sent_before[address] = connection
        # Granian closes a connection on which it has seen nothing yet, whatever is on its way.
        until_read(*sent_before.values())
        live.process.send_signal(how)
        held.close()
        answers = {address: read_answer(connection) for address, connection in sent_before.items()}
    crowd.wait()

    assert live.process.wait(STOP_LIMIT_S + 5) == 0, live.log.read_text()
    assert {answer.status for answer in answers.values()} == {201}
    assert crowd.surprises == []
    assert crowd.was_refused == CLIENTS
    tickets = {
        address: (answer.json["ticket_number"], answer.json["verification_code"]) for address, answer in answers.items()
    }
    check_tickets(database_url, raffle, crowd.tickets | tickets)
    assert live.complaints() == ""


def test_no_connection_is_accepted_after_a_stop(live: LiveServer, raffle: UUID) -> None:
    assert live.request("GET", f"/raffles/{raffle}/").status == 200
    with socket.create_connection(("127.0.0.1", live.port), timeout=20) as begun:
        begun.sendall(b"GET /raffles/ HTTP/1.1\r\nHost: loc")
        until_read(begun)
        live.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_refused(live.port))
        assert live.process.poll() is None

        begun.sendall(b"alhost\r\n\r\n")
        answer = read_answer(begun)

        assert (answer.status, json.loads(answer.body)["count"]) == (200, 1)
        assert live.process.wait(STOP_LIMIT_S + 5) == 0
        with suppress(ConnectionResetError):
            assert begun.recv(1) == b""
