"""Every statement about a raffle's draw: its record, its wins, its seed, and the keys that it deletes."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from rafflekit.core.errors import StorageUnavailable
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.storage.schema import draws, raffle_key, raffles, secrets, tickets, wins

# Rows of a draw that are handed over at once: more would only take memory.
_ROWS_AT_ONCE = 10_000

_LARGE_CACHE_KIB = 64 * 1024


@dataclass(frozen=True, slots=True)
class DrawRecord:
    """The evidence for a draw's seed, and what the draw gave."""

    entropy: bytes
    winners_digest: bytes
    wins: int


def insert_draw(connection: Connection, raffle: UUID, draw: DrawRecord) -> None:
    """Store the record of a draw, before the raffle is marked as drawn."""
    connection.execute(insert(draws).values(raffle=raffle, **asdict(draw)))


def insert_wins(connection: Connection, raffle: UUID, serials: Sequence[int], prize_places: Sequence[int]) -> None:
    """Store a draw's wins: of each, the winning serial and the position of its prize, in draw order.

    The rows are sorted by serial, so that the tickets they refer to, and the index of winning serials, are walked once
    from end to end. They go straight to the driver: SQLAlchemy's own work per row costs more than SQLite's.
    """
    dialect = connection.dialect.name
    key = raffle_key(raffle, dialect)
    rows = (
        (place + 1, serials[place], prize_places[place])
        for place in sorted(range(len(serials)), key=serials.__getitem__)
    )
    with large_cache(connection):
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            if dialect == "postgresql":
                columns = [list(column) for column in zip(*some, strict=True)]
                connection.exec_driver_sql(_INSERT_ARRAYS_OF_WINS, (key, *columns))
            else:
                connection.exec_driver_sql(_INSERT_WIN, [(key, *row) for row in some])


_INSERT_WIN = "INSERT INTO wins (raffle, ordinal, serial, prize) VALUES (?, ?, ?, ?)"
_INSERT_ARRAYS_OF_WINS = """
    INSERT INTO wins (raffle, ordinal, serial, prize)
    SELECT CAST(%s AS uuid), win.* FROM unnest(CAST(%s AS bigint[]), CAST(%s AS bigint[]), CAST(%s AS bigint[])) AS win
"""


@contextmanager
def large_cache(connection: Connection) -> Iterator[None]:
    """Enlarge SQLite's cache: with its default of 2 MiB, a draw of a million prizes takes twice as long."""
    if connection.dialect.name == "postgresql":
        yield
        return
    before = connection.exec_driver_sql("PRAGMA cache_size").scalar()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{_LARGE_CACHE_KIB}")
    try:
        yield
    finally:
        # An invalidated connection takes no more statements.
        if not connection.invalidated:
            connection.exec_driver_sql(f"PRAGMA cache_size = {before}")


def mark_drawn(connection: Connection, raffle: UUID, *, seed: bytes, drawn_at: int) -> None:
    """Store the seed of a draw; from here on the database rejects changes to the draw."""
    drawn = {"seed": seed, "drawn_at": drawn_at}
    connection.execute(update(raffles).where(raffles.c.id == raffle).values(drawn))


def delete_keys(connection: Connection, raffle: UUID) -> None:
    """Delete the keys of a raffle."""
    connection.execute(delete(secrets).where(secrets.c.raffle == raffle))


def load_draw(connection: Connection, raffle: UUID) -> DrawRecord | None:
    """Return the record of a raffle's draw; None before the draw."""
    row = connection.execute(select(draws).where(draws.c.raffle == raffle)).one_or_none()
    return None if row is None else DrawRecord(row.entropy, row.winners_digest, row.wins)


def draw_and_seed(connection: Connection, raffle: UUID) -> tuple[DrawRecord, bytes]:
    """Return the record of a drawn raffle's draw, and its seed.

    Raises:
        StorageUnavailable: the record is missing.
    """
    both = select(draws, raffles.c.seed).join(raffles, raffles.c.id == draws.c.raffle)
    row = connection.execute(both.where(draws.c.raffle == raffle)).one_or_none()
    if row is None:
        raise StorageUnavailable(
            f"The raffle {raffle} is drawn, but its draw record is missing in the database; restore a backup."
        )
    return DrawRecord(row.entropy, row.winners_digest, row.wins), row.seed


def winning_numbers(connection: Connection, raffle: UUID, wins_in_all: int) -> "array[int]":
    """Return the ticket numbers of all wins in draw order, eight bytes each."""
    numbers = array("q")
    for first in range(1, wins_in_all + 1, _ROWS_AT_ONCE):
        span = {"raffle": raffle, "first": first, "last": first + _ROWS_AT_ONCE - 1}
        numbers.extend(connection.scalars(_WINNING_NUMBERS, span).all())
    return numbers


def winning_leaves(connection: Connection, raffle: UUID) -> list[tuple[int, Leaf]]:
    """Return all wins in draw order: each with its prize's position, and its ticket's leaf."""
    rows = connection.execute(_WINNING_LEAVES, {"raffle": raffle})
    return [(prize, Leaf(*leaf)) for prize, *leaf in rows]


_OF_THESE_ORDINALS = and_(
    wins.c.raffle == bindparam("raffle"), wins.c.ordinal.between(bindparam("first"), bindparam("last"))
)
_OF_ITS_TICKET = and_(tickets.c.raffle == wins.c.raffle, tickets.c.serial == wins.c.serial)
_WINNING_NUMBERS = (
    select(tickets.c.number)
    .select_from(wins)
    .join(tickets, _OF_ITS_TICKET)
    .where(_OF_THESE_ORDINALS)
    .order_by(wins.c.ordinal)
)
_WINNING_LEAVES = (
    select(wins.c.prize, tickets.c.serial, tickets.c.number, tickets.c.code_hash)
    .join(tickets, _OF_ITS_TICKET)
    .where(wins.c.raffle == bindparam("raffle"))
    .order_by(wins.c.ordinal)
)
