"""Steps 2 to 5 and 7: who signed the closing, who else saw it, and when."""

from collections.abc import Sequence
from dataclasses import dataclass

from rafflekit.core.protocol.audit.form import ProofParts, SignedClosing, read_closing
from rafflekit.core.protocol.audit.report import Mistaken, Refuted, Unproven
from rafflekit.core.protocol.checkpoints import origin_of
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.notes import WITNESS, Note, NoteWrong, VerifierKey

_CLOCKS_APART_S = 86_400
"""A closing may be dated this far in the verifier's future, because clocks and time zones can be wrong."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A copy of the closing that was kept independently of the operator.

    `note` is the closing, a signed note. `at` is when the copy was published, in seconds since 1970; the verifier
    vouches for it. Without `at`, only the note's cosignatures have a date.
    """

    note: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class CheckedCosignature:
    """A valid cosignature: its key, its time (seconds since 1970), and whether the verifier vouches for the key."""

    key: VerifierKey
    time: int
    vouched: bool


def check_terms(parts: ProofParts, raffle: str | None) -> str:
    """Step 2: the closing commits to these terms, and they belong to the raffle that was asked for."""
    terms = parts.proof.terms
    if raffle is not None and raffle != str(terms.id):
        raise Mistaken(f"The proof is for the raffle {terms.id}, not for {raffle[:100]}.")
    if parts.closed.checkpoint.terms != terms.hash():
        raise Refuted("The closing was signed for other terms: the hash of these terms is different.")
    delay = f" {terms.delay_s:,} s after the closing" if terms.delay_s is not None else ""
    return (
        f"The closing belongs to the terms in the proof: the name “{terms.name}”, {terms.total_tickets:,} tickets, the "
        f"prizes and their order, and entropy from {terms.entropy}{delay}."
    )


def check_key(parts: ProofParts, key: str | None) -> str:
    """Step 3: the operator's key is the one that the verifier knows."""
    if key is None:
        raise Unproven(
            f"The proof names the key {parts.key}, but nothing else confirms it. Compare it with a copy from elsewhere."
        )
    if key != str(parts.key):
        raise Mistaken(f"The proof is signed by the key {parts.key}, not by the one that you gave.")
    return f"The operator's key is the one that you gave: {parts.key}."


def check_closing(parts: ProofParts, now: int | None) -> str:
    """Step 4: the operator signed the closing, and each of its lines agrees with the terms."""
    terms, checkpoint, end = parts.proof.terms, parts.closed.checkpoint, parts.closed.end
    check_operator(parts.closed.note, parts.key, "closing")
    if checkpoint.origin != origin_of(terms.id):
        raise Refuted("The closing belongs to another raffle: its origin is different.")
    if checkpoint.size != terms.total_tickets:
        raise Refuted(
            f"The closing has {checkpoint.size:,} leaves, but the raffle has {terms.total_tickets:,} tickets."
        )
    if end.closed < terms.created_at.timestamp():
        raise Refuted(f"The closing is dated {time_text(end.closed)}, before the raffle was created.")
    if now is not None and end.closed > now + _CLOCKS_APART_S:
        raise Refuted(f"The closing is dated {time_text(end.closed)}, in the future of this computer's clock.")
    if end != source_of(terms.entropy).end_at(end.closed, terms.delay_s):
        raise Refuted("The closing's round does not follow from the terms and its date.")
    return f"The operator signed the closing: {checkpoint.size:,} leaves, dated {time_text(end.closed)}."


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


def cosignatures_of(parts: ProofParts, vouched: Sequence[VerifierKey]) -> list[CheckedCosignature]:
    """Return the closing's cosignatures by keys that the proof or the verifier names.

    Raises:
        Refuted: one is wrong, or a key that the proof names has none.
    """
    known = list({str(key): key for key in (*parts.witnesses, *vouched)}.values())
    if parts.key.public in {key.public for key in known}:
        raise Refuted("A witness has the operator's own key, so it proves nothing.")
    found = _checked(parts.closed.note, known, vouched)
    by = {each.key for each in found}
    for key in parts.witnesses:
        if key not in by:
            raise Refuted(f"The proof names the witness {key}, but its cosignature is missing.")
    return found


def check_witnesses(cosignatures: Sequence[CheckedCosignature], vouched: Sequence[VerifierKey]) -> str:
    """Step 5: someone other than the operator signed the closing."""
    ours = [each for each in cosignatures if each.vouched]
    if ours:
        names = ", ".join(f"{each.key.name} ({time_text(each.time)})" for each in ours)
        return f"Of the witnesses that you named, {len(ours):,} cosigned the closing: {names}."
    if vouched:
        raise Unproven("None of the witnesses that you named cosigned the closing.")
    if cosignatures:
        raise Unproven(
            f"The closing has cosignatures ({len(cosignatures):,}), but you named none of the witnesses: the operator "
            "may be behind all of them. Name a witness that you know."
        )
    raise Unproven("No witness cosigned the closing.")


def check_witnessed(
    parts: ProofParts,
    cosignatures: Sequence[CheckedCosignature],
    vouched: Sequence[VerifierKey],
    copy: Witnessed | None,
) -> str:
    """Step 7: the closing existed before anyone could know the beacon."""
    sightings = [(f"the cosignature of {each.key.name}", each.time) for each in cosignatures if each.vouched]
    why, useless = " You named no witness that signed it, and gave no copy of your own.", ""
    beacon = source_of(parts.proof.terms.entropy).known_from(parts.closed.end)
    late = next((each for each in cosignatures if beacon is not None and each.time >= beacon), None)
    if beacon is not None and late is not None:
        raise Refuted(
            f"The witness {late.key.name} signed the closing at {time_text(late.time)}, when its beacon was public "
            f"already (from {time_text(beacon)})."
        )
    if copy is not None:
        why = " Your copy has no date."
        try:
            sightings += _sightings_of(parts, copy, vouched)
        except Unproven as error:
            # Always reported: otherwise a verifier would think that the copy's cosignature counted.
            why, useless = "", f" {error}"
    if beacon is None:
        raise Unproven(
            "The operator generated the entropy, and may have known it before the closing. The dates of witnesses and "
            f"copies cannot rule that out.{useless}"
        )
    created = parts.proof.terms.created_at.timestamp()
    early = [(who, time) for who, time in sightings if created <= time < beacon]
    if early:
        who, time = min(early, key=lambda each: each[1])
        shown = f"{who} is dated {time_text(time)}.{useless}"
        return f"The closing existed before its beacon ({time_text(beacon)}): {shown}"
    if sightings:
        why = " Nothing that you gave is dated between the raffle's creation and the beacon."
    word = f"Only the operator says that the closing existed before its beacon ({time_text(beacon)})."
    raise Unproven(f"{word}{why}{useless}")


def read_witness_keys(keys: Sequence[str]) -> list[VerifierKey]:
    """Read the keys of the witnesses that the verifier vouches for.

    Raises:
        Mistaken: one of them is not a witness's key.
    """
    try:
        found = [VerifierKey.read(each) for each in keys]
    except NoteWrong as error:
        raise Mistaken(f"You named a witness with an invalid key: {error}.") from error
    if any(key.kind != WITNESS for key in found):
        raise Mistaken("You named a witness with a key that is not a witness's.")
    return list({str(key): key for key in found}.values())


def _checked(note: Note, keys: Sequence[VerifierKey], vouched: Sequence[VerifierKey]) -> list[CheckedCosignature]:
    found = []
    for key in keys:
        try:
            times = note.check(key)
        except NoteWrong as error:
            raise Refuted(f"A cosignature does not match the closing: {error}.") from error
        if len(times) > 1:
            raise Refuted(f"The witness {key.name} cosigned the closing {len(times)} times instead of once.")
        found += [CheckedCosignature(key, time, key in vouched) for time in times]
    return found


def _sightings_of(parts: ProofParts, copy: Witnessed, vouched: Sequence[VerifierKey]) -> list[tuple[str, int]]:
    kept = _copy_of_the_closing(parts, copy)
    try:
        found = [
            (f"the cosignature of {key.name} on your copy", time) for key in vouched for time in kept.note.check(key)
        ]
    except NoteWrong as error:
        raise Unproven(f"A cosignature on your copy does not match it: {error}.") from error
    return found if copy.at is None else [*found, ("your copy, by the date that you gave,", copy.at)]


def _copy_of_the_closing(parts: ProofParts, copy: Witnessed) -> SignedClosing:
    try:
        kept = read_closing(copy.note)
    except NoteWrong as error:
        raise Mistaken(f"Your copy is not a closing: {error}.") from error
    if kept.note.text == parts.closed.note.text:
        return kept
    if kept.checkpoint.origin != parts.closed.checkpoint.origin:
        raise Mistaken("Your copy belongs to another raffle.")
    try:
        signed = kept.note.check(parts.key)
    except NoteWrong:
        signed = []
    if not signed:
        raise Mistaken("Your copy is not this closing, and this operator did not sign it.")
    raise Refuted("The operator signed two closings of this raffle: the one in the proof and your copy. Keep both.")
