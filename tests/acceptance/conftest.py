"""The contract, row by row: a real server over a socket, and the same scenarios on every surface."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.drivers import CommandLineDriver, Driver, HttpDriver, LibraryDriver
from tests.live_server import LiveServer

MANAGER = "127.0.0.1"
STRANGER = "127.0.0.2"


@pytest.fixture(scope="module")
def shared_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database for the tests of a file: their raffles share it."""
    return tmp_path_factory.mktemp("acceptance") / "raffles.db"


@pytest.fixture(scope="module")
def server(shared_database: Path) -> Iterator[LiveServer]:
    """A real server on that database; 127.0.0.1 is the manager."""
    live = LiveServer(shared_database, log=shared_database.parent / "server.log", MANAGER_IPS=MANAGER)
    yield live
    live.stop()


@pytest.fixture(params=["library", "command line", "HTTP"])
def driver(request: pytest.FixtureRequest, shared_database: Path, server: LiveServer) -> Iterator[Driver]:
    """The same raffle through each surface in turn."""
    url = f"sqlite:///{shared_database}"
    drivers: dict[str, Callable[[], LibraryDriver | CommandLineDriver | HttpDriver]] = {
        "library": lambda: LibraryDriver(url),
        "command line": lambda: CommandLineDriver(url),
        "HTTP": lambda: HttpDriver(server),
    }
    driver = drivers[request.param]()
    yield driver
    driver.close()


@pytest.fixture
def http(server: LiveServer) -> HttpDriver:
    """The HTTP surface alone, for what only HTTP has."""
    return HttpDriver(server)
