"""Every statement that the engine sends, one function each. They take a connection and never commit.

Answers are the engine's values, or small frozen values of this file that list what they hold; no row leaves it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, delete, func, insert, select, update

from rafflekit.core.models import Prize, Raffle, Win
from rafflekit.core.storage.schema import counters, prizes, raffles, secrets, tickets, wins

# So many rows are handed to SQLite at once while wins are stored: more would only take memory.
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
class NewTicket:
    """A ticket about to be stored."""

    serial: int
    number: int
    participant: bytes
    code_hash: str
    repeat_hash: bytes | None
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class HeldTicket:
    """What a participant's ticket is known by when the participant comes again."""

    number: int
    repeat_hash: bytes | None


@dataclass(frozen=True, slots=True)
class DrawnTicket:
    """What a ticket is verified by: its code's hash, and the prize that it won or None."""

    code_hash: str
    prize: str | None


def insert_raffle(
    connection: Connection, *, id: UUID, name: str, folded_name: str, created_at: datetime, total_tickets: int
) -> None:
    """Store a new raffle, none of whose tickets is issued, behind all others in the order of creation."""
    # Dense because the write lock is held: nobody else takes the same place.
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


_RAFFLES = select(
    raffles.c.id,
    raffles.c.name,
    raffles.c.created_at,
    raffles.c.total_tickets,
    raffles.c.drawn_at,
    counters.c.issued,
).join(counters, counters.c.raffle == raffles.c.id)


def load_raffle(connection: Connection, raffle: UUID) -> Raffle | None:
    """Return a raffle as it stands, or None."""
    loaded = _with_prizes(connection, connection.execute(_RAFFLES.where(raffles.c.id == raffle)).all())
    return loaded[0] if loaded else None


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
    rows = connection.execute(_RAFFLES.where(span).order_by(raffles.c.sequence.desc())).all()
    return _with_prizes(connection, rows)


def count_matching(connection: Connection, *, folded_name: str | None, drawn: bool | None) -> int:
    """Return how many raffles match: a part of the folded name, drawn or not; None matches all."""
    return connection.scalar(select(func.count()).select_from(raffles).where(_matching(folded_name, drawn))) or 0


def newest_matching(
    connection: Connection, *, folded_name: str | None, drawn: bool | None, skip: int, most: int
) -> list[Raffle]:
    """Return matching raffles from the newest on. A search by a part of a name reads every name."""
    newest_first = _RAFFLES.where(_matching(folded_name, drawn)).order_by(raffles.c.sequence.desc())
    return _with_prizes(connection, connection.execute(newest_first.offset(skip).limit(most)).all())


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


def lock_counter(connection: Connection, raffle: UUID) -> int | None:
    """Lock a raffle against other writers until the transaction ends; return how many tickets are issued."""
    return connection.scalar(_LOCK, {"raffle": raffle})


_LOCK = select(counters.c.issued).where(counters.c.raffle == bindparam("raffle")).with_for_update()


def held_ticket(connection: Connection, raffle: UUID, participant: bytes) -> HeldTicket | None:
    """Return the ticket that a participant holds in a raffle, or None."""
    row = connection.execute(_HELD, {"raffle": raffle, "participant": participant}).one_or_none()
    return None if row is None else HeldTicket(row.number, row.repeat_hash)


_HELD = select(tickets.c.number, tickets.c.repeat_hash).where(
    tickets.c.raffle == bindparam("raffle"), tickets.c.participant == bindparam("participant")
)


def insert_ticket(connection: Connection, raffle: UUID, ticket: NewTicket) -> None:
    """Store a ticket and count it; the counter is locked."""
    connection.execute(
        _INSERT_TICKET,
        {
            "raffle": raffle,
            "serial": ticket.serial,
            "number": ticket.number,
            "participant": ticket.participant,
            "code_hash": ticket.code_hash,
            "repeat_hash": ticket.repeat_hash,
            "issued_at": int(ticket.issued_at.timestamp()),
        },
    )
    connection.execute(_COUNT, {"counted": raffle, "now_issued": ticket.serial + 1})


_INSERT_TICKET = insert(tickets)
_COUNT = update(counters).where(counters.c.raffle == bindparam("counted")).values(issued=bindparam("now_issued"))


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


def insert_wins(connection: Connection, raffle: UUID, in_order: Sequence[Prize], serials: Iterable[int]) -> None:
    """Store a draw: the first prize takes the first `amount` serials, the second the next, and so on."""
    rows = _win_rows(raffle, in_order, iter(serials))
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        connection.execute(insert(wins), some)


def mark_drawn(connection: Connection, raffle: UUID, *, seed: bytes, drawn_at: datetime) -> None:
    """Keep the seed of a draw; from here on the database refuses changes to the draw."""
    drawn = {"seed": seed, "drawn_at": int(drawn_at.timestamp())}
    connection.execute(update(raffles).where(raffles.c.id == raffle).values(drawn))


def delete_secrets(connection: Connection, raffle: UUID) -> None:
    """Delete the keys of a raffle."""
    connection.execute(delete(secrets).where(secrets.c.raffle == raffle))


def wins_between(connection: Connection, raffle: UUID, first: int, last: int) -> list[Win]:
    """Return the wins of a raffle from the `first` to the `last` (from 1) in draw order."""
    rows = connection.execute(_WINS, {"raffle": raffle, "first": first, "last": last})
    return [Win(number, prize) for number, prize in rows]


_WINS = (
    select(tickets.c.number, prizes.c.name)
    .select_from(wins)
    .join(tickets, and_(tickets.c.raffle == wins.c.raffle, tickets.c.serial == wins.c.serial))
    .join(prizes, and_(prizes.c.raffle == wins.c.raffle, prizes.c.position == wins.c.prize))
    .where(wins.c.raffle == bindparam("raffle"), wins.c.ordinal.between(bindparam("first"), bindparam("last")))
    .order_by(wins.c.ordinal)
)


def _matching(folded_name: str | None, drawn: bool | None) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if folded_name is not None:
        conditions.append(func.instr(raffles.c.folded_name, folded_name) > 0)
    if drawn is not None:
        conditions.append(raffles.c.drawn_at.is_not(None) if drawn else raffles.c.drawn_at.is_(None))
    return and_(True, *conditions)


def _with_prizes(connection: Connection, rows: Sequence[Row[Any, Any, Any, Any, Any, Any]]) -> list[Raffle]:
    prizes_of: dict[UUID, list[Prize]] = {row.id: [] for row in rows}
    of_these = select(prizes).where(prizes.c.raffle.in_(list(prizes_of)))
    for prize in connection.execute(of_these.order_by(prizes.c.raffle, prizes.c.position)):
        prizes_of[prize.raffle].append(Prize(prize.name, prize.amount))
    return [
        Raffle(
            id=row.id,
            name=row.name,
            created_at=datetime.fromtimestamp(row.created_at, UTC),
            total_tickets=row.total_tickets,
            available_tickets=row.total_tickets - row.issued,
            winners_drawn=row.drawn_at is not None,
            prizes=tuple(prizes_of[row.id]),
        )
        for row in rows
    ]


def _win_rows(raffle: UUID, in_order: Sequence[Prize], serials: Iterator[int]) -> Iterator[dict[str, Any]]:
    ordinal = 0
    for position, prize in enumerate(in_order):
        for serial in islice(serials, prize.amount):
            ordinal += 1
            yield {"raffle": raffle, "ordinal": ordinal, "serial": serial, "prize": position}
