"""Documents that are too large or endless."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from rafflekit.core.protocol.audit import (
    NOT_PROVEN,
    OK,
    WRONG,
    audit,
    leaves,
)
from rafflekit.core.protocol.documents import LEAF_LINE_BYTES, PROOF_BYTES, RECEIPT_BYTES, leaf_line
from tests.protocol.audit.reports import DRAND, EARLY, outcome, sentence
from tests.tamper.making.cases import Given


@pytest.mark.parametrize(
    ("given", "step"),
    [
        (replace(DRAND.given, proof=DRAND.given.proof + " " * PROOF_BYTES), "form"),
        (replace(DRAND.given, receipt=f"{DRAND.given.receipt}{' ' * RECEIPT_BYTES}"), "receipt"),
        (
            replace(DRAND.given, leaves=[" " * LEAF_LINE_BYTES + DRAND.given.leaves[0], *DRAND.given.leaves[1:]]),
            "leaves",
        ),
        (DRAND.changed(closing="x" * 70_000 + DRAND.proof.closing), "form"),
    ],
    ids=["proof", "receipt", "leaf", "note"],
)
def test_a_document_above_the_size_limit_is_refused(given: Given, step: str) -> None:
    assert outcome(given.audit(), step) == WRONG


def test_white_space_up_to_the_size_limit_is_allowed() -> None:
    padding = " " * (PROOF_BYTES - len(DRAND.given.proof.encode()))

    assert DRAND.written(DRAND.given.proof + padding).audit().good


def test_a_proof_with_very_many_keys_is_refused_quickly() -> None:
    # The search for a repeated key must not compare every pair of keys: that would be 10¹⁰ steps.
    keys = ",".join(f'"k{number}":0' for number in range(200_000))

    assert "occurs more than once" in sentence(audit('{"protocol":1,' + keys + ',"k199999":0}'), "form")


def test_leaves_are_not_read_if_the_proof_is_wrong_already() -> None:
    def never() -> Iterator[str]:
        raise AssertionError("a leaf was read")
        yield ""

    for wrong in ("{}", DRAND.edited(lambda proof: proof["terms"].update(name="x")).proof):
        assert not audit(wrong, leaves=never()).good


def test_endless_leaves_are_read_up_to_one_too_many() -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        for line in DRAND.given.leaves or ():
            read += 1
            yield line
        while True:
            read += 1
            yield "{}"

    report = replace(DRAND.given, leaves=endless()).audit()  # type: ignore[arg-type]  # replace knows no types

    assert (outcome(report, "leaves"), read) == (WRONG, 21)


def test_more_tickets_than_can_be_counted_are_not_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    # 20 of 30 numbers.
    monkeypatch.setattr(leaves, "IN_BITS", 29)
    assert outcome(EARLY.given.audit(), "leaves") == OK
    monkeypatch.setattr(leaves, "IN_BITS", 19)
    monkeypatch.setattr(leaves, "COUNTED", 19)

    report = DRAND.given.audit()

    assert (report.good, outcome(report, "leaves")) == (True, NOT_PROVEN)
    # If numbers are not counted, an extra leaf has to be noticed by its place.
    one_more = [*(DRAND.given.leaves or ()), leaf_line(replace(DRAND.example.leaves[0], serial=20))]
    assert outcome(replace(DRAND.given, leaves=one_more).audit(), "leaves") == WRONG


def test_an_error_while_reading_the_leaves_is_raised() -> None:
    def broken() -> Iterator[str]:
        yield from (DRAND.given.leaves or ())[:3]
        raise OSError("the line is cut")

    with pytest.raises(OSError, match="the line is cut"):
        audit(DRAND.given.proof, leaves=broken())
