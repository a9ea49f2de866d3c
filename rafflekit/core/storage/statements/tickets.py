"""Every statement about tickets.

A group of tickets, of any raffles, takes four: lock, look, insert, count; on PostgreSQL, locking takes two. Each goes
straight to the driver, once for the whole group.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from rafflekit.core.records import Asked, Counter, Held, Holder, NewTicket
from rafflekit.core.storage import driver
from rafflekit.core.storage.schema import FORGOTTEN, raffle_key, secrets, tickets

# Each number of rows makes a statement that stays cached, so there must not be many. More rows are hardly faster.
_ROWS_OF_VALUES = 50

_Row = TypeVar("_Row")


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
        if dialect == "postgresql":
            # A separate statement: after a wait, one that also looks would see other tables as they were before it.
            driver.send(connection, _LOCK, parameters)
        for key, issued, last, closed, cancelled in driver.send(
            connection, _counters(dialect, _size(part, dialect)), parameters
        ):
            found[raffle_of[key]] = Counter(issued, last, bool(closed), bool(cancelled))
    return found


def held_tickets(connection: Connection, asked: Sequence[Asked]) -> dict[Holder, Held]:
    """Return what these participants already hold; each is found by the indexes, whatever the number of tickets."""
    dialect = connection.dialect.name
    raffle_of = {raffle_key(each.raffle, dialect): each.raffle for each in asked}
    held: dict[Holder, Held] = {}
    rows = [(raffle_key(each.raffle, dialect), each.participant, each.repeat_hash) for each in asked]
    for part in _parts(rows, dialect):
        for raffle, participant, repeat_hash, count, number, is_finished in driver.send(
            connection, _held(dialect, _size(part, dialect)), _parameters(part, dialect)
        ):
            holder = raffle_of[raffle], participant
            numbers = dict(held[holder].numbers) if holder in held else {}
            if number is not None:
                numbers[repeat_hash] = number
            held[holder] = Held(count, numbers, bool(is_finished))
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


def insert_sealed_keys(connection: Connection, raffle: UUID, sealed: bytes) -> None:
    """Store the sealed keys of a new raffle."""
    connection.execute(insert(secrets).values(raffle=raffle, sealed=sealed))


def load_sealed_keys(connection: Connection, raffle: UUID) -> bytes | None:
    """Return the sealed keys of a raffle; None if there is no such raffle, or it is drawn or cancelled."""
    return connection.scalar(_SEALED, {"raffle": raffle})


_SEALED = select(secrets.c.sealed).where(secrets.c.raffle == bindparam("raffle"))


def load_code_hash(connection: Connection, raffle: UUID, number: int) -> str | None:
    """Return the hash of the code of the ticket `number` of a raffle; None if there is no such ticket."""
    return connection.scalar(_CODE_HASH, {"raffle": raffle, "number": number})


_CODE_HASH = select(tickets.c.code_hash).where(
    tickets.c.raffle == bindparam("raffle"), tickets.c.number == bindparam("number")
)


def forget_participants(connection: Connection, *, raffle: UUID, ended_at: int, first: int, last: int) -> int:
    """Replace the participants' hashes by the tickets' serials, and delete the hashes of repeats.

    The time of issue, which a log may have with an address, becomes that of the raffle's end. Only tickets with serials
    from `first` to `last` are changed; return how many still had such a hash.
    """
    chosen = and_(tickets.c.raffle == raffle, tickets.c.serial.between(first, last), tickets.c.participant != FORGOTTEN)
    forgotten = update(tickets).where(chosen).values(participant=FORGOTTEN, repeat_hash=None, issued_at=ended_at)
    return connection.execute(forgotten).rowcount


def has_participant(connection: Connection, *, raffle: UUID, serial: int) -> bool:
    """Return whether a ticket still has the hash of its participant; without such a ticket, it has not."""
    chosen = and_(tickets.c.raffle == raffle, tickets.c.serial == serial, tickets.c.participant != FORGOTTEN)
    return connection.scalar(select(tickets.c.serial).where(chosen)) is not None


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


_THESE = "WHERE raffle = ANY(CAST(%s AS uuid[]))"
_LOCK = f"SELECT raffle FROM counters {_THESE} ORDER BY raffle FOR UPDATE"  # noqa: S608 - our own names


@cache
def _counters(dialect: str, size: int) -> str:
    last = "(SELECT code_hash FROM tickets WHERE raffle = counters.raffle AND serial = counters.issued - 1)"
    these = _THESE if dialect == "postgresql" else f"WHERE raffle IN ({_marks(size)})"
    return (
        f"SELECT raffle, issued, {last}, closed_at IS NOT NULL, cancelled_at IS NOT NULL "  # noqa: S608 - our own names
        f"FROM counters JOIN raffles ON raffles.id = counters.raffle {these}"
    )


# Each subquery is one look at an index. Most participants hold nothing, and then only the first one is run.
_COUNT = "(SELECT max(nth) FROM tickets WHERE raffle = asked.raffle AND participant = asked.participant)"
_REPEATED = (
    "coalesce((SELECT number FROM tickets WHERE raffle = asked.raffle AND participant = asked.participant AND nth = 1 "
    "AND repeat_hash = asked.repeat_hash), (SELECT number FROM tickets {indexed} WHERE raffle = asked.raffle "
    "AND repeat_hash = asked.repeat_hash AND nth > 1 LIMIT 1))"
)
_IS_FINISHED = "(SELECT drawn_at IS NOT NULL OR cancelled_at IS NOT NULL FROM raffles WHERE id = asked.raffle)"


@cache
def _held(dialect: str, size: int) -> str:
    columns = "raffle, participant, repeat_hash"
    if dialect == "postgresql":
        given = f"unnest(CAST(%s AS uuid[]), CAST(%s AS bytea[]), CAST(%s AS bytea[])) AS asked ({columns})"
        whole, indexed = "OFFSET 0", ""
    else:
        rows = f"VALUES {_rows(size, 3)}"
        given = f"(SELECT column1 AS raffle, column2 AS participant, column3 AS repeat_hash FROM ({rows})) AS asked"  # noqa: S608
        # Left alone, SQLite walks the raffle's primary key instead.
        whole, indexed = "LIMIT -1 OFFSET 0", "INDEXED BY tickets_repeat"
    # OFFSET keeps the planners from looking for the count again in each place.
    counted = f"(SELECT asked.*, {_COUNT} AS held FROM {given} {whole}) AS asked"  # noqa: S608 - our own names
    repeated = _REPEATED.format(indexed=indexed)
    return f"SELECT {columns}, held, {repeated}, {_IS_FINISHED} FROM {counted} WHERE held IS NOT NULL"  # noqa: S608


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
