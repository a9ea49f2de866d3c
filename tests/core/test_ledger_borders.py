"""Ledgers at borders: several raffles in one database, a ledger that grows while it is read, who may be a witness."""

import json
from collections.abc import Iterator

import pytest

from rafflekit import InvalidValue, Prize, Raffle, RaffleEngine, TicketNotFound
from rafflekit.core import ledgers
from rafflekit.core.ledger.audit import audit
from rafflekit.core.ledger.documents import leaf_line
from rafflekit.core.ledger.notes import WITNESS, Note, SignerKey

KEY = SignerKey.make("raffles.example.org")
NOON = 1_800_000_000


@pytest.fixture
def engine(database_url: str) -> Iterator[RaffleEngine]:
    """An engine that signs with `KEY`, on each kind of database."""
    with RaffleEngine(database_url, signing_key=KEY) as opened:
        yield opened


def sold_out(engine: RaffleEngine, name: str, *, tickets: int = 5) -> Raffle:
    raffle = engine.create(name, total_tickets=tickets, prizes=[Prize("hug", 2)])
    assert len(list(engine.participate_many(raffle.id, [f"{name} {n}" for n in range(tickets)]))) == tickets
    return engine.get(raffle.id)


def test_the_proofs_of_several_raffles_in_one_database_are_of_their_own_tickets(engine: RaffleEngine) -> None:
    raffles = [sold_out(engine, name) for name in ("Foo", "Bar", "Baz")]
    for raffle in raffles:
        engine.draw(raffle.id)

    for raffle in raffles:
        report = audit(
            json.dumps(engine.ledgers.proof(raffle.id).shape()),
            key=str(KEY.verifier),
            raffle=str(raffle.id),
            leaves=[leaf_line(leaf) for leaf in engine.ledgers.leaves(raffle.id)],
        )
        assert report.good
        assert {step.name: step.outcome for step in report.steps}["leaves"] == "ok"


@pytest.mark.parametrize("at_once", [1, 2, 4, 5, 6])
def test_all_leaves_come_in_order_however_many_are_read_at_once(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    raffle = sold_out(engine, "Foo")
    monkeypatch.setattr(ledgers, "_LEAVES_AT_ONCE", at_once)

    assert [leaf.serial for leaf in engine.ledgers.leaves(raffle.id)] == [0, 1, 2, 3, 4]


def test_a_ticket_that_is_issued_while_a_receipt_is_made_is_not_in_it_yet(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    raffle = engine.create("Foo", total_tickets=5, prizes=[Prize("hug")])
    first = engine.participate(raffle.id, "ann")
    before = engine.get(raffle.id)
    second = engine.participate(raffle.id, "bob")
    monkeypatch.setattr(engine.ledgers, "_get", lambda _: before)

    assert engine.ledgers.receipt(raffle.id, first.number).leaf.serial == 0
    with pytest.raises(TicketNotFound):
        engine.ledgers.receipt(raffle.id, second.number)


def test_an_operator_is_no_witness_of_their_own(engine: RaffleEngine) -> None:
    raffle = sold_out(engine, "Foo")
    closing = engine.ledgers.checkpoint(raffle.id)
    own = SignerKey("gazette.example", WITNESS, KEY.private)

    with pytest.raises(InvalidValue, match="it must be somebody else's"):
        engine.ledgers.cosign(raffle.id, closing + own.line(Note.read(closing).text, time=NOON), str(own.verifier))

    assert engine.ledgers.checkpoint(raffle.id) == closing
