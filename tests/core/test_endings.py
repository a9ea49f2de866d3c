"""A raffle that is closed, by a manager or by its time, hands out no more tickets, and is drawn among those it has."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rafflekit import (
    BeaconNotPublished,
    NotDrawnYet,
    NotOpenYet,
    Prize,
    RaffleEngine,
    SoldOut,
    TicketsRemaining,
    TooFewTickets,
    TooLate,
    check_database,
)
from rafflekit.core import endings, lifecycle
from rafflekit.core.protocol.entropy.drand import round_of, time_of
from tests.core.conftest import NOW, Clock, Sent
from tests.databases import open_engine, past_the_rules
from tests.raffles import keyed, people, sold, sold_out

HUG = [Prize("hug")]
TWO_HUGS = [Prize("hug", 2)]
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(database_url: str, clock: Clock) -> Iterator[RaffleEngine]:
    """An engine with that clock, on each kind of database."""
    with open_engine(database_url, clock=clock) as opened:
        yield opened


def test_a_closed_raffle_hands_out_no_more_tickets(engine: RaffleEngine, clock: Clock) -> None:
    raffle = sold(engine, 3)
    clock.now += HOUR

    closed = engine.close_raffle(raffle.id)

    assert closed == engine.get(raffle.id)
    assert (closed.state, closed.issued, closed.available_tickets) == ("closed", 3, 0)
    assert closed.end is not None
    assert closed.end.closed == int(clock.now.timestamp())
    for person in ("participant 0", "another"):
        with pytest.raises(SoldOut):
            engine.participate(raffle.id, person)
    assert [type(answer) for answer in engine.participate_many(raffle.id, ["one", "two"])] == [SoldOut, SoldOut]


def test_a_draw_is_over_the_tickets_that_were_handed_out(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=1_000, prizes=TWO_HUGS)
    numbers = {engine.participate(raffle.id, person).number for person in people(3)}
    engine.close_raffle(raffle.id)

    wins = engine.draw(raffle.id)

    won = {win.ticket_number for win in wins}
    assert len(won) == 2
    assert won < numbers
    assert list(engine.queue(raffle.id).items) == list(numbers - won)


def test_as_many_tickets_as_prizes_are_enough(engine: RaffleEngine) -> None:
    raffle = sold(engine, 1)
    with pytest.raises(TooFewTickets, match=r"more prizes than tickets handed out: 2 prizes, 1 ticket\."):
        engine.close_raffle(raffle.id)
    assert engine.get(raffle.id) == raffle
    engine.participate(raffle.id, "another")

    engine.close_raffle(raffle.id)

    assert len(engine.draw(raffle.id)) == 2


def test_an_upcoming_raffle_without_tickets_is_not_closed(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG, opens_at=NOW + HOUR)

    with pytest.raises(TooFewTickets):
        engine.close_raffle(raffle.id)
    with pytest.raises(NotOpenYet):
        engine.participate(raffle.id, "ann")


def test_a_raffle_is_closed_once(engine: RaffleEngine, clock: Clock) -> None:
    early, full = sold(engine, 3), sold_out(engine)
    end = engine.close_raffle(early.id).end
    clock.now += HOUR

    for raffle in (early, full):
        with pytest.raises(TooLate, match="This raffle has been closed since 2026-11-23 09:00:00 UTC"):
            engine.close_raffle(raffle.id)
        assert engine.get(raffle.id).end == end
        engine.draw(raffle.id)
        with pytest.raises(TooLate, match="The winners of this raffle were drawn on 2026-11-23 10:00:00 UTC"):
            engine.close_raffle(raffle.id)


def test_a_repeat_gets_its_ticket_after_the_closing(database_url: str, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG)
    entries = keyed(people(2))
    first = list(engine.participate_many(raffle.id, entries))
    engine.close_raffle(raffle.id)

    with open_engine(database_url) as another:
        for each in (engine, another):
            assert list(each.participate_many(raffle.id, entries)) == first
    engine.draw(raffle.id)
    with pytest.raises(SoldOut):
        list(engine.participate_many(raffle.id, entries))


def test_another_server_notices_the_closing(database_url: str, engine: RaffleEngine) -> None:
    raffle = sold(engine, 3)
    with open_engine(database_url) as another:
        another.participate(raffle.id, "known here")
        engine.close_raffle(raffle.id)

        for _ in range(2):
            with pytest.raises(SoldOut):
                another.participate(raffle.id, "too late")
        assert another.get(raffle.id).issued == 4
    assert check_database(database_url).problems == ()


def test_no_raffle_is_closed_before_its_creation(engine: RaffleEngine, clock: Clock) -> None:
    """The clock may have been set back."""
    raffle = sold(engine, 3)
    clock.now -= HOUR

    closed = engine.close_raffle(raffle.id)
    engine.draw(raffle.id)

    assert closed.end is not None
    assert closed.end.closed == int(NOW.timestamp())
    assert engine.get(raffle.id).drawn_at == NOW


def test_a_closing_fixes_the_round_that_decides(engine: RaffleEngine, clock: Clock) -> None:
    raffle = sold(engine, 3, entropy="drand-quicknet", delay_s=90)
    clock.now += HOUR

    closed = engine.close_raffle(raffle.id)

    assert closed.end is not None
    assert closed.end.round == round_of(int(clock.now.timestamp()), 90)
    published_at = datetime.fromtimestamp(time_of(closed.end.round), UTC)
    assert lifecycle.draw_possible_at(closed) == published_at >= clock.now + timedelta(seconds=90)
    with pytest.raises(BeaconNotPublished) as early:
        engine.draw(raffle.id)
    assert early.value.published_at == published_at


def test_a_raffle_hands_out_tickets_until_its_time_is_over(engine: RaffleEngine, clock: Clock) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG, opens_at=NOW + HOUR, closes_at=NOW + 2 * HOUR)
    with pytest.raises(NotOpenYet) as early:
        engine.participate(raffle.id, "ann")
    assert (early.value.opens_at, early.value.retry_after_s) == (NOW + HOUR, 3_600)
    assert engine.get(raffle.id).state == "upcoming"

    clock.now = NOW + HOUR
    engine.participate(raffle.id, "ann")
    clock.now = NOW + 2 * HOUR - timedelta(microseconds=1)
    engine.participate(raffle.id, "bob")

    clock.now = NOW + 2 * HOUR
    with pytest.raises(SoldOut):
        engine.participate(raffle.id, "cid")
    seen = engine.get(raffle.id)
    assert (seen.state, seen.available_tickets, seen.end) == ("closed", 0, None)


def test_a_repeat_gets_its_ticket_before_the_opening(engine: RaffleEngine, clock: Clock) -> None:
    """The clock was set back after the raffle had opened."""
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG, opens_at=NOW)
    ann, bob = keyed(["ann", "bob"])
    first = engine.participate(raffle.id, ann.participant, idempotency_key=ann.idempotency_key)
    clock.now -= HOUR

    assert engine.participate(raffle.id, ann.participant, idempotency_key=ann.idempotency_key) == first
    for key in (None, bob.idempotency_key):
        with pytest.raises(NotOpenYet):
            engine.participate(raffle.id, bob.participant, idempotency_key=key)


def test_what_is_due_is_closed_once(database_url: str, engine: RaffleEngine, clock: Clock) -> None:
    due = [sold(engine, 2, closes_at=NOW + hours * HOUR) for hours in (2, 1)]
    later, without = sold(engine, 2, closes_at=NOW + 9 * HOUR), sold(engine, 2)
    too_few = sold(engine, 1, closes_at=NOW + HOUR)
    cancelled = sold(engine, 2, closes_at=NOW + HOUR)
    engine.cancel(cancelled.id, "rain")
    closed = sold(engine, 2, closes_at=NOW + HOUR)
    engine.close_raffle(closed.id)
    assert list(engine.close_due()) == []

    clock.now = NOW + 2 * HOUR
    with open_engine(database_url, clock=clock) as another:
        # The one that waits longest first.
        assert list(another.close_due()) == [due[1].id, due[0].id]
        assert list(engine.close_due()) == []

    for raffle in due:
        end = engine.get(raffle.id).end
        assert end is not None
        assert end.closed == int(clock.now.timestamp())
    for raffle in (later, without, too_few):
        assert engine.get(raffle.id).end is None
    assert check_database(database_url).problems == ()


def test_a_raffle_that_ends_meanwhile_stops_no_other(
    engine: RaffleEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server closes one, and a manager cancels one, after they were looked for."""
    raffles = [sold(engine, 2, closes_at=NOW + HOUR) for _ in range(3)]
    clock.now = NOW + HOUR
    looked_for = engine._database.query

    def then_end_two(work: Any) -> Any:
        found = looked_for(work)
        monkeypatch.undo()
        engine.close_raffle(raffles[0].id)
        engine.cancel(raffles[1].id, "rain")
        return found

    monkeypatch.setattr(engine._database, "query", then_end_two)

    assert list(engine.close_due()) == [raffles[2].id]


def test_many_due_raffles_are_closed_in_parts(
    engine: RaffleEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "_CLOSED_AT_ONCE", 2)
    raffles = [sold(engine, 1, prizes=HUG, closes_at=NOW + HOUR) for _ in range(3)]
    clock.now = NOW + HOUR

    parts = [list(engine.close_due()) for _ in range(3)]

    assert [len(part) for part in parts] == [2, 1, 0]
    assert {raffle for part in parts for raffle in part} == {raffle.id for raffle in raffles}


def test_looking_for_due_raffles_is_one_light_query(engine: RaffleEngine, sent: Sent) -> None:
    sold(engine, 2, closes_at=NOW + HOUR)
    sent.clear()

    assert list(engine.close_due()) == []

    assert len(sent) == 1


def test_a_draw_closes_a_raffle_whose_time_is_over(engine: RaffleEngine, clock: Clock) -> None:
    raffle, too_few = sold(engine, 2, closes_at=NOW + HOUR), sold(engine, 1, closes_at=NOW + HOUR)
    for ask in (engine.draw, engine.check_draw):
        with pytest.raises(TicketsRemaining):
            ask(raffle.id)
    clock.now = NOW + HOUR
    for ask in (engine.draw, engine.check_draw):
        with pytest.raises(TooFewTickets):
            ask(too_few.id)
    engine.check_draw(raffle.id)
    assert engine.get(raffle.id).end is None

    assert len(engine.draw(raffle.id)) == 2

    drawn = engine.get(raffle.id)
    assert drawn.end is not None
    assert drawn.end.closed == int(clock.now.timestamp())
    assert engine.get(too_few.id).end is None


def test_a_draw_by_a_beacon_closes_first_and_waits(engine: RaffleEngine, clock: Clock) -> None:
    raffle = sold(engine, 2, closes_at=NOW + HOUR, entropy="drand-quicknet")
    clock.now = NOW + HOUR

    with pytest.raises(BeaconNotPublished):
        engine.draw(raffle.id)

    closed = engine.get(raffle.id)
    assert closed.end is not None
    assert closed.end.round == round_of(int(clock.now.timestamp()), 60)


def test_a_raffle_closed_early_is_purged_completely(database_url: str, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=1_000, prizes=HUG, tickets_each=2)
    for person in ("ann", "ann", "bob"):
        engine.participate(raffle.id, person)
    engine.close_raffle(raffle.id)
    with pytest.raises(NotDrawnYet):
        engine.purge(raffle.id)
    engine.draw(raffle.id)

    assert engine.purge(raffle.id) == 3

    assert check_database(database_url).problems == ()


def test_a_damaged_raffle_does_not_keep_others_open(
    database_url: str, engine: RaffleEngine, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, sound = (sold(engine, 2, closes_at=NOW + HOUR) for _ in range(2))
    past_the_rules(database_url, "UPDATE raffles SET entropy = 'dice' WHERE sequence = 1")
    clock.now = NOW + HOUR

    assert list(engine.close_due()) == [sound.id]

    assert caplog.messages == [
        f"The raffle {damaged.id} cannot be closed: A raffle in the database has an unknown source of entropy; "
        "'rafflekit doctor' says which."
    ]
