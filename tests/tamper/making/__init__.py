"""The catalogue of tampering: falsified documents, each with the step of an audit that has to refuse it.

The frozen cases that `rafflekit audit --selftest` runs are written from it; they are data for every verifier.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain

from rafflekit.core.protocol.audit import WRONG, AuditReport
from tests.tamper.making.cases import Base, Case, Given, bases
from tests.tamper.making.endings import (
    cancellation_cases,
    early_closing_cases,
    early_leaf_cases,
    other_draw_cases,
    other_receipt_cases,
)
from tests.tamper.making.forms import form_cases, key_cases, terms_cases
from tests.tamper.making.options import option_form_cases, option_terms_cases
from tests.tamper.making.passing import forfeit_cases
from tests.tamper.making.signed import closing_cases, entropy_cases, witness_cases
from tests.tamper.making.tickets import leaf_cases, receipt_cases, winner_cases

__all__ = ["Base", "Case", "Given", "bases", "catalogue", "first_wrong_step"]


@cache
def catalogue() -> Sequence[Case]:
    """Return all cases, in the order of the steps."""
    return tuple(
        chain(
            form_cases(),
            option_form_cases(),
            terms_cases(),
            option_terms_cases(),
            key_cases(),
            closing_cases(),
            early_closing_cases(),
            witness_cases(),
            cancellation_cases(),
            entropy_cases(),
            other_draw_cases(),
            winner_cases(),
            leaf_cases(),
            early_leaf_cases(),
            receipt_cases(),
            other_receipt_cases(),
            forfeit_cases(),
        )
    )


def first_wrong_step(report: AuditReport) -> str | None:
    """Return the name of the first wrong step, if there is one."""
    return next((step.name for step in report.steps if step.outcome == WRONG), None)
