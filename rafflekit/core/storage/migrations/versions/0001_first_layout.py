"""The first layout."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from rafflekit.core.storage import rules

revision = "0001"
down_revision = None

_RAFFLE = sa.LargeBinary(16).with_variant(postgresql.UUID(), "postgresql")


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, *parts, sqlite_with_rowid=False)


def _raffle() -> sa.Column[object]:
    return sa.Column("raffle", _RAFFLE, primary_key=True)


def _of_a_raffle() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["raffle"], ["raffles.id"])


def upgrade() -> None:
    """Make the tables, and the triggers that hold their rules."""
    _raffles()
    _sale()
    _ledger()
    _draw()
    bind = op.get_bind()
    for statement in rules.statements(bind.dialect.name, since=revision):
        bind.exec_driver_sql(statement)


def _raffles() -> None:
    _table(
        "raffles",
        sa.Column("id", _RAFFLE, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded_name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("total_tickets", sa.BigInteger, nullable=False),
        sa.Column("drawn_at", sa.BigInteger),
        sa.Column("seed", sa.LargeBinary),
        sa.UniqueConstraint("sequence", name="raffles_sequence"),
        sa.CheckConstraint("total_tickets >= 1", name="raffles_total_tickets"),
        sa.CheckConstraint("(drawn_at IS NULL) = (seed IS NULL)", name="raffles_drawn_with_seed"),
    )
    for name, which in (("raffles_drawn", "drawn_at IS NOT NULL"), ("raffles_open", "drawn_at IS NULL")):
        op.create_index(name, "raffles", ["sequence"], sqlite_where=sa.text(which), postgresql_where=sa.text(which))


def _sale() -> None:
    _table(
        "counters",
        _raffle(),
        sa.Column("issued", sa.BigInteger, nullable=False),
        _of_a_raffle(),
        sa.CheckConstraint("issued >= 0", name="counters_issued"),
    )
    _table(
        "secrets",
        _raffle(),
        sa.Column("numbering_key", sa.LargeBinary, nullable=False),
        sa.Column("participant_key", sa.LargeBinary, nullable=False),
        sa.Column("code_key", sa.LargeBinary, nullable=False),
        _of_a_raffle(),
    )
    _table(
        "tickets",
        _raffle(),
        sa.Column("serial", sa.BigInteger, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("participant", sa.LargeBinary, nullable=False),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("repeat_hash", sa.LargeBinary),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        _of_a_raffle(),
        sa.UniqueConstraint("raffle", "number", name="tickets_number"),
        sa.UniqueConstraint("raffle", "participant", name="tickets_participant"),
        sa.CheckConstraint("serial >= 0", name="tickets_serial"),
        sa.CheckConstraint("number >= 1", name="tickets_number_from_one"),
    )


def _ledger() -> None:
    _table(
        "ledgers",
        _raffle(),
        sa.Column("verifier_key", sa.Text),
        sa.Column("entropy", sa.Text, nullable=False),
        sa.Column("delay_s", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("round", sa.BigInteger),
        _of_a_raffle(),
    )
    _table(
        "tiles",
        _raffle(),
        sa.Column("level", sa.BigInteger, primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        _of_a_raffle(),
    )
    _table(
        "cosignatures",
        _raffle(),
        sa.Column("verifier_key", sa.String(400), primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
        _of_a_raffle(),
    )


def _draw() -> None:
    _table(
        "prizes",
        _raffle(),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        _of_a_raffle(),
        sa.CheckConstraint("amount >= 1", name="prizes_amount"),
    )
    _table(
        "wins",
        _raffle(),
        sa.Column("ordinal", sa.BigInteger, primary_key=True),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("prize", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["raffle", "serial"], ["tickets.raffle", "tickets.serial"]),
        sa.ForeignKeyConstraint(["raffle", "prize"], ["prizes.raffle", "prizes.position"]),
        sa.UniqueConstraint("raffle", "serial", name="wins_serial"),
        sa.CheckConstraint("ordinal >= 1", name="wins_ordinal"),
    )
    _table(
        "draws",
        _raffle(),
        sa.Column("entropy", sa.LargeBinary, nullable=False),
        sa.Column("winners_digest", sa.LargeBinary, nullable=False),
        sa.Column("wins", sa.BigInteger, nullable=False),
        _of_a_raffle(),
    )
