"""The engine: winners are drawn, listed and verified; several raffles in one database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rafflekit import (
    AlreadyDrawn,
    InvalidValue,
    InvalidVerificationCode,
    NotDrawnYet,
    Page,
    PageNotFound,
    Prize,
    Raffle,
    RaffleEngine,
    SigningKeyUnavailable,
    StorageUnavailable,
    TicketsRemaining,
    Verification,
)
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.protocol.notes import SignerKey
from tests.databases import open_engine, past_the_rules
from tests.raffles import sell_all, sold_out

HUG = [Prize("hug")]


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


def test_a_drawn_raffle_knows_when_it_was_drawn(database_url: str) -> None:
    now = datetime(2026, 11, 23, 9, 30, 0, 500, UTC)
    with open_engine(database_url, clock=lambda: now) as engine:
        raffle = sold_out(engine)
        assert raffle.drawn_at is None

        engine.draw(raffle.id)

        assert engine.get(raffle.id).drawn_at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_an_unknown_source_of_entropy_is_a_storage_error(database_url: str) -> None:
    with open_engine(database_url) as engine:
        raffle = sold_out(engine)
        past_the_rules(database_url, "UPDATE raffles SET entropy = 'dice'")

        for ask in (engine.get, engine.draw, engine.check_draw):
            with pytest.raises(StorageUnavailable, match="has an unknown source of entropy; 'rafflekit doctor' says"):
                ask(raffle.id)


def test_without_the_key_of_its_ledger_no_raffle_is_drawn(database_url: str) -> None:
    """No one could sign its proof, and the draw would be final."""
    key, other = SignerKey.make("raffles.example"), SignerKey.make("other.example")
    with open_engine(database_url, signing_key=key) as engine:
        raffle = sold_out(engine)

    with open_engine(database_url, signing_key=other) as engine:
        with pytest.raises(
            SigningKeyUnavailable, match=r"another key is used here; set RAFFLEKIT_SIGNING_KEY to the file"
        ):
            engine.draw(raffle.id)
        assert not engine.get(raffle.id).winners_drawn
    if database_url.startswith("postgresql"):
        with open_engine(database_url, signing_key=None) as engine:
            with pytest.raises(
                SigningKeyUnavailable, match="and no key is available here; set RAFFLEKIT_SIGNING_KEY to the"
            ):
                engine.draw(raffle.id)
            assert not engine.get(raffle.id).winners_drawn
    else:
        with open_engine(database_url) as engine, pytest.raises(SigningKeyUnavailable, match="is missing"):
            engine.draw(raffle.id)

    with open_engine(database_url, signing_key=key) as engine:
        assert len(engine.draw(raffle.id)) == 2
        assert engine.proofs.proof(raffle.id).draw


def test_prizes_are_drawn_in_the_order_in_which_they_were_given(engine: RaffleEngine) -> None:
    prizes = (Prize("zebra", 2), Prize("ape"), Prize("zebra"), Prize("yak", 3))
    raffle = sold_out(engine, tickets=20, prizes=prizes)

    wins = engine.draw(raffle.id)

    assert [win.prize for win in wins] == ["zebra", "zebra", "ape", "zebra", "yak", "yak", "yak"]
    assert len({win.ticket_number for win in wins} & set(range(1, 21))) == 7


def test_draws_of_several_raffles_do_not_affect_each_other(engine: RaffleEngine) -> None:
    raffles = [engine.create(f"Raffle {n}", total_tickets=8, prizes=[Prize(f"prize {n}", 4)]) for n in range(3)]
    tickets = {raffle.id: sell_all(engine, raffle) for raffle in raffles}
    wins = {raffle.id: {win.ticket_number: win.prize for win in engine.draw(raffle.id)} for raffle in raffles}

    for raffle in raffles:
        for ticket in tickets[raffle.id]:
            prize = wins[raffle.id].get(ticket.number)
            verified = engine.verify(raffle.id, ticket.number, ticket.verification_code)
            assert verified == Verification(has_won=prize is not None, prize=prize)


def test_winners_are_listed_in_draw_order_page_by_page(engine: RaffleEngine) -> None:
    raffle = sold_out(engine, tickets=30, prizes=(Prize("a", 12), Prize("b", 13)))
    assert engine.winners(raffle.id, page_size=10) == Page((), 0, 1, 10)
    with pytest.raises(PageNotFound):
        engine.winners(raffle.id, page=2)

    wins = engine.draw(raffle.id)
    pages = [engine.winners(raffle.id, page=number, page_size=10) for number in (1, 2, 3)]

    assert [win for page in pages for win in page.items] == list(wins)
    assert [(page.count, page.number, page.size) for page in pages] == [(25, 1, 10), (25, 2, 10), (25, 3, 10)]
    with pytest.raises(PageNotFound):
        engine.winners(raffle.id, page=4, page_size=10)


def test_an_unknown_number_costs_the_same_check_as_a_known_one(database_url: str) -> None:
    class CountingHasher(CodeHasher):
        checks = 0

        def check(self, stored: str | None, text: str) -> bool:
            self.checks += 1
            return super().check(stored, text)

    hasher = CountingHasher()
    with open_engine(database_url, code_hasher=hasher) as engine:
        raffle = sold_out(engine)
        engine.draw(raffle.id)
        for number in (1, 0, 10**30):
            with pytest.raises(InvalidVerificationCode):
                engine.verify(raffle.id, number, "0000-0000-0000-0000-0000-0000")

    assert hasher.checks == 3


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


def test_an_engine_can_be_closed_twice(database_url: str) -> None:
    engine = open_engine(database_url)

    engine.close()
    engine.close()


def test_values_are_frozen(engine: RaffleEngine) -> None:
    raffle: Raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(AttributeError):
        raffle.issued = 1  # type: ignore[misc]  # that it is refused is the point
    with pytest.raises(AttributeError):
        raffle.terms.name = "other"  # type: ignore[misc]  # that it is refused is the point


def test_a_code_can_be_checked_before_the_draw(engine: RaffleEngine) -> None:
    raffles = [engine.create(name, total_tickets=2, prizes=[Prize("hug")]) for name in ("one", "another")]
    mine, theirs = (engine.participate(raffle.id, "ann") for raffle in raffles)

    engine.check_code(raffles[0].id, mine.number, mine.verification_code.lower())

    for raffle, number, code in (
        (raffles[0], mine.number, theirs.verification_code),
        (raffles[1], mine.number, mine.verification_code),
        (raffles[0], 3 - mine.number, mine.verification_code),
        (raffles[0], 10**30, mine.verification_code),
    ):
        with pytest.raises(InvalidVerificationCode):
            engine.check_code(raffle.id, number, code)
