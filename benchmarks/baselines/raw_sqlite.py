"""Raw sqlite3: the same rows into the same tables, with the same indexes, triggers and pragmas, and no more Python.

The file is made by rafflekit, so schema and triggers are its own; the connection is prepared by rafflekit, so it is
as durable (WAL, synchronous FULL).
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

from rafflekit.core.ledger.keys import read_key_beside
from rafflekit.core.storage import sqlite
from rafflekit.core.tickets.sealing import unseal

TicketRow = tuple[bytes, int, int, bytes, int, str, bytes, int]
"""raffle, serial, number, participant, nth, code_hash, repeat_hash, issued_at"""

WinRow = tuple[bytes, int, int, int]
"""raffle, ordinal, serial, prize"""

_INSERT_TICKET = (
    "INSERT INTO tickets (raffle, serial, number, participant, nth, code_hash, repeat_hash, issued_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_COUNT = "UPDATE counters SET issued = ? WHERE raffle = ?"
_INSERT_WIN = "INSERT INTO wins (raffle, ordinal, serial, prize) VALUES (?, ?, ?, ?)"

A_CODE_HASH = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"
"""A stored hash of the usual length, which no code has to match."""


def connect(database: Path) -> sqlite3.Connection:
    """Open a database that rafflekit made, as rafflekit does."""
    # Rows come from several threads in turn, never at once.
    connection = sqlite3.connect(database, check_same_thread=False, timeout=sqlite.BUSY_TIMEOUT_S)
    sqlite.prepare_connection(connection)
    return connection


def ticket_row(raffle: UUID, serial: int, number: int, *, code_hash: str = A_CODE_HASH) -> TicketRow:
    """Return the row of a ticket without a participant: a keyed hash looks like random bytes."""
    return (raffle.bytes, serial, number, os.urandom(16), 1, code_hash, os.urandom(16), int(time.time()))


def store_tickets(connection: sqlite3.Connection, rows: Sequence[TicketRow]) -> None:
    """Store tickets of one raffle and count them, in one transaction that is on the disk when this returns."""
    connection.execute("BEGIN IMMEDIATE")
    insert_tickets(connection, rows)
    connection.execute("COMMIT")


def insert_tickets(connection: sqlite3.Connection, rows: Sequence[TicketRow]) -> None:
    """Store tickets of one raffle and count them, inside a transaction that is the caller's."""
    raffle, last_serial = rows[-1][:2]
    connection.executemany(_INSERT_TICKET, rows)
    connection.execute(_COUNT, (last_serial + 1, raffle))


def store_wins(connection: sqlite3.Connection, rows: Iterable[WinRow]) -> None:
    """Store the wins of a draw in one transaction that is on the disk when this returns."""
    # The same cache as in rafflekit's draw; otherwise raw sqlite3 would be slower.
    connection.execute(f"PRAGMA cache_size = -{64 * 1024}")
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_INSERT_WIN, rows)
    connection.execute("COMMIT")


def numbering_key(database: Path, raffle: UUID) -> bytes:
    """Return the key under which a raffle of a database numbers its tickets."""
    with closing(connect(database)) as connection:
        (sealed,) = connection.execute("SELECT sealed FROM secrets WHERE raffle = ?", (raffle.bytes,)).fetchone()
    return unseal(sealed, read_key_beside(sqlite.key_beside(database)), raffle).numbering_key
