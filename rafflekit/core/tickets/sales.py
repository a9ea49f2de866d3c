"""Sales: what a process keeps in memory of the raffles whose tickets it hands out, each loaded once."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

from rafflekit.core.errors import Cancelled, SoldOut, StorageUnavailable
from rafflekit.core.ledger.books import Book, Edge
from rafflekit.core.ledger.keeping import Ledgers
from rafflekit.core.lifecycle import is_drawn
from rafflekit.core.models import Raffle
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.records import RaffleKeys
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.statements import tickets
from rafflekit.core.tickets import numbering, sealing

_SALES_KNOWN = 1_000


@dataclass(slots=True)
class Sale:
    """What a process keeps of a raffle: its terms, its keys, and whether it is closed, which is final."""

    keys: RaffleKeys
    permutation: numbering.Numbering = field(repr=False)
    book: Book = field(repr=False)
    is_closed: bool
    is_announced: bool
    """Whether the raffle had a ticket when it was loaded, so that its terms are final."""
    edge: Edge | None = field(default=None, repr=False)
    """The ledger after the last group of this process; other processes may have added to it since."""

    @property
    def terms(self) -> Terms:
        """The raffle's terms."""
        return self.book.terms


class Sales:
    """The sales of a database's raffles, at most `_SALES_KNOWN` of them in memory."""

    def __init__(self, database: Database, get: Callable[[UUID], Raffle], ledgers: Ledgers) -> None:
        self._database = database
        self._get = get
        self._ledgers = ledgers
        self._known: dict[UUID, Sale] = {}
        self._lock = Lock()

    def of(self, raffle: UUID) -> Sale:
        """Return the sale of a raffle.

        Raises:
            RaffleNotFound: no raffle has this id.
            SoldOut, Cancelled: it is drawn or cancelled, so its keys are deleted and no request can be recognised as a
                repeat.
            SigningKeyUnavailable: the key that opens its secrets is not here.
            StorageUnavailable: the database fails, or the keys in it are damaged.
        """
        sale = self._known.get(raffle)
        if sale is None:
            sale = self._loaded(raffle)
            if sale.is_announced:
                self._remember(raffle, sale)
        return sale

    def forget(self, raffle: UUID) -> None:
        """Forget a raffle that is drawn, cancelled or changed."""
        with self._lock:
            self._known.pop(raffle, None)

    def _loaded(self, raffle_id: UUID) -> Sale:
        # First, because a draw deletes them: a raffle that is not drawn afterwards had its keys.
        sealed = self._database.query(lambda connection: tickets.load_sealed_keys(connection, raffle_id))
        raffle = self._get(raffle_id)
        if raffle.cancellation is not None:
            raise Cancelled
        if is_drawn(raffle):
            raise SoldOut
        book = self._ledgers.book_to_sign(raffle)
        assert book.signer is not None
        # Opened here, where only one caller is refused: a group hashes with the keys of all its raffles at once.
        try:
            keys = sealing.unseal(sealed or b"", book.signer, raffle_id)
        except sealing.SealBroken as error:
            raise StorageUnavailable(
                f"The secrets of the raffle {raffle_id} are damaged in the database; 'rafflekit doctor' says more."
            ) from error
        permutation = numbering.Numbering(keys.numbering_key, raffle.total_tickets)
        return Sale(keys, permutation, book, raffle.end is not None, raffle.issued > 0)

    def _remember(self, raffle: UUID, sale: Sale) -> None:
        with self._lock:
            if len(self._known) >= _SALES_KNOWN:
                # Any one will do; it is loaded again when it is needed.
                self._known.pop(secrets.choice(list(self._known)))
            self._known[raffle] = sale
