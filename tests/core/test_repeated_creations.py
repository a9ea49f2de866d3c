"""Creating a raffle with an idempotency key: the same request twice gives one raffle."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from rafflekit import IdempotencyKeyReused, InvalidValue, Prize, Raffle, RaffleEngine, State
from tests.databases import open_engine, run
from tests.waiting import LIMIT_S

HUG = [Prize("hug")]
NOON = datetime(2999, 1, 1, 12, tzinfo=UTC)
CREATION_KEY = "a key of sixteen or more"


def test_creating_twice_with_a_key_gives_one_raffle(database_url: str, engine: RaffleEngine) -> None:
    first = engine.create(" Foobar", total_tickets=9, prizes=[Prize("hug ")], idempotency_key=CREATION_KEY)
    with open_engine(database_url) as another:
        again = another.create(
            "Foobar", total_tickets=9, prizes=HUG, entropy="secrets", entry="address", idempotency_key=CREATION_KEY
        )

    assert again == first == engine.list().items[0]
    assert engine.list().count == 1


def test_a_creation_is_repeated_after_the_raffle_has_closed(database_url: str) -> None:
    now = NOON - timedelta(hours=1)
    with open_engine(database_url, clock=lambda: now) as engine:
        first = engine.create("Foobar", total_tickets=9, prizes=HUG, closes_at=NOON, idempotency_key=CREATION_KEY)
        now = NOON + timedelta(hours=1)
        again = engine.create("Foobar", total_tickets=9, prizes=HUG, closes_at=NOON, idempotency_key=CREATION_KEY)
        with pytest.raises(InvalidValue, match="closes_at: must be after"):
            engine.create("Foobar", total_tickets=9, prizes=HUG, closes_at=NOON)

    assert (again.id, again.state) == (first.id, State.CLOSED)


@pytest.mark.parametrize(
    "other",
    [
        {"name": "foobar"},
        {"total_tickets": 10},
        {"prizes": [Prize("hug", 2)]},
        {"prizes": [Prize("kiss")]},
        {"tickets_each": 2},
        {"claim_days": 1},
        {"closes_at": NOON},
        {"note": "Over 18s only"},
    ],
)
def test_a_key_that_was_used_for_another_raffle_is_refused(engine: RaffleEngine, other: dict[str, Any]) -> None:
    given = {"name": "Foobar", "total_tickets": 9, "prizes": HUG, "idempotency_key": CREATION_KEY}
    first = engine.create(**given)  # type: ignore[arg-type]  # of several types

    with pytest.raises(IdempotencyKeyReused, match="Another raffle was created with this idempotency key") as refused:
        engine.create(**given | other)  # type: ignore[arg-type]  # of several types

    assert refused.value.raffle_id == first.id
    assert engine.list().count == 1


def test_a_repeated_creation_gives_the_raffle_as_it_is_now(engine: RaffleEngine) -> None:
    """What was asked for the first time counts, not what the raffle has become."""
    given: Any = {"name": "Foobar", "total_tickets": 9, "prizes": HUG, "idempotency_key": CREATION_KEY}
    raffle = engine.create(**given)
    engine.change(raffle.id, name="Another", total_tickets=2)
    with pytest.raises(IdempotencyKeyReused):
        engine.create(**given | {"name": "Another", "total_tickets": 2})
    engine.participate(raffle.id, "ann")
    engine.close_raffle(raffle.id)

    again = engine.create(**given)

    assert again == engine.get(raffle.id)
    assert (again.name, again.issued, again.state) == ("Another", 1, "closed")


def test_without_a_key_each_creation_is_another_raffle(engine: RaffleEngine) -> None:
    first, second = (engine.create("Foobar", total_tickets=9, prizes=HUG) for _ in range(2))

    assert first.id != second.id
    assert engine.list().count == 2


@pytest.mark.parametrize("key", ["", "short", "x" * 256, "ключ" * 8, "with a\nline break", 7])
def test_a_key_outside_the_limits_creates_nothing(engine: RaffleEngine, key: Any) -> None:
    with pytest.raises(InvalidValue, match="idempotency_key"):
        engine.create("Foobar", total_tickets=9, prizes=HUG, idempotency_key=key)

    assert engine.list().count == 0


def test_two_creations_at_once_give_one_raffle(database_url: str, engine: RaffleEngine) -> None:
    engine.list()
    together = Barrier(4)

    def create(opened: RaffleEngine) -> Raffle:
        together.wait(LIMIT_S)
        return opened.create("Foobar", total_tickets=9, prizes=HUG, idempotency_key=CREATION_KEY)

    with open_engine(database_url) as another, ThreadPoolExecutor(4) as threads:
        created = list(threads.map(create, [engine, another] * 2))

    assert len({raffle.id for raffle in created}) == 1
    assert engine.list().count == 1


def test_a_creation_key_is_not_stored_in_plain(database_url: str, engine: RaffleEngine) -> None:
    engine.create("Foobar", total_tickets=9, prizes=HUG, idempotency_key=CREATION_KEY)

    [(key, request)] = run(database_url, "SELECT creation_key, creation_hash FROM raffles")

    assert (len(bytes(key)), len(bytes(request))) == (16, 16)
    assert CREATION_KEY not in repr(run(database_url, "SELECT * FROM raffles"))
