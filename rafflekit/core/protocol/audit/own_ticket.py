"""Steps 11 and 12: a participant's own ticket and its code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rafflekit.core.protocol.audit.encoding import without_mark
from rafflekit.core.protocol.audit.form import ProofParts
from rafflekit.core.protocol.audit.leaves import SeenLeaves
from rafflekit.core.protocol.audit.report import AuditedWin, Mistaken, Refuted, Unproven
from rafflekit.core.protocol.audit.signatures import check_operator, is_signed
from rafflekit.core.protocol.checkpoints import Checkpoint, origin_of
from rafflekit.core.protocol.documents import Receipt, read_consistency, read_receipt
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import Note, NoteWrong
from rafflekit.core.protocol.strict_json import DocumentWrong
from rafflekit.core.protocol.tree import ProofWrong, check_consistency, check_inclusion

# https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
_ARGON2ID = re.compile(
    r"\$argon2id\$v=19\$m=(?P<memory>[1-9][0-9]{0,9}),t=(?P<time>[1-9][0-9]{0,9}),p=(?P<lanes>[1-9][0-9]{0,2})"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}"
)
_MEMORY_KIB = 1024 * 1024
_PASSES_KIB = 4 * _MEMORY_KIB


@dataclass(frozen=True, slots=True)
class ReceiptParts:
    """A receipt whose checkpoint is read."""

    receipt: Receipt
    note: Note
    checkpoint: Checkpoint


def read_receipt_parts(document: str | bytes) -> ReceiptParts:
    """Read a receipt and its checkpoint.

    Raises:
        Mistaken: it does not have the form of a receipt.
    """
    try:
        receipt = read_receipt(without_mark(document))
        note = Note.read(receipt.checkpoint)
        return ReceiptParts(receipt, note, Checkpoint.read(note.text))
    except (DocumentWrong, NoteWrong) as error:
        raise Mistaken(f"This is not a receipt: {error}.") from error


def shows_raffle(parts: ProofParts, document: str | bytes) -> bool:
    """Return whether a receipt shows that the id of the proof's raffle was known before the closing."""
    try:
        ours = read_receipt_parts(document)
        check_operator(ours.note, parts.key, "receipt's checkpoint")
    except Refuted:
        return False
    checkpoint = ours.checkpoint
    # Anyone can fetch a receipt that has the closing, also after the draw.
    is_earlier = checkpoint.end is None and checkpoint.cancellation is None
    return is_earlier and checkpoint.origin == origin_of(parts.proof.terms.id)


def check_own_ticket(
    parts: ProofParts,
    ours: ReceiptParts,
    seen: SeenLeaves | None,
    *,
    consistency: str | bytes | None,
    wins: Sequence[AuditedWin] | None,
) -> str:
    """Step 11: the ticket of a receipt is in the draw, and the closing continues the receipt's checkpoint.

    `seen` has, of the closing's leaves, the leaf at the receipt's serial and the root at its size. `consistency` is a
    consistency proof. `wins` are all wins and what happened to them, None if they are wrong or not known.
    """
    _check_belonging(parts, ours)
    _check_signed_state(parts, ours)
    leaf, checkpoint = ours.receipt.leaf, ours.checkpoint
    if leaf.ticket_number > parts.proof.terms.total_tickets:
        raise Refuted(f"This raffle has no ticket number {leaf.ticket_number:,}.")
    try:
        check_inclusion(
            leaf.hash(parts.proof.terms.id), leaf.serial, checkpoint.size, ours.receipt.path, checkpoint.root
        )
    except ProofWrong as error:
        raise Refuted(f"The receipt's ticket is not in the tree of its checkpoint: {error}.") from error
    _check_beside_winners(parts, leaf)
    if seen is not None:
        if seen.leaf != leaf:
            raise Refuted(f"At serial {leaf.serial:,}, the closing and the receipt have different tickets.")
        if seen.roots[checkpoint.size] != checkpoint.root:
            raise Refuted(
                "The ledger was rewritten: the closing does not continue the receipt's checkpoint. Keep both."
            )
    if checkpoint.size < parts.closed.checkpoint.size:
        if consistency is not None:
            _check_consistency(parts, checkpoint, consistency)
        elif seen is None:
            leaves = "leaf" if checkpoint.size == 1 else "leaves"
            raise Unproven(
                f"Your ticket was in the ledger when it had {checkpoint.size:,} {leaves}. Whether the closing "
                "continues that ledger was not checked: this needs all leaves or a consistency proof."
            )
    return f"Your ticket, number {leaf.ticket_number:,}, is in the draw{_won(leaf, wins)}."


def check_code(ours: ReceiptParts, code: str) -> str:
    """Step 12: the code matches the hash in the receipt's leaf."""
    found = _ARGON2ID.fullmatch(ours.receipt.leaf.code_hash)
    if found is None:
        raise Refuted("No code can match the receipt: its leaf has no Argon2id hash.")
    # The operator wrote this hash, and it decides how much memory and time the check takes.
    memory, passes = int(found["memory"]), int(found["time"])
    if memory > _MEMORY_KIB or memory * passes > _PASSES_KIB:
        raise Unproven(f"The code's hash needs {memory:,} KiB and {passes:,} passes, which is too much to try.")
    from rafflekit.core.errors import StorageUnavailable
    from rafflekit.core.protocol.codes import CHARACTERS, CodeHasher, length_of

    length = length_of(code)
    if length != CHARACTERS:
        raise Mistaken(f"A code has {CHARACTERS} letters and digits, and this one has {length:,}.")
    try:
        fits = CodeHasher().check(ours.receipt.leaf.code_hash, code)
    except StorageUnavailable as error:
        raise Unproven(
            "The code's hash could not be computed: it is damaged, or there is too little memory."
        ) from error
    if not fits:
        raise Mistaken("The code does not belong to the receipt's ticket.")
    return "The code matches the receipt's ticket."


def _check_belonging(parts: ProofParts, ours: ReceiptParts) -> None:
    if ours.checkpoint.origin != parts.closed.checkpoint.origin:
        if is_signed(ours.note, parts.key):
            # Not a mistake: an operator who prepares many raffles and publishes one leaves no other trace.
            raise Refuted(
                "The receipt belongs to another raffle that this operator ran with the same key. If it was announced "
                "as the raffle of this proof, the operator ran more than one of them. Keep both."
            )
        raise Mistaken("The receipt belongs to another raffle: the origin of its checkpoint is different.")
    if any(signature.is_by(parts.key) for signature in ours.note.signatures):
        return
    # This is not a mistake: an operator who draws again with a new key must not be trusted over older receipts.
    raise Refuted(
        "The receipt belongs to this raffle, but the proof's key did not sign it: two keys signed one raffle, or one "
        "of the two documents is not the operator's. Keep both."
    )


def _check_signed_state(parts: ProofParts, ours: ReceiptParts) -> None:
    checkpoint, closing = ours.checkpoint, parts.closed.checkpoint
    check_operator(ours.note, parts.key, "receipt's checkpoint")
    if checkpoint.terms != closing.terms:
        raise Refuted("The receipt was signed for other terms: the announcement has changed since.")
    if checkpoint.cancellation is not None:
        raise Refuted("The operator cancelled this raffle, and drew its winners: the receipt says so. Keep both.")
    if checkpoint.size > closing.size:
        raise Refuted(f"The receipt's checkpoint has {checkpoint.size:,} leaves, but the closing has {closing.size:,}.")
    if checkpoint.end is not None and checkpoint != closing:
        raise Refuted("The operator signed another closing for the receipt than for the proof. Keep both.")
    if checkpoint.end is None and checkpoint.size == parts.proof.terms.total_tickets:
        raise Refuted("The receipt's checkpoint has all tickets, but it is not a closing.")
    if checkpoint.size == closing.size and checkpoint.root != closing.root:
        raise Refuted(
            "The ledger was rewritten: the closing has other tickets than the receipt's checkpoint. Keep both."
        )


def _check_consistency(parts: ProofParts, checkpoint: Checkpoint, document: str | bytes) -> None:
    closing = parts.closed.checkpoint
    try:
        given = read_consistency(without_mark(document))
    except DocumentWrong as error:
        raise Refuted(f"This is not a consistency proof: {error}.") from error
    if (given.old, given.new) != (checkpoint.size, closing.size):
        raise Refuted(
            f"The consistency proof is from {given.old:,} to {given.new:,} tickets, "
            f"but one from {checkpoint.size:,} to {closing.size:,} is needed."
        )
    try:
        check_consistency(given.old, given.new, given.proof, checkpoint.root, closing.root)
    except ProofWrong as error:
        raise Refuted(f"The consistency proof does not lead from the receipt to the closing: {error}.") from error


def _check_beside_winners(parts: ProofParts, leaf: Leaf) -> None:
    winners = [win.leaf for win in parts.proof.winners or ()]
    winners += [forfeit.leaf for forfeit in parts.forfeits or () if forfeit.leaf is not None]
    for winner in winners:
        same = (winner.serial == leaf.serial, winner.ticket_number == leaf.ticket_number)
        if any(same) and winner != leaf:
            raise Refuted("A winner of the proof has the receipt's serial or number, but is another ticket.")


def _won(leaf: Leaf, wins: Sequence[AuditedWin] | None) -> str:
    if wins is None:
        return ""
    # A ticket wins at most once, by the draw or by a forfeit.
    win = next((win for win in wins if win.ticket_number == leaf.ticket_number), None)
    return " and won nothing" if win is None else f" and {win.sentence()}"
