"""Checkpoints: the state of a ledger as a text to sign; the last is the closing or the cancellation (section 4)."""

import re
from dataclasses import dataclass
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.protocol.hashing import HASH_BYTES, tagged_hash
from rafflekit.core.protocol.notes import NoteWrong, base64_of, read_base64, read_number

_TEXT = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<size>[0-9]+)\n(?P<root>[^\n]+)\nterms (?P<terms>[^\n]+)\n"
    r"(?:closed (?P<closed>[0-9]+)\n(?:round (?P<round>[0-9]+)\n)?"
    r"|cancelled (?P<cancelled>[0-9]+)\nreason (?P<reason>[^\n]+)\n)?"
)


@dataclass(frozen=True, slots=True)
class End:
    """When a ledger was closed, in seconds since 1970, and the drand round that decides, if one does."""

    closed: int
    round: int | None = None


@dataclass(frozen=True, slots=True)
class Cancellation:
    """When a raffle was cancelled, in seconds since 1970, and why."""

    time: int
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The number of leaves, their root, and the hash of the raffle's terms.

    A closing also has the end, a cancellation what it says; no checkpoint has both.
    """

    origin: str
    size: int
    root: bytes
    terms: bytes
    end: End | None = None
    cancellation: Cancellation | None = None

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """Read the text of a checkpoint.

        Raises:
            NoteWrong: it has another form.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise NoteWrong(
                "it is not a checkpoint: origin, size, root, terms; closed and round if it is a closing; cancelled and "
                "reason if it is a cancellation"
            )
        root, terms = read_base64(found["root"]), read_base64(found["terms"])
        if len(root) != HASH_BYTES or len(terms) != HASH_BYTES:
            raise NoteWrong("a hash of a checkpoint has 32 bytes")
        closed, beacon = found["closed"], found["round"]
        end = None
        if closed is not None:
            end = End(read_number(closed), None if beacon is None else read_number(beacon))
        cancellation = None
        if found["cancelled"] is not None:
            check_noted_reason(found["reason"])
            cancellation = Cancellation(read_number(found["cancelled"]), found["reason"])
        return cls(found["origin"], read_number(found["size"]), root, terms, end, cancellation)

    def text(self) -> str:
        """Return the text that is signed."""
        lines = [self.origin, str(self.size), base64_of(self.root), f"terms {base64_of(self.terms)}"]
        if self.end is not None:
            lines.append(f"closed {self.end.closed}")
            if self.end.round is not None:
                lines.append(f"round {self.end.round}")
        if self.cancellation is not None:
            lines += [f"cancelled {self.cancellation.time}", f"reason {self.cancellation.reason}"]
        return "\n".join(lines) + "\n"

    def closing_hash(self) -> bytes:
        """Return the hash of a closing, which goes into the seed."""
        assert self.end is not None
        return tagged_hash("closing", self.text().encode())


def origin_of(raffle: UUID) -> str:
    """Return the origin of a raffle's checkpoints."""
    return f"rafflekit/{raffle}"


def check_noted_reason(text: str) -> None:
    """Check the reason that a note gives.

    Raises:
        NoteWrong: it does not have the form of a name.
    """
    try:
        limits.check_reason("reason", text)
    except InvalidValue as error:
        raise NoteWrong(f"reason: {error.reason.rstrip('.')}") from error
