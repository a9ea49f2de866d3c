"""What is hashed, signed, drawn and checked: all that a verifier needs, readable without the rest of rafflekit.

Everything here is pure: no database, no network, no clock. `docs/draw-protocol.md` specifies it; the sections named
below are its sections. Read the modules in this order:

1. `hashing`, `strict_json`, `dates`: conventions (section 1)
2. `entropy`: what decides, one file per source (section 6)
3. `terms`: what was announced (section 2)
4. `codes`, `leaves`, `tree`, `tiles`: tickets, and the tree over them (section 3)
5. `notes`, `checkpoints`, `cosignatures`: what is signed (section 4)
6. `winners`, `forfeits`: from the closing to the winners, and to those who take their prizes over (section 7)
7. `documents`, `document_shapes`, `receipts`: receipts and proofs (sections 5 and 8)
8. `audit`: the steps of a check, and the audit's self-test (section 9)
"""
