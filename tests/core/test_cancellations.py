"""A raffle that is called off: final, public with its reason, and without secrets from then on."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from rafflekit import (
    AlreadyDrawn,
    Cancelled,
    InvalidValue,
    NotDrawnYet,
    Prize,
    RaffleEngine,
    RaffleError,
    StorageUnavailable,
    TooLate,
    check_database,
)
from rafflekit.core.storage.statements import tickets
from tests.core.conftest import NOW, Clock
from tests.databases import open_engine, run
from tests.raffles import keyed, people, sold, sold_out

HUG = [Prize("hug")]
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(database_url: str, clock: Clock) -> Iterator[RaffleEngine]:
    """An engine with that clock, on each kind of database."""
    with open_engine(database_url, clock=clock) as opened:
        yield opened


@pytest.mark.parametrize("state", ["upcoming", "empty", "open", "closed early", "sold out", "over"])
def test_a_raffle_can_be_cancelled_until_its_draw(
    database_url: str, engine: RaffleEngine, clock: Clock, state: str
) -> None:
    count = {"upcoming": 0, "empty": 0, "sold out": 9}.get(state, 3)
    times = {"upcoming": {"opens_at": NOW + HOUR}, "over": {"closes_at": NOW + HOUR}}.get(state, {})
    raffle = sold(engine, count, **times)
    if state == "closed early":
        engine.close_raffle(raffle.id)
    clock.now = NOW + HOUR if state == "over" else NOW + timedelta(minutes=1)

    cancelled = engine.cancel(raffle.id, " the hall is flooded ")

    assert cancelled == engine.get(raffle.id) == engine.list().items[0]
    assert (cancelled.state, cancelled.issued, cancelled.available_tickets) == ("cancelled", count, 0)
    assert cancelled.cancellation is not None
    assert (cancelled.cancellation.time, cancelled.cancellation.reason) == (
        int(clock.now.timestamp()),
        "the hall is flooded",
    )
    assert check_database(database_url).problems == ()


USE_CASES: list[tuple[Callable[[RaffleEngine, UUID], object], type[RaffleError]]] = [
    (lambda engine, raffle: engine.participate(raffle, "ann"), Cancelled),
    (lambda engine, raffle: engine.participate(raffle, address="203.0.113.7"), Cancelled),
    (lambda engine, raffle: engine.participate_many(raffle, ["ann"]), Cancelled),
    (lambda engine, raffle: engine.close_raffle(raffle), Cancelled),
    (lambda engine, raffle: engine.check_draw(raffle), Cancelled),
    (lambda engine, raffle: engine.draw(raffle), Cancelled),
    (lambda engine, raffle: engine.cancel(raffle, "another reason"), TooLate),
    (lambda engine, raffle: engine.change(raffle, name="Another"), TooLate),
    (lambda engine, raffle: engine.verify(raffle, 1, "code"), NotDrawnYet),
    (lambda engine, raffle: engine.redeem(raffle, 1, "code"), NotDrawnYet),
    (lambda engine, raffle: engine.redeem(raffle, 1, "code", undo=True), NotDrawnYet),
    (lambda engine, raffle: engine.forfeit(raffle, 1, why="unclaimed"), NotDrawnYet),
    (lambda engine, raffle: engine.forfeit_unclaimed(raffle), NotDrawnYet),
    (lambda engine, raffle: engine.queue(raffle), NotDrawnYet),
    (lambda engine, raffle: engine.proofs.proof(raffle), NotDrawnYet),
]


@pytest.mark.parametrize("count", [0, 3, 9])
def test_nothing_is_possible_after_a_cancellation(engine: RaffleEngine, count: int) -> None:
    raffle = sold(engine, count)
    cancelled = engine.cancel(raffle.id, "rain")

    for use_case, refusal in USE_CASES:
        with pytest.raises(refusal):
            use_case(engine, raffle.id)
    assert engine.winners(raffle.id).count == 0
    assert engine.get(raffle.id) == cancelled
    assert raffle.id not in engine.close_due()


def test_a_repeat_after_a_cancellation_is_refused(database_url: str, engine: RaffleEngine) -> None:
    """Its key is deleted: no one can be recognised, in any process."""
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG)
    [entry] = keyed(["ann"])
    with open_engine(database_url) as another:
        list(another.participate_many(raffle.id, [entry]))
        engine.cancel(raffle.id, "rain")

        for each in (engine, another):
            with pytest.raises(Cancelled):
                each.participate(raffle.id, entry.participant, idempotency_key=entry.idempotency_key)
        assert raffle.id not in another._issuing._sales._known


def test_a_list_that_was_begun_ends_with_the_cancellation(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9_000, prizes=HUG)
    answers = engine.participate_many(raffle.id, people(1_500))
    first = [next(answers) for _ in range(1_000)]
    engine.cancel(raffle.id, "rain")

    rest = list(answers)

    assert {type(answer).__name__ for answer in first} == {"Ticket"}
    assert {type(answer) for answer in rest} == {Cancelled}
    assert len(rest) == 500
    assert engine.get(raffle.id).issued == 1_000


def test_a_drawn_raffle_cannot_be_cancelled(engine: RaffleEngine) -> None:
    raffle = sold_out(engine)
    engine.draw(raffle.id)
    drawn = engine.get(raffle.id)

    with pytest.raises(TooLate, match="The winners of this raffle were drawn on 2026-11-23 09:00:00 UTC"):
        engine.cancel(raffle.id, "a change of mind")
    with pytest.raises(AlreadyDrawn):
        engine.draw(raffle.id)

    assert engine.get(raffle.id) == drawn


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "two\nlines", "\x1b[31m", "\ud800", None, 7])
def test_a_cancellation_needs_a_reason_in_one_line(engine: RaffleEngine, reason: Any) -> None:
    raffle = sold(engine, 3)

    with pytest.raises(InvalidValue) as refusal:
        engine.cancel(raffle.id, reason)

    assert refusal.value.field == "reason"
    assert engine.get(raffle.id) == raffle


def test_a_cancellation_is_not_dated_before_the_raffle(engine: RaffleEngine, clock: Clock) -> None:
    raffle = sold(engine, 3)
    clock.now -= HOUR

    cancelled = engine.cancel(raffle.id, "rain")

    assert cancelled.cancellation is not None
    assert cancelled.cancellation.time == int(NOW.timestamp())


def test_a_cancellation_deletes_secrets_and_participants(database_url: str, engine: RaffleEngine) -> None:
    kept, raffle = sold(engine, 3), sold(engine, 9)
    before = run(database_url, "SELECT serial, number, nth, code_hash FROM tickets ORDER BY raffle, serial")

    engine.cancel(raffle.id, "rain")

    assert run(database_url, "SELECT count(*) FROM secrets") == [(1,)]
    of_it = "raffle = (SELECT id FROM raffles WHERE cancelled_at IS NOT NULL) ORDER BY serial"
    rows = run(database_url, f"SELECT participant, repeat_hash FROM tickets WHERE {of_it}")
    assert [(bytes(who), again) for who, again in rows] == [(str(serial).encode(), None) for serial in range(9)]
    assert run(database_url, "SELECT serial, number, nth, code_hash FROM tickets ORDER BY raffle, serial") == before
    assert engine.participate(kept.id, "another")
    report = check_database(database_url)
    assert (report.problems, report.hashed_participants) == ((), 0)


def test_a_purge_completes_an_interrupted_cancellation(
    database_url: str, engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The raffle is cancelled and without secrets by then."""

    def interrupted(*_: object, **__: object) -> int:
        raise StorageUnavailable

    raffle = sold(engine, 3)
    with monkeypatch.context() as patched:
        patched.setattr(tickets, "forget_participants", interrupted)
        # Not an error: the caller would think that nothing was done.
        assert engine.cancel(raffle.id, "rain").state == "cancelled"
    assert "The participants of the cancelled raffle" in caplog.text
    assert check_database(database_url).hashed_participants == 3

    assert engine.purge(raffle.id) == 3

    assert engine.purge(raffle.id) == 0
    assert check_database(database_url).hashed_participants == 0


def test_a_cancelled_raffle_of_an_older_process_is_not_drawn(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The draw looks again under the lock."""
    raffle = sold_out(engine)
    engine.cancel(raffle.id, "rain")
    monkeypatch.setattr(engine._lookups, "get", lambda _: raffle)

    with pytest.raises(Cancelled):
        engine.draw(raffle.id)
