"""The four statements of a group of tickets, of any raffles: lock, look, insert, count.

Each goes to the driver as it is, once for the whole group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql

from rafflekit.core.storage import driver
from rafflekit.core.storage.schema import raffle_key, tickets

# Only to spell the types of columns.
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped

# Each number of rows is a statement that is kept, so there must not be many. More rows at once are hardly faster.
_ROWS_OF_VALUES = 50

Row = TypeVar("Row")

Holder = tuple[UUID, bytes]
"""A raffle, and the hash that stands for a participant in it."""


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A ticket about to be stored; `issued_at` in whole seconds since 1970."""

    raffle: UUID
    serial: int
    number: int
    participant: bytes
    code_hash: str
    repeat_hash: bytes | None
    issued_at: int


@dataclass(frozen=True, slots=True)
class HeldTicket:
    """What a participant's ticket is known by when the participant comes again; `is_drawn` tells of the raffle."""

    number: int
    repeat_hash: bytes | None
    code_hash: str
    is_drawn: bool


class Counter(NamedTuple):
    """How many tickets a raffle has issued, and by what the last of them can be told from any other.

    Whoever waited for the lock on PostgreSQL may see no last ticket, since it was written during the statement.
    """

    issued: int
    last_code_hash: str | None


def lock_counters(connection: Connection, raffles: Sequence[UUID]) -> dict[UUID, Counter]:
    """Lock raffles against other writers until the transaction ends; return their counters.

    They are locked in the order of their ids, so that two groups never wait for each other. One that is gone is left
    out.
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
    """Return the tickets that participants hold already; each is found by the index, however many are asked for."""
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
    """Store tickets; their raffles' counters are locked."""
    dialect = connection.dialect.name
    rows = [
        (
            raffle_key(ticket.raffle, dialect),
            ticket.serial,
            ticket.number,
            ticket.participant,
            ticket.code_hash,
            ticket.repeat_hash,
            ticket.issued_at,
        )
        for ticket in new
    ]
    for part in _parts(rows, dialect):
        driver.send(connection, _insert(dialect, _size(part, dialect)), _parameters(part, dialect))


def count_tickets(connection: Connection, issued: Mapping[UUID, int]) -> None:
    """Set the counters of locked raffles."""
    dialect = connection.dialect.name
    rows = [(count, raffle_key(raffle, dialect)) for raffle, count in issued.items()]
    mark = "%s" if dialect == "postgresql" else "?"
    driver.send_many(connection, f"UPDATE counters SET issued = {mark} WHERE raffle = {mark}", rows)  # noqa: S608


def _parts(rows: list[Row], dialect: str) -> list[list[Row]]:
    """Cut rows into parts of one statement each: arrays take any number, in SQLite's text every row has its place."""
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
    counted = f"SELECT raffle, issued, {last} FROM counters"  # noqa: S608 - nothing from outside
    if dialect == "postgresql":
        return f"{counted} WHERE raffle = ANY(CAST(%s AS uuid[])) ORDER BY raffle FOR UPDATE"
    return f"{counted} WHERE raffle IN ({_marks(size)})"


@cache
def _held(dialect: str, size: int) -> str:
    if dialect == "postgresql":
        # LIMIT lets each be looked up for itself: a plan that was made while there were few tickets, and is kept while
        # they become many, would otherwise read them all.
        asked = (
            "unnest(CAST(%s AS uuid[]), CAST(%s AS bytea[])) AS asked (raffle, participant) CROSS JOIN LATERAL "
            "(SELECT * FROM tickets WHERE raffle = asked.raffle AND participant = asked.participant LIMIT 1) AS tickets"
        )
        condition = "TRUE"
    else:
        # Not IN: without ANALYZE, SQLite walks the whole raffle for a list of two. CROSS JOIN keeps the order.
        asked = f"(SELECT column1 AS raffle, column2 AS participant FROM (VALUES {_rows(size, 2)})) AS asked "  # noqa: S608
        asked += "CROSS JOIN tickets"
        condition = "tickets.raffle = asked.raffle AND tickets.participant = asked.participant"
    # Asked of each ticket that is found, usually none: PostgreSQL would join a long list by reading all raffles.
    is_drawn = "(SELECT drawn_at IS NOT NULL FROM raffles WHERE id = tickets.raffle)"
    return (
        "SELECT tickets.raffle, tickets.participant, tickets.number, tickets.repeat_hash, tickets.code_hash, "  # noqa: S608
        f"{is_drawn} FROM {asked} WHERE {condition}"
    )


@cache
def _insert(dialect: str, size: int) -> str:
    columns = ", ".join(tickets.c.keys())
    if dialect == "postgresql":
        arrays = ", ".join(f"CAST(%s AS {column.type.compile(_POSTGRESQL)}[])" for column in tickets.c)
        return f"INSERT INTO tickets ({columns}) SELECT * FROM unnest({arrays})"  # noqa: S608 - our own columns
    return f"INSERT INTO tickets ({columns}) VALUES {_rows(size, len(tickets.c))}"  # noqa: S608 - marks only


def _rows(rows: int, columns: int) -> str:
    return ", ".join([f"({_marks(columns)})"] * rows)


def _marks(count: int) -> str:
    return ", ".join(["?"] * count)
