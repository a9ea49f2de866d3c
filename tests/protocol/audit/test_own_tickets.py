"""A participant's receipt and code."""

import json
from dataclasses import replace

import pytest

from rafflekit.core.protocol.audit import (
    NOT_PROVEN,
    OK,
    WRONG,
    audit,
)
from tests.protocol.audit.reports import (
    DRAND,
    outcome,
    sentence,
)
from tests.tamper.making import catalogue
from tests.tamper.making.cases import written
from tests.tamper.making.outcomes import answer


def test_an_early_receipt_needs_leaves_or_a_consistency_proof() -> None:
    tickets = len(DRAND.example.leaves)
    whole = written(DRAND.example.receipt(4, tickets).shape())

    bare = replace(DRAND.given, leaves=None, consistency=None)

    assert outcome(bare.audit(), "receipt") == NOT_PROVEN
    assert outcome(replace(bare, receipt=whole).audit(), "receipt") == OK
    assert outcome(replace(bare, leaves=DRAND.given.leaves).audit(), "receipt") == OK
    assert outcome(replace(bare, consistency=DRAND.given.consistency).audit(), "receipt") == OK


def test_the_whole_answer_to_a_participant_is_read_as_a_receipt() -> None:
    whole = replace(DRAND.given, receipt=answer(DRAND)).audit()
    without = replace(DRAND.given, receipt=written({**json.loads(answer(DRAND)), "receipt": None})).audit()

    assert whole == DRAND.given.audit()
    assert without.first_wrong is not None
    assert (without.first_wrong.name, without.first_wrong.is_mistaken) == ("receipt", True)


def test_documents_with_a_byte_order_mark_are_read() -> None:
    lines = list(DRAND.given.leaves or ())
    receipt, consistency = str(DRAND.given.receipt).encode(), str(DRAND.given.consistency).encode()
    marked = audit(
        b"\xef\xbb\xbf" + DRAND.given.proof.encode(),
        leaves=[b"\xef\xbb\xbf" + lines[0].encode(), *lines[1:]],
        receipt=b"\xef\xbb\xbf" + receipt,
        consistency=b"\xef\xbb\xbf" + consistency,
    )
    late = audit(DRAND.given.proof, leaves=[lines[0], f"\ufeff{lines[1]}", *lines[2:]])

    assert marked.good
    assert (outcome(marked, "leaves"), outcome(marked, "receipt")) == (OK, OK)
    assert outcome(late, "leaves") == WRONG


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_documents_in_utf_16_are_called_so_and_accuse_no_one(encoding: str) -> None:
    proof, receipt = DRAND.given.proof, str(DRAND.given.receipt).encode(encoding)
    leaves = "\n".join(DRAND.given.leaves or ()).encode(encoding).splitlines(keepends=True)
    for name, report in (
        ("form", audit(proof.encode(encoding))),
        ("leaves", audit(proof, leaves=leaves)),
        ("receipt", audit(proof, receipt=receipt)),
        (
            "receipt",
            audit(proof, receipt=DRAND.given.receipt, consistency=str(DRAND.given.consistency).encode(encoding)),
        ),
    ):
        assert report.first_wrong is not None
        assert (report.first_wrong.name, report.first_wrong.is_mistaken) == (name, True)
        assert "UTF-16" in report.first_wrong.sentence


def test_a_ticket_that_was_replaced_later_is_reported() -> None:
    exchanged = next(case for case in catalogue() if case.name == "signed receipt: another ticket in its place later")

    assert "At serial 4, the closing and the receipt" in sentence(exchanged.given.audit(), "receipt")


def test_a_receipt_step_says_what_the_ticket_won() -> None:
    wins = {win.leaf.serial: win.prize for win in DRAND.proof.winners or ()}
    for serial in range(20):
        receipt = written(DRAND.example.receipt(serial, 20).shape())
        report = audit(DRAND.given.proof, receipt=receipt)
        prize = "nothing" if serial not in wins else f"“{DRAND.example.terms.prizes[wins[serial]].name}”"

        assert sentence(report, "receipt").endswith(f"is in the draw and won {prize}.")


def test_with_wrong_winners_nothing_is_said_about_a_prize() -> None:
    swapped = DRAND.edited(lambda proof: proof["winners"].reverse())

    assert sentence(swapped.audit(), "receipt").endswith("is in the draw.")


def test_a_code_is_never_in_a_report_or_a_repr() -> None:
    report = DRAND.given.audit()

    assert str(DRAND.given.code) not in f"{report!r} {json.dumps(report.shape())} {DRAND.given!r}"
    assert outcome(report, "code") == OK


@pytest.mark.parametrize("cost", ["m=1048577,t=1,p=1", "m=8,t=524289,p=1", "m=9999999999,t=9999999999,p=255"])
def test_a_hash_that_costs_too_much_is_not_tried(cost: str) -> None:
    leaf = DRAND.example.leaves[4]
    dear = replace(leaf, code_hash=leaf.code_hash.replace("m=8,t=1,p=1", cost))
    other = replace(DRAND.example, leaves=[*DRAND.example.leaves[:4], dear, *DRAND.example.leaves[5:]])

    report = audit(written(other.proof().shape()), receipt=written(other.receipt(4, 20).shape()), code=DRAND.given.code)

    assert (report.good, outcome(report, "code")) == (True, NOT_PROVEN)


def test_a_hash_that_argon2_cannot_compute_is_not_proven() -> None:
    leaf = DRAND.example.leaves[4]
    odd = replace(leaf, code_hash="$argon2id$v=19$m=8,t=1,p=9$AAAAAAAAAAA$AAAAAAAAAAAAAAAAA")
    other = replace(DRAND.example, leaves=[*DRAND.example.leaves[:4], odd, *DRAND.example.leaves[5:]])

    report = audit(written(other.proof().shape()), receipt=written(other.receipt(4, 20).shape()), code=DRAND.given.code)

    assert outcome(report, "code") == NOT_PROVEN
    assert leaf.code_hash != odd.code_hash
