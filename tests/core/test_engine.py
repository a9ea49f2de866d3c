"""The engine, use case by use case, several raffles in one database."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rafflekit import (
    AlreadyDrawn,
    AlreadyParticipated,
    InvalidValue,
    InvalidVerificationCode,
    NotDrawnYet,
    PageNotFound,
    Prize,
    Raffle,
    RaffleEngine,
    RaffleNotFound,
    SoldOut,
    TicketsRemaining,
    Verification,
)
from rafflekit.core import codes, limits
from rafflekit.core.numbering import Numbering
from rafflekit.core.participants import participant_hash, repeat_hash
from tests.raffles import sell_all, sold_out

HUG = [Prize("hug")]
KEY = "an idempotency key"


def test_a_created_raffle_is_what_is_stored(engine: RaffleEngine) -> None:
    created = engine.create("Foobar raffle", total_tickets=15, prizes=[Prize("invisibility"), Prize("warm hug", 3)])

    assert created == engine.get(created.id) == engine.get(str(created.id)) == engine.list().items[0]
    assert created.prizes == (Prize("invisibility", 1), Prize("warm hug", 3))
    assert (created.available_tickets, created.winners_drawn) == (15, False)


def test_creation_times_are_utc_whatever_the_clocks_zone(database_url: str) -> None:
    summer = timezone(timedelta(hours=2))
    with RaffleEngine(database_url, clock=lambda: datetime(2026, 7, 1, 10, 0, 0, 999, summer)) as engine:
        created = engine.create("Summer", total_tickets=1, prizes=HUG)

        assert created.created_at == engine.get(created.id).created_at == datetime(2026, 7, 1, 8, tzinfo=UTC)


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
def test_a_raffle_that_breaks_a_limit_is_refused_by_the_name_of_its_field(
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


def test_the_first_page_of_an_empty_list_exists_and_no_other(engine: RaffleEngine) -> None:
    assert engine.list().items == []
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
def test_a_page_out_of_limits_is_refused(engine: RaffleEngine, page: int, page_size: int, field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        engine.list(page=page, page_size=page_size)

    assert refusal.value.field == field


def test_raffles_are_searched_by_a_part_of_their_name_in_any_case(engine: RaffleEngine) -> None:
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
def test_what_no_name_can_contain_is_not_searched_for(engine: RaffleEngine, part: Any) -> None:
    with pytest.raises(InvalidValue, match="name"):
        engine.list(name=part)


def test_only_true_and_false_are_filters(engine: RaffleEngine) -> None:
    with pytest.raises(InvalidValue, match="winners_drawn"):
        engine.list(winners_drawn="yes")  # type: ignore[arg-type]  # that it is refused is the point


def test_raffles_are_filtered_by_whether_they_are_drawn(engine: RaffleEngine) -> None:
    drawn = sold_out(engine)
    engine.draw(drawn.id)
    waiting = engine.create("Waiting", total_tickets=1, prizes=HUG)

    assert [raffle.id for raffle in engine.list(winners_drawn=True).items] == [drawn.id]
    assert [raffle.id for raffle in engine.list(winners_drawn=False).items] == [waiting.id]
    assert [raffle.id for raffle in engine.list(winners_drawn=False, name="sold").items] == []


def test_a_filtered_list_has_pages_too(engine: RaffleEngine) -> None:
    created = [engine.create(f"Fair {n}", total_tickets=1, prizes=HUG) for n in range(5)]

    page = engine.list(name="fair", page=2, page_size=2)

    assert [raffle.id for raffle in page.items] == [created[2].id, created[1].id]
    assert page.count == 5
    with pytest.raises(PageNotFound):
        engine.list(name="fair", page=4, page_size=2)


def test_a_raffle_is_found_by_an_unambiguous_beginning_of_its_id(engine: RaffleEngine) -> None:
    raffles = [engine.create(f"Raffle {n}", total_tickets=1, prizes=HUG) for n in range(20)]
    whole = str(raffles[7].id)

    assert engine.find(whole) == engine.find(whole.upper()) == engine.find(whole[:20]) == raffles[7]
    assert engine.find(whole.replace("-", "")) == raffles[7]


def test_a_beginning_that_several_raffles_share_is_refused(engine: RaffleEngine) -> None:
    raffles = [engine.create(f"Raffle {n}", total_tickets=1, prizes=HUG) for n in range(17)]
    digits = [str(raffle.id)[0] for raffle in raffles]
    shared = next(digit for digit in digits if digits.count(digit) > 1)

    with pytest.raises(InvalidValue, match="several raffles"):
        engine.find(shared)


@pytest.mark.parametrize("beginning", ["", "-", "xyz", "0" * 33, "%", "١"])
def test_a_beginning_of_no_id_finds_nothing(engine: RaffleEngine, beginning: str) -> None:
    engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(RaffleNotFound):
        engine.find(beginning)


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


def test_a_participant_gets_one_ticket_a_raffle(engine: RaffleEngine) -> None:
    raffles = [engine.create(f"Raffle {n}", total_tickets=2, prizes=HUG) for n in range(3)]
    for raffle in raffles:
        engine.participate(raffle.id, "203.0.113.7")

    with pytest.raises(AlreadyParticipated):
        engine.participate(raffles[1].id, "::ffff:203.0.113.7")
    assert [engine.get(raffle.id).available_tickets for raffle in raffles] == [1, 1, 1]


def test_a_refused_participant_costs_no_number(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=3, prizes=HUG)
    numbers = set()
    for participant in ("ann", "bob", "cid"):
        numbers.add(engine.participate(raffle.id, participant).number)
        with pytest.raises((AlreadyParticipated, SoldOut)):
            engine.participate(raffle.id, participant)

    assert numbers == {1, 2, 3}


def test_sold_out_comes_before_already_participated(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)
    engine.participate(raffle.id, "ann")

    for participant in ("ann", "bob"):
        with pytest.raises(SoldOut):
            engine.participate(raffle.id, participant)


@pytest.mark.parametrize("participant", ["", " ", "a\x00b", "\udfff", "x" * 1001, None, 7])
def test_what_names_no_participant_is_refused(engine: RaffleEngine, participant: Any) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(InvalidValue, match="participant"):
        engine.participate(raffle.id, participant)
    assert engine.get(raffle.id).available_tickets == 1


@pytest.mark.parametrize("key", ["", "x" * 15, "x" * 256, "x" * 15 + "\n", "\ud800" * 16, 7])
def test_an_idempotency_key_out_of_limits_is_refused(engine: RaffleEngine, key: Any) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(InvalidValue, match="idempotency_key"):
        engine.participate(raffle.id, "ann", idempotency_key=key)


def test_a_repeated_request_gets_the_same_ticket_and_code_after_a_restart(database_url: str) -> None:
    with RaffleEngine(database_url) as engine:
        raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)
        first = engine.participate(raffle.id, "ann", idempotency_key=KEY)

    with RaffleEngine(database_url) as engine:
        assert engine.participate(raffle.id, "ann", idempotency_key=KEY) == first
        assert engine.get(raffle.id).available_tickets == 1


def test_who_lost_the_answer_of_the_last_ticket_gets_it_again_until_the_draw(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)
    last = engine.participate(raffle.id, "ann", idempotency_key=KEY)

    assert engine.participate(raffle.id, "ann", idempotency_key=KEY) == last
    engine.draw(raffle.id)

    with pytest.raises(SoldOut):
        engine.participate(raffle.id, "ann", idempotency_key=KEY)
    assert engine.verify(raffle.id, last.number, last.verification_code) == Verification(has_won=True, prize="hug")


def test_every_raffle_has_secrets_of_its_own_for_each_purpose(database: Path, engine: RaffleEngine) -> None:
    for n in range(3):
        engine.create(f"Raffle {n}", total_tickets=2, prizes=HUG)

    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT numbering_key, participant_key, code_key FROM secrets").fetchall()

    secrets = [secret for row in rows for secret in row]
    assert len(set(secrets)) == 9
    assert {len(secret) for secret in secrets} == {32}


def test_what_is_stored_of_a_request_is_keyed_by_the_raffles_secrets(database: Path, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)
    ticket = engine.participate(raffle.id, "203.0.113.7", idempotency_key=KEY)
    with closing(sqlite3.connect(database)) as connection:
        numbering_key, participant_key, code_key = connection.execute(
            "SELECT numbering_key, participant_key, code_key FROM secrets"
        ).fetchone()
        stored = connection.execute("SELECT number, participant, repeat_hash FROM tickets").fetchone()

    participant = participant_hash(participant_key, "203.0.113.7")
    assert stored == (ticket.number, participant, repeat_hash(participant_key, participant, KEY))
    assert ticket.number == Numbering(numbering_key, 2).number(0)
    assert ticket.verification_code == codes.spell(codes.derive_code(code_key, participant, KEY))


def test_codes_are_hashed_while_nobody_waits_for_the_lock(database: Path) -> None:
    class HasherThatNeedsTheLock(codes.CodeHasher):
        def hash(self, code: bytes) -> str:
            with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                return super().hash(code)

    with RaffleEngine(f"sqlite:///{database}", code_hasher=HasherThatNeedsTheLock()) as engine:
        raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)

        assert engine.participate(raffle.id, "ann").number in (1, 2)


def test_only_the_same_participant_with_the_same_key_repeats(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=5, prizes=HUG)
    ann = engine.participate(raffle.id, "ann", idempotency_key=KEY)
    bob = engine.participate(raffle.id, "bob", idempotency_key=KEY)
    engine.participate(raffle.id, "cid")

    assert ann.number != bob.number
    assert ann.verification_code != bob.verification_code
    for participant, key in (("ann", KEY + "x"), ("ann", None), ("cid", KEY)):
        with pytest.raises(AlreadyParticipated):
            engine.participate(raffle.id, participant, idempotency_key=key)


def test_winners_are_drawn_only_when_sold_out_and_only_once(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)
    engine.participate(raffle.id, "ann")
    with pytest.raises(TicketsRemaining):
        engine.draw(raffle.id)

    engine.participate(raffle.id, "bob")
    wins = engine.draw(raffle.id)

    with pytest.raises(AlreadyDrawn):
        engine.draw(raffle.id)
    assert list(engine.winners(raffle.id).items) == list(wins)
    assert engine.get(raffle.id).winners_drawn


def test_tickets_go_to_prizes_in_the_order_in_which_the_prizes_were_given(engine: RaffleEngine) -> None:
    prizes = (Prize("zebra", 2), Prize("ape"), Prize("zebra"), Prize("yak", 3))
    raffle = sold_out(engine, tickets=20, prizes=prizes)

    wins = engine.draw(raffle.id)

    assert [win.prize for win in wins] == ["zebra", "zebra", "ape", "zebra", "yak", "yak", "yak"]
    assert len({win.ticket_number for win in wins} & set(range(1, 21))) == 7


def test_the_draws_of_several_raffles_do_not_touch_each_other(engine: RaffleEngine) -> None:
    raffles = [engine.create(f"Raffle {n}", total_tickets=8, prizes=[Prize(f"prize {n}", 4)]) for n in range(3)]
    tickets = {raffle.id: sell_all(engine, raffle) for raffle in raffles}
    wins = {raffle.id: {win.ticket_number: win.prize for win in engine.draw(raffle.id)} for raffle in raffles}

    for raffle in raffles:
        for ticket in tickets[raffle.id]:
            prize = wins[raffle.id].get(ticket.number)
            verified = engine.verify(raffle.id, ticket.number, ticket.verification_code)
            assert verified == Verification(has_won=prize is not None, prize=prize)


def test_winners_are_listed_in_draw_order_a_page_at_a_time(engine: RaffleEngine) -> None:
    raffle = sold_out(engine, tickets=30, prizes=(Prize("a", 12), Prize("b", 13)))
    assert engine.winners(raffle.id).items == []
    with pytest.raises(PageNotFound):
        engine.winners(raffle.id, page=2)

    wins = engine.draw(raffle.id)
    pages = [engine.winners(raffle.id, page=number, page_size=10) for number in (1, 2, 3)]

    assert [win for page in pages for win in page.items] == list(wins)
    assert {page.count for page in pages} == {25}
    with pytest.raises(PageNotFound):
        engine.winners(raffle.id, page=4, page_size=10)


def test_a_ticket_is_verified_only_after_the_draw(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)
    ticket = engine.participate(raffle.id, "ann")

    for code in (ticket.verification_code, "wrong"):
        with pytest.raises(NotDrawnYet):
            engine.verify(raffle.id, ticket.number, code)


@pytest.mark.parametrize("number", [0, -1, 7, 10**30, -(10**30)])
def test_a_number_that_no_ticket_has_looks_like_a_wrong_code(engine: RaffleEngine, number: int) -> None:
    raffle = engine.create("Foobar", total_tickets=6, prizes=HUG)
    ticket = sell_all(engine, raffle)[0]
    engine.draw(raffle.id)

    with pytest.raises(InvalidVerificationCode) as unknown:
        engine.verify(raffle.id, number, ticket.verification_code)
    with pytest.raises(InvalidVerificationCode) as wrong:
        engine.verify(raffle.id, ticket.number, "0000-0000-0000-0000-0000-0000")
    assert str(unknown.value) == str(wrong.value)


@pytest.mark.parametrize(
    ("number", "code", "field"),
    [(True, "x", "ticket_number"), ("1", "x", "ticket_number"), (1, None, "verification_code")],
)
def test_values_of_another_type_are_refused(engine: RaffleEngine, number: Any, code: Any, field: str) -> None:
    raffle = sold_out(engine)

    with pytest.raises(InvalidValue) as refusal:
        engine.verify(raffle.id, number, code)

    assert refusal.value.field == field


def test_a_ticket_does_not_show_its_code_by_accident(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)

    ticket = engine.participate(raffle.id, "ann")

    assert ticket.verification_code not in repr(ticket)


def test_an_engine_may_be_closed_twice(database_url: str) -> None:
    engine = RaffleEngine(database_url)

    engine.close()
    engine.close()


def test_values_are_frozen(engine: RaffleEngine) -> None:
    raffle: Raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(AttributeError):
        raffle.name = "other"  # type: ignore[misc]  # that it is refused is the point
