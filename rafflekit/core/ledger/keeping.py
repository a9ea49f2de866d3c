"""The ledgers of a database's raffles, for the rooms that write in them: keys, books, trees and closings.

Tickets enter a ledger in the transaction that stores them. `proofs` shows it to the public.
"""

import os
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from uuid import UUID

from rafflekit.core.errors import SigningKeyUnavailable, StorageUnavailable
from rafflekit.core.ledger.books import Book, book_of
from rafflekit.core.ledger.keys import signing_key_beside
from rafflekit.core.models import Raffle
from rafflekit.core.protocol import tree
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.leaves import Leaf, leaf_data
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.tiles import TILE, TileReader
from rafflekit.core.protocol.tree import leaf_hash
from rafflekit.core.settings import SIGNING_KEY
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.statements import ledgers as statements
from rafflekit.core.storage.statements.raffles import any_verifier_key

_TREES_KEPT = 64

_NO_KEY = (
    f"No signing key is available here: {SIGNING_KEY.name} names its file, and 'rafflekit key make FILE' makes one."
)


class LedgerTree:
    """The tree of a ledger's first `size` leaves, and its checkpoints once they are signed.

    What it computes raises `StorageUnavailable` if some of the tree is missing.
    """

    def __init__(self, size: int, reader: TileReader) -> None:
        self.size = size
        self.subtree = reader.subtree
        self.signed: dict[str, str] = {}
        """What the operator has signed of it: the note of each text."""
        self._root = b""

    def root(self) -> bytes:
        """Return the tree's root."""
        if not self._root:
            self._root = tree.root(self.subtree, self.size)
        return self._root

    def path(self, serial: int) -> list[bytes]:
        """Return the inclusion proof of a leaf."""
        return tree.inclusion_proof(self.subtree, serial, self.size)

    def paths(self, serials: Iterable[int]) -> dict[int, list[bytes]]:
        """Return the inclusion proofs of many leaves, by their serials."""
        # In the leaves' order, so that no tile is read twice, however few of them stay in memory.
        subtree = cache(self.subtree)
        return {serial: tree.inclusion_proof(subtree, serial, self.size) for serial in sorted(serials)}


class Ledgers:
    """The ledgers of one database. `signing_key` signs; without one, a SQLite file uses the key next to it."""

    def __init__(self, database: Database, *, signing_key: SignerKey | None = None) -> None:
        self._database = database
        self._signing_key = signing_key
        self._trees = lru_cache(_TREES_KEPT)(self._new_tree)

    def signing_key(self) -> SignerKey | None:
        """Return the key that signs, making the one next to a SQLite file at its first use; None without a key.

        Raises:
            SigningKeyUnavailable: the key next to the database is unusable, or is missing although it has signed.
            StorageUnavailable: it cannot be made.
        """
        if self._signing_key is None and self._database.key_file is not None:
            self._database.require_open()
            self._refuse_to_replace(self._database.key_file)
            self._signing_key = signing_key_beside(self._database.key_file)
        return self._signing_key

    def required_key(self) -> SignerKey:
        """Return the key that signs, as `signing_key` does.

        Raises:
            SigningKeyUnavailable: there is none, or it cannot be used.
            StorageUnavailable: it cannot be made.
        """
        key = self.signing_key()
        if key is None:
            raise SigningKeyUnavailable(_NO_KEY)
        return key

    def book_to_sign(self, raffle: Raffle) -> Book:
        """Return the book of a raffle, with the key that signs it.

        Raises:
            SigningKeyUnavailable: the raffle's key is not here.
        """
        key = self.signing_key()
        if key is None or str(key.verifier) != raffle.verifier_key:
            here = "no key is available here" if key is None else "another key is used here"
            raise SigningKeyUnavailable(
                f"The raffle {raffle.id} needs the key {raffle.verifier_key}, and {here}; set {SIGNING_KEY.name} to "
                "the file of that key."
            )
        return book_of(raffle.terms, key)

    def closing_of(self, raffle: Raffle) -> Checkpoint:
        """Return the closing of a closed raffle.

        Raises:
            StorageUnavailable: some of its ledger is missing.
        """
        return closing_of(raffle, self.tree_of(raffle))

    def tree_of(self, raffle: Raffle) -> LedgerTree:
        """Return the tree of a ledger at the time when the raffle was read."""
        rows = self._database.fetch(statements.LEAF_OF_SERIAL, {"raffle": raffle.id, "serial": raffle.issued - 1})
        return self.tree_with(raffle.id, raffle.issued, Leaf(*rows[0]) if rows else None)

    def tree_with(self, raffle: UUID, size: int, last: Leaf | None) -> LedgerTree:
        """Return the tree of a ledger's first `size` leaves, of which this is the last.

        Such a tree never changes, so it is kept for a while. A database that was restored from a backup may issue the
        same number of tickets again: then the last leaf differs, and so does the tree.
        """
        return self._trees(raffle, size, last)

    def _refuse_to_replace(self, key_file: Path) -> None:
        if os.path.lexists(key_file):
            return
        used = self._database.query(any_verifier_key)
        # Looked at again: another process may have made the key, and used it, in between.
        if used is not None and not os.path.lexists(key_file):
            raise SigningKeyUnavailable(
                f"The key {key_file} is missing, and raffles here are signed by {used}: put a copy of it there. If it "
                "is lost, these raffles can neither issue tickets nor be drawn; 'rafflekit key make "
                f"{key_file}' makes a key for new raffles."
            )

    def _new_tree(self, raffle: UUID, size: int, _last: Leaf | None) -> LedgerTree:
        def entries(level: int, tile: int) -> list[bytes]:
            if level == 0:
                # A proof reads most of its rows here.
                span = {"raffle": raffle, "first": tile * TILE, "last": min(size, (tile + 1) * TILE) - 1}
                rows = self._database.fetch(statements.LEAVES_BETWEEN, span)
                return [leaf_hash(leaf_data(raffle, *row)) for row in rows]
            return self._database.query(
                lambda connection: statements.tile_entries(connection, raffle, size, level, tile)
            )

        return LedgerTree(size, TileReader(entries))


def closing_of(raffle: Raffle, its_tree: LedgerTree) -> Checkpoint:
    """Return the closing of a closed raffle whose ledger has this tree.

    Raises:
        StorageUnavailable: some of its ledger is missing.
    """
    # Leaves are counted, not the state: of a damaged drawn raffle, some may be missing.
    if its_tree.size < raffle.issued or raffle.end is None:
        raise StorageUnavailable(
            f"The ledger of the raffle {raffle.id} is not closed in the database, although it is drawn; "
            "'rafflekit doctor' says what is wrong."
        )
    return book_of(raffle.terms).checkpoint(its_tree.root(), its_tree.size, raffle.end)
