"""A consistency proof that is longer than its trees is none, whatever roots somebody made to fit it."""

import pytest

from rafflekit.core.protocol.tree import ProofWrong, check_consistency, leaf_hash, node_hash


def test_roots_that_are_made_for_a_longer_proof_do_not_make_it_right() -> None:
    first, third, fourth, more = (leaf_hash(each) for each in (b"first two", b"third", b"fourth", b"more"))
    old, new = node_hash(first, third), node_hash(first, node_hash(third, fourth))
    proof = [third, fourth, first]
    check_consistency(3, 4, proof, old, new)

    with pytest.raises(ProofWrong, match="another length"):
        check_consistency(3, 4, [*proof, more], node_hash(more, old), node_hash(more, new))
