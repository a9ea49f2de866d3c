"""The ledgers of a database's raffles: their books, what is signed of them, and the proofs that come out of them.

Tickets enter a ledger in `issuing`, in the transaction that stores them. Here it is read, signed once that is
committed, and proven.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import (
    InvalidValue,
    NotDrawnYet,
    RaffleNotFound,
    SigningKeyUnavailable,
    StorageUnavailable,
    TicketNotFound,
    TicketsRemaining,
)
from rafflekit.core.ledger.books import Book, book_of
from rafflekit.core.ledger.keys import signing_key_beside
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import count_wins
from rafflekit.core.protocol import cosignatures, tree
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.documents import (
    UNBOUND,
    WINNERS_IN_A_PROOF,
    Consistency,
    Entropy,
    Proof,
    ProvenWin,
    Receipt,
)
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import Note, NoteWrong, SignerKey, VerifierKey
from rafflekit.core.protocol.statements import DrawStatement, entropy_of
from rafflekit.core.protocol.terms import EntropyKind
from rafflekit.core.protocol.tiles import GrowingTree, TileReader
from rafflekit.core.settings import SIGNING_KEY
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import ledgers as statements
from rafflekit.core.storage.statements import raffles
from rafflekit.core.storage.statements.ledgers import DrawRecord

_LEAVES_AT_ONCE = 10_000
_STATES_KEPT = 64

_NO_KEY = (
    f"There is no key here to sign with; {SIGNING_KEY.name} names its file, and 'rafflekit key make FILE' makes one."
)

Result = TypeVar("Result")


class _State:
    """A ledger with so many leaves: its tree, and its checkpoint once it is signed."""

    def __init__(self, size: int, reader: TileReader) -> None:
        self.size = size
        self.reader = reader
        self.note = ""
        self._root = b""

    def root(self) -> bytes:
        if not self._root:
            self._root = tree.root(self.reader.subtree, self.size)
        return self._root


class Ledgers:
    """The ledgers of one database: what `engine.ledgers` is.

    `get` looks a raffle up. `signing_key` signs; without one, that of the database's own place, where it has such a
    place. Every method that takes an id raises `RaffleNotFound` if no raffle has it.
    """

    def __init__(
        self, database: Database, get: Callable[[UUID | str], Raffle], *, signing_key: SignerKey | None = None
    ) -> None:
        self._database = database
        self._get = get
        self._signing_key = signing_key
        self._states = lru_cache(_STATES_KEPT)(self._read_state)

    def verifier_key(self) -> VerifierKey:
        """Return the public key by which everybody can check what is signed here.

        Raises:
            SigningKeyUnavailable: there is no key to sign with, or the key beside the database is none.
            StorageUnavailable: it cannot be made.
        """
        key = self.signing_key()
        if key is None:
            raise SigningKeyUnavailable(_NO_KEY)
        return key.verifier

    def checkpoint(self, raffle_id: UUID | str) -> str:
        """Return the latest checkpoint of a raffle's ledger, signed; the closing, cosigned, once it is sold out.

        Raises:
            SigningKeyUnavailable: there is no key here that may sign for this raffle.
        """
        raffle = self._get(raffle_id)
        checkpoint = self._signed_checkpoint(self._book_to_sign(raffle), raffle, self._state(raffle))
        return checkpoint + _lines(self._query(statements.load_cosignatures, raffle.id))

    def receipt(self, raffle_id: UUID | str, ticket_number: int) -> Receipt:
        """Return the proof that a ticket is in the ledger, in its latest checkpoint: at most 40 hashes.

        Raises:
            TicketNotFound: no ticket has this number yet.
            InvalidValue: the number is no whole number.
            SigningKeyUnavailable: there is no key here that may sign for this raffle.
        """
        limits.check_ticket_number(ticket_number)
        raffle = self._get(raffle_id)
        book = self._book_to_sign(raffle)
        number = limits.possible_number(ticket_number, raffle.total_tickets)
        leaf = self._database.query(lambda connection: statements.leaf_of_number(connection, raffle.id, number))
        state = self._state(raffle)
        # A ticket may have been issued after the raffle was read.
        if leaf is None or leaf.serial >= state.size:
            raise TicketNotFound
        path = tree.inclusion_proof(state.reader.subtree, leaf.serial, state.size)
        return Receipt(leaf, path, self._signed_checkpoint(book, raffle, state))

    def consistency(self, raffle_id: UUID | str, old: int, new: int) -> Consistency:
        """Return the proof (RFC 9162) that the ledger of `new` tickets goes on from that of `old`.

        Raises:
            InvalidValue: `old` is not from 0 to `new`, or `new` is more than there are.
        """
        raffle = self._get(raffle_id)
        size = _size(raffle)
        if not 0 <= old <= new:
            raise InvalidValue("from", f"must be a size from 0 to the other one, {new:,}.")
        if new > size:
            raise InvalidValue("to", f"must be at most {size:,}, the size of the ledger now.")
        proof = tree.consistency_proof(self._state(raffle).reader.subtree, old, new) if old else []
        return Consistency(old, new, proof)

    def leaves(self, raffle_id: UUID | str) -> Iterator[Leaf]:
        """Yield all leaves of a raffle's ledger, as it is now, in the order of issue."""
        return self._leaves(self._get(raffle_id))

    def proof(self, raffle_id: UUID | str) -> Proof:
        """Return the proof of a draw: everything by which anybody can check it.

        Raises:
            NotDrawnYet: the winners have not been drawn.
            SigningKeyUnavailable: there is no key here that may sign for this raffle.
            StorageUnavailable: the ledger is not closed, as that of a drawn raffle is.
        """
        raffle = self._get(raffle_id)
        if not raffle.winners_drawn:
            raise NotDrawnYet
        book = self._book_to_sign(raffle)
        assert book.signer is not None
        # Read once, for both places that have them: another may come meanwhile.
        kept = self._query(statements.load_cosignatures, raffle.id)
        seed = self._query(raffles.seed_of_draw, raffle.id)
        record = self._database.query(lambda connection: statements.load_draw(connection, raffle.id))
        wins = count_wins(raffle.prizes)
        state = self._state(raffle)
        closing = self._closing(raffle, state)
        return Proof(
            terms=book.terms,
            key=str(book.signer.verifier),
            closing=self._signed_checkpoint(book, raffle, state) + _lines(kept),
            witnesses=[key for key, _ in kept],
            entropy=_entropy(raffle, closing, record),
            seed=seed,
            draw=None if record is None else book.signed(_statement(raffle, closing, seed, record).text()),
            winners=self._winners(raffle, wins, state) if wins <= WINNERS_IN_A_PROOF else None,
        )

    def cosign(self, raffle_id: UUID | str, note: str, verifier_key: str) -> None:
        """Keep a witness's cosignature on a raffle's closing; the first of a witness stays.

        `note` is the closing with it, the key the witness's.

        Raises:
            TicketsRemaining: the raffle has not closed.
            InvalidValue: the key is none; the note is not the closing of this raffle, or has not one right cosignature
                of this key, or one that shows nothing by its time; or another one of this key is kept.
        """
        raffle = self._get(raffle_id)
        if raffle.available_tickets:
            raise TicketsRemaining
        try:
            witness = VerifierKey.read(verifier_key)
        except NoteWrong as error:
            raise InvalidValue("key", f"is no verifier key: {error}.") from error
        try:
            read = Note.read(note)
            closing = self.closing_of(raffle)
            if read.text != closing.text():
                raise InvalidValue("note", "is not the closing of this raffle.")
            line, time = cosignatures.cosignature_of(witness, read)
            assert closing.closing is not None
            cosignatures.check_date(time, closing.closing, raffle.created_at)
        except NoteWrong as error:
            raise InvalidValue("note", f"{error}.") from error

        def keep(connection: Connection) -> None:
            raffles.lock_counter(connection, raffle.id)
            record = statements.load_ledger(connection, raffle.id)
            kept = dict(statements.load_cosignatures(connection, raffle.id))
            if verifier_key not in kept:
                operator = [] if record is None or record.verifier_key is None else [record.verifier_key]
                cosignatures.check_beside(witness, [VerifierKey.read(each) for each in [*operator, *kept]])
                statements.put_cosignature(connection, raffle.id, verifier_key, line)
            elif kept[verifier_key] != line:
                raise InvalidValue("note", f"comes late: another cosignature by {witness.name} is kept already.")

        self._database.write(keep)

    def signing_key(self) -> SignerKey | None:
        """Return the key that signs, made if there is a place for one of its own; None if there is neither.

        Raises:
            SigningKeyUnavailable: the key beside the database is none, or has signed already and is missing.
            StorageUnavailable: it cannot be made.
        """
        if self._signing_key is None and self._database.key_file is not None:
            self._database.require_open()
            self._refuse_to_replace(self._database.key_file)
            self._signing_key = signing_key_beside(self._database.key_file)
        return self._signing_key

    def begin(self, connection: Connection, raffle: UUID, *, entropy: EntropyKind, delay_s: int | None) -> None:
        """Begin the ledger of a new raffle, in the transaction that stores it; the key has been asked for before."""
        key = None if self._signing_key is None else str(self._signing_key.verifier)
        statements.insert_ledger(connection, raffle, entropy=entropy, delay_s=delay_s, verifier_key=key)

    def book(self, raffle_id: UUID | str) -> Book:
        """Return the book of a raffle; one whose ledger has no key yet gets this process's.

        Raises:
            SigningKeyUnavailable: its ledger has another key.
        """
        return self._open_book(self._get(raffle_id))

    def require_key(self, raffle: Raffle) -> None:
        """Check that the key with which a raffle's ledger was begun is here; one that was begun without needs none.

        Raises:
            SigningKeyUnavailable: it is not.
        """
        self._open_book(raffle, needs_its_key=True)

    def closing_of(self, raffle: Raffle) -> Checkpoint:
        """Return the closing of a sold-out raffle.

        Raises:
            StorageUnavailable: its ledger is not closed.
        """
        return self._closing(raffle, self._state(raffle))

    def load_edge(self, connection: Connection, raffle: UUID, size: int) -> GrowingTree:
        """Return the right edge of the tree of the first `size` leaves, as it is stored.

        Raises:
            StorageUnavailable: some of it is missing; nothing may be added to it then.
        """
        growing = GrowingTree(size, statements.edge_entries(connection, raffle, size))
        tree.root(growing.subtree, size)
        return growing

    def _refuse_to_replace(self, key_file: Path) -> None:
        if os.path.lexists(key_file):
            return
        used = self._database.query(statements.any_verifier_key)
        # Looked at again: another process may have made it, and used it, meanwhile.
        if used is not None and not os.path.lexists(key_file):
            raise SigningKeyUnavailable(
                f"The key {key_file} is missing, and raffles here are signed by {used}: put a copy of it there. If it "
                f"is lost, they cannot go on, and 'rafflekit key make {key_file}' makes another one for new raffles."
            )

    def _book_to_sign(self, raffle: Raffle) -> Book:
        book = self._open_book(raffle, needs_its_key=True)
        if book.signer is None:
            raise SigningKeyUnavailable(_NO_KEY)
        return book

    def _open_book(self, raffle: Raffle, *, needs_its_key: bool = False) -> Book:
        key = self.signing_key()
        record = self._query(statements.load_ledger, raffle.id)
        if record.verifier_key is None and key is not None:
            claim = partial(statements.claim_ledger, raffle=raffle.id, verifier_key=str(key.verifier))
            self._database.write(claim)
            record = self._query(statements.load_ledger, raffle.id)
        if key is not None and record.verifier_key != str(key.verifier):
            raise SigningKeyUnavailable(
                f"The raffle {raffle.id} is signed by the key {record.verifier_key}, and here is another one; "
                "start with that key."
            )
        if key is None and needs_its_key and record.verifier_key is not None:
            raise SigningKeyUnavailable(
                f"The raffle {raffle.id} is signed by the key {record.verifier_key}, and here is none; start with that "
                f"key ({SIGNING_KEY.name})."
            )
        return book_of(raffle, key)

    def _leaves(self, raffle: Raffle) -> Iterator[Leaf]:
        for first in range(0, _size(raffle), _LEAVES_AT_ONCE):
            last = min(first + _LEAVES_AT_ONCE, _size(raffle)) - 1
            yield from self._database.query(
                partial(statements.leaves_between, raffle=raffle.id, first=first, last=last)
            )

    def _closing(self, raffle: Raffle, state: "_State") -> Checkpoint:
        record = self._query(statements.load_ledger, raffle.id)
        if raffle.available_tickets or record.closing is None:
            raise StorageUnavailable(
                f"The ledger of the raffle {raffle.id} is not closed in the database, though the raffle is over; "
                "'rafflekit doctor' says what is wrong."
            )
        return book_of(raffle).checkpoint(state.root(), state.size, record.closing)

    def _winners(self, raffle: Raffle, wins: int, state: "_State") -> list[ProvenWin]:
        found = self._database.query(partial(statements.winning_leaves, raffle=raffle.id, first=1, last=wins))
        return [
            ProvenWin(prize, leaf, tree.inclusion_proof(state.reader.subtree, leaf.serial, state.size))
            for prize, leaf in found
        ]

    def _signed_checkpoint(self, book: Book, raffle: Raffle, state: "_State") -> str:
        if not state.note:
            is_closed = state.size == raffle.total_tickets
            closing = self._query(statements.load_ledger, raffle.id).closing if is_closed else None
            # What is signed must outlive the primary, and nobody may have made sure of it yet.
            self._database.confirm()
            state.note = book.signed(book.checkpoint(state.root(), state.size, closing).text())
        return state.note

    def _state(self, raffle: Raffle) -> "_State":
        """Return the state of a ledger as it was when the raffle was read: it never changes, so it is kept a while.

        But a database may be set back, and sell as many tickets again: then the last one is another, and so the state.
        """
        size = _size(raffle)
        rows = self._database.fetch(statements.LEAF_OF_SERIAL, {"raffle": raffle.id, "serial": size - 1})
        return self._states(raffle.id, size, Leaf(*rows[0]) if rows else None)

    def _read_state(self, raffle: UUID, size: int, _last: Leaf | None) -> "_State":
        def entries(level: int, tile: int) -> list[bytes]:
            return self._database.query(
                lambda connection: statements.tile_entries(connection, raffle, size, level, tile)
            )

        return _State(size, TileReader(entries))

    def _query(self, statement: "Callable[[Connection, UUID], Result | None]", raffle: UUID) -> Result:
        found = self._database.query(lambda connection: statement(connection, raffle))
        if found is None:
            raise RaffleNotFound
        return found


def _statement(raffle: Raffle, closing: Checkpoint, seed: bytes, record: DrawRecord) -> DrawStatement:
    return DrawStatement(
        origin=closing.origin,
        closing_hash=closing.closing_hash(),
        entropy=entropy_of(raffle.entropy, record.entropy),
        seed=seed,
        wins=record.wins,
        winners_digest=record.winners_digest,
    )


def _entropy(raffle: Raffle, closing: Checkpoint, record: DrawRecord | None) -> Entropy:
    if record is None:
        return Entropy(UNBOUND)
    return Entropy(raffle.entropy, record.entropy, None if closing.closing is None else closing.closing.round)


def _lines(kept: Iterable[tuple[str, str]]) -> str:
    return "".join(line for _, line in kept)


def _size(raffle: Raffle) -> int:
    return raffle.total_tickets - raffle.available_tickets
