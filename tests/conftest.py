"""Fixtures for every kind of test."""

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from _pytest.doctest import DoctestModule
from hypothesis import settings
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect

from rafflekit import RaffleEngine
from tests.databases import PostgresqlServer, open_engine, postgresql_server, prepare
from tests.http.pages.browser import Look, NewPage, Page
from tests.http.pages.chromium import Chromium, chromium
from tests.live_server import LiveServer, Serve
from tests.missing import skip_without

# A shell makes its background jobs ignore Ctrl-C, and so would the programs that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Files in memory save a quarter of the time. No test cuts the power, which only a disk survives.
_MEMORY = Path("/dev/shm")
_NEEDED_BYTES = 2 * 2**30
if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _NEEDED_BYTES:
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

# The product refuses files that other users can read, so those that the tests write are private.
os.umask(0o077)

# No time limit for an example: a slow machine is not a defect of the product.
settings.register_profile("rafflekit", deadline=None)
settings.load_profile("rafflekit")

# Every engine compiles its statements anew, and the tests open thousands of engines. So all share one cache. Its keys
# contain the dialect; those of one class are equal here, because there is one version of each kind of database.
_compiled: dict[object, object] = {}


def _share_compiled_statements(_dialect: type[DefaultDialect], engine: Engine) -> None:
    engine.update_execution_options(compiled_cache=_compiled)


DefaultDialect.engine_created = classmethod(_share_compiled_statements)  # type: ignore[assignment]
DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector, and keep it from looking at what stays: a fifth and a seventh of the
    processor time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 100)
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Iterator[None]:
    """Look for doctests only in the package: importing all test modules in every worker takes too long."""
    return [found for found in (yield) if not isinstance(found, DoctestModule)]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A path for the test's own database file, which does not exist yet."""
    return tmp_path / "raffles.db"


@pytest.fixture
def database_url(database: Path) -> str:
    """The URL of that database."""
    return f"sqlite:///{database}"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server; `new_url()` gives an empty database on it."""
    with postgresql_server() as server:
        yield server


@pytest.fixture
def engine(database_url: str) -> Iterator[RaffleEngine]:
    """An engine on that database."""
    prepare(database_url)
    with open_engine(database_url) as opened:
        yield opened


@pytest.fixture
def loose_umask() -> Iterator[None]:
    """Let every user read and change the files that are made without a mode of their own."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def serve(database: Path, tmp_path: Path) -> Iterator[Serve]:
    """Start real servers on that database: call it with arguments of `serve`, or as keywords with another program
    and with environment variables; they are stopped afterwards."""
    servers: list[LiveServer] = []

    def start(*arguments: str, **how: Any) -> LiveServer:
        server = LiveServer(database, *arguments, log=tmp_path / "server.log", **how)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A Chromium without pages."""
    program = chromium() or skip_without("Chromium", "in Debian: apt-get install chromium-headless-shell, or chromium")
    with Chromium(program, tmp_path_factory.mktemp("chromium") / "profile") as started:
        yield started


@pytest.fixture
def new_page(browser: Chromium) -> Iterator[NewPage]:
    """Make a page whose visitor was never here: `new_page(width=320, dark=True)`, as in `Look`; `like=page` makes
    another tab of that page's visitor."""
    with ExitStack() as pages:

        def make(*, like: Page | None = None, **look: Any) -> Page:
            return pages.enter_context(Page(browser, Look(**look), like=like))

        yield make
