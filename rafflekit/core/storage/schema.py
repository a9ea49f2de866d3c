"""The tables. Their triggers are in `rules`; `migrations` turns older tables into these.

Every key but that of `passes` begins with the raffle, so that a sharded PostgreSQL can distribute by raffle. Times are
whole seconds since 1970 in UTC, numbers 64-bit integers.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import UUID as DATABASE_UUID
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    cast,
)
from sqlalchemy.types import TypeEngine

from rafflekit.core import limits
from rafflekit.core.errors import StorageUnavailable
from rafflekit.core.protocol.terms import TEXTS

FIRST_VERSION = "0001"
"""The oldest layout, the first migration's; every database since then can be upgraded."""

VERSION = "0001"
"""The layout of this schema: the newest migration, as in the one row of `alembic_version`."""


_ASK_THE_DOCTOR = "'rafflekit doctor' says where."


class Bytes(LargeBinary):
    """Bytes only: SQLite stores any type of value, and SQLAlchemy turns the number n into n bytes."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], bytes | None]:
        """Return the function that checks a value from the database."""
        return _checked_bytes


def _checked_bytes(value: Any) -> bytes | None:
    if value is not None and not isinstance(value, bytes):
        kind = type(value).__name__
        raise StorageUnavailable(f"The database has a value of type {kind} where bytes belong; {_ASK_THE_DOCTOR}")
    return value


class RaffleKey(TypeDecorator[UUID]):
    """A raffle's UUID: PostgreSQL's own type, elsewhere its 16 bytes, half the size of its text."""

    impl = Bytes(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that a database uses for it."""
        return dialect.type_descriptor(DATABASE_UUID() if dialect.name == "postgresql" else Bytes(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        """Convert the UUID for the database."""
        return None if value is None else raffle_key(value, dialect.name)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> UUID | None:
        """Convert the database's value into a UUID."""
        if value is None or isinstance(value, UUID):
            return value
        try:
            return UUID(bytes=value)
        except ValueError as error:
            raise StorageUnavailable(f"The database has an invalid id of a raffle; {_ASK_THE_DOCTOR}") from error


def raffle_key(raffle: UUID, dialect: str) -> UUID | bytes:
    """Return a raffle's UUID for a driver."""
    return raffle if dialect == "postgresql" else raffle.bytes


metadata = MetaData()


def _table(name: str, *parts: Column[Any] | ForeignKeyConstraint | UniqueConstraint | CheckConstraint) -> Table:
    # Every table has a key of its own, so SQLite's hidden rowid would be a second one.
    return Table(name, metadata, *parts, sqlite_with_rowid=False)


def _table_of_a_raffle(name: str, *parts: Column[Any] | UniqueConstraint | CheckConstraint) -> Table:
    return _table(name, _raffle_column(), *parts, ForeignKeyConstraint(["raffle"], ["raffles.id"]))


def _raffle_column() -> Column[UUID]:
    return Column("raffle", RaffleKey, primary_key=True)


# With Alembic's name and form, so that Alembic can continue from here.
schema_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

# A raffle's terms, and whether it is closed, cancelled or drawn. What is asked for every ticket is `counters`.
raffles = _table(
    "raffles",
    Column("id", RaffleKey, primary_key=True),
    # Dense from 1 in the order of creation: it orders the list, and finds the last page as fast as the first.
    Column("sequence", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    # SQLite's LIKE folds ASCII only; names are searched in this copy.
    Column("folded_name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("total_tickets", BigInteger, nullable=False),
    Column("entropy", Text, nullable=False),
    Column("delay_s", BigInteger),
    Column("source", Text),
    Column("entry", Text, nullable=False),
    Column("tickets_each", BigInteger, nullable=False),
    Column("opens_at", BigInteger),
    Column("closes_at", BigInteger),
    Column("draw_at", BigInteger),
    Column("claim_days", BigInteger),
    *(Column(name, Text) for name in TEXTS),
    # The hash of the idempotency key with which it was created, and of what was asked for.
    Column("creation_key", Bytes),
    Column("creation_hash", Bytes),
    # The key that signs its ledger and seals its secrets.
    Column("verifier_key", Text, nullable=False),
    Column("closed_at", BigInteger),
    Column("round", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("reason", Text),
    Column("drawn_at", BigInteger),
    Column("seed", Bytes),
    UniqueConstraint("sequence", name="raffles_sequence"),
    UniqueConstraint("creation_key", name="raffles_creation_key"),
    CheckConstraint("total_tickets >= 1", name="raffles_total_tickets"),
    CheckConstraint(f"tickets_each >= 1 AND tickets_each <= {limits.TICKETS_EACH}", name="raffles_tickets_each"),
    CheckConstraint(f"claim_days >= 1 AND claim_days <= {limits.CLAIM_DAYS}", name="raffles_claim_days"),
    CheckConstraint("closes_at > opens_at", name="raffles_closes_after_it_opens"),
    CheckConstraint("draw_at > opens_at AND draw_at >= closes_at", name="raffles_draw_after_it_closes"),
    CheckConstraint("price IS NULL OR (promoter IS NOT NULL AND draw_at IS NOT NULL)", name="raffles_price"),
    CheckConstraint("(cancelled_at IS NULL) = (reason IS NULL)", name="raffles_cancelled_with_reason"),
    CheckConstraint("(drawn_at IS NULL) = (seed IS NULL)", name="raffles_drawn_with_seed"),
    CheckConstraint("cancelled_at IS NULL OR drawn_at IS NULL", name="raffles_cancelled_or_drawn"),
)

_IS_DUE = and_(raffles.c.closes_at.is_not(None), raffles.c.closed_at.is_(None), raffles.c.cancelled_at.is_(None))

# For the lists of drawn, other and cancelled raffles, the newest first; and for raffles that close by themselves.
_PARTIAL_INDEXES = [
    (Index(name, column, sqlite_where=which), which)
    for name, column, which in (
        ("raffles_drawn", raffles.c.sequence, raffles.c.drawn_at.is_not(None)),
        ("raffles_open", raffles.c.sequence, raffles.c.drawn_at.is_(None)),
        ("raffles_cancelled", raffles.c.sequence, raffles.c.cancelled_at.is_not(None)),
        ("raffles_due", raffles.c.closes_at, _IS_DUE),
    )
]


def know_postgresql() -> None:
    """Add what is only for PostgreSQL; SQLAlchemy imports its dialect then, which takes as long as a short command."""
    for index, which in _PARTIAL_INDEXES:
        index.dialect_options["postgresql"]["where"] = which


# The one hot row of a raffle, narrow and in its own table.
counters = _table_of_a_raffle(
    "counters",
    Column("issued", BigInteger, nullable=False),
    CheckConstraint("issued >= 0", name="counters_issued"),
)

# A raffle's keys, sealed (`core.tickets.sealing`). Deleted at the draw or the cancellation: from then on, stored data
# cannot be traced to a participant.
secrets = _table_of_a_raffle("secrets", Column("sealed", Bytes, nullable=False))

prizes = _table_of_a_raffle(
    "prizes",
    Column("position", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    CheckConstraint("amount >= 1", name="prizes_amount"),
)

tickets = _table_of_a_raffle(
    "tickets",
    Column("serial", BigInteger, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("participant", Bytes, nullable=False),
    # Which of its participant's tickets it is, from 1.
    Column("nth", BigInteger, nullable=False),
    Column("code_hash", Text, nullable=False),
    # By which a repeated request is recognised.
    Column("repeat_hash", Bytes),
    Column("issued_at", BigInteger, nullable=False),
    UniqueConstraint("raffle", "number", name="tickets_number"),
    UniqueConstraint("raffle", "participant", "nth", name="tickets_participant"),
    CheckConstraint("serial >= 0", name="tickets_serial"),
    CheckConstraint("number >= 1", name="tickets_number_from_one"),
    CheckConstraint("nth >= 1", name="tickets_nth"),
)

# A participant's first ticket is found without it, so raffles with one ticket each pay nothing for it.
_FURTHER = tickets.c.nth > 1
_PARTIAL_INDEXES.append(
    (Index("tickets_repeat", tickets.c.raffle, tickets.c.repeat_hash, sqlite_where=_FURTHER), _FURTHER)
)

# The hashes of whole tiles (`core.protocol.tiles`); everything else of a ledger is computed from the tickets.
tiles = _table_of_a_raffle(
    "tiles",
    Column("level", BigInteger, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("hash", Bytes, nullable=False),
)

# The lines with which witnesses signed a closing.
cosignatures = _table_of_a_raffle(
    "cosignatures",
    Column("verifier_key", String(400), primary_key=True),
    Column("line", Text, nullable=False),
)

# The evidence for the seed of a draw, and the number of its wins; every drawn raffle has a row.
draws = _table_of_a_raffle(
    "draws",
    Column("entropy", Bytes, nullable=False),
    Column("winners_digest", Bytes, nullable=False),
    Column("wins", BigInteger, nullable=False),
)

FORGOTTEN = cast(cast(tickets.c.serial, Text), LargeBinary)
"""Replaces the participant's hash of a ticket when it is deleted: the digits of its serial, which no other ticket has.

They are at most 12, so that they never equal a hash of 16 bytes.
"""

wins = _table(
    "wins",
    _raffle_column(),
    Column("ordinal", BigInteger, primary_key=True),
    Column("serial", BigInteger, nullable=False),
    Column("prize", BigInteger, nullable=False),
    ForeignKeyConstraint(["raffle", "serial"], ["tickets.raffle", "tickets.serial"]),
    ForeignKeyConstraint(["raffle", "prize"], ["prizes.raffle", "prizes.position"]),
    UniqueConstraint("raffle", "serial", name="wins_serial"),
    CheckConstraint("ordinal >= 1", name="wins_ordinal"),
)

# Prizes that were handed out. A redemption that was undone stays, and the next one of the win has the next number.
redemptions = _table_of_a_raffle(
    "redemptions",
    Column("ordinal", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("redeemed_at", BigInteger, nullable=False),
    Column("undone_at", BigInteger),
    # The names of the desk passes with which that was done; NULL without a pass.
    Column("redeemed_by", Text),
    Column("undone_by", Text),
    CheckConstraint("number >= 1", name="redemptions_number"),
)

# For the list of everything that happened, in the order of time.
Index("redemptions_time", redemptions.c.raffle, redemptions.c.redeemed_at, redemptions.c.ordinal, redemptions.c.number)
_IS_UNDONE = redemptions.c.undone_at.is_not(None)
_PARTIAL_INDEXES.append(
    (
        Index(
            "redemptions_undone",
            redemptions.c.raffle,
            redemptions.c.undone_at,
            redemptions.c.ordinal,
            redemptions.c.number,
            sqlite_where=_IS_UNDONE,
        ),
        _IS_UNDONE,
    )
)

# Wins that were lost: `ordinal` is the win, `number` counts a raffle's forfeits from 1. Forfeit j makes win W + j for
# the ticket `serial`; without one, the prize has lapsed.
forfeits = _table(
    "forfeits",
    _raffle_column(),
    Column("ordinal", BigInteger, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("forfeited_at", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("prize", BigInteger, nullable=False),
    Column("serial", BigInteger),
    Column("forfeited_by", Text),
    ForeignKeyConstraint(["raffle", "serial"], ["tickets.raffle", "tickets.serial"]),
    ForeignKeyConstraint(["raffle", "prize"], ["prizes.raffle", "prizes.position"]),
    UniqueConstraint("raffle", "number", name="forfeits_number"),
    UniqueConstraint("raffle", "serial", name="forfeits_serial"),
    CheckConstraint("number >= 1", name="forfeits_number_from_one"),
)

Index("forfeits_time", forfeits.c.raffle, forfeits.c.forfeited_at, forfeits.c.ordinal)

# Desk passes: of a token only its hash is stored. They are kept when they are no longer valid, since redemptions and
# forfeits have their names.
passes = _table(
    "passes",
    Column("token_hash", Bytes, primary_key=True),
    Column("name", Text, nullable=False),
    # The rights (`models.Right`), with blanks between them.
    Column("may", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    CheckConstraint("expires_at > made_at", name="passes_expire_later"),
)

Index("passes_expiry", passes.c.expires_at)
