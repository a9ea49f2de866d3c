"""Shapes: what the contract's JSON holds, field by field."""

import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from rafflekit import Page, Prize, Raffle, RaffleEngine, Ticket, Verification, Win
from rafflekit.core.models import State
from rafflekit.core.protocol.checkpoints import Cancellation, End
from rafflekit.core.protocol.terms import TEXTS, Terms
from rafflekit.core.shapes import queue_page_shape, raffle_shape, ticket_shape, verification_shape, win_shape

ID = "3f0c0000-0000-4000-8000-000000000001"
CREATED_AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_raffle_has_the_fields_of_the_contract() -> None:
    an_hour_ahead = timezone(timedelta(hours=1))
    created_at = datetime(2026, 11, 23, 9, tzinfo=an_hour_ahead)
    terms = Terms(UUID(ID), "Foobar raffle", created_at, 15, (Prize("warm hug", 3),))
    raffle = Raffle(terms, issued=1)

    assert raffle_shape(raffle) == {
        "id": ID,
        "name": "Foobar raffle",
        "created_at": "2026-11-23T08:00:00Z",
        "total_tickets": 15,
        "available_tickets": 14,
        "winners_drawn": False,
        "prizes": [{"name": "warm hug", "amount": 3}],
        "entropy": "secrets",
        "state": "open",
    }


def test_an_answer_about_a_raffle_has_all_of_its_terms() -> None:
    texts: dict[str, Any] = {name: f"the {name}" for name in TEXTS}
    terms = Terms(
        UUID(ID),
        "Foobar",
        CREATED_AT,
        5,
        (Prize("hug"),),
        entropy="drand-quicknet",
        delay_s=90,
        entry="invitation",
        tickets_each=3,
        opens_at=CREATED_AT + timedelta(hours=1),
        closes_at=CREATED_AT + timedelta(hours=2),
        draw_at=CREATED_AT + timedelta(hours=3),
        claim_days=30,
        **texts,
    )

    shape = raffle_shape(Raffle(terms))

    # Only the number of the protocol belongs to the hash alone.
    assert {**shape, "protocol": 1} == {**shape, **terms.shape()}
    assert (shape["entry"], shape["tickets_each"], shape["claim_days"]) == ("invitation", 3, 30)
    assert (shape["opens_at"], shape["closes_at"]) == ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z")
    assert shape["draw_at"] == "2026-11-23T12:00:00Z"
    assert texts.items() <= shape.items()


def test_an_announced_source_is_in_the_answer() -> None:
    terms = Terms(UUID(ID), "Foobar", CREATED_AT, 5, (Prize("hug"),), entropy="announced", source="dice on stage")

    assert raffle_shape(Raffle(terms))["source"] == "dice on stage"


def test_a_closed_raffle_says_since_when_and_for_how_long() -> None:
    terms = Terms(UUID(ID), "Foobar", CREATED_AT, 5, (Prize("hug"),), entropy="drand-quicknet", delay_s=60)
    closed = Raffle(terms, issued=3, end=End(1_692_803_367, 21), state=State.CLOSED)

    shape = raffle_shape(closed)

    assert (shape["state"], shape["available_tickets"]) == ("closed", 0)
    assert (shape["closed_at"], shape["draw_possible_at"]) == ("2023-08-23T15:09:27Z", "2023-08-23T15:10:27Z")
    assert "reason" not in shape


def test_a_cancelled_raffle_says_when_and_why() -> None:
    terms = Terms(UUID(ID), "Foobar", CREATED_AT, 5, (Prize("hug"),))
    cancelled = Raffle(terms, issued=3, cancellation=Cancellation(1_692_803_367, "rain"), state=State.CANCELLED)

    shape = raffle_shape(cancelled)

    assert (shape["state"], shape["available_tickets"], shape["winners_drawn"]) == ("cancelled", 0, False)
    assert (shape["cancelled_at"], shape["reason"]) == ("2023-08-23T15:09:27Z", "rain")
    assert not {"closed_at", "drawn_at", "draw_possible_at"} & set(shape)


def test_a_win_has_further_fields_when_there_is_something_to_say() -> None:
    assert win_shape(Win(7, "hug")) == {"ticket_number": 7, "prize": "hug"}
    assert win_shape(Win(7, "hug", redeemed_at=CREATED_AT)) == {
        "ticket_number": 7,
        "prize": "hug",
        "redeemed_at": "2026-11-23T09:00:00Z",
    }
    assert win_shape(Win(7, "hug", forfeited_at=CREATED_AT, reason="not collected", in_place_of=3)) == {
        "ticket_number": 7,
        "prize": "hug",
        "forfeited_at": "2026-11-23T09:00:00Z",
        "reason": "not collected",
        "in_place_of": 3,
    }


def test_a_verification_says_what_became_of_the_prize() -> None:
    later = CREATED_AT + timedelta(days=30)

    assert verification_shape(Verification(has_won=False, prize=None)) == {"has_won": False, "prize": None}
    assert verification_shape(Verification(has_won=True, prize="hug", redeem_until=later)) == {
        "has_won": True,
        "prize": "hug",
        "redeem_until": "2026-12-23T09:00:00Z",
    }
    redeemed = Verification(has_won=True, prize="hug", redeemed_at=CREATED_AT, redeem_until=later)
    assert verification_shape(redeemed) == {
        "has_won": True,
        "prize": "hug",
        "redeemed_at": "2026-11-23T09:00:00Z",
    }
    forfeited = Verification(
        has_won=False, prize=None, forfeited_prize="hug", forfeited_at=CREATED_AT, reason="not collected"
    )
    assert verification_shape(forfeited) == {
        "has_won": False,
        "prize": None,
        "forfeited_prize": "hug",
        "forfeited_at": "2026-11-23T09:00:00Z",
        "reason": "not collected",
    }


def test_the_queue_lists_tickets_without_a_prize() -> None:
    assert queue_page_shape(Page((7, 3), count=2, number=1, size=100)) == {
        "count": 2,
        "next": None,
        "previous": None,
        "results": [{"ticket_number": 7, "prize": None}, {"ticket_number": 3, "prize": None}],
    }


def test_a_drawn_raffle_says_when_it_was_drawn() -> None:
    terms = Terms(UUID(ID), "Foobar", CREATED_AT, 1, (Prize("hug"),), entropy="drand-quicknet", delay_s=90)
    raffle = Raffle(terms, issued=1, drawn_at=CREATED_AT + timedelta(days=1))

    shape = raffle_shape(raffle)

    assert (shape["winners_drawn"], shape["drawn_at"]) == (True, "2026-11-24T09:00:00Z")
    assert (shape["entropy"], shape["delay_s"]) == ("drand-quicknet", 90)


def test_a_raffles_time_is_utc_in_any_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    raffle = Raffle(Terms(UUID(ID), "Foobar raffle", CREATED_AT, 1, (Prize("hug"),)))
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "XYZ-5:30")
        time.tzset()
        shown = raffle_shape(raffle)["created_at"]
    time.tzset()

    assert shown == "2026-11-23T09:00:00Z"


def test_a_ticket_has_the_fields_of_the_contract() -> None:
    assert ticket_shape(Ticket(UUID(ID), 7, "code")) == {
        "raffle_id": ID,
        "ticket_number": 7,
        "verification_code": "code",
        "receipt": None,
    }


def test_a_ticket_of_a_signed_ledger_has_its_receipt(database: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        raffle = engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
        ticket = engine.participate(raffle.id, "ann")

    assert ticket.receipt is not None
    assert ticket_shape(ticket)["receipt"] == ticket.receipt.shape()
