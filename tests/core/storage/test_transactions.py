"""Conflicting transactions on PostgreSQL: one waits, runs again, or fails with a clear sentence."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier, Event
from uuid import UUID

import pytest
from sqlalchemy import Connection

from rafflekit import Prize, StorageUnavailable
from rafflekit.core.storage import database
from rafflekit.core.storage.database import Database
from tests.databases import PostgresqlServer, open_engine, run
from tests.waiting import LIMIT_S

STRICTER_LEVELS = ["repeatable read", "serializable"]

Count = Callable[[Connection], object]


@pytest.fixture(params=STRICTER_LEVELS)
def strict_url(request: pytest.FixtureRequest, postgresql: PostgresqlServer) -> str:
    """A database with one raffle, at each of the stricter isolation levels."""
    url = postgresql.new_url(f"default_transaction_isolation={request.param}")
    with open_engine(url) as engine:
        engine.create("Foobar", total_tickets=100, prizes=[Prize("hug")])
    return url


@pytest.fixture
def strict(strict_url: str) -> Iterator[Database]:
    """That database, opened."""
    with closing(Database(strict_url)) as opened:
        yield opened


def issued(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT issued FROM counters").scalar_one())


def count_one_more(connection: Connection, before: int) -> None:
    connection.exec_driver_sql("UPDATE counters SET issued = %s", (before + 1,))


def test_a_transaction_with_a_conflict_runs_again(strict: Database, strict_url: str) -> None:
    runs = []

    def work(connection: Connection) -> int:
        before = issued(connection)
        runs.append(before)
        if len(runs) == 1:
            # Another server, in between.
            run(strict_url, "UPDATE counters SET issued = issued + 1")
        count_one_more(connection, before)
        return before + 1

    assert strict.write(work) == 2
    assert runs == [0, 1]
    assert run(strict_url, "SELECT issued FROM counters") == [(2,)]


def test_a_transaction_that_always_conflicts_gives_up(
    strict: Database, strict_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_LONGEST_PAUSE_S", 0.01)
    runs = []

    def work(connection: Connection) -> None:
        before = issued(connection)
        runs.append(before)
        run(strict_url, "UPDATE counters SET issued = issued + 1")
        count_one_more(connection, before)

    with pytest.raises(StorageUnavailable, match="is too busy; try again later"):
        strict.write(work)

    assert runs == list(range(14))
    # Nothing of it was done.
    assert run(strict_url, "SELECT issued FROM counters") == [(14,)]


def test_an_error_of_the_caller_does_not_run_again(strict: Database, strict_url: str) -> None:
    def work(connection: Connection) -> None:
        count_one_more(connection, issued(connection))
        raise KeyError

    with pytest.raises(KeyError):
        strict.write(work)

    assert run(strict_url, "SELECT issued FROM counters") == [(0,)]


def test_one_of_two_transactions_in_a_deadlock_runs_again(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_url("deadlock_timeout=50ms")
    with open_engine(url) as engine:
        raffles = [engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")]).id for _ in range(2)]
    both_hold_one, one_holds_both = Barrier(2), Event()
    runs: list[list[UUID]] = []

    def lock(opened: Database, in_order: list[UUID]) -> None:
        def work(connection: Connection) -> None:
            is_first_run = in_order not in runs
            runs.append(in_order)
            if not is_first_run:
                # Or it would take the other's second lock from under it, and both might begin again.
                one_holds_both.wait(LIMIT_S)
            for raffle in in_order:
                connection.exec_driver_sql("UPDATE counters SET issued = issued + 1 WHERE raffle = %s", (raffle,))
                if is_first_run and raffle == in_order[0]:
                    both_hold_one.wait(LIMIT_S)
            one_holds_both.set()

        opened.write(work)

    with closing(Database(url)) as opened, ThreadPoolExecutor(2) as pool:
        list(pool.map(lock, [opened, opened], [raffles, raffles[::-1]]))

    assert len(runs) == 3
    assert run(url, "SELECT issued FROM counters") == [(2,), (2,)]


def test_a_lock_that_is_never_released_is_reported(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rafflekit.core.storage.postgresql.LOCK_TIMEOUT_S", 0.1)
    url = postgresql.new_url()
    with open_engine(url) as engine, closing(Database(url)) as other:
        raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])

        def hold(connection: Connection) -> None:
            connection.exec_driver_sql("SELECT issued FROM counters FOR UPDATE")
            with pytest.raises(StorageUnavailable, match="is in use by another program") as refusal:
                engine.participate(raffle.id, "ann")
            assert not refusal.value.is_in_doubt

        other.write(hold)

        assert engine.participate(raffle.id, "ann")
