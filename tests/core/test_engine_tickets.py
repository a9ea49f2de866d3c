"""The engine hands out tickets, one per participant; several raffles live in one database."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from rafflekit import (
    AlreadyParticipated,
    InvalidValue,
    Prize,
    RaffleEngine,
    SoldOut,
    Verification,
)
from rafflekit.core.protocol import codes
from rafflekit.core.records import RaffleKeys
from rafflekit.core.tickets.numbering import Numbering
from rafflekit.core.tickets.participants import participant_hash, repeat_hash
from tests.databases import open_engine, run
from tests.raffles import keys_of

HUG = [Prize("hug")]
KEY = "an idempotency key"


def test_a_participant_gets_one_ticket_per_raffle(engine: RaffleEngine) -> None:
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


def test_sold_out_is_checked_before_already_participated(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)
    engine.participate(raffle.id, "ann")

    for participant in ("ann", "bob"):
        with pytest.raises(SoldOut):
            engine.participate(raffle.id, participant)


@pytest.mark.parametrize("participant", ["", " ", "a\x00b", "\udfff", "x" * 1001, None, 7])
def test_text_that_names_no_participant_is_refused(engine: RaffleEngine, participant: Any) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(InvalidValue, match="participant"):
        engine.participate(raffle.id, participant)
    assert engine.get(raffle.id).available_tickets == 1


@pytest.mark.parametrize("key", ["", "x" * 15, "x" * 256, "x" * 15 + "\n", "\ud800" * 16, 7])
def test_an_idempotency_key_outside_the_limits_is_refused(engine: RaffleEngine, key: Any) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(InvalidValue, match="idempotency_key"):
        engine.participate(raffle.id, "ann", idempotency_key=key)


def test_a_repeat_gets_the_same_ticket_and_code_after_a_restart(database_url: str) -> None:
    with open_engine(database_url) as engine:
        raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)
        first = engine.participate(raffle.id, "ann", idempotency_key=KEY)

    with open_engine(database_url) as engine:
        assert engine.participate(raffle.id, "ann", idempotency_key=KEY) == first
        assert engine.get(raffle.id).available_tickets == 1


def test_the_last_ticket_can_be_repeated_until_the_draw(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)
    last = engine.participate(raffle.id, "ann", idempotency_key=KEY)

    assert engine.participate(raffle.id, "ann", idempotency_key=KEY) == last
    engine.draw(raffle.id)

    with pytest.raises(SoldOut):
        engine.participate(raffle.id, "ann", idempotency_key=KEY)
    assert engine.verify(raffle.id, last.number, last.verification_code) == Verification(has_won=True, prize="hug")


def test_every_raffle_has_its_own_secret_for_each_purpose(engine: RaffleEngine) -> None:
    raffles = [engine.create(f"Raffle {n}", total_tickets=2, prizes=HUG) for n in range(3)]

    secrets = [secret for raffle in raffles for secret in astuple(keys_of(engine, raffle))]

    assert len(set(secrets)) == 9
    assert {len(secret) for secret in secrets} == {32}


def test_a_raffles_id_and_secrets_come_from_the_given_source(database_url: str) -> None:
    sizes: list[int] = []

    def random_bytes(size: int) -> bytes:
        sizes.append(size)
        return bytes([len(sizes)]) * size

    with open_engine(database_url, random_bytes=random_bytes) as engine:
        raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)
        keys = keys_of(engine, raffle)

    ((sealed,),) = run(database_url, "SELECT sealed FROM secrets")
    assert sizes == [16, 32, 32, 32, 12]
    assert raffle.id == UUID(bytes=b"\1" * 16, version=4)
    assert keys == RaffleKeys(b"\2" * 32, b"\3" * 32, b"\4" * 32)
    assert bytes(sealed)[:12] == b"\5" * 12


def test_a_request_is_stored_under_the_raffles_secrets(database_url: str, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)
    ticket = engine.participate(raffle.id, "203.0.113.7", idempotency_key=KEY)
    keys = keys_of(engine, raffle)
    (stored,) = run(database_url, "SELECT number, participant, repeat_hash FROM tickets")

    participant = participant_hash(keys.participant_key, "203.0.113.7")
    assert stored == (ticket.number, participant, repeat_hash(keys.participant_key, participant, KEY))
    assert ticket.number == Numbering(keys.numbering_key, 2).number(0)
    assert ticket.verification_code == codes.spell(codes.derive_code(keys.code_key, participant, KEY))


def test_codes_are_hashed_while_no_one_waits_for_the_lock(database: Path) -> None:
    took_the_lock = []

    class HasherThatNeedsTheLock(codes.CodeHasher):
        def hash_all(self, codes: Sequence[str]) -> list[str]:
            with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                took_the_lock.append(len(codes))
                return super().hash_all(codes)

    with open_engine(f"sqlite:///{database}", code_hasher=HasherThatNeedsTheLock()) as engine:
        raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)

        assert engine.participate(raffle.id, "ann").number in (1, 2)
    assert took_the_lock == [1]


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
