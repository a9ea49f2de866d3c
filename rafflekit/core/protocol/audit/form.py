"""Step 1: read a proof with all its keys and notes; nothing is compared yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from rafflekit.core.prizes import count_wins
from rafflekit.core.protocol.audit.encoding import without_mark
from rafflekit.core.protocol.audit.report import Doubt, Refuted, Unproven
from rafflekit.core.protocol.checkpoints import Checkpoint, End
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.documents import Proof, ProvenForfeit, read_proof
from rafflekit.core.protocol.forfeits import ForfeitStatement
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import OPERATOR, SIGNATURES, WITNESS, Note, NoteWrong, VerifierKey
from rafflekit.core.protocol.strict_json import DocumentWrong
from rafflekit.core.protocol.winners import DrawStatement

_CLOCKS_APART_S = 86_400
"""A date this far in the verifier's future raises no doubt: clocks and time zones are often wrong by so much."""


@dataclass(frozen=True, slots=True)
class SignedClosing:
    """The closing of a proof, read."""

    note: Note
    checkpoint: Checkpoint
    end: End


@dataclass(frozen=True, slots=True)
class SignedDraw:
    """The operator's statement of a draw, read."""

    note: Note
    statement: DrawStatement


@dataclass(frozen=True, slots=True)
class SignedForfeit:
    """A forfeit, read: the operator's statement, and the leaf of the ticket that takes over with its path."""

    note: Note
    statement: ForfeitStatement
    leaf: Leaf | None
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class ProofParts:
    """A proof whose keys and notes are read."""

    proof: Proof
    key: VerifierKey
    closed: SignedClosing
    witnesses: Sequence[VerifierKey]
    draw: SignedDraw
    forfeits: Sequence[SignedForfeit] | None
    now: int | None = None
    """The verifier's time, in seconds since 1970."""

    @property
    def wins(self) -> int:
        """The number of wins that the terms promise (W)."""
        return count_wins(self.proof.terms.prizes)

    def dated(self, sentence: str, time: int, *doubts: Doubt) -> str:
        """Return the sentence of a step that found nothing wrong with what the operator dated `time`.

        `doubts` are those that the step has anyway.

        Raises:
            Unproven: the date is in the verifier's future. That is not wrong, because their clock may be.
        """
        if self.now is None or time <= self.now + _CLOCKS_APART_S:
            return sentence
        raise Unproven(
            f"{sentence} But by this computer's clock, the date {time_text(time)} is in the future: either the clock "
            "is wrong, or the operator signed a wrong date.",
            *doubts,
            Doubt.FUTURE,
        )


def read_parts(document: str | bytes, now: int | None = None) -> ProofParts:
    """Read a proof and everything in it.

    Raises:
        Refuted: it does not have the form of a proof.
    """
    try:
        proof = read_proof(without_mark(document))
        parts = ProofParts(
            proof,
            _key(proof.key, OPERATOR, "key"),
            _read_closing(proof.closing),
            [_key(each, WITNESS, "witnesses") for each in proof.witnesses],
            _read_draw(proof.draw),
            None if proof.forfeits is None else [_read_forfeit(each) for each in proof.forfeits],
            now,
        )
    except (DocumentWrong, NoteWrong) as error:
        raise Refuted(f"This is not a proof: {error}.") from error
    if len(parts.witnesses) > SIGNATURES or len({each.public for each in parts.witnesses}) < len(parts.witnesses):
        raise Refuted(f"This is not a proof: witnesses has more than {SIGNATURES} keys, or one twice.")
    return parts


def _read_closing(note: str) -> SignedClosing:
    try:
        read = Note.read(note)
        checkpoint = Checkpoint.read(read.text)
    except NoteWrong as error:
        raise NoteWrong(f"closing: {error}") from error
    if checkpoint.end is None:
        raise NoteWrong("closing: it does not say when the raffle closed")
    return SignedClosing(read, checkpoint, checkpoint.end)


def _read_draw(note: str) -> SignedDraw:
    try:
        read = Note.read(note)
        return SignedDraw(read, DrawStatement.read(read.text))
    except NoteWrong as error:
        raise NoteWrong(f"draw: {error}") from error


def _read_forfeit(forfeit: ProvenForfeit) -> SignedForfeit:
    try:
        read = Note.read(forfeit.note)
        return SignedForfeit(read, ForfeitStatement.read(read.text), forfeit.leaf, forfeit.path)
    except NoteWrong as error:
        raise NoteWrong(f"forfeits: {error}") from error


def _key(text: str, kind: int, place: str) -> VerifierKey:
    try:
        key = VerifierKey.read(text)
    except NoteWrong as error:
        raise NoteWrong(f"{place}: {error}") from error
    if key.kind != kind:
        raise NoteWrong(f"{place}: the key has type {key.kind} instead of {kind}")
    return key
