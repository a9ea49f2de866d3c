"""The audit of a draw: the steps of section 9, each a small pure function with one outcome.

Any input gives a report: no document can make the audit raise an exception. Memory is bounded: a proof has at most
8 MiB, a note at most 64 KiB, and of the leaves only what is needed is kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from rafflekit.core.protocol.audit import signatures, winners
from rafflekit.core.protocol.audit.forfeits import check_forfeits, wins_after
from rafflekit.core.protocol.audit.form import ProofParts, read_parts
from rafflekit.core.protocol.audit.leaves import SeenLeaves, check_leaves, see_leaves
from rafflekit.core.protocol.audit.own_ticket import (
    ReceiptParts,
    check_code,
    check_own_ticket,
    read_receipt_parts,
    shows_raffle,
)
from rafflekit.core.protocol.audit.report import (
    NOT_PROVEN,
    OK,
    STEPS,
    WRONG,
    AuditedWin,
    AuditReport,
    ComparedValues,
    Mistaken,
    Refuted,
    Step,
    Unproven,
)
from rafflekit.core.protocol.audit.witnesses import (
    CheckedCosignature,
    Witnessed,
    check_witnessed,
    check_witnesses,
    cosignatures_of,
    is_copy,
    read_witness_keys,
)
from rafflekit.core.protocol.documents import WINNERS_IN_A_PROOF
from rafflekit.core.protocol.entropy import source_of

__all__ = ["NOT_PROVEN", "OK", "STEPS", "WRONG", "AuditReport", "Step", "Witnessed", "audit", "sizes_of"]

Value = TypeVar("Value")


def audit(
    proof: str | bytes,
    *,
    key: str | None = None,
    raffle: str | None = None,
    served_id: str | None = None,
    witnesses: Sequence[str] = (),
    witnessed: Sequence[Witnessed] = (),
    leaves: Iterable[str | bytes] | None = None,
    receipt: str | bytes | None = None,
    consistency: str | bytes | None = None,
    code: str | None = None,
    now: int | None = None,
) -> AuditReport:
    """Check a proof, together with whatever else the verifier has.

    `key` is the operator's verifier key and `raffle` the raffle's id, as the verifier knows them. `served_id` is the id
    in the address that the proof comes from: a proof of another raffle is wrong there, but the id shows nothing,
    because the operator gives that address out. `witnesses` are the verifier keys of witnesses that the verifier
    vouches for, and `witnessed` are independent copies of the closing. `leaves` are the lines of all leaves; they are
    read once, or not at all if one of the steps 1 to 4 is wrong. `code` and `consistency` (the consistency proof from
    the receipt's checkpoint to the closing) belong to `receipt` and are ignored without it. `now` is the verifier's
    time in seconds since 1970.

    Raises only what reading `leaves` raises.
    """
    steps = _Steps()
    parts = steps.value("form", lambda: read_parts(proof, now))
    if parts is None:
        return steps.report(None)
    steps.passed("form", "The document is a proof of protocol 1.")
    for name, step in (
        ("terms", lambda: _check_terms(parts, raffle, served_id, witnessed, receipt)),
        ("key", lambda: signatures.check_key(parts, key)),
        ("closing", lambda: signatures.check_closing(parts)),
    ):
        if not steps.take(name, step):
            return steps.report(parts)
    _check_witnesses(steps, parts, witnesses, witnessed)
    wins = _check_tickets(steps, parts, leaves=leaves, receipt=receipt, consistency=consistency, code=code)
    return steps.report(parts, wins)


def sizes_of(proof: str | bytes, receipt: str | bytes) -> tuple[int, int] | None:
    """Return the two sizes of the consistency proof that a receipt needs: its tree's and the closing's.

    None if the proof or the receipt is not valid.
    """
    try:
        return read_receipt_parts(receipt).checkpoint.size, read_parts(proof).closed.checkpoint.size
    except Refuted:
        return None


def _check_terms(
    parts: ProofParts,
    raffle: str | None,
    served_id: str | None,
    copies: Sequence[Witnessed],
    receipt: str | bytes | None,
) -> str:
    is_known = any(is_copy(parts, copy) for copy in copies)
    is_known = is_known or (receipt is not None and shows_raffle(parts, receipt))
    return signatures.check_terms(parts, raffle=raffle, served_id=served_id, is_known=is_known)


def _check_witnesses(steps: "_Steps", parts: ProofParts, keys: Sequence[str], copies: Sequence[Witnessed]) -> None:
    vouched = steps.value("witnesses", lambda: read_witness_keys(keys)) or []
    cosignatures: list[CheckedCosignature] = []
    if not steps.has("witnesses"):
        cosignatures = steps.value("witnesses", lambda: cosignatures_of(parts, vouched)) or []
    if not steps.has("witnesses"):
        steps.take("witnesses", lambda: check_witnesses(cosignatures, vouched))
    steps.take("entropy", lambda: winners.check_entropy(parts))
    steps.take("witnessed", lambda: check_witnessed(parts, cosignatures, vouched, copies))
    steps.take("seed", lambda: winners.check_seed(parts))


def _check_tickets(
    steps: "_Steps",
    parts: ProofParts,
    *,
    leaves: Iterable[str | bytes] | None,
    receipt: str | bytes | None,
    consistency: str | bytes | None,
    code: str | None,
) -> Sequence[AuditedWin] | None:
    ours = None if receipt is None else steps.value("receipt", lambda: read_receipt_parts(receipt))
    slots = winners.slots_of(parts)
    serials = slots[: parts.wins]
    seen = None
    if leaves is None:
        steps.unproven("leaves", "Without all leaves, only the leaves in the proof were checked.")
    else:
        seen = steps.value("leaves", lambda: _see_leaves(parts, leaves, serials, ours))
        if seen is not None:
            steps.take("leaves", lambda: check_leaves(parts))
    numbers = None if seen is None else seen.numbers
    are_winners = steps.take("winners", lambda: winners.check_winners(parts, serials, numbers))
    are_forfeits = steps.take("forfeits", lambda: check_forfeits(parts, slots))
    wins: Sequence[AuditedWin] | None = None
    if are_winners and are_forfeits:
        wins = _wins(parts, serials, numbers)
    if ours is not None:
        steps.take("receipt", lambda: check_own_ticket(parts, ours, seen, consistency=consistency, wins=wins))
        if code is not None:
            steps.take("code", lambda: check_code(ours, code))
    return wins


def _wins(parts: ProofParts, serials: Sequence[int], numbers: Mapping[int, int] | None) -> Sequence[AuditedWin] | None:
    drawn = winners.wins_of(parts, serials, numbers)
    return None if drawn is None or parts.forfeits is None else wins_after(parts, drawn)


def _see_leaves(
    parts: ProofParts, lines: Iterable[str | bytes], serials: Sequence[int], ours: ReceiptParts | None
) -> SeenLeaves:
    # The winners' leaves are in the proof, unless there are too many of them.
    winning = serials if parts.wins > WINNERS_IN_A_PROOF else ()
    if ours is None:
        return see_leaves(parts, lines, winning=winning, serial=None, sizes=())
    return see_leaves(parts, lines, winning=winning, serial=ours.receipt.leaf.serial, sizes=(ours.checkpoint.size,))


class _Steps:
    """The steps taken so far."""

    def __init__(self) -> None:
        self._taken: dict[str, Step] = {}

    def has(self, name: str) -> bool:
        return name in self._taken

    def passed(self, name: str, sentence: str) -> None:
        self._taken[name] = Step(name, OK, sentence)

    def unproven(self, name: str, sentence: str) -> None:
        self._taken[name] = Step(name, NOT_PROVEN, sentence)

    def take(self, name: str, step: Callable[[], str]) -> bool:
        """Take a step; return False if it is wrong."""
        sentence = self.value(name, step)
        if sentence is not None:
            self.passed(name, sentence)
        return self._taken[name].outcome != WRONG

    def value(self, name: str, step: Callable[[], Value]) -> Value | None:
        """Return what a step returns; if it fails, record how it ended and return None."""
        try:
            return step()
        except Refuted as error:
            self._taken[name] = Step(name, WRONG, str(error), is_mistaken=isinstance(error, Mistaken))
        except Unproven as error:
            self._taken[name] = Step(name, NOT_PROVEN, str(error), doubts=error.doubts)
        return None

    def report(self, parts: ProofParts | None, wins: Sequence[AuditedWin] | None = None) -> AuditReport:
        steps = [self._taken[name] for name in STEPS if name in self._taken]
        if parts is None:
            return AuditReport(steps)
        is_wrong = any(step.outcome == WRONG for step in steps)
        return AuditReport(steps, parts.proof.terms, wins, None if is_wrong else _values(parts))


def _values(parts: ProofParts) -> ComparedValues:
    checkpoint, entropy = parts.closed.checkpoint, parts.proof.entropy
    return ComparedValues(
        closing=checkpoint.text(),
        closing_hash=checkpoint.closing_hash(),
        random_number=None if source_of(entropy.kind).is_announced else entropy.value,
        seed=parts.proof.seed,
        winners_digest=parts.draw.statement.winners_digest,
        key=str(parts.key),
    )
