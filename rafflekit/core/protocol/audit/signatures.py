"""Steps 2 to 4: the terms, the operator's key, and the operator's signature on the closing."""

from rafflekit.core.protocol.audit.form import ProofParts
from rafflekit.core.protocol.audit.report import Mistaken, Refuted, Unproven
from rafflekit.core.protocol.checkpoints import origin_of
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.notes import Note, NoteWrong, VerifierKey
from rafflekit.core.protocol.quoting import quoted


def check_terms(parts: ProofParts, *, raffle: str | None, served_id: str | None, is_known: bool) -> str:
    """Step 2: the closing commits to these terms, and they belong to the raffle that was asked for.

    `raffle` is the id that the verifier knows, and `served_id` the one in the proof's address. `is_known` says whether
    a receipt from before the closing or a copy of the closing shows that the raffle's id was known before.
    """
    terms = parts.proof.terms
    if served_id is not None and served_id != str(terms.id):
        raise Refuted(f"The proof is for the raffle {terms.id}, but its address is that of the raffle {served_id}.")
    if raffle is not None and raffle != str(terms.id):
        raise Mistaken(f"The proof is for the raffle {terms.id}, not for {quoted(raffle[:100])}.")
    if parts.closed.checkpoint.terms != terms.hash():
        raise Refuted("The closing was signed for other terms: the hash of these terms is different.")
    delay = f" {terms.delay_s:,} s after the closing" if terms.delay_s is not None else ""
    shown = (
        f"The closing was signed for the raffle {terms.id}, created {time_text(int(terms.created_at.timestamp()))}: "
        f"{quoted(terms.name)}, {terms.total_tickets:,} tickets, its prizes in their order, and entropy from "
        f"{terms.entropy}{delay}."
    )
    if raffle is None and not is_known:
        raise Unproven(
            f"{shown} Nothing that you gave shows that this is the raffle that was announced: an operator can prepare "
            "many raffles of one name and publish one of them. Compare its id with one from before the draw, or "
            "give a receipt from before the closing."
        )
    return shown


def check_key(parts: ProofParts, key: str | None) -> str:
    """Step 3: the operator's key is the one that the verifier knows."""
    if key is None:
        raise Unproven(
            f"The proof names the key {parts.key}, but nothing else confirms it. Compare it with a copy from elsewhere."
        )
    if key != str(parts.key):
        raise Mistaken(f"The proof is signed by the key {parts.key}, not by the one that you gave.")
    return f"The operator's key is the one that you gave: {parts.key}."


def check_closing(parts: ProofParts) -> str:
    """Step 4: the operator signed the closing, and each of its lines agrees with the terms."""
    terms, checkpoint, end = parts.proof.terms, parts.closed.checkpoint, parts.closed.end
    check_operator(parts.closed.note, parts.key, "closing")
    if checkpoint.origin != origin_of(terms.id):
        raise Refuted("The closing belongs to another raffle: its origin is different.")
    if not parts.wins <= checkpoint.size <= terms.total_tickets:
        raise Refuted(
            f"The closing has {checkpoint.size:,} leaves, but the raffle has {terms.total_tickets:,} tickets and "
            f"{parts.wins:,} wins."
        )
    if end.closed < terms.created_at.timestamp():
        raise Refuted(f"The closing is dated {time_text(end.closed)}, before the raffle was created.")
    if end != source_of(terms.entropy).end_at(end.closed, terms.delay_s):
        raise Refuted("The closing's round does not follow from the terms and its date.")
    early = ""
    if checkpoint.size < terms.total_tickets:
        early = f" The raffle was closed before all {terms.total_tickets:,} tickets were handed out."
    signed = f"The operator signed the closing: {checkpoint.size:,} leaves, dated {time_text(end.closed)}.{early}"
    return parts.dated(signed, end.closed)


def check_operator(note: Note, key: VerifierKey, what: str) -> None:
    """Check that a note has exactly one signature by the operator.

    Raises:
        Refuted: it does not.
    """
    try:
        signed = len(note.check(key))
    except NoteWrong as error:
        raise Refuted(f"The operator's signature does not match the {what}: {error}.") from error
    if signed != 1:
        raise Refuted(f"The {what} has {signed} signatures by the operator instead of one.")


def is_signed(note: Note, key: VerifierKey) -> bool:
    """Return whether a note has a signature by a key, and no wrong one."""
    try:
        return bool(note.check(key))
    except NoteWrong:
        return False
