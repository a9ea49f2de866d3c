"""Every statement about a raffle's ledger: its tiles, its leaves, its cosignatures.

The hashes of leaves come from the tickets; those of whole tiles are stored with their last ticket.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select

from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.tiles import TILE, TILE_HEIGHT, WholeTile
from rafflekit.core.storage.schema import cosignatures, tickets, tiles


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
    return [Leaf(*row) for row in connection.execute(LEAVES_BETWEEN, span)]


_LEAVES = select(tickets.c.serial, tickets.c.number, tickets.c.code_hash).where(tickets.c.raffle == bindparam("raffle"))
LEAVES_BETWEEN = _LEAVES.where(tickets.c.serial.between(bindparam("first"), bindparam("last"))).order_by(
    tickets.c.serial
)
"""The rows of the leaves with the serials from `first` to `last` (`Leaf`), for `Database.fetch`."""

LEAF_OF_SERIAL = _LEAVES.where(tickets.c.serial == bindparam("serial"))
"""The row of the leaf at a place (`Leaf`), for `Database.fetch`."""


def numbers_of(connection: Connection, raffle: UUID, serials: Sequence[int]) -> dict[int, int]:
    """Return the ticket numbers of these serials, which exist."""
    of_these = select(tickets.c.serial, tickets.c.number).where(
        tickets.c.raffle == raffle, tickets.c.serial.in_(serials)
    )
    return {row.serial: row.number for row in connection.execute(of_these)}


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
