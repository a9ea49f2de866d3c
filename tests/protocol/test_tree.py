"""Roots and proofs agree with RFC 9162's own definitions, and no proof holds for anything else."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rafflekit.core.protocol import tree
from rafflekit.core.protocol.tiles import TILE, GrowingTree, TileReader, WholeTile, whole_hash
from rafflekit.core.protocol.tree import ProofWrong

# The tree of RFC 6962's reference implementation (certificate-transparency, merkle_tree_test): eight leaves.
EXAMPLE = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
EXAMPLE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def root_by_definition(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + root_by_definition(leaves[:k]) + root_by_definition(leaves[k:])).digest()


def path_by_definition(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 9162, 2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m < k:
        return [*path_by_definition(m, leaves[:k]), root_by_definition(leaves[k:])]
    return [*path_by_definition(m - k, leaves[k:]), root_by_definition(leaves[:k])]


def subproof_by_definition(m: int, leaves: Sequence[bytes], *, known: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 9162, 2.1.4.1, word for word."""
    if m == len(leaves):
        return [] if known else [root_by_definition(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof_by_definition(m, leaves[:k], known=known), root_by_definition(leaves[k:])]
    return [*subproof_by_definition(m - k, leaves[k:], known=False), root_by_definition(leaves[:k])]


def subtrees(leaves: Sequence[bytes]) -> tree.Subtree:
    return lambda height, position: root_by_definition(leaves[position << height : (position + 1) << height])


def numbered(count: int) -> list[bytes]:
    return [f"leaf {number}".encode() for number in range(count)]


sizes = st.integers(1, 70)


@pytest.mark.parametrize("size", range(9))
def test_the_example_tree_has_its_known_roots(size: int) -> None:
    assert tree.root(subtrees(EXAMPLE), size).hex() == EXAMPLE_ROOTS[size]


@given(sizes, st.data())
def test_proofs_are_those_of_the_rfc_and_hold(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    path = tree.inclusion_proof(subtrees(leaves), index, size)
    proof = tree.consistency_proof(subtrees(leaves), old, size)

    assert path == path_by_definition(index, leaves)
    assert proof == subproof_by_definition(old, leaves)
    tree.check_inclusion(tree.leaf_hash(leaves[index]), index, size, path, root_by_definition(leaves))
    tree.check_consistency(old, size, proof, root_by_definition(leaves[:old]), root_by_definition(leaves))
    assert len(path) <= (size - 1).bit_length()


@given(sizes, st.data())
def test_no_inclusion_proof_holds_for_anything_else(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    path, root = tree.inclusion_proof(subtrees(leaves), index, size), root_by_definition(leaves)
    leaf = tree.leaf_hash(leaves[index])
    other_index = data.draw(st.integers(-1, size + 1).filter(lambda other: other != index))
    wrong: list[tuple[bytes, int, int, Sequence[bytes], bytes]] = [
        (tree.leaf_hash(b"another leaf"), index, size, path, root),
        (leaf, other_index, size, path, root),
        (leaf, index, size, [*path, root], root),
        (leaf, index, size, [*path, b""], root),
        (leaf, index, size, path, tree.leaf_hash(b"")),
    ]
    if path:
        wrong += [
            (leaf, index, size, path[:-1], root),
            (leaf, index, size, path[1:], root),
            (leaf, index, size, [*path[:-1], leaf], root),
        ]
    for arguments in wrong:
        with pytest.raises(ProofWrong):
            tree.check_inclusion(*arguments)


@given(st.integers(2, 70), st.data())
def test_no_consistency_proof_holds_for_anything_else(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    old = data.draw(st.integers(1, size - 1))
    proof = tree.consistency_proof(subtrees(leaves), old, size)
    old_root, root = root_by_definition(leaves[:old]), root_by_definition(leaves)
    another = tree.leaf_hash(b"another leaf")
    place = data.draw(st.integers(0, len(proof) - 1))
    wrong = [
        (old, size, [*proof[:place], another, *proof[place + 1 :]], old_root, root),
        (old, size, [*proof, another], old_root, root),
        (old, size, proof[:-1], old_root, root),
        (old, size, proof, another, root),
        (old, size, proof, old_root, another),
        (size, old, proof, root, old_root),
        (old, old, proof, old_root, old_root),
        (0, size, proof, tree.EMPTY_ROOT, root),
        (0, size, [], another, root),
        (size, size, [], another, root),
    ]
    for arguments in wrong:
        with pytest.raises(ProofWrong):
            tree.check_consistency(*arguments)


def test_a_tree_continues_itself_and_the_empty_tree() -> None:
    root = root_by_definition(numbered(5))

    tree.check_consistency(0, 5, [], tree.EMPTY_ROOT, root)
    tree.check_consistency(5, 5, [], root, root)


@given(st.lists(st.integers(0, 40), max_size=5).map(sorted), st.integers(0, 40))
def test_running_roots_are_the_roots_while_there_are_leaves(wanted: list[int], size: int) -> None:
    leaves = numbered(size)

    found = list(tree.running_roots(map(tree.leaf_hash, leaves), wanted))

    assert found == [root_by_definition(leaves[:each]) for each in wanted if each <= size]


LARGE = 256 * 256 + 300
LARGE_LEAVES = [tree.leaf_hash(number.to_bytes(4, "big")) for number in range(LARGE)]


def stored_entries(size: int, tiles: dict[tuple[int, int], bytes]) -> Callable[[int, int], Sequence[bytes]]:
    """What a database gives: leaves' hashes, and the hashes of whole tiles."""

    def entries(level: int, tile: int) -> Sequence[bytes]:
        first = tile * TILE
        if level == 0:
            return LARGE_LEAVES[first : min(size, first + TILE)]
        found = [tiles.get((level - 1, position)) for position in range(first, first + TILE)]
        return [each for each in found if each is not None]

    return entries


@settings(max_examples=50)
@given(
    st.lists(st.integers(1, 700), min_size=1, max_size=12), st.sampled_from([0, 1, 255, 256, 65_280, 65_500]), st.data()
)
def test_a_growing_tree_proves_what_was_appended_last(groups: list[int], start: int, data: st.DataObject) -> None:
    """Groups of leaves begin anywhere, also after loading from a database, and cross tiles of both levels."""
    tiles = {
        (0, position): whole_hash(LARGE_LEAVES[position * TILE : (position + 1) * TILE])
        for position in range(start // TILE)
    }
    if start >= TILE * TILE:
        tiles[1, 0] = whole_hash([tiles[0, position] for position in range(TILE)])
    edge = stored_entries(start, tiles)
    growing = GrowingTree(start, [edge(0, start // TILE), edge(1, start // TILE // TILE), edge(2, 0)])
    for group in groups:
        first, end = growing.size, min(growing.size + group, LARGE)
        before = growing
        growing, whole = growing.grown(LARGE_LEAVES[first:end])
        assert (before.size, growing.size) == (first, end)
        tiles |= {(level, position): each for level, position, each in whole}
        root = tree.root(growing.subtree, end)
        if end > first:
            index = data.draw(st.integers(first, end - 1))
            path = tree.inclusion_proof(growing.subtree, index, end)
            tree.check_inclusion(LARGE_LEAVES[index], index, end, path, root)

    size = growing.size
    assert [root] == list(tree.running_roots(LARGE_LEAVES, [size]))
    assert sorted(position for level, position in tiles if level == 0) == list(range(size // TILE))
    reader = TileReader(stored_entries(size, tiles))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    tree.check_inclusion(LARGE_LEAVES[index], index, size, tree.inclusion_proof(reader.subtree, index, size), root)
    [old_root] = tree.running_roots(LARGE_LEAVES, [old])
    tree.check_consistency(old, size, tree.consistency_proof(reader.subtree, old, size), old_root, root)


def test_every_whole_tile_is_named_once() -> None:
    _, whole = GrowingTree().grown(LARGE_LEAVES)

    assert [tile.position for tile in whole if tile.level == 0] == list(range(LARGE // TILE))
    of_level_1 = whole_hash([tile.hash for tile in whole if tile.level == 0][:TILE])
    assert [tile for tile in whole if tile.level > 0] == [WholeTile(1, 0, of_level_1)]


def test_a_proof_longer_than_its_trees_is_refused_for_any_roots() -> None:
    first, third, fourth, more = (tree.leaf_hash(each) for each in (b"first two", b"third", b"fourth", b"more"))
    old, new = tree.node_hash(first, third), tree.node_hash(first, tree.node_hash(third, fourth))
    proof = [third, fourth, first]
    tree.check_consistency(3, 4, proof, old, new)

    with pytest.raises(ProofWrong, match="does not have the length"):
        tree.check_consistency(3, 4, [*proof, more], tree.node_hash(more, old), tree.node_hash(more, new))
