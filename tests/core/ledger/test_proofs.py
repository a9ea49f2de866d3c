"""The ledger of an engine: it has every ticket, signed statements stay true, and draws are proven."""

import json
import re
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest
from sqlalchemy import Connection

from rafflekit import (
    InvalidValue,
    NotDrawnYet,
    Prize,
    RaffleEngine,
    TicketNotFound,
    TicketsRemaining,
)
from rafflekit.core.ledger.proofs import Proofs
from rafflekit.core.protocol import tree
from rafflekit.core.protocol.checkpoints import Cancellation
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.protocol.documents import read_proof, read_receipt
from rafflekit.core.protocol.notes import WITNESS, Note, SignerKey
from rafflekit.core.protocol.receipts import check_receipt
from rafflekit.core.protocol.tiles import GrowingTree
from rafflekit.core.protocol.winners import DrawStatement, seed_of, winners_digest, winning_serials
from rafflekit.core.tickets import issuing
from tests.core.conftest import KEY, Sent
from tests.core.ledger.conftest import receipts_of, signed
from tests.databases import run
from tests.raffles import keyed, people, sold_out

PRIZES = (Prize("car"), Prize("hug", 3))


def test_every_receipt_is_consistent_with_the_closing(engine: RaffleEngine) -> None:
    """Tickets are issued one at a time and in groups, across tiles, next to another raffle."""
    raffle, other = (engine.create(name, total_tickets=600, prizes=PRIZES) for name in ("Foobar", "Other"))
    tickets = [engine.participate(raffle.id, f"early {n}") for n in range(3)]
    assert len(list(engine.participate_many(raffle.id, keyed(people(250))))) == 250
    tickets += [engine.participate(raffle.id, f"amid {n}") for n in range(6)]
    engine.participate(other.id, "early 0")
    assert len(list(engine.participate_many(raffle.id, keyed(people(340, first=1_000))))) == 340
    tickets.append(engine.participate(raffle.id, "last"))

    closing = signed(engine.proofs.checkpoint(raffle.id))
    assert (closing.size, closing.end is not None) == (600, True)
    leaves = list(engine.proofs.leaves(raffle.id))
    assert [closing.root] == list(tree.running_roots([leaf.hash(raffle.id) for leaf in leaves], [600]))
    for ticket, receipt in zip(tickets, receipts_of(tickets), strict=True):
        checkpoint = check_receipt(receipt, raffle.id, KEY.verifier)
        assert receipt.leaf == leaves[receipt.leaf.serial]
        assert (receipt.leaf.ticket_number, checkpoint.terms) == (ticket.number, closing.terms)
        assert CodeHasher().check(receipt.leaf.code_hash, ticket.verification_code)
        assert read_receipt(json.dumps(receipt.shape())) == receipt
        proof = engine.proofs.consistency(raffle.id, checkpoint.size, 600).proof
        tree.check_consistency(checkpoint.size, 600, proof, checkpoint.root, closing.root)
    assert signed(receipts_of(tickets)[-1].checkpoint) == closing


def test_a_repeat_gets_a_receipt_for_the_same_leaf(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=PRIZES)
    key = "the key of a request"
    first = engine.participate(raffle.id, "ann", idempotency_key=key)
    engine.participate(raffle.id, "bob")

    again = engine.participate(raffle.id, "ann", idempotency_key=key)

    [before, after] = receipts_of([first, again])
    assert (after.leaf, signed(after.checkpoint).size) == (before.leaf, 2)
    assert check_receipt(after, raffle.id, KEY.verifier).size == 2


def test_every_issued_ticket_has_a_receipt(engine: RaffleEngine) -> None:
    raffle = sold_out(engine, tickets=300)

    for number in range(1, 301, 37):
        receipt = engine.proofs.receipt(raffle.id, number)
        assert receipt.leaf.ticket_number == number
        assert check_receipt(receipt, raffle.id, KEY.verifier).end is not None
        assert len(receipt.path) <= 9


def test_a_number_that_is_not_issued_has_no_receipt(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=3, prizes=PRIZES[:1])
    taken = engine.participate(raffle.id, "ann").number

    for number in {0, -1, 1, 2, 3, 4, 10**30} - {taken}:
        with pytest.raises(TicketNotFound):
            engine.proofs.receipt(raffle.id, number)


def test_several_processes_append_to_one_tree(database_url: str, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=700, prizes=PRIZES)
    with RaffleEngine(database_url, signing_key=KEY) as another:
        tickets = []
        for n in range(0, 690, 23):
            list(another.participate_many(raffle.id, keyed(people(11, first=n))))
            tickets.append(engine.participate(raffle.id, f"amid {n}"))
            list(engine.participate_many(raffle.id, keyed(people(11, first=10_000 + n))))

    leaves = [leaf.hash(raffle.id) for leaf in engine.proofs.leaves(raffle.id)]
    checkpoint = signed(engine.proofs.checkpoint(raffle.id))
    assert (checkpoint.size, len(leaves)) == (690, 690)
    assert [checkpoint.root] == list(tree.running_roots(leaves, [690]))
    for receipt in receipts_of(tickets):
        check_receipt(receipt, raffle.id, KEY.verifier)
    tiles = run(database_url, "SELECT level, position FROM tiles ORDER BY position")
    assert [tuple(row) for row in tiles] == [(0, 0), (0, 1)]


def test_a_process_that_issues_alone_reads_the_edge_once(engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second ticket on: until the first one, the raffle's terms may still change."""
    raffle = engine.create("Foobar", total_tickets=9, prizes=PRIZES)
    engine.participate(raffle.id, "ann")
    sizes: list[int] = []
    load_edge = issuing._load_edge

    def noted(connection: Connection, raffle: UUID, size: int) -> GrowingTree:
        sizes.append(size)
        return load_edge(connection, raffle, size)

    monkeypatch.setattr(issuing, "_load_edge", noted)
    engine.participate(raffle.id, "ben")
    list(engine.participate_many(raffle.id, ["bob", "cid", "dan"]))
    engine.participate(raffle.id, "eve")

    assert sizes == [1]


def test_a_refused_group_leaves_no_trace_in_the_ledger(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=PRIZES)
    engine.participate(raffle.id, "ann")
    before = engine.proofs.checkpoint(raffle.id)

    assert [type(answer).__name__ for answer in engine.participate_many(raffle.id, ["ann", "ann"])] == [
        "AlreadyParticipated"
    ] * 2

    assert engine.proofs.checkpoint(raffle.id) == before


def test_nothing_is_signed_before_the_first_ticket(engine: RaffleEngine) -> None:
    """The terms may still change, and a signed checkpoint is bound to them."""
    raffle = engine.create("Foobar", total_tickets=9, prizes=PRIZES)
    with pytest.raises(TicketNotFound, match="its terms can change and nothing is signed"):
        engine.proofs.checkpoint(raffle.id)

    changed = engine.change(raffle.id, name="Another")
    engine.participate(raffle.id, "ann")

    checkpoint = signed(engine.proofs.checkpoint(raffle.id))
    assert (checkpoint.size, checkpoint.terms, checkpoint.end) == (1, changed.terms.hash(), None)


@pytest.mark.parametrize("tickets", [0, 3, 9])
def test_a_cancelled_ledger_ends_with_a_cancellation(engine: RaffleEngine, tickets: int) -> None:
    """A closing is replaced, so that no one takes the raffle for one that will be drawn."""
    raffle = engine.create("Foobar", total_tickets=9, prizes=PRIZES)
    for person in people(tickets):
        engine.participate(raffle.id, person)
    before = [engine.proofs.checkpoint(raffle.id)] if tickets else []

    cancelled = engine.cancel(raffle.id, "rain")

    checkpoint = signed(engine.proofs.checkpoint(raffle.id))
    assert checkpoint.cancellation == cancelled.cancellation == Cancellation(checkpoint.cancellation.time, "rain")
    assert (checkpoint.size, checkpoint.end, checkpoint.terms) == (tickets, None, raffle.terms.hash())
    assert [checkpoint.root] == ([signed(note).root for note in before] or [tree.EMPTY_ROOT])
    assert len(list(engine.proofs.leaves(raffle.id))) == tickets


def test_a_raffle_closed_early_is_proven_by_its_tickets(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=500, prizes=PRIZES)
    list(engine.participate_many(raffle.id, people(300)))
    opened = signed(engine.proofs.checkpoint(raffle.id))
    closed = engine.close_raffle(raffle.id)

    closing = signed(engine.proofs.checkpoint(raffle.id))
    wins = engine.draw(raffle.id)

    assert (closing.size, closing.root, closing.end) == (300, opened.root, closed.end)
    proof = read_proof(json.dumps(engine.proofs.proof(raffle.id).shape()))
    serials = list(winning_serials(proof.seed, tickets=300, wins=4))
    assert proof.winners is not None
    assert [win.leaf.serial for win in proof.winners] == serials
    assert [win.leaf.ticket_number for win in proof.winners] == [win.ticket_number for win in wins]


@pytest.mark.parametrize(("old", "new", "field"), [(-1, 3, "from"), (3, 2, "from"), (1, 7, "to")])
def test_sizes_that_the_ledger_never_had_are_refused(engine: RaffleEngine, old: int, new: int, field: str) -> None:
    raffle = sold_out(engine)

    with pytest.raises(InvalidValue) as refusal:
        engine.proofs.consistency(raffle.id, old, new)

    assert refusal.value.field == field
    assert engine.proofs.consistency(raffle.id, 0, 6).proof == engine.proofs.consistency(raffle.id, 6, 6).proof == []


@pytest.mark.parametrize("tickets", [4, 5, 257])
def test_a_draw_is_proven_from_its_terms_to_its_winners(engine: RaffleEngine, tickets: int) -> None:
    raffle = sold_out(engine, tickets=tickets, prizes=PRIZES)
    with pytest.raises(NotDrawnYet):
        engine.proofs.proof(raffle.id)

    wins = engine.draw(raffle.id)
    proof = read_proof(json.dumps(engine.proofs.proof(raffle.id).shape()))

    closing = signed(proof.closing)
    assert proof.terms.hash() == closing.terms
    assert proof.seed == seed_of(closing.closing_hash(), proof.entropy.value)
    assert proof.winners is not None
    assert [win.leaf.serial for win in proof.winners] == list(winning_serials(proof.seed, tickets=tickets, wins=4))
    assert [win.prize for win in proof.winners] == [0, 1, 1, 1]
    assert [win.leaf.ticket_number for win in proof.winners] == [win.ticket_number for win in wins]
    for win in proof.winners:
        tree.check_inclusion(win.leaf.hash(raffle.id), win.leaf.serial, tickets, win.path, closing.root)
    assert proof.draw is not None
    note = Note.read(proof.draw)
    assert note.check(KEY.verifier) == [0]
    statement = DrawStatement.read(note.text)
    digest = winners_digest((win.leaf.serial, win.leaf.ticket_number, win.prize) for win in proof.winners)
    assert (statement.seed, statement.winners_digest, statement.wins) == (proof.seed, digest, 4)
    assert engine.proofs.proof(raffle.id) == engine.proofs.proof(raffle.id)


def test_a_proof_of_over_a_thousand_wins_has_only_their_digest(engine: RaffleEngine) -> None:
    raffle = sold_out(engine, tickets=1_001, prizes=(Prize("hug", 1_001),))
    wins = engine.draw(raffle.id)

    proof = engine.proofs.proof(raffle.id)

    serial_of = {leaf.ticket_number: leaf.serial for leaf in engine.proofs.leaves(raffle.id)}
    assert proof.winners is None
    assert proof.draw is not None
    digest = winners_digest((serial_of[win.ticket_number], win.ticket_number, 0) for win in wins)
    assert DrawStatement.read(Note.read(proof.draw).text).winners_digest == digest


@pytest.mark.parametrize(
    ("ask", "tables"),
    [
        (lambda proofs, raffle: proofs.checkpoint(raffle), ["cosignatures", "raffles", "tickets"]),
        (lambda proofs, raffle: proofs.receipt(raffle, 1), ["raffles", "tickets", "tickets"]),
        (
            lambda proofs, raffle: proofs.proof(raffle),
            ["cosignatures", "draws", "forfeits", "raffles", "tickets", "wins"],
        ),
    ],
    ids=["checkpoint", "receipt", "proof"],
)
def test_each_subject_of_a_proof_is_read_once(
    database_url: str, engine: RaffleEngine, sent: Sent, ask: Callable[[Proofs, UUID], object], tables: Sequence[str]
) -> None:
    """The first time, the leaves of one tile are read as well."""
    raffle = sold_out(engine, tickets=200, prizes=(Prize("hug", 100),)).id
    engine.draw(raffle)
    with RaffleEngine(database_url, signing_key=KEY) as another:
        for due in ([*tables, "tickets"], tables):
            sent.clear()
            ask(another.proofs, raffle)
            read = [found[1] for statement, _ in sent if (found := re.search(r"\bFROM (\w+)", statement))]
            assert sorted(read) == sorted(due)


def test_a_witness_cosigns_a_closing_once(engine: RaffleEngine) -> None:
    witness, stranger = SignerKey.make("gazette.example", kind=WITNESS), SignerKey.make("other.example", kind=WITNESS)
    raffle = sold_out(engine, tickets=5)
    closing = engine.proofs.checkpoint(raffle.id)
    text = Note.read(closing).text

    engine.proofs.cosign(raffle.id, closing + witness.line(text, time=1_800_000_000), str(witness.verifier))
    # The same cosignature again is accepted.
    engine.proofs.cosign(raffle.id, closing + witness.line(text, time=1_800_000_000), str(witness.verifier))

    cosigned = Note.read(engine.proofs.checkpoint(raffle.id))
    assert cosigned.check(witness.verifier) == [1_800_000_000]
    assert cosigned.check(KEY.verifier) == [0]
    for note, key, words in (
        (closing, stranger, "has no cosignature by other.example"),
        (closing + witness.line(text, time=1_900_000_000), witness, "is already stored"),
        (closing + 2 * witness.line(text, time=1_800_000_000), witness, "has more than one cosignature"),
        (closing + stranger.line(text, time=0), stranger, "before the raffle existed"),
        (closing + witness.line("another text\n", time=1), witness, "does not match this text"),
        (closing.replace("closed 1", "closed 2") + stranger.line(text, time=1), stranger, "is not the closing"),
        ("no note", stranger, "it is not a signed note"),
    ):
        with pytest.raises(InvalidValue, match=words):
            engine.proofs.cosign(raffle.id, note, str(key.verifier))
    engine.draw(raffle.id)
    assert engine.proofs.proof(raffle.id).witnesses == [str(witness.verifier)]


def test_only_a_closing_is_cosigned(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=5, prizes=PRIZES)
    engine.participate(raffle.id, "ann")

    with pytest.raises(TicketsRemaining, match=r"^This raffle has no closing yet: 4 of 5 tickets are left\.$"):
        engine.proofs.cosign(raffle.id, engine.proofs.checkpoint(raffle.id), str(KEY.verifier))
