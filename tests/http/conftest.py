"""Fixtures for the HTTP face: the application without a server, connections to a real one, and its processes."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from rafflekit import RaffleEngine
from rafflekit.core.protocol.entropy.drand import time_of
from rafflekit.core.settings import Settings
from rafflekit.http.app import create_app
from tests.databases import open_engine, prepare

MANAGER = "198.51.100.7"
PROXY = "10.0.0.1"
SETTINGS = Settings(
    manager_networks=(ip_network(MANAGER),),
    trusted_proxies=(ip_network("10.0.0.0/24"),),
    allowed_hosts=frozenset({"raffle.example"}),
)
RAFFLE = {"name": "Foobar raffle", "total_tickets": 2, "prizes": [{"name": "warm hug", "amount": 1}]}

BEACON_ROUND = 1000
BEACON = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
"""The real signature of that round of drand's quicknet."""

Post = Callable[..., testing.Result]


class Clock:
    """A clock that shows the time that it is set to; at first two minutes before the beacon."""

    def __init__(self) -> None:
        self.now = datetime.fromtimestamp(time_of(BEACON_ROUND) - 120, UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        """Show a later time: `advance(days=1)`."""
        self.now += timedelta(**time)

    def later(self, **time: float) -> datetime:
        """Return a later time: `later(hours=1)`."""
        return self.now + timedelta(**time)

    def in_a(self, **time: float) -> str:
        """Return a later time as a request has it: `in_a(days=1)`."""
        return f"{self.later(**time):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def clock() -> Clock:
    """The clock of the test's engine."""
    return Clock()


@pytest.fixture
def engine(database_url: str, clock: Clock) -> Iterator[RaffleEngine]:
    """An engine on the test's database, with that clock."""
    prepare(database_url)
    with open_engine(database_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def client(engine: RaffleEngine) -> testing.TestClient:
    """A client of the application on the test's database; its host is 127.0.0.1, which the settings allow."""
    return testing.TestClient(create_app(engine, SETTINGS), headers={"Host": "127.0.0.1:8080"})


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[testing.TestClient]:
    """The same for all tests of a module, for those that do not mind what the others have stored."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shared')}/raffles.db"
    prepare(url)
    with RaffleEngine(url) as opened:
        yield testing.TestClient(create_app(opened, SETTINGS), headers={"Host": "127.0.0.1:8080"})


@pytest.fixture
def post(client: testing.TestClient) -> Post:
    """Send a POST from an address: `post(path, json=…, source=…, headers=…)`; by default the manager's."""

    def send(path: str, *, source: str = MANAGER, **arguments: Any) -> testing.Result:
        return client.simulate_post(path, remote_addr=source, **arguments)

    return send


@pytest.fixture
def raffle(post: Post) -> str:
    """The address of a raffle of two tickets and one prize."""
    return f"/raffles/{post('/raffles/', json=RAFFLE).json['id']}"


@pytest.fixture(scope="module")
def shared_raffle(shared_client: testing.TestClient) -> str:
    """The address of such a raffle in the application that a module shares."""
    created = shared_client.simulate_post("/raffles/", remote_addr=MANAGER, json=RAFFLE)
    return f"/raffles/{created.json['id']}"


@pytest.fixture
def connect() -> Iterator[Callable[[int], socket.socket]]:
    """Open raw connections to a port of this machine; they are closed afterwards."""
    with ExitStack() as opened:
        yield lambda port: opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))


def workers_of(parent: int) -> set[int]:
    """Return the worker processes of a server; Linux lists the children of a process."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(child) for child in children if "spawn_main" in command_of(int(child))}


def command_of(process: int) -> str:
    """Return the command line of a process, or nothing if it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""
