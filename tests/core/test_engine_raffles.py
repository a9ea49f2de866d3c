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
    Raffle,
    RaffleEngine,
    RaffleNotFound,
    StorageUnavailable,
)
from rafflekit.core import limits
from rafflekit.core.protocol.terms import TEXTS, TIMES, Terms
from rafflekit.core.raffles import _LOOKUP_QUEUES
from rafflekit.core.storage.rules import RULES
from rafflekit.core.storage.schema import raffles as raffles_table
from tests.databases import open_engine, past_the_rules
from tests.raffles import sold_out
from tests.waiting import LIMIT_S

HUG = [Prize("hug")]
LONG_AGO, SOON = datetime(1980, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
NO_TIMES = ["2999-01-01T00:00:00Z", 5, datetime(2999, 1, 1), datetime(1969, 12, 31, tzinfo=UTC)]  # noqa: DTZ001 - no zone


def test_a_created_raffle_is_what_is_stored(engine: RaffleEngine) -> None:
    created = engine.create("Foobar raffle", total_tickets=15, prizes=[Prize("invisibility"), Prize("warm hug", 3)])

    assert created == engine.get(created.id) == engine.get(str(created.id)) == engine.list().items[0]
    assert created.prizes == (Prize("invisibility", 1), Prize("warm hug", 3))
    assert (created.available_tickets, created.winners_drawn) == (15, False)


def test_every_term_is_stored_and_final() -> None:
    """The prizes have their own table; the id and the date are final at once."""
    columns = raffles_table.c.keys()
    terms = [field.name for field in fields(Terms) if field.name not in ("id", "created_at", "prizes")]
    changes = {
        rule.name: rule.event.removeprefix("UPDATE OF ").split(", ") for rule in RULES if rule.table == "raffles"
    }

    assert set(terms) < set(columns)
    assert {*changes["raffles_terms"]} == {*terms, "folded_name"}
    assert {column for changed in changes.values() for column in changed} >= set(columns)


def test_creation_times_are_utc_in_any_time_zone(database_url: str) -> None:
    summer = timezone(timedelta(hours=2))
    with open_engine(database_url, clock=lambda: datetime(2026, 7, 1, 10, 0, 0, 999, summer)) as engine:
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
        *[({"entry": entry}, "entry") for entry in ("nobody", "", None, 5)],
        *[({"tickets_each": each}, "tickets_each") for each in (0, -1, 1_001, True, "2", None)],
        *[({"claim_days": days}, "claim_days") for days in (0, -1, 3_651, True, "2")],
        *[({time: moment}, time) for time in TIMES for moment in NO_TIMES],
        ({"closes_at": LONG_AGO}, "closes_at"),
        ({"opens_at": SOON, "closes_at": SOON}, "closes_at"),
        ({"opens_at": SOON, "closes_at": SOON - timedelta(seconds=1)}, "closes_at"),
        ({"draw_at": LONG_AGO}, "draw_at"),
        ({"draw_at": SOON, "opens_at": SOON}, "draw_at"),
        ({"draw_at": SOON, "closes_at": SOON + timedelta(seconds=1)}, "draw_at"),
        *[({text: value}, text) for text, value in zip(TEXTS, ("", " ", "x" * 201, "a\nb", 5, "\u200b"), strict=True)],
        ({"price": "£1", "draw_at": SOON}, "promoter"),
        ({"price": "£1", "promoter": "Scouts"}, "draw_at"),
        ({"source": "dice"}, "source"),
        ({"entropy": "drand-quicknet", "source": "dice"}, "source"),
        *[({"entropy": "announced", "source": source}, "source") for source in (None, "", " ", "x" * 201, "a\nb", 5)],
        ({"entropy": "announced", "source": "dice", "delay_s": 60}, "delay_s"),
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


def test_a_raffle_keeps_every_option_that_it_is_given(engine: RaffleEngine) -> None:
    an_hour_ahead = timezone(timedelta(hours=1))
    texts: Any = {name: f" {name} of the fair " for name in TEXTS}
    created = engine.create(
        "Foobar",
        total_tickets=15,
        prizes=HUG,
        entropy="announced",
        source="Lotto 6/49 of 5 December",
        entry="invitation",
        tickets_each=1_000,
        opens_at=datetime(2998, 12, 5, 18, 0, 0, 999, an_hour_ahead),
        closes_at=datetime(2998, 12, 5, 19, 30, tzinfo=an_hour_ahead),
        draw_at=datetime(2998, 12, 5, 19, 30, 0, 5, an_hour_ahead),
        claim_days=3_650,
        **texts,
    )

    assert engine.get(created.id) == engine.list().items[0] == engine.find("Foobar") == created
    terms = created.terms
    assert (terms.entropy, terms.source, terms.delay_s) == ("announced", "Lotto 6/49 of 5 December", None)
    assert (terms.entry, terms.tickets_each, terms.claim_days) == ("invitation", 1_000, 3_650)
    assert terms.opens_at == datetime(2998, 12, 5, 17, tzinfo=UTC)
    assert terms.closes_at == terms.draw_at == datetime(2998, 12, 5, 18, 30, tzinfo=UTC)
    assert {name: getattr(terms, name) for name in TEXTS} == {name: text.strip() for name, text in texts.items()}
    assert created.state == "upcoming"


def test_terms_are_checked_without_creating_a_raffle(engine: RaffleEngine) -> None:
    shown = engine.check_terms("Foobar", total_tickets=15, prizes=[Prize(" hug ", 3)], opens_at=SOON)

    assert (shown.name, shown.prizes, shown.state) == ("Foobar", (Prize("hug", 3),), "upcoming")
    with pytest.raises(InvalidValue, match="Too many prizes"):
        engine.check_terms("Foobar", total_tickets=2, prizes=[Prize("hug", 3)])
    assert engine.list().count == 0


def test_a_list_has_the_raffles_in_a_state(database_url: str) -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    with open_engine(database_url, clock=lambda: now) as engine:
        created = {
            "upcoming": [engine.create("Foobar", total_tickets=2, prizes=HUG, opens_at=now + timedelta(hours=1))],
            "open": [
                engine.create("Foobar", total_tickets=2, prizes=HUG),
                engine.create("Foobar", total_tickets=2, prizes=HUG, closes_at=now + timedelta(hours=1)),
                engine.create("Tombola", total_tickets=2, prizes=HUG),
            ],
            "closed": [sold_out(engine), closed_early(engine)],
            "drawn": [sold_out(engine)],
            "cancelled": [engine.create("Foobar", total_tickets=2, prizes=HUG), sold_out(engine)],
        }
        engine.draw(created["drawn"][0].id)
        for raffle in created["cancelled"]:
            engine.cancel(raffle.id, "rain")

        for state, raffles in created.items():
            page = engine.list(state=state)
            assert [raffle.id for raffle in page.items] == [raffle.id for raffle in raffles][::-1]
            assert page.count == len(raffles)
            assert {str(raffle.state) for raffle in page.items} == {state}
            assert {str(engine.get(raffle.id).state) for raffle in raffles} == {state}
        assert [raffle.id for raffle in engine.list(state="open", name="tomb").items] == [created["open"][2].id]

    later = now + timedelta(hours=1)
    with open_engine(database_url, clock=lambda: later) as engine:
        counts = {state: engine.list(state=state, page_size=1).count for state in created}
        assert counts == {"upcoming": 0, "open": 3, "closed": 3, "drawn": 1, "cancelled": 2}


def closed_early(engine: RaffleEngine) -> Raffle:
    raffle = engine.create("Early", total_tickets=9, prizes=HUG)
    engine.participate(raffle.id, "ann")
    return engine.close_raffle(raffle.id)


@pytest.mark.parametrize("state", ["Open", "", "sold out", 5])
def test_an_unknown_state_is_refused(engine: RaffleEngine, state: Any) -> None:
    with pytest.raises(InvalidValue, match="state: must be upcoming, open, closed, drawn or cancelled"):
        engine.list(state=state)


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
    assert list(engine.list(page_size=limits.RAFFLES_PAGE_SIZE_MOST).items) == newest_first


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
        (1, limits.RAFFLES_PAGE_SIZE_MOST + 1, "page_size"),
        (True, 1, "page"),
        ("1", 1, "page"),
    ],
)
def test_a_page_outside_the_limits_is_refused(engine: RaffleEngine, page: int, page_size: int, field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        engine.list(page=page, page_size=page_size)

    assert refusal.value.field == field


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
            engine.queue,
            engine.close_raffle,
            engine.check_draw,
            engine.change,
            engine.purge,
            engine.forfeit_unclaimed,
            lambda raffle: engine.cancel(raffle, "rain"),
            lambda raffle: engine.invitations(raffle, 1),
            lambda raffle: engine.redeem(raffle, 1, "code"),
            lambda raffle: engine.forfeit(raffle, 1, why="unclaimed"),
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
