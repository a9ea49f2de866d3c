"""Draws that a value decides which everyone saw elsewhere: lottery numbers, dice rolled on stage."""

import json
from hashlib import sha256
from typing import Any

import pytest

from rafflekit import AlreadyDrawn, InvalidValue, Prize, Raffle, RaffleEngine, TicketsRemaining, check_database
from rafflekit.core.protocol.audit import audit
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.notes import Note, SignerKey
from rafflekit.core.protocol.winners import seed_of
from tests.core.conftest import KEY
from tests.databases import past_the_rules
from tests.raffles import sold

VALUE = "3 17 22 — 41"


@pytest.fixture
def signing_key() -> SignerKey:
    """What the engine signs with: `KEY`."""
    return KEY


def closed(engine: RaffleEngine) -> Raffle:
    raffle = sold(engine, 5, entropy="announced", source="dice on stage", prizes=[Prize("hug", 3)])
    return engine.close_raffle(raffle.id)


def test_the_announced_value_and_the_closing_decide(database_url: str, engine: RaffleEngine) -> None:
    raffle = closed(engine)
    closing = Checkpoint.read(Note.read(engine.proofs.checkpoint(raffle.id)).text)

    wins = engine.draw(raffle.id, value="  3\t17 \n\u200b 22 —\u00a0４1\u2060 ")

    proof = engine.proofs.proof(raffle.id)
    assert proof.entropy.value.decode() == VALUE
    assert proof.seed == seed_of(closing.closing_hash(), sha256(VALUE.encode()).digest())
    assert len(wins) == 3
    assert check_database(database_url, signing_key=KEY).problems == ()


def test_the_audit_says_which_value_to_compare(engine: RaffleEngine) -> None:
    raffle = closed(engine)
    engine.draw(raffle.id, value=VALUE)

    report = audit(json.dumps(engine.proofs.proof(raffle.id).shape()), key=str(KEY.verifier))

    step = {step.name: step for step in report.steps}["entropy"]
    assert step.outcome == "not proven"
    assert "dice on stage" in step.sentence
    assert VALUE in step.sentence


@pytest.mark.parametrize("value", ["", "  ", "x" * 1_001, "a\x00b", "\ud800", 7])
def test_a_value_that_breaks_a_limit_draws_nothing(engine: RaffleEngine, value: Any) -> None:
    raffle = closed(engine)

    with pytest.raises(InvalidValue) as refusal:
        engine.draw(raffle.id, value=value)

    assert refusal.value.field == "value"
    assert engine.get(raffle.id) == raffle


def test_a_draw_without_the_value_asks_for_it(engine: RaffleEngine) -> None:
    raffle = closed(engine)
    engine.check_draw(raffle.id)

    with pytest.raises(InvalidValue, match=r"value: is missing: give what the source .dice on stage. gave"):
        engine.draw(raffle.id)

    assert engine.get(raffle.id) == raffle
    assert len(engine.draw(raffle.id, value="x" * 1_000)) == 3


def test_a_value_is_taken_only_once_and_only_after_the_closing(engine: RaffleEngine) -> None:
    raffle = sold(engine, 5, entropy="announced", source="dice on stage")
    with pytest.raises(TicketsRemaining):
        engine.draw(raffle.id, value=VALUE)
    engine.close_raffle(raffle.id)
    wins = list(engine.draw(raffle.id, value=VALUE))

    with pytest.raises(AlreadyDrawn):
        engine.draw(raffle.id, value="another value")

    assert list(engine.winners(raffle.id).items) == wins


def test_a_changed_value_is_named_by_the_check_up(database_url: str, engine: RaffleEngine) -> None:
    raffle = closed(engine)
    engine.draw(raffle.id, value=VALUE)

    for value, problem in (
        ("3 17 22 40", "its seed does not come from its closing and its entropy"),
        ("3  17", "the entropy of its draw is damaged"),
    ):
        written = f"'\\x{value.encode().hex()}'" if "postgresql" in database_url else f"x'{value.encode().hex()}'"
        past_the_rules(database_url, f"UPDATE draws SET entropy = {written}")

        assert f"Raffle {raffle.id}: {problem}." in check_database(database_url, signing_key=KEY).problems
