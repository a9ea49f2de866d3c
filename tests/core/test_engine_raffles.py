"""The engine: raffles are created, listed and looked up; several of them in one database."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from threading import Event
from typing import Any
from uuid import RFC_4122, UUID, uuid4

import pytest

from rafflekit import (
    InvalidValue,
    PageNotFound,
    Prize,
    RaffleEngine,
    RaffleNotFound,
    StorageUnavailable,
)
from rafflekit.core import limits
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.raffles import _LOOKUP_QUEUES
from rafflekit.core.storage.rules import RULES
from rafflekit.core.storage.statements.ledgers import OPTIONS
from tests.databases import past_the_rules
from tests.raffles import sold_out
from tests.waiting import LIMIT_S

HUG = [Prize("hug")]


def test_a_created_raffle_is_what_is_stored(engine: RaffleEngine) -> None:
    created = engine.create("Foobar raffle", total_tickets=15, prizes=[Prize("invisibility"), Prize("warm hug", 3)])

    assert created == engine.get(created.id) == engine.get(str(created.id)) == engine.list().items[0]
    assert created.prizes == (Prize("invisibility", 1), Prize("warm hug", 3))
    assert (created.available_tickets, created.winners_drawn) == (15, False)


def test_every_option_of_the_terms_is_stored_and_final() -> None:
    """Terms have an id, a name, a date, a number of tickets and prizes; everything else is an option."""
    options = [column.name for column in OPTIONS]

    assert options == [field.name for field in fields(Terms)][5:]
    assert f"UPDATE OF raffle, {', '.join(options)}" in [rule.event for rule in RULES]


def test_creation_times_are_utc_in_any_time_zone(database_url: str) -> None:
    summer = timezone(timedelta(hours=2))
    with RaffleEngine(database_url, clock=lambda: datetime(2026, 7, 1, 10, 0, 0, 999, summer)) as engine:
        created = engine.create("Summer", total_tickets=1, prizes=HUG)

        assert created.created_at == engine.get(created.id).created_at == datetime(2026, 7, 1, 8, tzinfo=UTC)
        assert created.created_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x1b[31mb"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": 7}, "name"),
        ({"total_tickets": 0}, "total_tickets"),
        ({"total_tickets": -1}, "total_tickets"),
        ({"total_tickets": True}, "total_tickets"),
        ({"total_tickets": 1.0}, "total_tickets"),
        ({"total_tickets": "5"}, "total_tickets"),
        ({"total_tickets": limits.TICKETS + 1}, "total_tickets"),
        ({"prizes": []}, "prizes"),
        ({"prizes": None}, "prizes"),
        ({"prizes": "hug"}, "prizes"),
        ({"prizes": ["hug"]}, "prizes[0]"),
        ({"prizes": [Prize("hug"), Prize("")]}, "prizes[1].name"),
        ({"prizes": [Prize("hug", 0)]}, "prizes[0].amount"),
        ({"prizes": [Prize("hug", True)]}, "prizes[0].amount"),
        ({"prizes": [Prize("hug", 16)]}, "prizes"),
        ({"prizes": [Prize("hug", 10**5000)]}, "prizes"),
        ({"total_tickets": 10**5000}, "total_tickets"),
        ({"prizes": HUG * (limits.PRIZE_KINDS + 1), "total_tickets": 10_000}, "prizes"),
        ({"prizes": [Prize("hug", limits.PRIZES + 1)], "total_tickets": limits.TICKETS}, "prizes"),
    ],
)
def test_a_value_that_breaks_a_limit_is_refused_by_its_name(
    engine: RaffleEngine, change: dict[str, Any], field: str
) -> None:
    values = {"name": "Foobar", "total_tickets": 15, "prizes": HUG} | change

    with pytest.raises(InvalidValue) as refusal:
        engine.create(**values)

    assert refusal.value.field == field
    assert str(refusal.value).startswith(f"{field}: ")
    assert engine.list().count == 0


def test_raffles_at_the_limits_are_created(engine: RaffleEngine) -> None:
    kinds = [Prize("x" * limits.NAME_CHARACTERS, limits.PRIZES // limits.PRIZE_KINDS)] * limits.PRIZE_KINDS

    created = engine.create("é" * limits.NAME_CHARACTERS, total_tickets=limits.TICKETS, prizes=kinds)

    assert engine.get(created.id) == created
    assert 1 <= engine.participate(created.id, "ann").number <= limits.TICKETS


def test_the_list_begins_with_the_newest_raffle(engine: RaffleEngine) -> None:
    created = [engine.create(f"Raffle {n}", total_tickets=1, prizes=HUG) for n in range(25)]
    newest_first = created[::-1]

    pages = [engine.list(page=number) for number in (1, 2, 3)]

    assert [raffle for page in pages for raffle in page.items] == newest_first
    assert [(page.count, page.has_previous, page.has_next) for page in pages] == [
        (25, False, True),
        (25, True, True),
        (25, True, False),
    ]
    assert list(engine.list(page_size=limits.PAGE_SIZE).items) == newest_first


def test_an_empty_list_has_only_its_first_page(engine: RaffleEngine) -> None:
    assert engine.list().items == ()
    for page in (2, 10**12, 10**30):
        with pytest.raises(PageNotFound):
            engine.list(page=page)
        with pytest.raises(PageNotFound):
            engine.list(page=page, name="a")


@pytest.mark.parametrize(
    ("page", "page_size", "field"),
    [
        (0, 1, "page"),
        (1, 0, "page_size"),
        (1, limits.PAGE_SIZE + 1, "page_size"),
        (True, 1, "page"),
        ("1", 1, "page"),
    ],
)
def test_a_page_outside_the_limits_is_refused(engine: RaffleEngine, page: int, page_size: int, field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        engine.list(page=page, page_size=page_size)

    assert refusal.value.field == field


def test_the_search_for_a_part_of_a_name_ignores_case(engine: RaffleEngine) -> None:
    for name in ("Straße am Fluss", "ÉCOLE", "100% win", "a_b"):
        engine.create(name, total_tickets=1, prizes=HUG)

    def found(part: str) -> list[str]:
        return [raffle.name for raffle in engine.list(name=part).items]

    assert found("STRASSE") == ["Straße am Fluss"]
    assert found("e\u0301cole") == ["ÉCOLE"]
    assert found("%") == ["100% win"]
    assert found("_") == ["a_b"]
    assert found("nowhere") == []
    assert len(found("")) == 4


@pytest.mark.parametrize("part", ["\udcff", "a\x00", "x" * 201, 7])
def test_text_that_no_name_can_contain_is_refused(engine: RaffleEngine, part: Any) -> None:
    with pytest.raises(InvalidValue, match="name"):
        engine.list(name=part)


def test_only_true_and_false_are_filters(engine: RaffleEngine) -> None:
    with pytest.raises(InvalidValue, match="winners_drawn"):
        engine.list(winners_drawn="yes")  # type: ignore[arg-type]  # that it is refused is the point


@pytest.mark.parametrize("date", [9 * 10**18, 9 * 10**11])
def test_an_invalid_date_is_blamed_on_the_database(engine: RaffleEngine, database_url: str, date: int) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG)
    past_the_rules(database_url, f"UPDATE raffles SET created_at = {date}")

    for look in (engine.list, lambda: engine.get(raffle.id)):
        with pytest.raises(StorageUnavailable, match="has a value of a wrong type; 'rafflekit doctor' says which"):
            look()


def test_raffles_are_filtered_by_whether_they_are_drawn(engine: RaffleEngine) -> None:
    drawn = sold_out(engine)
    engine.draw(drawn.id)
    waiting = engine.create("Waiting", total_tickets=1, prizes=HUG)

    assert [raffle.id for raffle in engine.list(winners_drawn=True).items] == [drawn.id]
    assert [raffle.id for raffle in engine.list(winners_drawn=False).items] == [waiting.id]
    assert [raffle.id for raffle in engine.list(winners_drawn=False, name="sold").items] == []


def test_a_filtered_list_counts_what_both_filters_match(engine: RaffleEngine) -> None:
    for name in ("Fair", "Fair", "Tombola"):
        raffle = engine.create(name, total_tickets=1, prizes=HUG)
        engine.participate(raffle.id, "ann")
        engine.draw(raffle.id)
    engine.create("Fair", total_tickets=1, prizes=HUG)

    def counted(**filters: Any) -> tuple[int, int]:
        page = engine.list(page_size=1, **filters)
        return page.count, len(page.items)

    assert counted() == (4, 1)
    assert counted(name="FAIR") == (3, 1)
    assert counted(winners_drawn=True) == (3, 1)
    assert counted(winners_drawn=False) == (1, 1)
    assert counted(name="fair", winners_drawn=True) == (2, 1)
    assert counted(name="tombola", winners_drawn=False) == (0, 0)


def test_a_filtered_list_has_pages_too(engine: RaffleEngine) -> None:
    created = [engine.create(f"Fair {n}", total_tickets=1, prizes=HUG) for n in range(5)]

    page = engine.list(name="fair", page=2, page_size=2)

    assert [raffle.id for raffle in page.items] == [created[2].id, created[1].id]
    assert page.count == 5
    with pytest.raises(PageNotFound):
        engine.list(name="fair", page=4, page_size=2)


def test_the_id_of_a_raffle_is_a_random_uuid(engine: RaffleEngine) -> None:
    raffles = [engine.create("Foobar", total_tickets=1, prizes=HUG) for _ in range(8)]

    assert {(raffle.id.version, raffle.id.variant) for raffle in raffles} == {(4, RFC_4122)}


def test_an_unknown_id_is_refused_by_every_use_case(engine: RaffleEngine) -> None:
    for unknown in (uuid4(), str(uuid4()), "no id", ""):
        for use_case in (
            engine.get,
            engine.draw,
            engine.winners,
            lambda raffle: engine.participate(raffle, "ann"),
            lambda raffle: engine.verify(raffle, 1, "code"),
        ):
            with pytest.raises(RaffleNotFound):
                use_case(unknown)


def test_a_crowd_of_readers_sees_each_raffle_correctly(engine: RaffleEngine) -> None:
    raffles = [engine.create(f"Raffle {n}", total_tickets=9, prizes=HUG) for n in range(3)]
    asked = [raffles[n % 3].id if n % 4 else uuid4() for n in range(400)]

    def look(raffle: UUID) -> str | None:
        try:
            return engine.get(raffle).name
        except RaffleNotFound:
            return None

    with ThreadPoolExecutor(32) as crowd:
        seen = list(crowd.map(look, asked))
    engine.participate(raffles[0].id, "ann")

    assert seen == [f"Raffle {n % 3}" if n % 4 else None for n in range(400)]
    assert engine.get(raffles[0].id).available_tickets == 8


def test_a_slow_look_at_one_raffle_does_not_delay_another(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Except if both are in the same one of the 64 queues."""
    slow, *raffles = [engine.create("Foobar", total_tickets=1, prizes=HUG) for _ in range(9)]
    other = next(each for each in raffles if (hash(each.id) - hash(slow.id)) % _LOOKUP_QUEUES)
    is_looked_at, may_go = Event(), Event()
    fetch = engine._database.fetch

    def fetch_slowly(statement: Any, values: Mapping[str, Any]) -> list[Any]:
        if values == {"raffle": slow.id}:
            is_looked_at.set()
            assert may_go.wait(LIMIT_S)
        return fetch(statement, values)

    monkeypatch.setattr(engine._database, "fetch", fetch_slowly)
    with ThreadPoolExecutor(2) as callers:
        looks_slowly = callers.submit(engine.get, slow.id)
        try:
            assert is_looked_at.wait(LIMIT_S)
            assert callers.submit(engine.get, other.id).result(LIMIT_S) == other
        finally:
            may_go.set()
        assert looks_slowly.result(LIMIT_S) == slow
