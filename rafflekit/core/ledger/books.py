"""A raffle's book, which never changes, and the edge at which tickets enter its ledger (pure).

What is stored of ledgers is in `rafflekit.core.ledger.keeping`.
"""

from dataclasses import dataclass, field

from rafflekit.core.protocol import tree
from rafflekit.core.protocol.checkpoints import Cancellation, Checkpoint, End, origin_of
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.protocol.tiles import GrowingTree


@dataclass(frozen=True, slots=True)
class Book:
    """What never changes of a raffle's ledger: its terms, their hash and, if something is signed, its key."""

    terms: Terms
    terms_hash: bytes
    signer: SignerKey | None = field(default=None, repr=False)

    def end_at(self, closed: int) -> End:
        """Return the end of the ledger if it is closed at this time (seconds since 1970)."""
        # The clock may have been set back since the raffle was created.
        closed = max(closed, int(self.terms.created_at.timestamp()))
        return source_of(self.terms.entropy).end_at(closed, self.terms.delay_s)

    def checkpoint(
        self, root: bytes, size: int, end: End | None, cancellation: Cancellation | None = None
    ) -> Checkpoint:
        """Return the checkpoint of the tree with these leaves; a cancellation replaces the closing."""
        if cancellation is not None:
            end = None
        return Checkpoint(origin_of(self.terms.id), size, root, self.terms_hash, end, cancellation)

    def signed(self, text: str) -> str:
        """Return a text as a note with the operator's signature; only for a book with a key."""
        assert self.signer is not None
        return f"{text}\n{self.signer.line(text)}"


class Edge:
    """The state of a ledger after a group of tickets, from which their receipts are made.

    The last ticket is identified by its code's hash, which is unique, since its salt is random.
    """

    def __init__(self, book: Book, growing: GrowingTree, end: End | None, last_code_hash: str) -> None:
        self.growing = growing
        self.last_code_hash = last_code_hash
        self._book = book
        self._end = end
        self._note = ""

    def receipt(self, serial: int, ticket_number: int, code_hash: str) -> Receipt:
        """Return the receipt of one of the tickets that were appended last."""
        size = self.growing.size
        if not self._note:
            root = tree.root(self.growing.subtree, size)
            self._note = self._book.signed(self._book.checkpoint(root, size, self._end).text())
        path = tree.inclusion_proof(self.growing.subtree, serial, size)
        return Receipt(Leaf(serial, ticket_number, code_hash), path, self._note)


def book_of(terms: Terms, signer: SignerKey | None = None) -> Book:
    """Return the book of a raffle with these terms; without a key, it cannot sign."""
    return Book(terms, terms.hash(), signer)
