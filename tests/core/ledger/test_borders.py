"""Ledgers at their borders: several raffles, growth during a read, damage, and the operator as a witness."""

import json
from pathlib import Path

import pytest

from rafflekit import (
    InvalidValue,
    Prize,
    RaffleEngine,
    StorageUnavailable,
    Ticket,
    TicketNotFound,
    TicketsRemaining,
    check_database,
)
from rafflekit.core import limits
from rafflekit.core.protocol.audit import audit
from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.notes import WITNESS, Note, SignerKey
from rafflekit.core.protocol.tiles import whole_hash
from rafflekit.core.storage.statements import ledgers as statements
from tests.core.conftest import KEY
from tests.databases import past_the_rules
from tests.raffles import sold_out

NOON = 1_800_000_000


def test_each_raffle_in_a_database_is_proven_by_its_own_tickets(engine: RaffleEngine) -> None:
    raffles = [sold_out(engine) for _ in range(3)]
    for raffle in raffles:
        engine.draw(raffle.id)

    for raffle in raffles:
        report = audit(
            json.dumps(engine.proofs.proof(raffle.id).shape()),
            key=str(KEY.verifier),
            raffle=str(raffle.id),
            leaves=[leaf_line(leaf) for leaf in engine.proofs.leaves(raffle.id)],
        )
        assert report.good
        assert {step.name: step.outcome for step in report.steps}["leaves"] == "ok"


@pytest.mark.parametrize("at_once", [1, 2, 4, 5, 6])
def test_leaves_come_in_order_for_any_number_read_at_once(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    raffle = sold_out(engine, tickets=5)
    monkeypatch.setattr(limits, "LEAVES_AT_ONCE", at_once)

    assert [leaf.serial for leaf in engine.proofs.leaves(raffle.id)] == [0, 1, 2, 3, 4]


def test_a_receipt_has_no_ticket_that_is_issued_meanwhile(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    raffle = engine.create("Foo", total_tickets=5, prizes=[Prize("hug")])
    first = engine.participate(raffle.id, "ann")
    before = engine.get(raffle.id)
    second = engine.participate(raffle.id, "bob")
    monkeypatch.setattr(engine.proofs, "_get", lambda _: before)

    assert engine.proofs.receipt(raffle.id, first.number).leaf.serial == 0
    with pytest.raises(TicketNotFound):
        engine.proofs.receipt(raffle.id, second.number)


def test_a_tile_has_no_hashes_of_later_tickets(engine: RaffleEngine) -> None:
    raffle = sold_out(engine, tickets=600)
    leaves = [leaf.hash(raffle.id) for leaf in engine.proofs.leaves(raffle.id)]

    def tile(size: int, level: int, position: int) -> list[bytes]:
        return engine._database.query(
            lambda connection: statements.tile_entries(connection, raffle.id, size, level, position)
        )

    assert tile(300, 0, 0) == leaves[:256]
    assert tile(300, 0, 1) == leaves[256:300]
    assert tile(300, 1, 0) == [whole_hash(leaves[:256])]
    assert tile(600, 1, 0) == [whole_hash(leaves[:256]), whole_hash(leaves[256:512])]


def test_an_operator_cannot_be_their_own_witness(engine: RaffleEngine) -> None:
    raffle = sold_out(engine)
    closing = engine.proofs.checkpoint(raffle.id)
    own = SignerKey("gazette.example", WITNESS, KEY.private)

    with pytest.raises(InvalidValue, match="a witness needs its own key"):
        engine.proofs.cosign(raffle.id, closing + own.line(Note.read(closing).text, time=NOON), str(own.verifier))

    assert engine.proofs.checkpoint(raffle.id) == closing


def set_back(database_url: str, *, to: int) -> None:
    """Let a database lose its last tickets, as after a restored backup or an asynchronous failover."""
    past_the_rules(database_url, f"DELETE FROM tickets WHERE serial >= {to}", f"UPDATE counters SET issued = {to}")


def test_a_server_continues_from_the_rows_not_from_its_memory(engine: RaffleEngine, database_url: str) -> None:
    """Otherwise it would sign a history that no database has, and store hashes of it."""
    raffle = engine.create("Foobar", total_tickets=300, prizes=[Prize("hug")])
    for person in ("ann", "bob", "cy"):
        engine.participate(raffle.id, person)
    engine.proofs.checkpoint(raffle.id)
    set_back(database_url, to=2)

    with RaffleEngine(database_url, signing_key=KEY) as other:
        other.participate(raffle.id, "dan")
        assert engine.proofs.checkpoint(raffle.id) == other.proofs.checkpoint(raffle.id)
        ticket = engine.participate(raffle.id, "eve")
        assert ticket.receipt is not None
        assert ticket.receipt.checkpoint == other.proofs.checkpoint(raffle.id)
        assert len(list(engine.participate_many(raffle.id, [f"p{n}" for n in range(296)]))) == 296
        engine.draw(raffle.id)
        for each in (engine, other):
            leaves = [leaf_line(leaf) for leaf in each.proofs.leaves(raffle.id)]
            assert audit(json.dumps(each.proofs.proof(raffle.id).shape()), leaves=leaves).good


def test_missing_parts_of_a_ledger_are_reported_as_damage(engine: RaffleEngine, database_url: str) -> None:
    raffle = engine.create("Foobar", total_tickets=400, prizes=[Prize("hug")])
    numbers = [
        ticket.number
        for ticket in engine.participate_many(raffle.id, [f"p{n}" for n in range(300)])
        if isinstance(ticket, Ticket)
    ]
    past_the_rules(database_url, "DELETE FROM tickets WHERE serial = 299", "DELETE FROM tiles")

    with RaffleEngine(database_url, signing_key=KEY) as later:
        for ask in (
            lambda: later.proofs.checkpoint(raffle.id),
            lambda: later.proofs.receipt(raffle.id, numbers[0]),
            lambda: later.participate(raffle.id, "ann"),
        ):
            with pytest.raises(StorageUnavailable, match="'rafflekit doctor' says which"):
                ask()
        assert later.get(raffle.id).available_tickets == 100


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("UPDATE raffles SET closed_at = NULL, round = NULL", "is not closed"),
        ("UPDATE counters SET issued = issued - 1", "does not come from its ledger"),
        ("UPDATE raffles SET closed_at = closed_at + 1", "does not come from its ledger"),
        ("UPDATE raffles SET claim_days = 5", "does not come from its ledger"),
        ("UPDATE draws SET entropy = winners_digest", "does not come from its ledger and its entropy"),
    ],
)
def test_a_draw_that_cannot_be_proven_is_damaged(
    engine: RaffleEngine, database_url: str, damage: str, problem: str
) -> None:
    raffle = sold_out(engine)
    engine.draw(raffle.id)
    past_the_rules(database_url, damage)

    with pytest.raises(StorageUnavailable, match=f"{raffle.id} {problem}.* 'rafflekit doctor' says what"):
        engine.proofs.proof(raffle.id)


def test_a_drawn_raffle_without_its_draw_record_is_damaged(engine: RaffleEngine, database_url: str) -> None:
    raffle = sold_out(engine)
    engine.draw(raffle.id)
    past_the_rules(database_url, "DELETE FROM draws")

    with pytest.raises(StorageUnavailable, match=f"{raffle.id} is drawn, but its draw record is missing .* a backup"):
        engine.proofs.proof(raffle.id)
    assert check_database(database_url, signing_key=KEY).problems == (
        f"Raffle {raffle.id}: it is drawn, but its draw record is missing; restore a backup.",
    )


def test_a_sold_out_raffle_with_an_open_ledger_is_not_drawn(engine: RaffleEngine, database_url: str) -> None:
    raffle = sold_out(engine)
    past_the_rules(database_url, "UPDATE raffles SET closed_at = NULL")

    with pytest.raises(TicketsRemaining):
        engine.draw(raffle.id)

    assert not engine.get(raffle.id).winners_drawn


@pytest.mark.parametrize(
    "damage", ["draws SET entropy", "draws SET winners_digest", "raffles SET seed", "tiles SET hash"]
)
def test_a_number_in_place_of_bytes_is_reported_as_damage(database: Path, damage: str) -> None:
    """SQLAlchemy would turn this number into 4 EiB."""
    url = f"sqlite:///{database}"
    with RaffleEngine(url, signing_key=KEY) as engine:
        raffle = sold_out(engine, tickets=300)
        engine.draw(raffle.id)
    past_the_rules(url, f"UPDATE {damage} = {2**62}")

    with (
        RaffleEngine(url, signing_key=KEY) as engine,
        pytest.raises(StorageUnavailable, match="of type int where bytes belong; 'rafflekit doctor' says where"),
    ):
        engine.proofs.proof(raffle.id)
    assert check_database(url, signing_key=KEY).problems
