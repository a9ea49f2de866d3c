"""The Merkle tree of RFC 9162, section 2.1: its roots and proofs, and the checks of proofs (section 3).

Everything is built from whole subtrees. A subtree of height h has 2ʰ leaves, and the i-th one begins with leaf i·2ʰ.
The caller provides them (`Subtree`), so a proof costs the logarithm of the tree.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

from rafflekit.core.protocol.hashing import HASH_BYTES

Subtree = Callable[[int, int], bytes]
"""Returns the hash of a whole subtree: (height, position) → hash; height 0 is a leaf, positions start at 0."""

EMPTY_ROOT = sha256().digest()


class ProofWrong(Exception):
    """A proof does not hold; the message says why."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return sha256(b"\1" + left + right).digest()


def root(subtree: Subtree, size: int) -> bytes:
    """Return the root of the tree of the first `size` leaves."""
    return _hash_between(subtree, 0, size) if size else EMPTY_ROOT


def inclusion_proof(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """Return PATH(index, D[0:size]) of RFC 9162, 2.1.3.1; 0 ≤ index < size."""
    assert 0 <= index < size
    first, end, path = 0, size, []
    while end - first > 1:
        middle = first + _left_part(end - first)
        if index < middle:
            path.append(_hash_between(subtree, middle, end))
            end = middle
        else:
            path.append(_hash_between(subtree, first, middle))
            first = middle
    return path[::-1]


def consistency_proof(subtree: Subtree, old: int, new: int) -> list[bytes]:
    """Return PROOF(old, D[0:new]) of RFC 9162, 2.1.4.1; 0 < old ≤ new. For equal sizes it is empty."""
    assert 0 < old <= new
    first, end, proof = 0, new, []
    is_old_root = True
    while old != end:
        middle = first + _left_part(end - first)
        if old <= middle:
            proof.append(_hash_between(subtree, middle, end))
            end = middle
        else:
            proof.append(_hash_between(subtree, first, middle))
            first = middle
            is_old_root = False
    if not is_old_root:
        proof.append(_hash_between(subtree, first, end))
    return proof[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> None:
    """Check an inclusion proof as RFC 9162, 2.1.3.2 does; `leaf` is the leaf's hash.

    Raises:
        ProofWrong: it does not hold.
    """
    if not 0 <= index < size:
        raise ProofWrong(f"there is no leaf {index} in a tree of {size}")
    fn, sn, found = index, size - 1, leaf
    for sibling in path:
        if sn == 0 or len(sibling) != HASH_BYTES:
            raise ProofWrong("the path does not have the length for this tree")
        if fn & 1 or fn == sn:
            found = node_hash(sibling, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofWrong("the path does not have the length for this tree")
    if found != expected_root:
        raise ProofWrong("the path does not lead to the root")


def check_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check a consistency proof as RFC 9162, 2.1.4.2 does. Every tree continues the empty tree.

    Raises:
        ProofWrong: it does not hold.
    """
    if not 0 <= old <= new:
        raise ProofWrong(f"a tree of {new} leaves does not continue one of {old}")
    if old in (0, new):
        if proof:
            raise ProofWrong("the proof does not have the length for these trees")
        if old_root != (new_root if old == new else EMPTY_ROOT):
            raise ProofWrong("the roots are not the same")
        return
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not hashes or any(len(each) != HASH_BYTES for each in hashes):
        raise ProofWrong("the proof does not have the length for these trees")
    if _roots_of(hashes, old, new) != (old_root, new_root):
        raise ProofWrong("the proof does not lead to the roots")


def _roots_of(hashes: Sequence[bytes], old: int, new: int) -> tuple[bytes, bytes]:
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    found_old = found_new = hashes[0]
    for sibling in hashes[1:]:
        if sn == 0:
            raise ProofWrong("the proof does not have the length for these trees")
        if fn & 1 or fn == sn:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found_new = node_hash(found_new, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofWrong("the proof does not have the length for these trees")
    return found_old, found_new


def running_roots(leaves: Iterable[bytes], sizes: Sequence[int]) -> Iterator[bytes]:
    """Yield the roots of the trees of these sizes (ascending) in one pass over the leaves' hashes.

    Memory holds one hash per power of two. If the leaves end early, fewer roots are yielded.
    """
    whole: list[tuple[int, bytes]] = []
    wanted = iter(sizes)
    size = next(wanted, None)
    hashes = iter(leaves)
    count = 0
    while size is not None:
        if count == size:
            yield _joined(whole)
            size = next(wanted, None)
            continue
        leaf = next(hashes, None)
        if leaf is None:
            return
        count += 1
        height, found = 0, leaf
        while whole and whole[-1][0] == height:
            height, found = height + 1, node_hash(whole.pop()[1], found)
        whole.append((height, found))


def _joined(whole: Sequence[tuple[int, bytes]]) -> bytes:
    if not whole:
        return EMPTY_ROOT
    found = whole[-1][1]
    for _, left in reversed(whole[:-1]):
        found = node_hash(left, found)
    return found


def _hash_between(subtree: Subtree, first: int, end: int) -> bytes:
    size = end - first
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return subtree(height, first >> height)
    middle = first + _left_part(size)
    return node_hash(_hash_between(subtree, first, middle), _hash_between(subtree, middle, end))


def _left_part(size: int) -> int:
    # The largest power of two below the size.
    return 1 << (size - 1).bit_length() - 1
