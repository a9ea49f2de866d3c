"""Steps 5 and 7: who else signed the closing or kept a copy of it, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rafflekit.core.protocol.audit.encoding import as_signed, without_mark
from rafflekit.core.protocol.audit.form import ProofParts
from rafflekit.core.protocol.audit.report import Mistaken, Refuted, Unproven
from rafflekit.core.protocol.audit.signatures import is_signed
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.notes import WITNESS, Note, NoteWrong, VerifierKey
from rafflekit.core.protocol.quoting import quoted


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A copy of the closing that was kept independently of the operator.

    `note` is the closing, a signed note. `at` is when the copy was published, in seconds since 1970; the verifier
    vouches for it. Without `at`, only the note's cosignatures have a date.
    """

    note: str | bytes
    at: int | None = None


@dataclass(frozen=True, slots=True)
class CheckedCosignature:
    """A valid cosignature: its key, its time (seconds since 1970), and whether the verifier vouches for the key."""

    key: VerifierKey
    time: int
    vouched: bool


@dataclass(frozen=True, slots=True)
class _Dates:
    """What copies show: sentences that they fit and about useless ones, times that are vouched for, cosignatures."""

    fit: str
    vouched: Sequence[int]
    cosigned: Sequence[tuple[VerifierKey, int]]
    useless: str


def cosignatures_of(parts: ProofParts, vouched: Sequence[VerifierKey]) -> list[CheckedCosignature]:
    """Return the closing's cosignatures by keys that the proof or the verifier names.

    Raises:
        Refuted: one is wrong, or one by a key that the proof names is missing.
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
    """Step 5: most of the witnesses that the verifier names signed the closing."""
    if vouched:
        signed = {each.key: each.time for each in cosignatures if each.vouched}
        shown = f"{_share(signed, vouched, 'cosigned the closing')}."
        if _are_most(signed, vouched):
            return shown
        raise Unproven(
            f"{shown} That is not more than half of them: the operator may have shown another closing to the others."
        )
    if cosignatures:
        raise Unproven(
            f"The closing has cosignatures ({len(cosignatures):,}), but you named none of the witnesses: the operator "
            "may be behind all of them. Name the witnesses that you know."
        )
    raise Unproven("No witness cosigned the closing.")


def check_witnessed(
    parts: ProofParts,
    cosignatures: Sequence[CheckedCosignature],
    vouched: Sequence[VerifierKey],
    copies: Sequence[Witnessed],
) -> str:
    """Step 7: the closing existed before anyone could know the beacon."""
    beacon = source_of(parts.proof.terms.entropy).known_from(parts.closed.end)
    late = next((each for each in cosignatures if beacon is not None and each.time >= beacon), None)
    if beacon is not None and late is not None:
        raise Refuted(
            f"The witness {late.key.name} signed the closing at {time_text(late.time)}, when its beacon was public "
            f"already (from {time_text(beacon)})."
        )
    dates = _dates_of(parts, copies, vouched)
    if beacon is None:
        raise Unproven(f"{dates.fit}{_undated(parts)}{dates.useless}")
    possible = range(int(parts.proof.terms.created_at.timestamp()), beacon)
    existed = f"{dates.fit}The closing existed before its beacon ({time_text(beacon)})"
    early = [time for time in dates.vouched if time in possible]
    if early:
        shown = f"your copy, by the date that you gave, is dated {time_text(min(early))}"
        return f"{existed}: {shown}.{dates.useless}"
    by_closing = [(each.key, each.time) for each in cosignatures if each.vouched]
    signed = {key: time for key, time in (*dates.cosigned, *by_closing) if time in possible}
    share = _share(signed, vouched, "signed it before that") if vouched else ""
    if vouched and _are_most(signed, vouched):
        return f"{existed}. {share}.{dates.useless}"
    why = f" {share}." if vouched else " You named no witness that signed it."
    if not copies:
        why += " You gave no copy of your own."
    elif not dates.vouched:
        why += " No copy of yours has a date."
    else:
        why += " No copy of yours is dated between the raffle's creation and the beacon."
    word = f"{dates.fit}Only the operator says that the closing existed before its beacon ({time_text(beacon)})."
    raise Unproven(f"{word}{why}{dates.useless}")


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


def is_copy(parts: ProofParts, copy: Witnessed) -> bool:
    """Return whether a copy has the text of the proof's closing."""
    try:
        return _read_copy(copy).text == parts.closed.note.text
    except Mistaken:
        return False


def _undated(parts: ProofParts) -> str:
    if source_of(parts.proof.terms.entropy).is_announced:
        return (
            f"The closing is dated {time_text(parts.closed.end.closed)}. Compare this with the moment when the source "
            "gave the value: people who knew it before the closing could choose the winners."
        )
    return (
        "The operator generated the entropy, and may have known it before the closing. The dates of witnesses and "
        "copies cannot rule that out."
    )


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


def _are_most(signed: Mapping[VerifierKey, int], vouched: Sequence[VerifierKey]) -> bool:
    # Two closings cannot both have more than half of the witnesses, because each witness signs only one.
    return 2 * len(signed) > len(vouched)


def _share(signed: Mapping[VerifierKey, int], vouched: Sequence[VerifierKey], did: str) -> str:
    shown = f"Of the witnesses that you named ({len(vouched):,}), {len(signed):,} {did}"
    if signed:
        shown += ": " + ", ".join(f"{key.name} ({time_text(time)})" for key, time in signed.items())
    missing = ", ".join(key.name for key in vouched if key not in signed)
    return f"{shown}; missing: {missing}" if missing else shown


def _dates_of(parts: ProofParts, copies: Sequence[Witnessed], vouched: Sequence[VerifierKey]) -> _Dates:
    times: list[int] = []
    cosigned: list[tuple[VerifierKey, int]] = []
    useless = ""
    mistake: Mistaken | None = None
    for copy in copies:
        try:
            note = _copy_of_the_closing(parts, copy)
            cosigned += [(key, time) for key in vouched for time in note.check(key)]
        except Mistaken as error:
            # Another copy may be evidence, which matters more.
            mistake = error
        except NoteWrong as error:
            # Always reported: otherwise a verifier would think that the copy's cosignature counted.
            useless += f" A cosignature on your copy does not match it: {error}."
        else:
            times += [] if copy.at is None else [copy.at]
    if mistake is not None:
        raise mistake
    fit = f"Your {'copy is' if len(copies) == 1 else 'copies are'} this closing. " if copies else ""
    return _Dates(fit, times, cosigned, useless)


def _read_copy(copy: Witnessed) -> Note:
    note = without_mark(copy.note)
    try:
        return Note.read(as_signed(note.decode() if isinstance(note, bytes) else note))
    except (NoteWrong, UnicodeDecodeError) as error:
        raise _no_closing(error if isinstance(error, NoteWrong) else "it is not text in UTF-8") from error


def _no_closing(reason: NoteWrong | str) -> Mistaken:
    return Mistaken(
        f"Your copy is not a copy of a closing: {reason}. Copy all of it again, from the line that begins with "
        "rafflekit/ to the last line that begins with —, and nothing else."
    )


def _copy_of_the_closing(parts: ProofParts, copy: Witnessed) -> Note:
    note = _read_copy(copy)
    if note.text == parts.closed.note.text:
        return note
    try:
        checkpoint = Checkpoint.read(note.text)
    except NoteWrong as error:
        raise _no_closing(error) from error
    if checkpoint.end is None and checkpoint.cancellation is None:
        raise Mistaken("Your copy is a checkpoint from before the closing. The closing has a line with 'closed'.")
    if checkpoint.origin != parts.closed.checkpoint.origin:
        raise Mistaken(
            "Your copy is the closing of another raffle. If it is that of your raffle, you have the wrong proof."
        )
    if not is_signed(note, parts.key):
        raise Mistaken(
            "Your copy is not this closing, and this operator did not sign it. If it was published as the closing of "
            "this raffle, the copy and the proof contradict each other; keep both."
        )
    if checkpoint.cancellation is not None:
        raise Refuted(
            f"The operator cancelled this raffle on {time_text(checkpoint.cancellation.time)} "
            f"({quoted(checkpoint.cancellation.reason)}), and drew its winners. Keep the proof and your copy."
        )
    raise Refuted("The operator signed two closings of this raffle: the one in the proof and your copy. Keep both.")
