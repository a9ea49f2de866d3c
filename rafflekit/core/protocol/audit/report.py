"""The result of an audit: the steps of section 9, each with its outcome and a sentence for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
)
"""The names of all steps, in order."""


class Refuted(Exception):
    """End a step as wrong; the message is its sentence."""


class Mistaken(Refuted):
    """End a step as wrong because of what the verifier gave with the proof; the message is its sentence."""


class Unproven(Exception):
    """End a step as not proven; the message is its sentence."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, its outcome, and a sentence that says what was checked or why it ended like this.

    `is_mistaken` is True if a step is wrong only because something that the verifier gave does not belong to the proof:
    the draw itself may be honest.
    """

    name: str
    outcome: Outcome
    sentence: str
    is_mistaken: bool = False


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The steps taken, in order."""

    steps: Sequence[Step]

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
        return {"good": self.good, "steps": steps}
