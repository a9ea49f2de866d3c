"""Every statement that the engine sends, one function each, but for those of a group of tickets (`issuing`).

They take a connection and never commit. Answers are the engine's values, or small frozen values of this file that
list what they hold; no row leaves it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, groupby, islice
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from rafflekit.core.errors import StorageUnavailable
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import Prize, Win
from rafflekit.core.storage.schema import NOBODY, counters, ledgers, prizes, raffle_key, raffles, secrets, tickets, wins

# So many rows of a draw are handed over at once: more would only take memory.
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Secrets:
    """The three keys of a raffle, until its draw."""

    numbering_key: bytes = field(repr=False)
    participant_key: bytes = field(repr=False)
    code_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sale:
    """How far a raffle's tickets are handed out; `secrets` is None from the draw on."""

    total_tickets: int
    issued: int
    secrets: Secrets | None


@dataclass(frozen=True, slots=True)
class DrawnTicket:
    """What a ticket is verified by: its code's hash, and the prize that it won or None."""

    code_hash: str
    prize: str | None


def insert_raffle(
    connection: Connection, *, id: UUID, name: str, folded_name: str, created_at: datetime, total_tickets: int
) -> None:
    """Store a new raffle, none of whose tickets is issued, behind all others; nobody else creates one meanwhile."""
    last = connection.scalar(select(func.max(raffles.c.sequence))) or 0
    connection.execute(
        insert(raffles).values(
            id=id,
            sequence=last + 1,
            name=name,
            folded_name=folded_name,
            created_at=int(created_at.timestamp()),
            total_tickets=total_tickets,
        )
    )
    connection.execute(insert(counters).values(raffle=id, issued=0))


def insert_secrets(connection: Connection, raffle: UUID, keys: Secrets) -> None:
    """Store the keys of a new raffle."""
    connection.execute(
        insert(secrets).values(
            raffle=raffle,
            numbering_key=keys.numbering_key,
            participant_key=keys.participant_key,
            code_key=keys.code_key,
        )
    )


def insert_prizes(connection: Connection, raffle: UUID, in_order: Sequence[Prize]) -> None:
    """Store the prizes of a new raffle in their order."""
    rows = [
        {"raffle": raffle, "position": position, "name": prize.name, "amount": prize.amount}
        for position, prize in enumerate(in_order)
    ]
    connection.execute(insert(prizes), rows)


# A row a prize. One statement, so that it needs no transaction to be one state of the raffle.
_RAFFLES = (
    select(
        raffles.c.id,
        raffles.c.name,
        raffles.c.created_at,
        raffles.c.total_tickets,
        raffles.c.drawn_at,
        counters.c.issued,
        ledgers.c.entropy,
        ledgers.c.delay_s,
        prizes.c.name.label("prize"),
        prizes.c.amount,
    )
    .join(counters, counters.c.raffle == raffles.c.id)
    .join(ledgers, ledgers.c.raffle == raffles.c.id)
    .join(prizes, prizes.c.raffle == raffles.c.id)
)

RAFFLE = _RAFFLES.where(raffles.c.id == bindparam("raffle")).order_by(prizes.c.position)
"""The rows of one raffle, for `raffle_of`."""


def raffle_of(rows: Sequence[Sequence[Any]]) -> Raffle | None:
    """Return the raffle that these rows tell of, as it stands, or None if there are none.

    Raises:
        StorageUnavailable: it has a date that is none, or a value of another kind than its column.
    """
    if not rows:
        return None
    id, name, created_at, total_tickets, drawn_at, issued, entropy, delay_s, *_ = rows[0]
    try:
        return Raffle(
            id=id if isinstance(id, UUID) else UUID(bytes=id),
            name=name,
            created_at=datetime.fromtimestamp(created_at, UTC),
            total_tickets=total_tickets,
            available_tickets=total_tickets - issued,
            winners_drawn=drawn_at is not None,
            prizes=tuple([Prize(row[-2], row[-1]) for row in rows]),
            entropy=entropy,
            delay_s=delay_s,
        )
    # The system's calendar ends somewhere, Python's at the year 9999; and SQLite keeps any kind of value.
    except (OverflowError, OSError, TypeError, ValueError) as error:
        raise StorageUnavailable(
            "A raffle in the database has a value that is none of its kind; 'rafflekit doctor' says which."
        ) from error


def load_raffle(connection: Connection, raffle: UUID) -> Raffle | None:
    """Return a raffle as it stands, or None."""
    return raffle_of(connection.execute(RAFFLE, {"raffle": raffle}).all())


def ids_between(connection: Connection, first: UUID, last: UUID, *, most: int) -> list[UUID]:
    """Return at most `most` ids of raffles from `first` to `last`, in their order."""
    between = select(raffles.c.id).where(raffles.c.id.between(first, last)).order_by(raffles.c.id).limit(most)
    return list(connection.scalars(between))


def count_raffles(connection: Connection) -> int:
    """Return how many raffles there are, at the same cost for any number of them."""
    return connection.scalar(select(func.max(raffles.c.sequence))) or 0


def newest_raffles(connection: Connection, *, newest: int, most: int) -> list[Raffle]:
    """Return raffles from the `newest`-th on backwards; the sequence is dense, so every page costs the same."""
    span = raffles.c.sequence.between(newest - most + 1, newest)
    return _with_prizes(connection.execute(_newest_first(_RAFFLES.where(span))).all())


def count_matching(connection: Connection, *, folded_name: str | None, drawn: bool | None) -> int:
    """Return how many raffles match: a part of the folded name, drawn or not; None matches all."""
    return (
        connection.scalar(select(func.count()).select_from(raffles).where(_matching(connection, folded_name, drawn)))
        or 0
    )


def newest_matching(
    connection: Connection, *, folded_name: str | None, drawn: bool | None, skip: int, most: int
) -> list[Raffle]:
    """Return matching raffles from the newest on. A search by a part of a name reads every name."""
    matching = select(raffles.c.id).where(_matching(connection, folded_name, drawn))
    page = matching.order_by(raffles.c.sequence.desc()).offset(skip).limit(most).subquery()
    return _with_prizes(connection.execute(_newest_first(_RAFFLES.join(page, page.c.id == raffles.c.id))).all())


def _newest_first(chosen: Select[Any]) -> Select[Any]:
    return chosen.order_by(raffles.c.sequence.desc(), prizes.c.position)


def load_sale(connection: Connection, raffle: UUID) -> Sale | None:
    """Return how far a raffle's tickets are handed out, or None if there is no such raffle."""
    row = connection.execute(_SALE, {"raffle": raffle}).one_or_none()
    if row is None:
        return None
    drawn = row.numbering_key is None
    keys = None if drawn else Secrets(row.numbering_key, row.participant_key, row.code_key)
    return Sale(row.total_tickets, row.issued, keys)


_SALE = (
    select(
        raffles.c.total_tickets,
        counters.c.issued,
        secrets.c.numbering_key,
        secrets.c.participant_key,
        secrets.c.code_key,
    )
    .join(counters, counters.c.raffle == raffles.c.id)
    .outerjoin(secrets, secrets.c.raffle == raffles.c.id)
    .where(raffles.c.id == bindparam("raffle"))
)


def lock_counter(connection: Connection, raffle: UUID) -> None:
    """Lock a raffle against other writers until the transaction ends; on SQLite whoever writes has locked all.

    On PostgreSQL the row is written as it is, not just locked: under REPEATABLE READ, who waited for a mere lock goes
    on with what was true before the wait; who waited for a write must run again.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(update(counters).where(counters.c.raffle == raffle).values(issued=counters.c.issued))


def drawn_ticket(connection: Connection, raffle: UUID, number: int) -> DrawnTicket | None:
    """Return what the ticket `number` of a raffle is verified by, or None if there is no such ticket."""
    row = connection.execute(_DRAWN, {"raffle": raffle, "number": number}).one_or_none()
    return None if row is None else DrawnTicket(row.code_hash, row.prize)


_DRAWN = (
    select(tickets.c.code_hash, prizes.c.name.label("prize"))
    .outerjoin(wins, and_(wins.c.raffle == tickets.c.raffle, wins.c.serial == tickets.c.serial))
    .outerjoin(prizes, and_(prizes.c.raffle == wins.c.raffle, prizes.c.position == wins.c.prize))
    .where(tickets.c.raffle == bindparam("raffle"), tickets.c.number == bindparam("number"))
)


def insert_wins(connection: Connection, raffle: UUID, in_order: Sequence[Prize], serials: Sequence[int]) -> None:
    """Store a draw: the first prize takes the first `amount` serials, the second the next, and so on.

    The rows go in by their serials, so that the tickets that they name, and the index of winning serials, are walked
    once from end to end. They go to the driver as they are: SQLAlchemy's own work for a row costs more than SQLite's.
    """
    dialect = connection.dialect.name
    key = raffle_key(raffle, dialect)
    ends = list(accumulate(prize.amount for prize in in_order))
    rows = (
        (place + 1, serials[place], bisect_right(ends, place))
        for place in sorted(range(len(serials)), key=serials.__getitem__)
    )
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


def mark_drawn(connection: Connection, raffle: UUID, *, seed: bytes, drawn_at: datetime) -> None:
    """Keep the seed of a draw; from here on the database refuses changes to the draw."""
    drawn = {"seed": seed, "drawn_at": int(drawn_at.timestamp())}
    connection.execute(update(raffles).where(raffles.c.id == raffle).values(drawn))


def seed_of_draw(connection: Connection, raffle: UUID) -> bytes:
    """Return the seed of a drawn raffle."""
    seed: bytes = connection.execute(select(raffles.c.seed).where(raffles.c.id == raffle)).scalar_one()
    return seed


def delete_secrets(connection: Connection, raffle: UUID) -> None:
    """Delete the keys of a raffle."""
    connection.execute(delete(secrets).where(secrets.c.raffle == raffle))


def forget_participants(connection: Connection, *, raffle: UUID, first: int, last: int) -> int:
    """Put a ticket's serial in the place of its participant's hash, and nothing in that of its repeat's.

    It is done for the tickets with the serials from `first` to `last` that have such a hash still; return how many.
    """
    chosen = and_(tickets.c.raffle == raffle, tickets.c.serial.between(first, last), tickets.c.participant != NOBODY)
    forgotten = update(tickets).where(chosen).values(participant=NOBODY, repeat_hash=None)
    return connection.execute(forgotten).rowcount


def wins_between(connection: Connection, raffle: UUID, first: int, last: int) -> list[Win]:
    """Return the wins of a raffle from the `first` to the `last` (from 1) in draw order."""
    rows = connection.execute(_WINS, {"raffle": raffle, "first": first, "last": last})
    return [Win(number, prize) for number, prize in rows]


_OF_THESE_ORDINALS = and_(
    wins.c.raffle == bindparam("raffle"), wins.c.ordinal.between(bindparam("first"), bindparam("last"))
)
_WINNING_NUMBERS = (
    select(tickets.c.number)
    .select_from(wins)
    .join(tickets, and_(tickets.c.raffle == wins.c.raffle, tickets.c.serial == wins.c.serial))
    .where(_OF_THESE_ORDINALS)
    .order_by(wins.c.ordinal)
)
_WINS = _WINNING_NUMBERS.add_columns(prizes.c.name).join(
    prizes, and_(prizes.c.raffle == wins.c.raffle, prizes.c.position == wins.c.prize)
)


def winning_numbers(connection: Connection, raffle: UUID, wins_in_all: int) -> "array[int]":
    """Return the ticket numbers of all wins in draw order, eight bytes each."""
    numbers = array("q")
    for first in range(1, wins_in_all + 1, _ROWS_AT_ONCE):
        span = {"raffle": raffle, "first": first, "last": first + _ROWS_AT_ONCE - 1}
        numbers.extend(connection.scalars(_WINNING_NUMBERS, span).all())
    return numbers


def _matching(connection: Connection, folded_name: str | None, drawn: bool | None) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if folded_name is not None:
        # The same function, under two names.
        place_of = func.strpos if connection.dialect.name == "postgresql" else func.instr
        conditions.append(place_of(raffles.c.folded_name, folded_name) > 0)
    if drawn is not None:
        conditions.append(raffles.c.drawn_at.is_not(None) if drawn else raffles.c.drawn_at.is_(None))
    return and_(True, *conditions)


def _with_prizes(rows: Iterable[Sequence[Any]]) -> list[Raffle]:
    grouped = (raffle_of(list(of_one)) for _, of_one in groupby(rows, key=itemgetter(0)))
    return [raffle for raffle in grouped if raffle is not None]
