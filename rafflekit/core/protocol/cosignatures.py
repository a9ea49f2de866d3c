"""The cosignatures of a closing: which of them it may have without spoiling its proof (section 4)."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rafflekit.core.errors import InvalidValue
from rafflekit.core.protocol.notes import SIGNATURES, WITNESS, Note, VerifierKey


class Cosignature(NamedTuple):
    """A witness's line on a closing, and when the witness signed, in seconds since 1970."""

    line: str
    time: int


def cosignature_of(witness: VerifierKey, note: Note) -> Cosignature:
    """Return the one cosignature of a witness on a note.

    Raises:
        InvalidValue: the key is not a witness's, or the note does not have exactly one of its cosignatures.
        NoteWrong: the cosignature does not match the note's text.
    """
    if witness.kind != WITNESS:
        raise InvalidValue("key", "is not a witness's key: it was not made for cosignatures.")
    times = note.check(witness)
    if len(times) != 1:
        raise InvalidValue("note", f"has {'no' if not times else 'more than one'} cosignature by {witness.name}.")
    line = next(line for line in note.signatures if line.is_by(witness))
    return Cosignature(line.write(), times[0])


def check_date(time: int, *, created_at: datetime, known_from: int | None) -> None:
    """Check that a cosignature's time proves something: the raffle existed, and its entropy was not known yet.

    `known_from` is when the entropy becomes public, in seconds since 1970, if that is known.

    Raises:
        InvalidValue: it does not.
    """
    if time < created_at.timestamp():
        raise InvalidValue("note", "was cosigned before the raffle existed, so it shows nothing.")
    if known_from is not None and time >= known_from:
        raise InvalidValue("note", "was cosigned after the beacon was published, so it shows nothing.")


def check_beside(witness: VerifierKey, others: Sequence[VerifierKey]) -> None:
    """Check that verifiers accept a closing that this witness signs as well; `others` have signed it already.

    Raises:
        InvalidValue: one of them has the same key or looks like it, or the note is full.
    """
    if len(others) >= SIGNATURES:
        raise InvalidValue("note", f"is too late: it has {SIGNATURES} signatures, the most that a note can have.")
    for other in others:
        if other.public == witness.public:
            raise InvalidValue("key", f"is the key of {other.name}, who signed already: a witness needs its own key.")
        if (other.name, other.id) == (witness.name, witness.id):
            raise InvalidValue("key", "has the name and id of another key that signed; their lines would look alike.")
