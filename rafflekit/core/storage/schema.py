"""The tables, and the triggers by which the database itself holds the rules a second time.

Every key begins with the raffle. Times are whole seconds since 1970 in UTC, numbers 64-bit integers.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

VERSION = "0001"
"""The version of this schema, as its one row of `alembic_version` has it."""


class RaffleKey(TypeDecorator[UUID]):
    """A raffle's UUID as its 16 bytes: half of what its text takes, in every key and index."""

    impl = LargeBinary(16)
    cache_ok = True

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> bytes | None:
        """Turn the UUID into bytes on its way in."""
        return None if value is None else value.bytes

    def process_result_value(self, value: Any | None, dialect: Dialect) -> UUID | None:
        """Turn the bytes into a UUID on their way out."""
        return None if value is None else UUID(bytes=value)


metadata = MetaData()


def _table(name: str, *parts: Column[Any] | ForeignKeyConstraint | UniqueConstraint | CheckConstraint) -> Table:
    # Every table has a key of its own that begins with the raffle, so SQLite's hidden rowid would be a second one.
    return Table(name, metadata, *parts, sqlite_with_rowid=False)


def _raffle_column() -> Column[UUID]:
    return Column("raffle", RaffleKey, primary_key=True)


def _of_a_raffle() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["raffle"], ["raffles.id"])


# Alembic's own name and form, so that it can take over from here without a special case.
schema_version = Table("alembic_version", metadata, Column("version_num", String(32), primary_key=True))

raffles = _table(
    "raffles",
    Column("id", RaffleKey, primary_key=True),
    # Dense from 1 in the order of creation: orders the list, and finds its last page as fast as its first.
    Column("sequence", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    # SQLite's LIKE folds ASCII only; names are searched in this copy.
    Column("folded_name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("total_tickets", BigInteger, nullable=False),
    Column("drawn_at", BigInteger),
    Column("seed", LargeBinary),
    UniqueConstraint("sequence", name="raffles_sequence"),
    CheckConstraint("total_tickets >= 1", name="raffles_total_tickets"),
    CheckConstraint("(drawn_at IS NULL) = (seed IS NULL)", name="raffles_drawn_with_seed"),
)

# For the lists of what is drawn and of what is not, each from the newest on.
Index("raffles_drawn", raffles.c.sequence, sqlite_where=raffles.c.drawn_at.is_not(None))
Index("raffles_open", raffles.c.sequence, sqlite_where=raffles.c.drawn_at.is_(None))

# The one hot row of a raffle, kept narrow and apart from the rest.
counters = _table(
    "counters",
    _raffle_column(),
    Column("issued", BigInteger, nullable=False),
    _of_a_raffle(),
    CheckConstraint("issued >= 0", name="counters_issued"),
)

# Deleted at the draw: what is stored cannot be traced to a participant from then on.
secrets = _table(
    "secrets",
    _raffle_column(),
    Column("numbering_key", LargeBinary, nullable=False),
    Column("participant_key", LargeBinary, nullable=False),
    Column("code_key", LargeBinary, nullable=False),
    _of_a_raffle(),
)

prizes = _table(
    "prizes",
    _raffle_column(),
    Column("position", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    _of_a_raffle(),
    CheckConstraint("amount >= 1", name="prizes_amount"),
)

tickets = _table(
    "tickets",
    _raffle_column(),
    Column("serial", BigInteger, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("participant", LargeBinary, nullable=False),
    Column("code_hash", Text, nullable=False),
    Column("repeat_hash", LargeBinary),
    Column("issued_at", BigInteger, nullable=False),
    _of_a_raffle(),
    UniqueConstraint("raffle", "number", name="tickets_number"),
    UniqueConstraint("raffle", "participant", name="tickets_participant"),
    CheckConstraint("serial >= 0", name="tickets_serial"),
    CheckConstraint("number >= 1", name="tickets_number_from_one"),
)

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


_RAFFLE_OF_ROW_IS_DRAWN = "EXISTS (SELECT 1 FROM raffles WHERE id = {row}.raffle AND drawn_at IS NOT NULL)"


# Name, event, when it is refused, and the message. SQLite's REPLACE deletes the row in its way unseen by triggers on
# DELETE, unless the connection asks for more; so an INSERT that would replace a drawn raffle is refused as such.
_RULES = (
    (
        "raffles_final_insert",
        "INSERT ON raffles",
        "EXISTS (SELECT 1 FROM raffles WHERE drawn_at IS NOT NULL AND (id = NEW.id OR sequence = NEW.sequence))",
        "a drawn raffle is final",
    ),
    ("raffles_final_update", "UPDATE ON raffles", "OLD.drawn_at IS NOT NULL", "a drawn raffle is final"),
    ("raffles_final_delete", "DELETE ON raffles", "OLD.drawn_at IS NOT NULL", "a drawn raffle is final"),
    (
        "raffles_fixed",
        "UPDATE OF id, sequence, total_tickets ON raffles",
        "TRUE",
        "the place and size of a raffle are final",
    ),
    (
        "raffles_drawn_when_sold_out",
        "UPDATE OF drawn_at ON raffles",
        "NEW.total_tickets > (SELECT issued FROM counters WHERE raffle = NEW.id)",
        "tickets remain",
    ),
    (
        "tickets_within_the_raffle",
        "INSERT ON tickets",
        "max(NEW.number, NEW.serial + 1) > (SELECT total_tickets FROM raffles WHERE id = NEW.raffle)",
        "the raffle has no such ticket",
    ),
    ("tickets_final_update", "UPDATE OF raffle, serial, number, code_hash ON tickets", "TRUE", "a ticket is final"),
    ("tickets_final_delete", "DELETE ON tickets", "TRUE", "a ticket is final"),
)


def sqlite_triggers() -> list[str]:
    """Return the statements by which SQLite keeps tickets, and draws of sold-out raffles, as they are."""
    statements = []
    old, new = (_RAFFLE_OF_ROW_IS_DRAWN.format(row=row) for row in ("OLD", "NEW"))
    for table in ("wins", "prizes"):
        message = f"the {table} of a drawn raffle are final"
        for event, drawn in (("INSERT", new), ("UPDATE", f"{old} OR {new}"), ("DELETE", old)):
            statements.append(_refusal(f"{table}_final_{event.lower()}", f"{event} ON {table}", drawn, message))
    return statements + [_refusal(*rule) for rule in _RULES]


def _refusal(name: str, event: str, condition: str, message: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {event} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
