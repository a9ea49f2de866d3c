"""Shapes: what the contract's JSON holds, field by field."""

import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from rafflekit import Prize, Raffle, RaffleEngine, Ticket
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.shapes import raffle_shape, ticket_shape

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
        "delay_s": None,
    }


def test_an_answer_about_a_raffle_has_all_of_its_terms() -> None:
    terms = Terms(UUID(ID), "Foobar", CREATED_AT, 1, (Prize("hug"),), entropy="drand-quicknet", delay_s=90)

    shape = raffle_shape(Raffle(terms))

    # Only the number of the protocol belongs to the hash alone.
    assert {**shape, "protocol": 1} == {**shape, **terms.shape()}


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
