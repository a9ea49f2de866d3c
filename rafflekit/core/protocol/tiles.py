"""Tiles: a tree cut into groups of 256 hashes, so that whole ones are one hash each (the idea of C2SP's tlog-tiles).

The tile t of level L has the hashes 256·t … 256·t + 255 of the subtrees of height 8·L: leaves at level 0, and at every
higher level one hash for each whole tile of the level below. Only these are ever stored; the leaves' hashes come from
the tickets themselves.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from rafflekit.core.errors import StorageUnavailable
from rafflekit.core.protocol.tree import node_hash

TILE_HEIGHT = 8
TILE = 1 << TILE_HEIGHT
_TILES_KEPT = 64
_SUBTREES_KEPT = 1024
# Every proof needs some of the large subtrees, of which there are few, and each costs many hashes.
_KEPT_FROM_HEIGHT = TILE_HEIGHT + 3

Entries = Callable[[int, int], Sequence[bytes]]
"""Gives the hashes of a level from those of a tile on (level, tile): all that the tree has of that tile."""


class WholeTile(NamedTuple):
    """A tile that became whole: its level, its position in it, and its one hash."""

    level: int
    position: int
    hash: bytes


class TileReader:
    """The subtrees of a tree whose tiles are read when they are needed; those used last are kept (8 KiB each)."""

    def __init__(self, entries: Entries) -> None:
        self._tile = lru_cache(_TILES_KEPT)(entries)
        self._large = lru_cache(_SUBTREES_KEPT)(self._computed)

    def subtree(self, height: int, position: int) -> bytes:
        """Return the hash of a whole subtree (`tree.Subtree`).

        Raises:
            StorageUnavailable: some of it is missing.
        """
        return (self._large if height >= _KEPT_FROM_HEIGHT else self._computed)(height, position)

    def _computed(self, height: int, position: int) -> bytes:
        level, within = divmod(height, TILE_HEIGHT)
        tile, offset = divmod(position << within, TILE)
        hashes = self._tile(level, tile)[offset : offset + (1 << within)]
        if len(hashes) != 1 << within:
            raise _damaged()
        return whole_hash(hashes)


def whole_hash(hashes: Sequence[bytes]) -> bytes:
    """Return the one hash of 2ᵏ hashes that stand side by side."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def _damaged() -> StorageUnavailable:
    return StorageUnavailable(
        "Of a ledger, tickets or hashes are missing in the database; 'rafflekit doctor' says which."
    )


class GrowingTree:
    """The right edge of a tree: enough of it to append leaves, and to prove those that were appended last.

    Without `entries` it is empty; else these are the hashes of the last, incomplete tile of each level of a tree of
    `size` leaves, from the leaves upwards. Growing gives another tree and leaves this one as it was, so that several
    threads may hold one.
    """

    def __init__(self, size: int = 0, entries: Iterable[Sequence[bytes]] = ()) -> None:
        self.size = size
        self._whole: dict[tuple[int, int], bytes] = {}
        self._edge = size & -TILE
        for level, hashes in enumerate(entries):
            height = TILE_HEIGHT * level
            first = (size >> height) & -TILE
            for offset, each in enumerate(hashes):
                self._whole[height, first + offset] = each

    def grown(self, leaves: Sequence[bytes]) -> "tuple[GrowingTree, list[WholeTile]]":
        """Return the tree with these leaves' hashes behind its own, and the tiles that became whole with them."""
        tree = GrowingTree(self.size)
        tree._whole = self._whole.copy() if self._edge == tree._edge else self._of_last_tiles()
        whole_tiles = []
        for leaf in leaves:
            position, height, found = tree.size, 0, leaf
            tree._whole[0, position] = leaf
            while position & 1:
                found = node_hash(tree.subtree(height, position - 1), found)
                position, height = position >> 1, height + 1
                tree._whole[height, position] = found
                if height % TILE_HEIGHT == 0:
                    whole_tiles.append(WholeTile(height // TILE_HEIGHT - 1, position, found))
            tree.size += 1
        return tree, whole_tiles

    def _of_last_tiles(self) -> dict[tuple[int, int], bytes]:
        # Of each level only its last tile: what stands left of it is in the hashes of the levels above.
        kept = {}
        for (height, position), each in self._whole.items():
            level, within = divmod(height, TILE_HEIGHT)
            if position << within >= (self.size >> TILE_HEIGHT * level) & -TILE:
                kept[height, position] = each
        return kept

    def subtree(self, height: int, position: int) -> bytes:
        """Return the hash of a whole subtree at the edge (`tree.Subtree`).

        Raises:
            StorageUnavailable: some of it is missing.
        """
        found = self._whole.get((height, position))
        if found is None:
            if height == 0:
                raise _damaged()
            found = node_hash(self.subtree(height - 1, 2 * position), self.subtree(height - 1, 2 * position + 1))
            self._whole[height, position] = found
        return found
