"""What an audit says: the steps of section 9 of the protocol, each with its outcome and a sentence for people."""

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
"""The names of all steps, in their order."""


class Refuted(Exception):
    """End a step as wrong; the message is its sentence."""


class Mistaken(Refuted):
    """End a step as wrong for what the verifier brought beside the proof; the message is its sentence."""


class Unproven(Exception):
    """End a step as not proven; the message is its sentence."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, how it ended, and what was looked at or why it ended so.

    `is_mistaken` tells of a wrong one that it is what the verifier brought beside the proof that does not belong to it:
    the draw may be as honest as ever.
    """

    name: str
    outcome: Outcome
    sentence: str
    is_mistaken: bool = False


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The steps that were taken, in order."""

    steps: Sequence[Step]

    @property
    def good(self) -> bool:
        """Tell whether no step is wrong; that says nothing of those that are not proven."""
        return self.first_wrong is None

    @property
    def first_wrong(self) -> Step | None:
        """The first step that is wrong, which is what is wrong with the documents; None if none is."""
        return next((step for step in self.steps if step.outcome == WRONG), None)

    @property
    def unproven(self) -> Sequence[str]:
        """The names of the steps that are not proven."""
        return [step.name for step in self.steps if step.outcome == NOT_PROVEN]

    def shape(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        steps = [{"name": step.name, "outcome": step.outcome, "sentence": step.sentence} for step in self.steps]
        return {"good": self.good, "steps": steps}
