"""Steps 2 to 5 and 7: whose word the closing is, and who else saw it, and when."""

from collections.abc import Sequence
from dataclasses import dataclass

from rafflekit.core.protocol.audit.form import ProofParts, SignedClosing, read_closing
from rafflekit.core.protocol.audit.report import Mistaken, Refuted, Unproven
from rafflekit.core.protocol.checkpoints import origin_of
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.notes import WITNESS, Note, NoteWrong, VerifierKey

CLOCKS_APART_S = 86_400
"""So far in the future of the verifier's clock a closing may be dated: no clock is right, and time zones mislead."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A copy of the closing that was kept independently of the operator.

    `note` is a signed note, the closing. `at` is when the copy was published, in seconds since 1970, for which whoever
    audits vouches; without it, only the note's own cosignatures tell a time.
    """

    note: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class CheckedCosignature:
    """A cosignature that holds: of which key, when (seconds since 1970), and whether the verifier named the key."""

    key: VerifierKey
    time: int
    vouched: bool


def check_terms(parts: ProofParts, raffle: str | None) -> str:
    """Step 2: the closing is bound to these terms, and they are of the raffle that was asked for."""
    terms = parts.proof.terms
    if raffle is not None and raffle != str(terms.id):
        raise Mistaken(f"The proof is of the raffle {terms.id}, not of {raffle[:100]}.")
    if parts.closed.checkpoint.terms != terms.hash():
        raise Refuted("The closing was signed for other terms than these: their hash is another.")
    delay = f" {terms.delay_s:,} s after the closing" if terms.delay_s is not None else ""
    return (
        f"The closing binds the terms: “{terms.name}”, {terms.total_tickets:,} tickets, the prizes in their order "
        f"({parts.wins:,} to be won), entropy from {terms.entropy}{delay}."
    )


def check_key(parts: ProofParts, key: str | None) -> str:
    """Step 3: the operator's key is the one that the verifier knows."""
    if key is None:
        raise Unproven(
            f"The proof names the key {parts.key}; nobody else said so. Compare it with one that you got elsewhere."
        )
    if key != str(parts.key):
        raise Mistaken(f"The proof is by the key {parts.key}, not by the one that you gave.")
    return f"The operator's key is the one that you gave: {parts.key}."


def check_closing(parts: ProofParts, now: int | None) -> str:
    """Step 4: the operator signed the closing, and each of its lines is as the terms have it."""
    terms, checkpoint, closing = parts.proof.terms, parts.closed.checkpoint, parts.closed.closing
    check_operator(parts.closed.note, parts.key, "closing")
    if checkpoint.origin != origin_of(terms.id):
        raise Refuted("The closing is of another raffle: its origin is another.")
    if checkpoint.size != terms.total_tickets:
        raise Refuted(f"The closing has {checkpoint.size:,} leaves, the raffle {terms.total_tickets:,} tickets.")
    if closing.closed < terms.created_at.timestamp():
        raise Refuted(f"The closing is dated {time_text(closing.closed)}, before the raffle was created.")
    if now is not None and closing.closed > now + CLOCKS_APART_S:
        raise Refuted(f"The closing is dated {time_text(closing.closed)}, in the future of this computer's clock.")
    if closing != source_of(terms.entropy).closing_at(closing.closed, terms.delay_s):
        raise Refuted("The closing's round is not the one that the terms and its date give.")
    return f"The operator signed the closing: {checkpoint.size:,} leaves, dated {time_text(closing.closed)}."


def check_operator(note: Note, key: VerifierKey, what: str) -> None:
    """Check that the operator signed a note, once.

    Raises:
        Refuted: not so.
    """
    try:
        signed = len(note.check(key))
    except NoteWrong as error:
        raise Refuted(f"The operator's signature does not fit the {what}: {error}.") from error
    if signed != 1:
        raise Refuted(f"The {what} has {signed} signatures of the operator, where one belongs.")


def cosignatures_of(parts: ProofParts, vouched: Sequence[VerifierKey]) -> list[CheckedCosignature]:
    """Return the closing's cosignatures by keys that the proof or the verifier names.

    Raises:
        Refuted: one is wrong, or one of a key that the proof names is not there.
    """
    known = list({str(key): key for key in (*parts.witnesses, *vouched)}.values())
    if parts.key.public in {key.public for key in known}:
        raise Refuted("A witness has the operator's own key, and witnesses nothing.")
    found = _checked(parts.closed.note, known, vouched)
    by = {each.key for each in found}
    for key in parts.witnesses:
        if key not in by:
            raise Refuted(f"The proof names the witness {key}, whose cosignature is not there.")
    return found


def check_witnesses(cosignatures: Sequence[CheckedCosignature], vouched: Sequence[VerifierKey]) -> str:
    """Step 5: somebody else than the operator saw the closing."""
    ours = [each for each in cosignatures if each.vouched]
    if ours:
        names = ", ".join(f"{each.key.name} ({time_text(each.time)})" for each in ours)
        return f"Of the witnesses that you named, {len(ours):,} cosigned the closing: {names}."
    if vouched:
        raise Unproven("None of the witnesses that you named cosigned the closing.")
    if cosignatures:
        raise Unproven(
            f"The closing is cosigned ({len(cosignatures):,}), and nobody vouches for the witnesses: the operator may "
            "be all of them. Name a witness that you know."
        )
    raise Unproven("No witness cosigned the closing.")


def check_witnessed(
    parts: ProofParts,
    cosignatures: Sequence[CheckedCosignature],
    vouched: Sequence[VerifierKey],
    copy: Witnessed | None,
) -> str:
    """Step 7: the closing was there before anybody could know the beacon."""
    sightings = [(f"the witness {each.key.name}", each.time) for each in cosignatures if each.vouched]
    why, useless = " You named no witness who signed it, and gave no copy of your own.", ""
    if copy is not None:
        why = " The copy that you kept tells no date."
        try:
            sightings += _sightings_of(parts, copy, vouched)
        except Unproven as error:
            # Told whatever else decides this step, or who gave the wrong file would take it for looked at.
            why, useless = "", f" {error}"
    beacon = source_of(parts.proof.terms.entropy).known_from(parts.closed.closing)
    if beacon is None:
        raise Unproven(
            f"The entropy is the operator's own: no date shows that it was not known before the closing.{useless}"
        )
    late = next((each for each in cosignatures if each.time >= beacon), None)
    if late is not None:
        raise Refuted(
            f"The witness {late.key.name} saw the closing at {time_text(late.time)}; "
            f"its beacon was known from {time_text(beacon)}."
        )
    created = parts.proof.terms.created_at.timestamp()
    early = [(who, time) for who, time in sightings if created <= time < beacon]
    if early:
        who, time = min(early, key=lambda each: each[1])
        shown = f"{who} is dated {time_text(time)}.{useless}"
        return f"The closing was there before its beacon ({time_text(beacon)}): {shown}"
    if sightings:
        why = " All that you named is dated otherwise."
    word = f"That the closing was there before its beacon ({time_text(beacon)}) is the operator's word."
    raise Unproven(f"{word}{why}{useless}")


def read_witness_keys(keys: Sequence[str]) -> list[VerifierKey]:
    """Read the keys of the witnesses for whom the verifier vouches.

    Raises:
        Mistaken: one is none.
    """
    try:
        found = [VerifierKey.read(each) for each in keys]
    except NoteWrong as error:
        raise Mistaken(f"You named a witness by what is no key: {error}.") from error
    if any(key.kind != WITNESS for key in found):
        raise Mistaken("You named a witness by a key that is no witness's.")
    return list({str(key): key for key in found}.values())


def _checked(note: Note, keys: Sequence[VerifierKey], vouched: Sequence[VerifierKey]) -> list[CheckedCosignature]:
    found = []
    for key in keys:
        try:
            times = note.check(key)
        except NoteWrong as error:
            raise Refuted(f"A cosignature does not fit the closing: {error}.") from error
        if len(times) > 1:
            raise Refuted(f"The witness {key.name} cosigned the closing {len(times)} times, where once is enough.")
        found += [CheckedCosignature(key, time, key in vouched) for time in times]
    return found


def _sightings_of(parts: ProofParts, copy: Witnessed, vouched: Sequence[VerifierKey]) -> list[tuple[str, int]]:
    kept = _copy_of_the_closing(parts, copy)
    try:
        found = [(f"the witness {key.name}, on your copy,", time) for key in vouched for time in kept.note.check(key)]
    except NoteWrong as error:
        raise Unproven(f"A cosignature on the copy that you kept does not fit it: {error}.") from error
    return found if copy.at is None else [*found, ("your copy, by your own word,", copy.at)]


def _copy_of_the_closing(parts: ProofParts, copy: Witnessed) -> SignedClosing:
    try:
        kept = read_closing(copy.note)
    except NoteWrong as error:
        raise Unproven(f"The copy that you kept is no closing: {error}.") from error
    if kept.note.text == parts.closed.note.text:
        return kept
    if kept.checkpoint.origin != parts.closed.checkpoint.origin:
        raise Unproven("The copy that you kept is of another raffle.")
    try:
        signed = kept.note.check(parts.key)
    except NoteWrong:
        signed = []
    if not signed:
        raise Unproven("The copy that you kept is not signed by this operator, and not of this closing.")
    raise Refuted("The operator signed two closings of this raffle: the proof's and the one that you kept. Keep both.")
