"""The cosignatures of a closing: which of them it may bear, so that its proof stays good (section 4; pure)."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rafflekit.core.errors import InvalidValue
from rafflekit.core.protocol.checkpoints import Closing
from rafflekit.core.protocol.notes import SIGNATURES, WITNESS, Note, VerifierKey


class Cosignature(NamedTuple):
    """A witness's line on a closing, and when it signed, in seconds since 1970."""

    line: str
    time: int


def cosignature_of(witness: VerifierKey, note: Note) -> Cosignature:
    """Return the one cosignature of a witness that a note has.

    Raises:
        InvalidValue: the key is none of a witness, or the note has none of it, or more than one.
        NoteWrong: it is not on the note's text.
    """
    if witness.kind != WITNESS:
        raise InvalidValue("key", "is none of a witness, which is made for cosignatures.")
    times = note.check(witness)
    if len(times) != 1:
        raise InvalidValue("note", f"has {'no' if not times else 'more than one'} cosignature by {witness.name}.")
    line = next(line for line in note.signatures if line.is_by(witness))
    return Cosignature(line.write(), times[0])


def check_date(time: int, closing: Closing, created_at: datetime) -> None:
    """Check that a cosignature's time shows something: the raffle was there, and its beacon was not.

    Raises:
        InvalidValue: it does not.
    """
    if time < created_at.timestamp():
        raise InvalidValue("note", "was cosigned before there was the raffle, and so shows nothing.")
    if closing.round is not None:
        from rafflekit.core.protocol.entropy.drand import time_of

        if time >= time_of(closing.round):
            raise InvalidValue("note", "was cosigned after the beacon had come, and so shows nothing any more.")


def check_beside(witness: VerifierKey, others: Sequence[VerifierKey]) -> None:
    """Check that verifiers take a closing that a witness signs, too; `others` signed it already.

    Raises:
        InvalidValue: one of them is the same key or looks like it, or they are as many as a note can have.
    """
    if len(others) >= SIGNATURES:
        raise InvalidValue("note", f"comes late: {SIGNATURES} signatures, the most that a note can have, are kept.")
    for other in others:
        if other.public == witness.public:
            raise InvalidValue("key", f"is that of {other.name}, who signed already: a witness is somebody else.")
        if (other.name, other.id) == (witness.name, witness.id):
            raise InvalidValue("key", "has name and id of another key that signed; its lines could not be told apart.")
