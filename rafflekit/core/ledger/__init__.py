"""The ledger of a raffle: every ticket a leaf of a Merkle tree, whose root is signed before anybody knows who wins.

`docs/draw-protocol.md` is the law here: what stands in these modules is what it says, in its words. All of them are
pure; what a database holds of a ledger is known in `storage` alone.
"""
