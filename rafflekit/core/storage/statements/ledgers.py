"""Every statement about a raffle's ledger: its key, its tiles, its leaves, its closing, its cosignatures.

The hashes of leaves come from the tickets; those of whole tiles are stored with their last ticket.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.protocol.tiles import TILE, TILE_HEIGHT, WholeTile
from rafflekit.core.storage.schema import cosignatures, ledgers, tickets, tiles


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """The key that signs a ledger, if it has one yet, and its end, if it is closed."""

    verifier_key: str | None
    end: End | None


OPTIONS = [ledgers.c[field.name] for field in fields(Terms) if field.name in ledgers.c]
"""The columns of the terms that a raffle's ledger has, in the order of `Terms`."""


def insert_ledger(connection: Connection, terms: Terms, *, verifier_key: str | None) -> None:
    """Store the ledger of a new raffle."""
    options = {column.name: getattr(terms, column.name) for column in OPTIONS}
    connection.execute(insert(ledgers).values(raffle=terms.id, verifier_key=verifier_key, **options))


def load_ledger(connection: Connection, raffle: UUID) -> LedgerRecord | None:
    """Return a raffle's ledger, or None if there is no such raffle."""
    row = connection.execute(_LEDGER, {"raffle": raffle}).one_or_none()
    if row is None:
        return None
    end = None if row.closed_at is None else End(row.closed_at, row.round)
    return LedgerRecord(row.verifier_key, end)


_LEDGER = select(ledgers.c.verifier_key, ledgers.c.closed_at, ledgers.c.round).where(
    ledgers.c.raffle == bindparam("raffle")
)


def claim_ledger(connection: Connection, raffle: UUID, verifier_key: str) -> None:
    """Give a ledger its key, unless it already has one."""
    unclaimed = (ledgers.c.raffle == raffle) & ledgers.c.verifier_key.is_(None)
    connection.execute(update(ledgers).where(unclaimed).values(verifier_key=verifier_key))


def any_verifier_key(connection: Connection) -> str | None:
    """Return one of the keys that sign the ledgers here, or None if no ledger has a key yet."""
    return connection.scalar(select(ledgers.c.verifier_key).where(ledgers.c.verifier_key.is_not(None)).limit(1))


def close_ledger(connection: Connection, raffle: UUID, end: End) -> None:
    """Store a ledger's end, which is final."""
    closed = {"closed_at": end.closed, "round": end.round}
    connection.execute(update(ledgers).where(ledgers.c.raffle == raffle).values(closed))


def insert_tiles(connection: Connection, raffle: UUID, whole: Sequence[WholeTile]) -> None:
    """Store the hashes of tiles that are now whole."""
    connection.execute(insert(tiles), [{"raffle": raffle, **tile._asdict()} for tile in whole])


def tile_entries(connection: Connection, raffle: UUID, size: int, level: int, tile: int) -> list[bytes]:
    """Return the hashes of one tile of the tree of the first `size` leaves (`tiles.Entries`)."""
    first = tile * TILE
    if level == 0:
        return [leaf.hash(raffle) for leaf in leaves_between(connection, raffle, first, min(size, first + TILE) - 1)]
    end = min(size >> TILE_HEIGHT * level, first + TILE)
    span = {"raffle": raffle, "level": level - 1, "first": first, "last": end - 1}
    return list(connection.scalars(_TILE_HASHES, span))


_TILE_HASHES = (
    select(tiles.c.hash)
    .where(
        tiles.c.raffle == bindparam("raffle"),
        tiles.c.level == bindparam("level"),
        tiles.c.position.between(bindparam("first"), bindparam("last")),
    )
    .order_by(tiles.c.position)
)


def edge_entries(connection: Connection, raffle: UUID, size: int) -> list[list[bytes]]:
    """Return the hashes of the last, incomplete tile of each level, from the leaves upwards."""
    entries: list[list[bytes]] = []
    while count := size >> TILE_HEIGHT * len(entries):
        level = len(entries)
        entries.append(tile_entries(connection, raffle, size, level, count // TILE) if count % TILE else [])
    return entries


def leaves_between(connection: Connection, raffle: UUID, first: int, last: int) -> list[Leaf]:
    """Return the leaves with the serials from `first` to `last`."""
    span = {"raffle": raffle, "first": first, "last": last}
    return [Leaf(*row) for row in connection.execute(_LEAVES_BETWEEN, span)]


_LEAVES = select(tickets.c.serial, tickets.c.number, tickets.c.code_hash).where(tickets.c.raffle == bindparam("raffle"))
_LEAVES_BETWEEN = _LEAVES.where(tickets.c.serial.between(bindparam("first"), bindparam("last"))).order_by(
    tickets.c.serial
)


LEAF_OF_SERIAL = _LEAVES.where(tickets.c.serial == bindparam("serial"))
"""The row of the leaf at a place (`Leaf`), for `Database.fetch`."""


def leaf_of_number(connection: Connection, raffle: UUID, number: int) -> Leaf | None:
    """Return the leaf of a ticket, or None if no ticket has this number yet."""
    row = connection.execute(_LEAF_OF_NUMBER, {"raffle": raffle, "number": number}).one_or_none()
    return None if row is None else Leaf(*row)


_LEAF_OF_NUMBER = _LEAVES.where(tickets.c.number == bindparam("number"))


def insert_cosignature(connection: Connection, raffle: UUID, verifier_key: str, line: str) -> None:
    """Store a witness's signature line; the raffle is locked, and this witness has none yet."""
    connection.execute(insert(cosignatures).values(raffle=raffle, verifier_key=verifier_key, line=line))


def load_cosignatures(connection: Connection, raffle: UUID) -> list[tuple[str, str]]:
    """Return the verifier key and the line of each witness, in the order of the keys."""
    return [(key, line) for key, line in connection.execute(_COSIGNATURES, {"raffle": raffle})]


_COSIGNATURES = (
    select(cosignatures.c.verifier_key, cosignatures.c.line)
    .where(cosignatures.c.raffle == bindparam("raffle"))
    .order_by(cosignatures.c.verifier_key)
)
