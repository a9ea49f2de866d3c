"""The ledger of a raffle: every ticket is a leaf of a Merkle tree, whose root is signed before the draw.

`keeping` is for the rooms that write in ledgers, `proofs` for the public. `docs/draw-protocol.md` specifies what is
hashed and signed; `rafflekit.core.protocol` implements it.
"""
