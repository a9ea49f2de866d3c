"""Many callers at once: threads and processes that wait for one another and then start together."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing.managers import SyncManager
from multiprocessing.pool import Pool
from threading import Barrier
from typing import Any

import pytest

from rafflekit import RaffleEngine, RaffleError
from rafflekit.core.protocol.notes import SignerKey
from tests.databases import KEY, KINDS, STRICTER_KINDS, new_database_url

PROCESSES = 2
THREADS = 32
# Longer than elsewhere: all threads of all processes write to one database and must end.
LIMIT_S = 120


@dataclass(frozen=True)
class Outcome:
    """How one call ended: with a value or with a refusal."""

    value: Any = None
    refusal: str | None = None


@dataclass(frozen=True)
class Call:
    """One call of an engine: `method` of the raffle `raffle_id`, with these arguments."""

    method: str
    raffle_id: str
    arguments: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()

    def on(self, engine: RaffleEngine) -> Outcome:
        try:
            value = getattr(engine, self.method)(self.raffle_id, *self.arguments, **dict(self.keywords))
        except RaffleError as refusal:
            return Outcome(refusal=refusal.code)
        return Outcome(value=value)


# A long run also tries the level between the two others.
_LEVELS = STRICTER_KINDS if "RAFFLEKIT_TEST_INTERLEAVINGS" in os.environ else STRICTER_KINDS[-1:]


@pytest.fixture(params=KINDS + _LEVELS)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database: a SQLite file, then PostgreSQL at its isolation levels."""
    return new_database_url(request)


@dataclass(frozen=True)
class Processes:
    """Processes for all tests of a module, because each takes long to import what it needs."""

    pool: Pool
    manager: SyncManager


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    """Processes that share nothing with this one."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(PROCESSES) as pool:
        yield Processes(pool, manager)


@pytest.fixture
def at_once(database_url: str, processes: Processes) -> Callable[[Sequence[Call]], list[Outcome]]:
    """Make all calls at once, in 32 threads in each of 2 processes, each process with its own engine."""

    def run(calls: Sequence[Call]) -> list[Outcome]:
        start = processes.manager.Barrier(PROCESSES)
        shares = [calls[process::PROCESSES] for process in range(PROCESSES)]
        running = processes.pool.map_async(partial(_in_threads, database_url, KEY.write(), start), shares)
        return [outcome for share in running.get(LIMIT_S) for outcome in share]

    return run


def _in_threads(database_url: str, key: str, processes_start: Any, calls: Sequence[Call]) -> list[Outcome]:
    threads_start = Barrier(THREADS)
    shares = [calls[thread::THREADS] for thread in range(THREADS)]

    def work(share: Sequence[Call]) -> list[Outcome]:
        threads_start.wait(LIMIT_S)
        return [call.on(engine) for call in share]

    processes_start.wait(LIMIT_S)
    # On SQLite it is next to the file.
    signing_key = SignerKey.read(key) if database_url.startswith("postgresql") else None
    with RaffleEngine(database_url, signing_key=signing_key) as engine, ThreadPoolExecutor(THREADS) as pool:
        return [outcome for share in pool.map(work, shares) for outcome in share]
