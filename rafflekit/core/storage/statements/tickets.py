"""Every statement about tickets.

A group of tickets, of any raffles, takes four: lock, look, insert, count. Each goes straight to the driver, once for
the whole group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from rafflekit.core.records import HeldTicket, Holder, NewTicket, RaffleKeys
from rafflekit.core.storage import driver
from rafflekit.core.storage.schema import FORGOTTEN, prizes, raffle_key, secrets, tickets, wins

# Each number of rows makes a statement that stays cached, so there must not be many. More rows are hardly faster.
_ROWS_OF_VALUES = 50

_Row = TypeVar("_Row")


class Counter(NamedTuple):
    """How many tickets a raffle has issued, and the last one's code hash, which identifies it.

    On PostgreSQL, a transaction that waited for the lock may see no last ticket, since it was written meanwhile.
    """

    issued: int
    last_code_hash: str | None


@dataclass(frozen=True, slots=True)
class DrawnTicket:
    """What a ticket is verified with: its code's hash, and the prize that it won, if any."""

    code_hash: str
    prize: str | None


def lock_counters(connection: Connection, raffles: Sequence[UUID]) -> dict[UUID, Counter]:
    """Lock raffles against other writers until the transaction ends; return their counters.

    They are locked in the order of their ids, so that two groups never wait for each other. A raffle that does not
    exist is omitted.
    """
    dialect = connection.dialect.name
    raffle_of = {raffle_key(raffle, dialect): raffle for raffle in raffles}
    found: dict[UUID, Counter] = {}
    for part in _parts(list(raffle_of), dialect):
        parameters = (part,) if dialect == "postgresql" else tuple(part)
        for key, *counter in driver.send(connection, _lock(dialect, _size(part, dialect)), parameters):
            found[raffle_of[key]] = Counter(*counter)
    return found


def held_tickets(connection: Connection, holders: Sequence[Holder]) -> dict[Holder, HeldTicket]:
    """Return the tickets that participants already hold; each is found by the index, whatever their number."""
    dialect = connection.dialect.name
    raffle_of = {raffle_key(raffle, dialect): raffle for raffle, _ in holders}
    held: dict[Holder, HeldTicket] = {}
    asked = [(raffle_key(raffle, dialect), participant) for raffle, participant in holders]
    for part in _parts(asked, dialect):
        for raffle, participant, number, repeat_hash, code_hash, is_drawn in driver.send(
            connection, _held(dialect, _size(part, dialect)), _parameters(part, dialect)
        ):
            held[raffle_of[raffle], participant] = HeldTicket(number, repeat_hash, code_hash, bool(is_drawn))
    return held


def insert_tickets(connection: Connection, new: Sequence[NewTicket]) -> None:
    """Store tickets of raffles whose counters are locked."""
    dialect = connection.dialect.name
    rows = [(raffle_key(ticket.raffle, dialect), *ticket[1:]) for ticket in new]
    for part in _parts(rows, dialect):
        driver.send(connection, _insert(dialect, _size(part, dialect)), _parameters(part, dialect))


def set_counters(connection: Connection, issued: Mapping[UUID, int]) -> None:
    """Set the counters of locked raffles."""
    dialect = connection.dialect.name
    rows = [(count, raffle_key(raffle, dialect)) for raffle, count in issued.items()]
    mark = "%s" if dialect == "postgresql" else "?"
    driver.send_many(connection, f"UPDATE counters SET issued = {mark} WHERE raffle = {mark}", rows)  # noqa: S608


def insert_keys(connection: Connection, raffle: UUID, keys: RaffleKeys) -> None:
    """Store the keys of a new raffle."""
    connection.execute(insert(secrets).values(raffle=raffle, **asdict(keys)))


def load_keys(connection: Connection, raffle: UUID) -> RaffleKeys | None:
    """Return the keys of a raffle; None if there is no such raffle, or it is drawn."""
    row = connection.execute(_KEYS, {"raffle": raffle}).one_or_none()
    return None if row is None else RaffleKeys(*row)


_KEYS = select(secrets.c.numbering_key, secrets.c.participant_key, secrets.c.code_key).where(
    secrets.c.raffle == bindparam("raffle")
)


def drawn_ticket(connection: Connection, raffle: UUID, number: int) -> DrawnTicket | None:
    """Return what the ticket `number` of a raffle is verified with, or None if there is no such ticket."""
    row = connection.execute(_DRAWN, {"raffle": raffle, "number": number}).one_or_none()
    return None if row is None else DrawnTicket(row.code_hash, row.prize)


_DRAWN = (
    select(tickets.c.code_hash, prizes.c.name.label("prize"))
    .outerjoin(wins, and_(wins.c.raffle == tickets.c.raffle, wins.c.serial == tickets.c.serial))
    .outerjoin(prizes, and_(prizes.c.raffle == wins.c.raffle, prizes.c.position == wins.c.prize))
    .where(tickets.c.raffle == bindparam("raffle"), tickets.c.number == bindparam("number"))
)


def forget_participants(connection: Connection, *, raffle: UUID, first: int, last: int) -> int:
    """Replace the participants' hashes by the tickets' serials, and delete the hashes of repeats.

    Only tickets with serials from `first` to `last` are changed; return how many still had such a hash.
    """
    chosen = and_(tickets.c.raffle == raffle, tickets.c.serial.between(first, last), tickets.c.participant != FORGOTTEN)
    forgotten = update(tickets).where(chosen).values(participant=FORGOTTEN, repeat_hash=None)
    return connection.execute(forgotten).rowcount


def rebuild_indexes(connection: Connection) -> None:
    """Rebuild the indexes on SQLite: secure_delete overwrites freed pages, but not what stays when a page's cells move.

    PostgreSQL does not overwrite deleted data, in tables either (`docs/privacy.md`).
    """
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql("REINDEX tickets")


def _parts(rows: list[_Row], dialect: str) -> list[list[_Row]]:
    """Cut rows into parts of one statement each. Arrays take any number; SQLite's text has a place for every row."""
    most = max(len(rows), 1) if dialect == "postgresql" else _ROWS_OF_VALUES
    return [rows[first : first + most] for first in range(0, len(rows), most)]


def _size(part: Sequence[object], dialect: str) -> int:
    return 0 if dialect == "postgresql" else len(part)


def _parameters(rows: Sequence[Sequence[Any]], dialect: str) -> Any:
    if dialect == "postgresql":
        return tuple(list(column) for column in zip(*rows, strict=True))
    return tuple(value for row in rows for value in row)


@cache
def _lock(dialect: str, size: int) -> str:
    last = "(SELECT code_hash FROM tickets WHERE raffle = counters.raffle AND serial = counters.issued - 1)"
    counted = f"SELECT raffle, issued, {last} FROM counters"  # noqa: S608 - our own names
    if dialect == "postgresql":
        return f"{counted} WHERE raffle = ANY(CAST(%s AS uuid[])) ORDER BY raffle FOR UPDATE"
    return f"{counted} WHERE raffle IN ({_marks(size)})"


@cache
def _held(dialect: str, size: int) -> str:
    if dialect == "postgresql":
        # LIMIT forces one index lookup per row: a plan that was made for few tickets, and kept while they became many,
        # would otherwise read them all.
        asked = (
            "unnest(CAST(%s AS uuid[]), CAST(%s AS bytea[])) AS asked (raffle, participant) CROSS JOIN LATERAL "
            "(SELECT * FROM tickets WHERE raffle = asked.raffle AND participant = asked.participant LIMIT 1) AS tickets"
        )
        condition = "TRUE"
    else:
        # Not IN: without ANALYZE, SQLite scans the whole raffle for a list of two. CROSS JOIN keeps the order.
        asked = f"(SELECT column1 AS raffle, column2 AS participant FROM (VALUES {_rows(size, 2)})) AS asked "  # noqa: S608
        asked += "CROSS JOIN tickets"
        condition = "tickets.raffle = asked.raffle AND tickets.participant = asked.participant"
    # A subquery for each ticket that is found, usually none: for a long list, a join would read all raffles.
    is_drawn = "(SELECT drawn_at IS NOT NULL FROM raffles WHERE id = tickets.raffle)"
    return (
        "SELECT tickets.raffle, tickets.participant, tickets.number, tickets.repeat_hash, tickets.code_hash, "  # noqa: S608
        f"{is_drawn} FROM {asked} WHERE {condition}"
    )


@cache
def _insert(dialect: str, size: int) -> str:
    columns = ", ".join(tickets.c.keys())
    if dialect == "postgresql":
        # Imported only for such a database: it takes long.
        from sqlalchemy.dialects import postgresql

        kind = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
        arrays = ", ".join(f"CAST(%s AS {column.type.compile(kind)}[])" for column in tickets.c)
        return f"INSERT INTO tickets ({columns}) SELECT * FROM unnest({arrays})"  # noqa: S608 - our own columns
    return f"INSERT INTO tickets ({columns}) VALUES {_rows(size, len(tickets.c))}"  # noqa: S608 - marks only


def _rows(rows: int, columns: int) -> str:
    return ", ".join([f"({_marks(columns)})"] * rows)


def _marks(count: int) -> str:
    return ", ".join(["?"] * count)
