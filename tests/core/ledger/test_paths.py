"""The paths of a proof: each is right, and all of them together read little."""

import random

from rafflekit.core.ledger.keeping import LedgerTree
from rafflekit.core.protocol.tiles import TILE, TILE_HEIGHT, TileReader, whole_hash
from rafflekit.core.protocol.tree import check_inclusion, leaf_hash


def test_many_paths_read_every_tile_once() -> None:
    """As many tiles as fit in memory are fewer than those that hold the winners of a large raffle."""
    size = 100 * TILE + 7
    leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(size)]
    read: list[tuple[int, int]] = []

    def entries(level: int, tile: int) -> list[bytes]:
        read.append((level, tile))
        first = tile * TILE
        if level == 0:
            return leaves[first : first + TILE]
        whole = range(first, min(size >> TILE_HEIGHT, first + TILE))
        return [whole_hash(leaves[each * TILE : (each + 1) * TILE]) for each in whole]

    scattered = random.Random(7).sample(range(size), 1_000)
    its_tree = LedgerTree(size, TileReader(entries))
    paths = its_tree.paths(scattered)

    assert sorted(read) == [(0, tile) for tile in range(101)] + [(1, 0)]
    for serial in scattered[:20]:
        check_inclusion(leaves[serial], serial, size, paths[serial], its_tree.root())
