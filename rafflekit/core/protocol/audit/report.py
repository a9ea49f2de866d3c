"""The result of an audit: the steps of section 9, each with its outcome and a sentence for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from rafflekit.core.protocol.dates import time_text, write_time
from rafflekit.core.protocol.forfeits import ForfeitStatement
from rafflekit.core.protocol.notes import base64_of
from rafflekit.core.protocol.quoting import quoted
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.protocol.words import words_of

Outcome = Literal["ok", "wrong", "not proven"]
OK: Literal["ok"] = "ok"
WRONG: Literal["wrong"] = "wrong"
NOT_PROVEN: Literal["not proven"] = "not proven"

STEPS = (
    "form",
    "terms",
    "key",
    "closing",
    "witnesses",
    "entropy",
    "witnessed",
    "seed",
    "winners",
    "leaves",
    "receipt",
    "code",
    "forfeits",
)
"""The names of all steps, in order."""


class Refuted(Exception):
    """End a step as wrong; the message is its sentence."""


class Mistaken(Refuted):
    """End a step as wrong because of what the verifier gave with the proof; the message is its sentence."""


class Doubt(StrEnum):
    """What a step leaves open, although all that it checked is right."""

    FUTURE = "future"
    """What the operator dated is in the verifier's future."""

    REPEATED = "repeated"
    """A ticket number may occur twice: they were too many to be compared."""

    REASONS = "reasons"
    """Only the operator says why prizes were lost, and that no such case is missing."""

    NO_DEADLINE = "no deadline"
    """A prize was lost as unclaimed, although no deadline was announced."""


class Unproven(Exception):
    """End a step as not proven; the message is its sentence. With `doubts`, it leaves only these open."""

    def __init__(self, sentence: str, *doubts: Doubt) -> None:
        super().__init__(sentence)
        self.doubts = doubts


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, its outcome, and a sentence that says what was checked or why it ended like this.

    `is_mistaken` is True if a step is wrong only because something that the verifier gave does not belong to the proof:
    the draw itself may be honest. A step with `doubts` is not proven, but only because of these.
    """

    name: str
    outcome: Outcome
    sentence: str
    is_mistaken: bool = False
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditedWin:
    """A win of the proof: which ticket won which prize.

    `in_place_of` is the number of the ticket from which the prize passed on, None for a win of the draw itself. `lost`
    is the forfeit by which this win was lost, if it was.
    """

    ticket_number: int
    prize: str
    in_place_of: int | None = None
    lost: ForfeitStatement | None = None

    def shape(self) -> dict[str, Any]:
        """Return it as JSON has it, with the names that answers of a server have."""
        shape: dict[str, Any] = {"ticket_number": self.ticket_number, "prize": self.prize}
        if self.in_place_of is not None:
            shape["in_place_of"] = self.in_place_of
        if self.lost is not None:
            lost = self.lost
            shape |= {"forfeited_at": _written(lost.time), "why": str(lost.why), "reason": lost.reason}
        return shape

    def sentence(self) -> str:
        """Return what the ticket won, as the end of a sentence that begins with the ticket."""
        prize = quoted(self.prize)
        won = f"won {prize}" if self.in_place_of is None else f"took over {prize} from ticket {self.in_place_of:,}"
        if self.lost is None:
            return won
        return f"{won} and lost it ({self.lost.why}: {quoted(self.lost.reason)})"


@dataclass(frozen=True, slots=True)
class ComparedValues:
    """The values by which people recognise a draw: those of its certificate, and the closing as it was published.

    `closing` is the text of the closing, without signatures. `random_number` is what the source gave: a beacon's
    signature, or the bytes that were generated; None for `announced`, whose value is a text. `key` is the public key.
    """

    closing: str
    closing_hash: bytes
    random_number: bytes | None
    seed: bytes
    winners_digest: bytes
    key: str

    def shape(self) -> dict[str, str | None]:
        """Return them as JSON has them, in the order of the certificate."""
        return {
            "closed_list": base64_of(self.closing_hash),
            "six_words": " ".join(words_of(self.closing_hash)),
            "random_number": None if self.random_number is None else self.random_number.hex(),
            "seed": self.seed.hex(),
            "winners_digest": base64_of(self.winners_digest),
            "public_key": self.key,
            "closing": self.closing,
        }


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The steps taken, in order, and what the proof says, for people to compare with what was announced.

    `raffle` is None if the proof cannot be read. `winners` are in draw order, and after them those who took prizes
    over; None if they are wrong or not known. `values` is None if any step is wrong.
    """

    steps: Sequence[Step]
    raffle: Terms | None = None
    winners: Sequence[AuditedWin] | None = None
    values: ComparedValues | None = None

    @property
    def good(self) -> bool:
        """Whether no step is wrong; steps may still be not proven."""
        return self.first_wrong is None

    @property
    def first_wrong(self) -> Step | None:
        """The first wrong step, or None; one that is only the verifier's mistake counts after all others."""
        wrong = [step for step in self.steps if step.outcome == WRONG]
        return min(wrong, key=lambda step: step.is_mistaken, default=None)

    @property
    def unproven(self) -> Sequence[str]:
        """The names of the steps that are not proven."""
        return [step.name for step in self.steps if step.outcome == NOT_PROVEN]

    def shape(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        steps = [{"name": step.name, "outcome": step.outcome, "sentence": step.sentence} for step in self.steps]
        return {
            "good": self.good,
            "raffle": None if self.raffle is None else self.raffle.announced(),
            "winners": None if self.winners is None else [win.shape() for win in self.winners],
            "values": None if self.values is None else self.values.shape(),
            "steps": steps,
        }


def _written(seconds: int) -> str:
    try:
        return write_time(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        # Notes have times beyond all calendars, too.
        return time_text(seconds)
