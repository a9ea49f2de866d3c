"""Ledgers: every raffle gets one, made from its tickets; those that are sold out are closed.

The bytes of leaves and the hashes of whole tiles are written out here, as the protocol of their time has them.
"""

from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from rafflekit.core.storage import rules

revision = "0003"
down_revision = "0002"

_RAFFLE = sa.LargeBinary(16).with_variant(postgresql.UUID(), "postgresql")
_TILE = 256


def _table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    raffle = sa.Column("raffle", _RAFFLE, primary_key=True)
    of_a_raffle = sa.ForeignKeyConstraint(["raffle"], ["raffles.id"])
    return op.create_table(name, raffle, *parts, of_a_raffle, sqlite_with_rowid=False)


def upgrade() -> None:
    """Make the tables, fill them, and add the triggers."""
    _table(
        "ledgers",
        sa.Column("verifier_key", sa.Text),
        sa.Column("entropy", sa.Text, nullable=False),
        sa.Column("delay_s", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("round", sa.BigInteger),
    )
    tiles = _table(
        "tiles",
        sa.Column("level", sa.BigInteger, primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    _table(
        "cosignatures",
        sa.Column("verifier_key", sa.String(400), primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
    )
    _table(
        "draws",
        sa.Column("entropy", sa.LargeBinary, nullable=False),
        sa.Column("winners_digest", sa.LargeBinary, nullable=False),
        sa.Column("wins", sa.BigInteger, nullable=False),
    )
    bind = op.get_bind()
    bind.exec_driver_sql(
        "INSERT INTO ledgers (raffle, entropy, closed_at) SELECT raffles.id, 'secrets', CASE "
        "WHEN counters.issued >= raffles.total_tickets "
        "THEN (SELECT max(issued_at) FROM tickets WHERE tickets.raffle = raffles.id) END "
        "FROM raffles JOIN counters ON counters.raffle = raffles.id"
    )
    # A clock may have been set back since a raffle was created.
    bind.exec_driver_sql(
        "UPDATE ledgers SET closed_at = (SELECT created_at FROM raffles WHERE id = ledgers.raffle) "
        "WHERE closed_at < (SELECT created_at FROM raffles WHERE id = ledgers.raffle)"
    )
    for (raffle,) in bind.exec_driver_sql("SELECT raffle FROM counters WHERE issued >= 256").all():
        rows = [
            {"raffle": raffle, "level": level, "position": position, "hash": found}
            for level, position, found in _whole_tiles(bind, raffle)
        ]
        bind.execute(sa.insert(tiles), rows)
    for statement in rules.statements(bind.dialect.name, since=revision):
        bind.exec_driver_sql(statement)


def _whole_tiles(bind: sa.Connection, raffle: UUID | bytes) -> Iterator[tuple[int, int, bytes]]:
    level, hashes = 0, list(_leaf_hashes(bind, raffle))
    while len(hashes) >= _TILE:
        whole = [_root(hashes[first : first + _TILE]) for first in range(0, len(hashes) - _TILE + 1, _TILE)]
        yield from ((level, position, found) for position, found in enumerate(whole))
        level, hashes = level + 1, whole


def _leaf_hashes(bind: sa.Connection, raffle: UUID | bytes) -> Iterator[bytes]:
    mark = "%s" if bind.dialect.name == "postgresql" else "?"
    key = raffle.bytes if isinstance(raffle, UUID) else raffle
    statement = f"SELECT serial, number, code_hash FROM tickets WHERE raffle = {mark} ORDER BY serial"  # noqa: S608
    for serial, number, code_hash in bind.exec_driver_sql(statement, (raffle,)):
        text = code_hash.encode()
        place = serial.to_bytes(8, "big") + number.to_bytes(8, "big")
        yield sha256(b"\0\1" + key + place + len(text).to_bytes(2, "big") + text).digest()


def _root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [sha256(b"\1" + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes), 2)]
    return hashes[0]
