"""Ledgers: a check-up names closings and cosignatures that do not belong to their raffle."""

import pytest

from rafflekit import Prize, RaffleEngine, check_database
from rafflekit.core.protocol.notes import WITNESS, Note, SignerKey
from tests.databases import past_the_rules
from tests.raffles import sold_out

KEY = SignerKey.make("raffles.example")


@pytest.mark.parametrize("before_the_raffle_s", [1, 0])
def test_a_cosignature_from_before_the_raffle_is_named(database_url: str, before_the_raffle_s: int) -> None:
    witness = SignerKey.make("gazette.example", kind=WITNESS)
    with RaffleEngine(database_url, signing_key=KEY) as engine:
        raffle = sold_out(engine)
        text = Note.read(engine.proofs.checkpoint(raffle.id)).text
    line = witness.line(text, time=int(raffle.created_at.timestamp()) - before_the_raffle_s)
    row = f"SELECT id, '{witness.verifier}', '{line}' FROM raffles"
    past_the_rules(database_url, f"INSERT INTO cosignatures (raffle, verifier_key, line) {row}")

    problems = check_database(database_url, signing_key=KEY).problems

    assert len(problems) == before_the_raffle_s
    assert all("does not belong to its closing" in problem for problem in problems)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE raffles SET created_at = -1", "DELETE FROM prizes", "DELETE FROM counters"],
    ids=["a bad date", "no prizes", "no counter"],
)
def test_an_unknown_source_is_named_despite_other_damage(database_url: str, statement: str) -> None:
    with RaffleEngine(database_url, signing_key=KEY) as engine:
        raffle = engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
    for each in (statement, "UPDATE raffles SET entropy = 'dice'"):
        past_the_rules(database_url, each)

    named = f"Raffle {raffle.id}: its source of entropy is unknown, or has another delay."
    assert named in check_database(database_url, signing_key=KEY).problems


def test_a_cosigned_closing_is_well_until_it_changes(database_url: str) -> None:
    key, witness = SignerKey.make("raffles.example.org"), SignerKey.make("gazette.example", kind=WITNESS)
    with RaffleEngine(database_url, signing_key=key) as engine:
        raffle = sold_out(engine)
        closing = engine.proofs.checkpoint(raffle.id)
        line = witness.line(Note.read(closing).text, time=int(raffle.created_at.timestamp()) + 60)
        engine.proofs.cosign(raffle.id, closing + line, str(witness.verifier))
    assert check_database(database_url, signing_key=key).problems == ()

    past_the_rules(database_url, "UPDATE raffles SET closed_at = closed_at + 1")

    assert check_database(database_url, signing_key=key).problems == (
        f"Raffle {raffle.id}: the cosignature of {witness.verifier} does not belong to its closing, so its proof "
        "is rejected.",
    )
