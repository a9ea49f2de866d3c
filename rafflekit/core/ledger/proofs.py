"""Proofs for the public: what a raffle's ledger shows to anyone who asks, signed by the operator."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from uuid import UUID

from rafflekit.core import lifecycle, limits
from rafflekit.core.errors import (
    InvalidValue,
    RaffleNotFound,
    StorageUnavailable,
    TicketNotFound,
    TicketsRemaining,
)
from rafflekit.core.ledger.books import Book
from rafflekit.core.ledger.keeping import Ledgers, LedgerTree, closing_of
from rafflekit.core.models import Raffle, Ticket, uuid_of
from rafflekit.core.prizes import count_wins
from rafflekit.core.protocol import cosignatures, tree
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.protocol.documents import (
    FORFEITS_IN_A_PROOF,
    WINNERS_IN_A_PROOF,
    Consistency,
    Proof,
    ProvenForfeit,
    ProvenWin,
    Receipt,
)
from rafflekit.core.protocol.entropy import Evidence, source_of
from rafflekit.core.protocol.forfeits import ForfeitStatement, NextTicket, Why
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import Note, NoteWrong, VerifierKey
from rafflekit.core.protocol.receipts import ReceiptWrong, check_receipt
from rafflekit.core.protocol.winners import DrawStatement, seed_of
from rafflekit.core.protocol.words import words_of
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import claims, draws, raffles
from rafflekit.core.storage.statements import ledgers as statements
from rafflekit.core.storage.statements.claims import Forfeit
from rafflekit.core.storage.statements.draws import DrawRecord


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What a database has of a drawn raffle at one moment."""

    raffle: Raffle
    last: Leaf | None
    cosignatures: Sequence[tuple[str, str]]
    draw: DrawRecord
    seed: bytes
    wins: Sequence[tuple[int, Leaf]] | None
    """Each with its prize's position, in draw order; None if a proof does not list them."""
    forfeits: Sequence[Forfeit] | None
    """In their order; None if a proof does not list them."""


class Proofs:
    """What one database's ledgers prove: `engine.proofs`.

    Every method that takes an id raises `RaffleNotFound` if no raffle has it.
    """

    def __init__(self, database: Database, ledgers: Ledgers, get: Callable[[UUID | str], Raffle]) -> None:
        self._database = database
        self._ledgers = ledgers
        self._get = get

    def can_sign(self) -> bool:
        """Return whether a signing key is available here; the key next to a SQLite file is made at its first use.

        Raises:
            SigningKeyUnavailable: the key next to the database is unusable, or is missing although it has signed.
            StorageUnavailable: it cannot be made.
        """
        return self._ledgers.signing_key() is not None

    def verifier_key(self) -> VerifierKey:
        """Return the public key with which anyone can check what is signed here.

        Raises:
            SigningKeyUnavailable: no signing key is available here, or the key next to the database is unusable.
            StorageUnavailable: it cannot be made.
        """
        return self._ledgers.required_key().verifier

    def raffles_of_other_keys(self) -> int:
        """Return the number of raffles, neither drawn nor cancelled, that need another key than the one here.

        Raises:
            SigningKeyUnavailable, StorageUnavailable: as `verifier_key` does.
        """
        key = str(self.verifier_key())
        return self._database.query(lambda connection: raffles.count_of_other_keys(connection, key))

    def checkpoint(self, raffle_id: UUID | str) -> str:
        """Return the latest checkpoint of a raffle's ledger, signed.

        Of a closed raffle this is the closing, with its cosignatures, and of a cancelled one the cancellation.

        Raises:
            TicketNotFound: it has no tickets, so its terms may still change, and nothing is signed.
            SigningKeyUnavailable: no signing key for this raffle is available here.
        """
        raffle = self._get(raffle_id)
        if not raffle.issued and raffle.cancellation is None:
            raise TicketNotFound("This raffle has no tickets yet, so its terms can change and nothing is signed.")
        book = self._ledgers.book_to_sign(raffle)
        note = self._signed_checkpoint(book, raffle, self._ledgers.tree_of(raffle))
        if raffle.cancellation is not None:
            return note
        kept = self._database.query(lambda connection: statements.load_cosignatures(connection, raffle.id))
        return note + _lines(kept)

    def words(self, raffle: Raffle) -> tuple[str, ...] | None:
        """Return the six words of a raffle's closing; None before it, and of a cancelled raffle.

        Raises:
            StorageUnavailable: some of its ledger is missing.
        """
        if raffle.end is None or raffle.cancellation is not None:
            return None
        return words_of(self._ledgers.closing_of(raffle).closing_hash())

    def receipt(self, raffle_id: UUID | str, ticket_number: int) -> Receipt:
        """Return the proof that a ticket is in the ledger, in its latest checkpoint: at most 40 hashes.

        Raises:
            TicketNotFound: no ticket has this number yet.
            InvalidValue: the number is not a whole number.
            SigningKeyUnavailable: no signing key for this raffle is available here.
        """
        limits.check_ticket_number(ticket_number)
        raffle = self._get(raffle_id)
        book = self._ledgers.book_to_sign(raffle)
        number = limits.possible_number(ticket_number, raffle.total_tickets)
        leaf = self._database.query(lambda connection: statements.leaf_of_number(connection, raffle.id, number))
        its_tree = self._ledgers.tree_of(raffle)
        # A ticket may have been issued after the raffle was read.
        if leaf is None or leaf.serial >= its_tree.size:
            raise TicketNotFound
        return Receipt(leaf, its_tree.path(leaf.serial), self._signed_checkpoint(book, raffle, its_tree))

    def consistency(self, raffle_id: UUID | str, old: int, new: int) -> Consistency:
        """Return the proof (RFC 9162) that the ledger of `new` tickets extends that of `old`.

        Raises:
            InvalidValue: `old` is not from 0 to `new`, or `new` is larger than the ledger.
        """
        raffle = self._get(raffle_id)
        _check_sizes(old, new, raffle)
        proof = tree.consistency_proof(self._ledgers.tree_of(raffle).subtree, old, new) if old else []
        return Consistency(old, new, proof)

    def leaves(self, raffle_id: UUID | str) -> Iterator[Leaf]:
        """Yield all current leaves of a raffle's ledger in the order of issue."""
        raffle = self._get(raffle_id)
        return chain.from_iterable(
            self._leaves(raffle.id, first, raffle.issued) for first in range(0, raffle.issued, limits.LEAVES_AT_ONCE)
        )

    def leaves_between(
        self, raffle_id: UUID | str, first: int = 0, end: int | None = None
    ) -> tuple[Sequence[Leaf], int]:
        """Return the leaves with which the ledger grew from `first` to `end` tickets, and `end`: by default, it is now.

        These are at most `limits.LEAVES_AT_ONCE`, in the order of issue. If they do not reach `end`, there are more.

        Raises:
            InvalidValue: `first` is not from 0 to `end`, or `end` is larger than the ledger.
        """
        raffle = self._get(raffle_id)
        end = raffle.issued if end is None else end
        _check_sizes(first, end, raffle)
        return self._leaves(raffle.id, first, end), end

    def version(self, raffle_id: UUID | str) -> Hashable:
        """Return a value that changes whenever the proof of a draw does: cosignatures and forfeits are added to it.

        It costs little, and tells apart the draws of all raffles.

        Raises:
            NotDrawnYet: the winners have not been drawn.
            StorageUnavailable: the draw record is missing.
        """
        raffle = self._get(raffle_id)
        lifecycle.check_drawn(raffle)

        def look(connection: Connection) -> Hashable:
            draw, seed = draws.draw_and_seed(connection, raffle.id)
            cosigned = statements.load_cosignatures(connection, raffle.id)
            return raffle.id, seed, draw, tuple(cosigned), claims.progress_of(connection, raffle.id)

        return self._database.read(look)

    def proof(self, raffle_id: UUID | str) -> Proof:
        """Return the proof of a draw: everything that is needed to check it.

        Raises:
            NotDrawnYet: the winners have not been drawn.
            SigningKeyUnavailable: no signing key for this raffle is available here.
            StorageUnavailable: the ledger is not closed, the draw record is missing, or the seed does not come from
                the two, so the database is damaged.
        """
        drawn = self._database.read(partial(_load_drawn, raffle=uuid_of(raffle_id)))
        book = self._ledgers.book_to_sign(drawn.raffle)
        assert book.signer is not None
        its_tree = self._ledgers.tree_with(drawn.raffle.id, drawn.raffle.issued, drawn.last)
        closing = closing_of(drawn.raffle, its_tree)
        assert closing.end is not None
        statement = _statement(drawn, closing)
        if seed_of(statement.closing_hash, statement.entropy) != drawn.seed:
            raise StorageUnavailable(
                f"The seed of the raffle {drawn.raffle.id} does not come from its ledger and its entropy; "
                "'rafflekit doctor' says what is wrong."
            )
        heirs = [each.heir for each in drawn.forfeits or () if each.heir is not None]
        paths = its_tree.paths({leaf.serial for leaf in (*(leaf for _, leaf in drawn.wins or ()), *heirs)})
        return Proof(
            terms=book.terms,
            key=str(book.signer.verifier),
            closing=self._signed_checkpoint(book, drawn.raffle, its_tree) + _lines(drawn.cosignatures),
            witnesses=[key for key, _ in drawn.cosignatures],
            entropy=Evidence(drawn.raffle.terms.entropy, drawn.draw.entropy, closing.end.round),
            seed=drawn.seed,
            draw=book.signed(statement.text()),
            winners=None
            if drawn.wins is None
            else [ProvenWin(prize, leaf, paths[leaf.serial]) for prize, leaf in drawn.wins],
            forfeits=None
            if drawn.forfeits is None
            else [_proven(forfeit, book, statement, paths) for forfeit in drawn.forfeits],
        )

    def cosign(self, raffle_id: UUID | str, note: str, verifier_key: str) -> None:
        """Keep a witness's cosignature on a raffle's closing; each witness's first one is final.

        `note` is the closing with the cosignature, `verifier_key` the witness's key.

        Raises:
            TicketsRemaining: the raffle has not closed.
            InvalidValue: the key is not a verifier key; the note is not this raffle's closing, or does not have exactly
                one valid cosignature of this key, or its time proves nothing; or another one of this key is kept.
        """
        raffle = self._get(raffle_id)
        try:
            lifecycle.check_closed(raffle)
        except TicketsRemaining as error:
            left = error.remaining
            shown = f"{left:,} of {raffle.total_tickets:,} tickets {'is' if left == 1 else 'are'} left"
            # The error's own sentence is about a draw.
            raise TicketsRemaining(left, f"This raffle has no closing yet: {shown}.") from error
        try:
            witness = VerifierKey.read(verifier_key)
        except NoteWrong as error:
            raise InvalidValue("key", f"is not a verifier key: {error}.") from error
        line = _cosignature_on(self._ledgers.closing_of(raffle), raffle, note, witness)
        keep = partial(_keep_cosignature, raffle=raffle.id, verifier_key=verifier_key, witness=witness, line=line)
        self._database.write(keep)

    def _leaves(self, raffle: UUID, first: int, end: int) -> Sequence[Leaf]:
        span = {"raffle": raffle, "first": first, "last": min(first + limits.LEAVES_AT_ONCE, end) - 1}
        return [Leaf(*row) for row in self._database.fetch(statements.LEAVES_BETWEEN, span)]

    def _signed_checkpoint(self, book: Book, raffle: Raffle, its_tree: LedgerTree) -> str:
        text = book.checkpoint(its_tree.root(), its_tree.size, raffle.end, raffle.cancellation).text()
        if text not in its_tree.signed:
            # What is signed must outlive the primary, and no one may have made sure of that yet.
            self._database.confirm()
            its_tree.signed[text] = book.signed(text)
        return its_tree.signed[text]


def check_ticket(ticket: Ticket, key: VerifierKey) -> Receipt:
    """Check that a new ticket has a valid receipt for its number and its code; return the receipt.

    Raises:
        ReceiptWrong: it does not.
    """
    if ticket.receipt is None:
        raise ReceiptWrong("it is missing")
    check_receipt(ticket.receipt, ticket.raffle_id, key)
    leaf = ticket.receipt.leaf
    if leaf.ticket_number != ticket.number:
        raise ReceiptWrong(f"it belongs to ticket {leaf.ticket_number:,}")
    if not CodeHasher().check(leaf.code_hash, ticket.verification_code):
        raise ReceiptWrong("it belongs to another code")
    return ticket.receipt


def _check_sizes(old: int, new: int, raffle: Raffle) -> None:
    if not 0 <= old <= new:
        raise InvalidValue("from", f"must be a size from 0 to the other one, {new:,}.")
    if new > raffle.issued:
        raise InvalidValue("to", f"must be at most {raffle.issued:,}, the size of the ledger now.")


def _load_drawn(connection: Connection, raffle: UUID) -> _Drawn:
    found = raffles.load_raffle(connection, raffle)
    if found is None:
        raise RaffleNotFound
    lifecycle.check_drawn(found)
    draw, seed = draws.draw_and_seed(connection, raffle)
    wins, last = count_wins(found.prizes), found.issued - 1
    forfeits = claims.stored_forfeits(connection, raffle, most=FORFEITS_IN_A_PROOF + 1)
    return _Drawn(
        raffle=found,
        last=next(iter(statements.leaves_between(connection, raffle, last, last)), None),
        # Read once, although a proof has them in two places: another one may be added at any time.
        cosignatures=statements.load_cosignatures(connection, raffle),
        draw=draw,
        seed=seed,
        wins=draws.winning_leaves(connection, raffle) if wins <= WINNERS_IN_A_PROOF else None,
        forfeits=forfeits if len(forfeits) <= FORFEITS_IN_A_PROOF else None,
    )


def _statement(drawn: _Drawn, closing: Checkpoint) -> DrawStatement:
    return DrawStatement(
        origin=closing.origin,
        closing_hash=closing.closing_hash(),
        drawn=lifecycle.drawn_s(drawn.raffle),
        entropy=source_of(drawn.raffle.terms.entropy).entropy_of(drawn.draw.entropy),
        seed=drawn.seed,
        wins=drawn.draw.wins,
        winners_digest=drawn.draw.winners_digest,
    )


def _proven(forfeit: Forfeit, book: Book, draw: DrawStatement, paths: Mapping[int, Sequence[bytes]]) -> ProvenForfeit:
    heir = forfeit.heir
    statement = ForfeitStatement(
        origin=draw.origin,
        draw_hash=draw.hash(),
        number=forfeit.number,
        time=forfeit.forfeited_at,
        win=forfeit.ordinal,
        why=Why(forfeit.why),
        reason=forfeit.reason,
        next=None if heir is None else NextTicket(heir.serial, heir.ticket_number),
    )
    return ProvenForfeit(book.signed(statement.text()), heir, [] if heir is None else paths[heir.serial])


def _cosignature_on(closing: Checkpoint, raffle: Raffle, note: str, witness: VerifierKey) -> str:
    """Return the line of the one valid cosignature of a witness that a note has."""
    assert closing.end is not None
    try:
        read = Note.read(note)
        if read.text != closing.text():
            raise InvalidValue("note", "is not the closing of this raffle.")
        line, time = cosignatures.cosignature_of(witness, read)
        known_from = source_of(raffle.terms.entropy).known_from(closing.end)
        cosignatures.check_date(time, created_at=raffle.created_at, known_from=known_from)
    except NoteWrong as error:
        raise InvalidValue("note", f"{error}.") from error
    return line


def _keep_cosignature(
    connection: Connection, raffle: UUID, *, verifier_key: str, witness: VerifierKey, line: str
) -> None:
    found = raffles.lock_raffle(connection, raffle)
    kept = dict(statements.load_cosignatures(connection, raffle))
    if verifier_key not in kept:
        cosignatures.check_beside(witness, [VerifierKey.read(each) for each in [found.verifier_key, *kept]])
        statements.insert_cosignature(connection, raffle, verifier_key, line)
    elif kept[verifier_key] != line:
        raise InvalidValue("note", f"is too late: another cosignature by {witness.name} is already stored.")


def _lines(kept: Sequence[tuple[str, str]]) -> str:
    return "".join(line for _, line in kept)
