"""The databases of a run: those that several benchmarks share are made once, when first asked for, and copied.

A raffle with a million sold tickets is filled by raw sqlite3 through rafflekit's own tables: it differs from one that
a million people filled in nothing that costs time.
"""

import itertools
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection

from benchmarks.baselines import raw_sqlite
from benchmarks.sizes import Sizes
from rafflekit import Prize, RaffleEngine
from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.tiles import GrowingTree, WholeTile
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.statements import checkup, ledgers, raffles
from rafflekit.core.tickets.numbering import Numbering

ROOM = 40_000
"""More tickets than any benchmark sells in addition to those already sold."""

LARGE_RAFFLE = 1_000_000_000
"""Tickets of a raffle that does not sell out."""

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Filled:
    """A database and the raffle in it that is measured: its tickets, and how many are sold."""

    database: Path
    raffle: UUID
    total_tickets: int
    sold: int

    @property
    def url(self) -> str:
        """The database's URL."""
        return f"sqlite:///{self.database}"


class Stock:
    """A folder with the databases of a run."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes
        self._names = itertools.count(1)

    def new_path(self, ending: str = ".db") -> Path:
        """Return the path of a file that does not exist yet."""
        return self.folder / f"{next(self._names)}{ending}"

    def fresh(self, *, total_tickets: int = LARGE_RAFFLE, tickets_each: int = 1) -> Filled:
        """Make a database with a raffle without sold tickets."""
        return self._made(total_tickets, [Prize("hug", 3)], tickets_each=tickets_each)

    def partly_sold(self, sold: int) -> Filled:
        """Make a database with a large raffle: this number of tickets is sold, and `ROOM` more can be."""
        return fill(self._made(LARGE_RAFFLE, [Prize("hug", 3)]), sold)

    @cached_property
    def much_sold(self) -> Filled:
        """A large raffle with `sizes.sold` sold tickets, to be copied."""
        return self.partly_sold(self.sizes.sold)

    @cached_property
    def sold_out(self) -> Filled:
        """A sold-out raffle of `sizes.sold` tickets, with a prize for each of them, to be copied.

        The bulk run leaves it here if it is measured before; otherwise it is made.
        """
        return fill(self.for_bulk(self.sizes.sold), self.sizes.sold)

    def for_bulk(self, tickets: int) -> Filled:
        """Make a database with a raffle as `sold_out` has it, before any ticket is sold."""
        return self._made(tickets, [Prize("warm hug", tickets)])

    @cached_property
    def drawn(self) -> Filled:
        """A copy of `sold_out` after the draw of all its prizes; the draw's benchmark leaves it here."""
        copied = self.copy(self.sold_out)
        with RaffleEngine(copied.url) as engine:
            engine.draw(copied.raffle)
        return copied

    def copy(self, filled: Filled) -> Filled:
        """Copy a database that no one has open; the copy is on the disk when this returns."""
        path = self.new_path()
        # With its rights, since a file that other users can read is refused.
        shutil.copy(filled.database, path)
        shutil.copy(f"{filled.database}.key", f"{path}.key")
        _sync(path)
        return replace(filled, database=path)

    def discard(self, filled: Filled) -> None:
        """Delete a copy after its use."""
        for ending in ("", "-wal", "-shm", ".key"):
            Path(f"{filled.database}{ending}").unlink(missing_ok=True)

    def _made(self, total_tickets: int, prizes: list[Prize], *, tickets_each: int = 1) -> Filled:
        path = self.new_path()
        with RaffleEngine(f"sqlite:///{path}") as engine:
            raffle = engine.create("Raffle", total_tickets=total_tickets, prizes=prizes, tickets_each=tickets_each)
        return Filled(path, raffle.id, total_tickets, 0)


def fill(empty: Filled, sold: int) -> Filled:
    """Sell this number of tickets of a raffle without sold tickets."""
    numbers = _free_numbers(empty, sold)
    with closing(raw_sqlite.connect(empty.database)) as connection:
        # Only for speed; none of this outlives the connection.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -600000"):
            connection.execute(f"PRAGMA {pragma}")
        rows = (raw_sqlite.ticket_row(empty.raffle, serial, number) for serial, number in enumerate(numbers))
        connection.execute("BEGIN IMMEDIATE")
        while some := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            raw_sqlite.insert_tickets(connection, some)
        connection.execute("COMMIT")
    with closing(Database(empty.url)) as opened:
        opened.write(lambda connection: _keep_ledger(connection, empty.raffle))
    settle(empty)
    return replace(empty, sold=sold)


def _keep_ledger(connection: Connection, raffle: UUID) -> None:
    """Store the ledger of tickets that were stored past the engine."""
    growing, whole = GrowingTree(), list[WholeTile]()
    leaves = checkup.leaf_hashes(connection, raffle)
    while some := list(itertools.islice(leaves, _ROWS_AT_ONCE)):
        growing, more = growing.grown(some)
        whole += more
    if whole:
        ledgers.insert_tiles(connection, raffle, whole)
    if (
        growing.size
        == connection.exec_driver_sql("SELECT total_tickets FROM raffles WHERE id = ?", (raffle.bytes,)).scalar()
    ):
        raffles.close_raffle(connection, raffle, End(1_800_000_000))


def settle(filled: Filled) -> None:
    """Move everything into the database file and onto the disk, so that the file alone can be copied."""
    with closing(raw_sqlite.connect(filled.database)) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not busy, f"{filled.database} is open elsewhere"
    _sync(filled.database)


def with_prizes(filled: Filled, amount: int) -> None:
    """Turn the prize for every ticket of a raffle that is not drawn into this number of prizes."""
    with closing(raw_sqlite.connect(filled.database)) as connection:
        # A rule forbids changes to prizes, so it is dropped for a moment.
        (rule,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'prizes_terms_update'").fetchone()
        connection.execute("DROP TRIGGER prizes_terms_update")
        connection.execute("UPDATE prizes SET amount = ? WHERE raffle = ?", (amount, filled.raffle.bytes))
        connection.execute(rule)


def fill_with_raffles(filled: Filled, count: int, *, prizes: int = 1) -> None:
    """Add this number of raffles, each with this number of kinds of prizes, to a database."""
    with closing(raw_sqlite.connect(filled.database)) as connection:
        (last,) = connection.execute("SELECT max(sequence) FROM raffles").fetchone()
        ids = [uuid4().bytes for _ in range(count)]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO raffles "
            "(id, sequence, name, folded_name, created_at, total_tickets, entropy, entry, tickets_each, verifier_key) "
            "VALUES (?, ?, 'Raffle', 'raffle', 1795500000, ?, 'secrets', 'address', 1, 'key')",
            ((id, sequence, 10 * prizes) for sequence, id in enumerate(ids, start=last + 1)),
        )
        connection.executemany("INSERT INTO counters (raffle, issued) VALUES (?, 0)", ((id,) for id in ids))
        connection.executemany(
            "INSERT INTO prizes (raffle, position, name, amount) VALUES (?, ?, 'hug', 3)",
            ((id, position) for id in ids for position in range(prizes)),
        )
        connection.execute("COMMIT")


def _free_numbers(empty: Filled, sold: int) -> Iterator[int]:
    """Return `sold` different numbers in random order, without those of the next tickets."""
    if sold == empty.total_tickets:
        return iter(random.sample(range(1, sold + 1), sold))
    numbering = Numbering(raw_sqlite.numbering_key(empty.database, empty.raffle), empty.total_tickets)
    coming = {numbering.number(serial) for serial in range(sold, sold + ROOM)}
    some = random.sample(range(1, empty.total_tickets + 1), sold + ROOM)
    return itertools.islice((number for number in some if number not in coming), sold)


def _sync(path: Path) -> None:
    # Otherwise the system would write it during a measurement.
    with path.open("rb+") as file:
        os.fsync(file.fileno())
