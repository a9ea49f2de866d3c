"""Raffles that were closed before they were sold out, cancelled, or decided by an announced value."""

from dataclasses import replace

from rafflekit.core.protocol.audit import NOT_PROVEN, OK, Witnessed, audit
from rafflekit.core.protocol.checkpoints import Cancellation
from tests.protocol.audit.reports import ANNOUNCED, EARLY, outcome, sentence
from tests.tamper.making.cases import written
from tests.vectors.examples import CLOSED


def test_an_early_closing_is_good_and_called_so() -> None:
    report = EARLY.given.audit()

    assert report.good
    # One prize passed on.
    assert report.unproven == ["forfeits"]
    assert sentence(report, "closing").endswith("The raffle was closed before all 30 tickets were handed out.")
    assert "All 20 leaves match the closing, and their numbers, from 1 to 30, are all different" in sentence(
        report, "leaves"
    )


def test_a_receipt_from_just_before_an_early_closing_is_good() -> None:
    plain = EARLY.example.sign(replace(EARLY.closing, end=None).text())
    receipt = replace(EARLY.example.receipt(4, 20), checkpoint=plain)

    report = audit(EARLY.given.proof, receipt=written(receipt.shape()))

    assert (report.good, outcome(report, "receipt")) == (True, OK)


def test_a_cancellation_is_named_with_its_reason() -> None:
    cancelled = replace(EARLY.closing, end=None, cancellation=Cancellation(CLOSED, "rain"))
    kept = Witnessed(EARLY.example.sign(cancelled.text()))

    wrong = replace(EARLY.given, witnessed=[kept]).audit().first_wrong

    assert wrong is not None
    assert (wrong.name, wrong.is_mistaken) == ("witnessed", False)
    assert "The operator cancelled this raffle on 2023-08-23 15:58:24 UTC (“rain”)" in wrong.sentence


def test_a_cancellation_of_another_operator_is_a_mistake() -> None:
    cancelled = replace(EARLY.closing, end=None, cancellation=Cancellation(CLOSED, "rain")).text()

    wrong = replace(EARLY.given, witnessed=[Witnessed(EARLY.cosigned(cancelled).replace("operator", "other"))]).audit()

    assert wrong.first_wrong is not None
    assert (wrong.first_wrong.name, wrong.first_wrong.is_mistaken) == ("witnessed", True)


def test_an_announced_value_has_to_be_compared_with_its_source() -> None:
    report = ANNOUNCED.given.audit()

    assert (outcome(report, "entropy"), outcome(report, "witnessed")) == (NOT_PROVEN, NOT_PROVEN)
    assert "“Lotto 6/49 of 23 August 2023” gave “3 17 22 31 40 48”" in sentence(report, "entropy")
    assert "The closing is dated 2023-08-23 15:58:24 UTC. Compare this" in sentence(report, "witnessed")
