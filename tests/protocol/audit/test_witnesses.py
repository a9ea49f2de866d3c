"""Witnesses and copies of the closing: who saw it, and when."""

from dataclasses import replace

import pytest

from rafflekit.core.protocol.audit import (
    NOT_PROVEN,
    OK,
    WRONG,
    Witnessed,
    audit,
)
from rafflekit.core.protocol.notes import WITNESS
from tests.protocol.audit.reports import BEACON, DRAND, SECRETS, outcome, sentence
from tests.tamper.making import Base
from tests.tamper.making.cases import COSIGNED, written
from tests.vectors.examples import CREATED, signer, witness


def test_a_witness_named_only_by_the_operator_proves_nothing() -> None:
    report = replace(DRAND.given, witnesses=[], witnessed=[]).audit()

    assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (NOT_PROVEN, NOT_PROVEN)
    assert "you named none of the witnesses" in sentence(report, "witnesses")


def test_a_witness_named_only_by_the_verifier_counts() -> None:
    report = replace(DRAND.changed(witnesses=[]), witnessed=[]).audit()

    assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (OK, OK)


def test_a_wrong_cosignature_of_an_unnamed_key_is_ignored() -> None:
    line = witness("passer-by").line("another text\n", time=BEACON + 9)

    assert DRAND.changed(closing=DRAND.proof.closing + line).audit() == DRAND.given.audit()


def test_a_witness_may_have_the_operators_name() -> None:
    namesake = signer("namesake", kind=WITNESS, key_name=DRAND.example.signer.name)
    closing = DRAND.example.sign(DRAND.closing.text()) + namesake.line(DRAND.closing.text(), time=COSIGNED)
    key = str(namesake.verifier)

    report = replace(DRAND.changed(closing=closing, witnesses=[key]), witnesses=[key], witnessed=[]).audit()

    assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (OK, OK)


@pytest.mark.parametrize("time", [0, int(CREATED.timestamp()) - 1])
def test_a_cosignature_from_before_the_raffle_proves_no_time(time: int) -> None:
    closing = DRAND.cosigned(DRAND.closing.text(), time=time)

    report = replace(DRAND.changed(closing=closing), witnessed=[]).audit()

    assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (OK, NOT_PROVEN)


@pytest.mark.parametrize("time", [2**64 - 1, 2**40])
def test_a_cosignature_dated_beyond_all_calendars_is_late(time: int) -> None:
    closing = DRAND.cosigned(DRAND.closing.text(), time=time)

    assert outcome(DRAND.changed(closing=closing).audit(), "witnessed") == WRONG


@pytest.mark.parametrize(
    ("at", "expected"),
    [(BEACON - 1, OK), (BEACON, NOT_PROVEN), (None, NOT_PROVEN), (0, NOT_PROVEN), (-(10**30), NOT_PROVEN)],
)
def test_a_copy_counts_by_the_date_the_verifier_vouches_for(at: int | None, expected: str) -> None:
    copy = Witnessed(SECRETS.example.sign(DRAND.closing.text()), at)

    report = audit(DRAND.given.proof, witnessed=[copy])

    assert (report.good, outcome(report, "witnessed")) == (True, expected)


def test_a_copy_counts_by_its_own_cosignature() -> None:
    bare = DRAND.changed(closing=DRAND.example.sign(DRAND.closing.text()), witnesses=[])
    copy = Witnessed(DRAND.proof.closing)

    assert outcome(replace(bare, witnessed=[copy]).audit(), "witnessed") == OK
    assert outcome(replace(bare, witnessed=[copy], witnesses=[]).audit(), "witnessed") == NOT_PROVEN


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\ud800",
        SECRETS.proof.closing,
        DRAND.example.sign(DRAND.example.checkpoint(7).text()),
        # Another closing, signed by a stranger.
        replace(DRAND.example, signer=signer("stranger")).sign(DRAND.closing.text().replace("closed 1", "closed 2")),
    ],
)
def test_a_copy_of_something_else_is_the_verifiers_mistake(note: str) -> None:
    report = replace(DRAND.given, witnessed=[Witnessed(note, COSIGNED)]).audit()

    assert report.first_wrong is not None
    assert (report.first_wrong.name, report.first_wrong.is_mistaken) == ("witnessed", True)


def test_a_copy_with_a_wrong_cosignature_proves_nothing() -> None:
    note = DRAND.proof.closing + witness().line("another text\n", time=COSIGNED)
    bare = replace(DRAND.given, witnessed=[Witnessed(note, COSIGNED)])

    assert outcome(bare.audit(), "witnessed") == OK
    unwitnessed = replace(
        bare, proof=DRAND.changed(closing=DRAND.example.sign(DRAND.closing.text()), witnesses=[]).proof
    )
    assert outcome(unwitnessed.audit(), "witnessed") == NOT_PROVEN


@pytest.mark.parametrize("base", [SECRETS, DRAND], ids=["secrets", "drand"])
@pytest.mark.parametrize("witnesses", [[], [str(witness().verifier)]], ids=["no witness", "a witness"])
def test_a_copy_that_is_not_a_closing_is_called_so(base: Base, witnesses: list[str]) -> None:
    given = replace(base.given, witnesses=witnesses, witnessed=[Witnessed("nonsense", COSIGNED)])

    assert "Your copy is not a copy of a closing: " in sentence(given.audit(), "witnessed")


@pytest.mark.parametrize(
    ("signed", "named", "expected"),
    [("a", "a", OK), ("a", "ab", NOT_PROVEN), ("ab", "abc", OK), ("ab", "abcd", NOT_PROVEN), ("abc", "abcd", OK)],
)
def test_more_than_half_of_the_named_witnesses_must_sign(signed: str, named: str, expected: str) -> None:
    proof = DRAND.example.proof(cosigned=[(witness(name), COSIGNED) for name in signed])
    keys = [str(witness(name).verifier) for name in named]

    report = audit(written(proof.shape()), witnesses=keys)

    assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (expected, expected)


def test_witnesses_who_did_not_sign_are_named() -> None:
    proof = DRAND.example.proof(cosigned=[(witness("a"), COSIGNED)])
    keys = [str(witness(name).verifier) for name in "abc"]

    report = audit(written(proof.shape()), witnesses=keys)

    for step in ("witnesses", "witnessed"):
        assert "missing: example.test/b, example.test/c" in sentence(report, step)


def test_a_witness_that_is_named_twice_counts_once() -> None:
    proof = DRAND.example.proof(cosigned=[(witness("a"), COSIGNED)])
    key, other = (str(witness(name).verifier) for name in "ab")

    report = audit(written(proof.shape()), witnesses=[key, key, other])

    assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (NOT_PROVEN, NOT_PROVEN)


def test_a_witness_that_signed_too_early_counts_as_missing() -> None:
    proof = DRAND.example.proof(cosigned=[(witness("a"), COSIGNED), (witness("b"), int(CREATED.timestamp()) - 1)])
    keys = [str(witness(name).verifier) for name in "ab"]

    report = audit(written(proof.shape()), witnesses=keys)

    assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (OK, NOT_PROVEN)


@pytest.mark.parametrize(("on_copies", "expected"), [("ab", OK), ("aa", NOT_PROVEN)])
def test_witnesses_on_several_copies_count_together(on_copies: str, expected: str) -> None:
    text = DRAND.closing.text()
    note = DRAND.example.sign(text)
    copies = [Witnessed(note + witness(name).line(text, time=COSIGNED)) for name in on_copies]
    keys = [str(witness(name).verifier) for name in "abc"]

    report = audit(written(DRAND.example.proof().shape()), witnesses=keys, witnessed=copies)

    assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (NOT_PROVEN, expected)


def test_one_dated_copy_of_several_is_enough() -> None:
    note = DRAND.example.sign(DRAND.closing.text())

    report = audit(DRAND.given.proof, witnessed=[Witnessed(note, BEACON + 9), Witnessed(note, BEACON - 1)])

    assert outcome(report, "witnessed") == OK


def test_evidence_matters_more_than_a_mistake_next_to_it() -> None:
    other = Witnessed(DRAND.example.sign(DRAND.closing.text().replace("closed 1", "closed 2")))
    for copies in ([Witnessed("nonsense"), other], [other, Witnessed("nonsense")]):
        wrong = replace(DRAND.given, witnessed=copies).audit().first_wrong

        assert wrong is not None
        assert (wrong.name, wrong.is_mistaken) == ("witnessed", False)


def test_a_copy_that_is_not_utf_8_is_called_so() -> None:
    for note, said in ((DRAND.proof.closing.encode("utf-16"), "UTF-16"), (b"\xff", "it is not text in UTF-8")):
        report = replace(DRAND.given, witnessed=[Witnessed(note)]).audit()

        assert said in sentence(report, "witnessed")
        assert report.first_wrong is not None
        assert report.first_wrong.is_mistaken


def test_an_invalid_witness_key_is_the_verifiers_mistake() -> None:
    for keys in (["nonsense"], [str(DRAND.example.signer.verifier)], ["\ud800+00000000+AAAA"]):
        report = replace(DRAND.given, witnesses=keys).audit()

        assert outcome(report, "witnesses") == WRONG
        assert "You named a witness" in sentence(report, "witnesses")
