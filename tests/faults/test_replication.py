"""A primary and its standby: what counts as stored, and which of the two an engine finds.

What is committed only on the primary may be lost with it, so no client gets it as an answer.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

import pytest

from rafflekit import Prize, Raffle, RaffleEngine, StorageUnavailable
from rafflekit.core.storage import postgresql
from tests.databases import open_engine, run
from tests.postgresql_pair import ASYNCHRONOUS, SYNCHRONOUS, PostgresqlPair, postgresql_pair
from tests.waiting import wait_until

KEY = "the-key-of-one-participant"


@pytest.fixture(scope="module")
def pair() -> Iterator[PostgresqlPair]:
    """A primary whose commits wait for its standby; these tests stop the standby and start it again."""
    with postgresql_pair(**SYNCHRONOUS) as started:
        yield started


@contextmanager
def without_its_standby(pair: PostgresqlPair) -> Iterator[None]:
    pair.standby.stop()
    try:
        yield
    finally:
        pair.standby.start()


def new_raffle(engine: RaffleEngine, *, total_tickets: int = 9) -> Raffle:
    return engine.create("Foobar", total_tickets=total_tickets, prizes=[Prize("hug")])


def participate(engine: RaffleEngine, raffle: UUID) -> int:
    return engine.participate(raffle, "ann", idempotency_key=KEY).number


WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def a_commit_waits(pair: PostgresqlPair) -> bool:
    return bool(run(pair.primary.url(), f"SELECT pid {WAITING}"))


def end_the_wait(pair: PostgresqlPair, *, how: str) -> None:
    wait_until(lambda: a_commit_waits(pair))
    run(pair.primary.url(), f"SELECT pg_{how}_backend(pid) {WAITING}")


@pytest.mark.parametrize(
    ("how", "reason"),
    [("cancel", "cannot confirm that its standby has the change; try again"), ("terminate", "cannot be reached")],
)
def test_no_ticket_is_answered_before_the_standby_has_it(pair: PostgresqlPair, how: str, reason: str) -> None:
    # Even if the administrator has turned warnings off: a warning reports this.
    url = pair.url(options="-cclient_min_messages=error")
    with open_engine(url) as engine, ThreadPoolExecutor() as elsewhere:
        raffle = new_raffle(engine)
        with without_its_standby(pair):
            asked = elsewhere.submit(participate, engine, raffle.id)
            end_the_wait(pair, how=how)
            with pytest.raises(StorageUnavailable, match=reason) as refusal:
                asked.result()
            assert refusal.value.is_in_doubt
            # It is committed on the primary, and waits there again.
            assert engine.get(raffle.id).available_tickets == 8
            repeated = elsewhere.submit(participate, engine, raffle.id)
            wait_until(lambda: repeated.done() or a_commit_waits(pair))
            assert not repeated.done()

        assert repeated.result() == participate(engine, raffle.id)
        assert engine.get(raffle.id).available_tickets == 8


def test_a_repeat_of_the_last_ticket_waits_for_the_standby(pair: PostgresqlPair) -> None:
    with open_engine(pair.url()) as engine, open_engine(pair.url()) as another, ThreadPoolExecutor() as elsewhere:
        raffle = new_raffle(engine, total_tickets=1)
        with without_its_standby(pair):
            asked = elsewhere.submit(participate, engine, raffle.id)
            end_the_wait(pair, how="terminate")
            with pytest.raises(StorageUnavailable):
                asked.result()
            # A process that first sees the raffle sold out needs no lock and writes nothing.
            repeated = elsewhere.submit(participate, another, raffle.id)
            wait_until(lambda: repeated.done() or a_commit_waits(pair))
            assert not repeated.done()

        assert repeated.result() == participate(engine, raffle.id)


def test_a_primary_with_a_promoted_standby_answers_no_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    # Calls that would wait without end are freed when the servers stop.
    with ThreadPoolExecutor() as elsewhere, postgresql_pair(**SYNCHRONOUS) as pair:
        before = pair.primary
        with open_engine(before.url()) as patient:
            raffle = new_raffle(patient)
            pair.promote_the_standby()
            monkeypatch.setattr(postgresql, "ANSWER_LIMIT_S", 2)
            with open_engine(before.url()) as engine:
                asked = elsewhere.submit(participate, engine, raffle.id)
                wait_until(asked.done)

            with pytest.raises(StorageUnavailable, match=r"cannot be reached; .* \(no answer for 2 s\)") as refusal:
                asked.result()
            assert refusal.value.is_in_doubt
            # Abandoned, but not cancelled: cancelling would make it visible to everyone.
            assert patient.get(raffle.id).available_tickets == 9


def test_a_read_only_primary_is_left_for_the_next_host() -> None:
    with postgresql_pair(**ASYNCHRONOUS) as pair, open_engine(pair.url()) as engine:
        raffle = new_raffle(engine)
        # Nothing else waits for it here, and what the standby never got would be lost.
        written = run(pair.primary.url(), "SELECT pg_current_wal_lsn()::text")[0][0]
        wait_until(lambda: run(pair.standby.url(), "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", written)[0][0])
        run(pair.primary.url(), "ALTER SYSTEM SET default_transaction_read_only = on")
        run(pair.primary.url(), "SELECT pg_reload_conf()")
        pair.promote_the_standby()
        with pytest.raises(StorageUnavailable, match="it is a standby") as refusal:
            participate(engine, raffle.id)
        assert not refusal.value.is_in_doubt

        assert participate(engine, raffle.id) == participate(engine, raffle.id)


def test_a_standby_that_is_the_first_host_is_passed_over(pair: PostgresqlPair) -> None:
    standby_first = f"{pair.standby.port},{pair.primary.port}"
    with open_engine(pair.url(port=standby_first)) as engine:
        assert new_raffle(engine)
    wait_until(lambda: run(pair.standby.url(), "SELECT pg_last_wal_replay_lsn() = pg_last_wal_receive_lsn()")[0][0])

    with open_engine(pair.url(port=standby_first, target_session_attrs="any")) as engine:
        assert engine.list().count > 0
        with pytest.raises(
            StorageUnavailable,
            match="cannot be written: it is a standby or read-only; add the primary's host to the URL",
        ):
            new_raffle(engine)
