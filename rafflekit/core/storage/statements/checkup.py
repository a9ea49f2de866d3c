"""What is stored, read as evidence for `checkup`: nothing here assumes that it is consistent."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.types import NullType

from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.tiles import WholeTile
from rafflekit.core.storage.schema import (
    FORGOTTEN,
    Bytes,
    RaffleKey,
    counters,
    forfeits,
    metadata,
    prizes,
    raffles,
    redemptions,
    schema_version,
    secrets,
    tickets,
    tiles,
    wins,
)

_ROWS_AT_ONCE = 10_000
_ARGON2ID = "$argon2id$"
_RAFFLE_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class RaffleRecord:
    """A raffle's rows, except its tickets and wins; None means missing."""

    id: UUID
    created_at: int
    total_tickets: int
    tickets_each: int
    drawn_at: int | None
    seed: bytes | None
    issued: int | None
    entropy: str
    delay_s: int | None
    closed_at: int | None
    is_cancelled: bool
    verifier_key: str
    sealed: bytes | None = field(repr=False)
    """Its secrets, sealed."""
    amounts: Sequence[int]
    """The number of each prize, in order."""
    places: Sequence[int]
    """The position of each prize, from 0."""

    @property
    def is_drawn(self) -> bool:
        """Whether it is marked as drawn."""
        return self.drawn_at is not None


@dataclass(frozen=True, slots=True)
class TicketCounts:
    """A raffle's tickets, counted; without tickets, the last serial is −1 and the last number 0."""

    rows: int
    last_serial: int
    last_number: int
    numbers: int
    participants: int
    most_each: int
    """The most tickets that one participant has, by their numbering."""
    damaged_codes: int
    """Tickets whose code hash does not begin like an Argon2id hash."""
    damaged_participants: int
    """Tickets whose participant's hash has a wrong length."""


def damage(connection: Connection) -> list[str]:
    """Return what SQLite finds wrong with its file; PostgreSQL has its own programs for that (pg_amcheck)."""
    if connection.dialect.name == "postgresql":
        return []
    found = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return [*found, *(f"a row of {row[0]} belongs to a row of {row[2]} that is missing" for row in lost)]


def misfits(connection: Connection) -> list[str]:
    """Report values of a wrong type for their column, which only SQLite stores."""
    if connection.dialect.name == "postgresql":
        return []
    found = []
    for table in (table for table in metadata.sorted_tables if table is not schema_version):
        counts = connection.execute(select(*(func.count(case((~_fits(column), 1))) for column in table.columns))).one()
        found += [
            f"{count} rows of the table {table.name} have a value of a wrong type in the column {column.name}"
            for column, count in zip(table.columns, counts, strict=True)
            if count
        ]
    return found


def _fits(column: Column[Any]) -> ColumnElement[bool]:
    kind = func.typeof(column)
    if isinstance(column.type, RaffleKey):
        return and_(kind == "blob", func.length(column) == _RAFFLE_KEY_BYTES)
    due = {BigInteger: "integer", Bytes: "blob"}.get(type(column.type), "text")
    return or_(kind == due, column.is_(None)) if column.nullable else kind == due


def _can_be_read(connection: Connection, column: Column[Any]) -> ColumnElement[bool]:
    # PostgreSQL stores no value of a wrong type.
    return true() if connection.dialect.name == "postgresql" else _fits(column)


def verifier_keys(connection: Connection) -> Sequence[str]:
    """Return the key of every ledger; a key that signs several is repeated."""
    key = raffles.c.verifier_key
    return connection.scalars(select(key).where(_can_be_read(connection, key))).all()


def raffle_records(connection: Connection) -> list[RaffleRecord]:
    """Return every raffle that has an id, in the order of creation."""
    amounts, places = defaultdict[UUID, list[int]](list), defaultdict[UUID, list[int]](list)
    in_order = select(prizes.c.raffle, prizes.c.amount, prizes.c.position).order_by(prizes.c.raffle, prizes.c.position)
    for raffle, amount, place in connection.execute(in_order.where(_can_be_read(connection, prizes.c.raffle))):
        amounts[raffle].append(amount)
        places[raffle].append(place)
    rows = connection.execute(
        select(
            raffles.c.id,
            raffles.c.created_at,
            raffles.c.total_tickets,
            raffles.c.tickets_each,
            raffles.c.drawn_at,
            # Not converted: SQLAlchemy would fail on values that are not bytes.
            type_coerce(raffles.c.seed, NullType).label("seed"),
            counters.c.issued,
            raffles.c.entropy,
            raffles.c.delay_s,
            raffles.c.closed_at,
            raffles.c.cancelled_at.is_not(None).label("is_cancelled"),
            raffles.c.verifier_key,
            type_coerce(secrets.c.sealed, NullType).label("sealed"),
        )
        .where(_can_be_read(connection, raffles.c.id))
        .outerjoin(counters, counters.c.raffle == raffles.c.id)
        .outerjoin(secrets, secrets.c.raffle == raffles.c.id)
        .order_by(raffles.c.sequence)
    )
    return [RaffleRecord(**row, amounts=amounts[row["id"]], places=places[row["id"]]) for row in rows.mappings()]


def count_stored_tickets(connection: Connection, raffle: UUID, *, hash_bytes: int) -> TicketCounts:
    """Count a raffle's tickets row by row, independently of its counter; a participant's hash has `hash_bytes`."""
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.max(tickets.c.serial), -1),
            func.coalesce(func.max(tickets.c.number), 0),
            func.count(tickets.c.number.distinct()),
            func.count(tickets.c.participant.distinct()),
            func.coalesce(func.max(tickets.c.nth), 0),
            func.count(case((tickets.c.code_hash.not_like(f"{_ARGON2ID}%"), 1))),
            func.count(case((func.length(tickets.c.participant) != hash_bytes, 1))),
        ).where(tickets.c.raffle == raffle)
    ).one()
    return TicketCounts(*row)


def count_stored_wins(connection: Connection, raffle: UUID) -> int:
    """Count a raffle's wins."""
    return connection.scalar(select(func.count()).where(wins.c.raffle == raffle)) or 0


def count_hashed_participants(connection: Connection, raffle: UUID) -> int:
    """Count a raffle's tickets that still have the hash of their participant or of an idempotency key."""
    hashed = or_(tickets.c.participant != FORGOTTEN, tickets.c.repeat_hash.is_not(None))
    return connection.scalar(select(func.count()).where(tickets.c.raffle == raffle, hashed)) or 0


def numbers(connection: Connection, raffle: UUID) -> Iterator[tuple[int, int]]:
    """Yield serial and number of a raffle's tickets, in the order of issue."""
    chosen = select(tickets.c.serial, tickets.c.number).where(tickets.c.raffle == raffle)
    yield from _streamed(connection, chosen.order_by(tickets.c.serial))


def leaf_hashes(connection: Connection, raffle: UUID) -> Iterator[bytes]:
    """Yield the hashes of a ledger's leaves, computed from the tickets, in the order of issue."""
    chosen = select(tickets.c.serial, tickets.c.number, tickets.c.code_hash).where(tickets.c.raffle == raffle)
    for row in _streamed(connection, chosen.order_by(tickets.c.serial)):
        yield Leaf(*row).hash(raffle)


def stored_tiles(connection: Connection, raffle: UUID) -> set[WholeTile]:
    """Return the stored hashes of whole tiles."""
    chosen = select(tiles.c.level, tiles.c.position, tiles.c.hash).where(tiles.c.raffle == raffle)
    return {WholeTile(*row) for row in connection.execute(chosen)}


def wins_in_order(connection: Connection, raffle: UUID) -> Iterator[tuple[int, int, int]]:
    """Yield ordinal, serial and the prize's position of a raffle's wins, in draw order."""
    chosen = select(wins.c.ordinal, wins.c.serial, wins.c.prize).where(wins.c.raffle == raffle)
    yield from _streamed(connection, chosen.order_by(wins.c.ordinal))


class StoredForfeit(NamedTuple):
    """A forfeit's row: its number, the win that was lost, its prize, the next ticket's serial, when and why."""

    number: int
    ordinal: int
    prize: int
    serial: int | None
    forfeited_at: int
    why: str


def forfeits_as_stored(connection: Connection, raffle: UUID) -> Iterator[StoredForfeit]:
    """Yield a raffle's forfeits, in the order of their numbers."""
    chosen = select(*(forfeits.c[name] for name in StoredForfeit._fields)).where(forfeits.c.raffle == raffle)
    for row in _streamed(connection, chosen.order_by(forfeits.c.number)):
        yield StoredForfeit(*row)


def count_impossible_redemptions(connection: Connection, raffle: UUID, *, wins: int) -> int:
    """Count a raffle's live redemptions of wins that do not exist or were lost."""
    heir = select(1).where(
        forfeits.c.raffle == raffle,
        forfeits.c.number == redemptions.c.ordinal - wins,
        forfeits.c.serial.is_not(None),
    )
    lost = select(1).where(forfeits.c.raffle == raffle, forfeits.c.ordinal == redemptions.c.ordinal)
    is_won = or_(redemptions.c.ordinal.between(1, wins), heir.exists())
    live = and_(redemptions.c.raffle == raffle, redemptions.c.undone_at.is_(None))
    return connection.scalar(select(func.count()).where(live, or_(~is_won, lost.exists()))) or 0


def _streamed(connection: Connection, chosen: Select[Any]) -> Iterator[tuple[Any, ...]]:
    for row in connection.execute(chosen, execution_options={"yield_per": _ROWS_AT_ONCE}):
        yield tuple(row)
