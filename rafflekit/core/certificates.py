"""The audit of a drawn raffle's own proof, as anyone can make it: what a certificate of the draw rests on."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.protocol.audit import AuditReport, audit
from rafflekit.core.protocol.audit.form import ProofParts, read_parts
from rafflekit.core.protocol.documents import leaf_line


@dataclass(frozen=True, slots=True)
class AuditedDraw:
    """The proof of a draw as it was read, the audit of it with all of its leaves, and when.

    `redeemed` is the number of prizes that were redeemed by then. Only the operator's database says so, no proof.
    """

    proof: ProofParts
    report: AuditReport
    redeemed: int
    audited_at: datetime


def audited_draw(engine: RaffleEngine, raffle_id: UUID | str) -> AuditedDraw:
    """Audit the proof of a raffle. Nothing is refused if a step is wrong: look at the `report`.

    Raises:
        RaffleError: there is no proof, as in `Proofs.proof`.
    """
    document = json.dumps(engine.proofs.proof(raffle_id).shape())
    # Read next to the proof, and not after the audit: prizes are handed out while it runs.
    redeemed = engine.count_redeemed(raffle_id)
    now = engine.now()
    # No key, id or witness is given: what the operator knows of these proves nothing to others.
    report = audit(document, leaves=map(leaf_line, engine.proofs.leaves(raffle_id)), now=int(now.timestamp()))
    return AuditedDraw(read_parts(document), report, redeemed, now)
