"""Tiles: the tree in groups of 256 hashes, so that a whole group is one stored hash (after C2SP's tlog-tiles).

The tile t of level L holds the hashes 256·t … 256·t + 255 of the subtrees of height 8·L: leaves at level 0, and at
every higher level one hash for each whole tile of the level below. Only the hashes of whole tiles are stored; the
leaves' hashes are computed from the tickets.
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
# Every proof needs some of the large subtrees; there are few of them, and each costs many hashes.
_KEPT_FROM_HEIGHT = TILE_HEIGHT + 3

Entries = Callable[[int, int], Sequence[bytes]]
"""Returns the hashes that the tree has of a tile: (level, tile) → hashes."""


class WholeTile(NamedTuple):
    """A tile that has become whole: its level, its position in the level, and its one hash."""

    level: int
    position: int
    hash: bytes


class TileReader:
    """The subtrees of a tree whose tiles are read on demand; the last ones used stay in memory (8 KiB each)."""

    def __init__(self, entries: Entries) -> None:
        self._tile = lru_cache(_TILES_KEPT)(entries)
        self._large = lru_cache(_SUBTREES_KEPT)(self._computed)

    def subtree(self, height: int, position: int) -> bytes:
        """Return the hash of a whole subtree (see `tree.Subtree`).

        Raises:
            StorageUnavailable: a hash is missing.
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
    """Return the one hash over 2ᵏ neighbouring hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def _damaged() -> StorageUnavailable:
    return StorageUnavailable(
        "Tickets or hashes of a ledger are missing in the database; 'rafflekit doctor' says which."
    )


class GrowingTree:
    """The right edge of a tree: enough of it to append leaves, and to prove the leaves appended last.

    `entries` are the hashes of the last, incomplete tile of each level of a tree of `size` leaves, from the leaves
    upwards; without them the tree is empty. Growing returns a new tree and does not change this one, so threads can
    share it.
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
        """Return the tree with these leaves' hashes appended, and the tiles that became whole."""
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
        # Only the last tile of each level: everything to its left is in the hashes of the levels above.
        kept = {}
        for (height, position), each in self._whole.items():
            level, within = divmod(height, TILE_HEIGHT)
            if position << within >= (self.size >> TILE_HEIGHT * level) & -TILE:
                kept[height, position] = each
        return kept

    def subtree(self, height: int, position: int) -> bytes:
        """Return the hash of a whole subtree at the edge (see `tree.Subtree`).

        Raises:
            StorageUnavailable: a hash is missing.
        """
        found = self._whole.get((height, position))
        if found is None:
            if height == 0:
                raise _damaged()
            found = node_hash(self.subtree(height - 1, 2 * position), self.subtree(height - 1, 2 * position + 1))
            self._whole[height, position] = found
        return found
