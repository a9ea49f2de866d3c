"""What each step of an audit shows, and what rests on trust."""

from dataclasses import replace

import pytest

from rafflekit.core.protocol.audit import (
    NOT_PROVEN,
    OK,
    STEPS,
    Witnessed,
    audit,
)
from rafflekit.core.protocol.checkpoints import Cancellation, Checkpoint, End
from rafflekit.core.protocol.entropy import drand
from rafflekit.core.protocol.entropy.drand import BlsMissing
from rafflekit.core.protocol.notes import Note, base64_of
from rafflekit.core.protocol.words import words_of
from tests.protocol.audit.reports import ANNOUNCED, DRAND, MANY, SECRETS, outcome, sentence
from tests.tamper.making import catalogue
from tests.tamper.making.cases import Given, written
from tests.vectors.examples import CLOSED, CREATED, signer, witness


def test_with_all_evidence_every_step_is_proven() -> None:
    report = DRAND.given.audit()

    assert [(step.name, step.outcome) for step in report.steps] == [(name, OK) for name in STEPS]


def test_a_proof_alone_shows_only_that_it_is_consistent() -> None:
    report = audit(DRAND.given.proof)

    assert report.good
    assert report.unproven == ["terms", "key", "witnesses", "witnessed", "leaves"]


def test_secrets_always_rest_on_trust_in_the_operator() -> None:
    with_witness = SECRETS.changed(closing=SECRETS.cosigned(SECRETS.closing.text()))
    report = replace(with_witness, witnesses=[str(witness().verifier)]).audit()

    assert report.good
    assert report.unproven == ["entropy", "witnessed"]


def test_more_than_1_000_wins_need_the_leaves() -> None:
    assert outcome(MANY.given.audit(), "winners") == OK
    assert outcome(replace(MANY.given, leaves=None).audit(), "winners") == NOT_PROVEN


def test_a_beacon_is_not_proven_without_a_bls_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise BlsMissing

    monkeypatch.setattr(drand, "check_beacon", missing)
    report = DRAND.given.audit()

    assert (report.good, outcome(report, "entropy"), outcome(report, "witnessed")) == (True, NOT_PROVEN, OK)
    assert "pip install '.[drand]'" in sentence(report, "entropy")


def test_a_date_in_the_verifiers_future_accuses_no_one() -> None:
    created = int(CREATED.timestamp())
    for closed, now in ((created, created), (CLOSED, CLOSED - 86_400), (CLOSED, None)):
        again = SECRETS.closed_again(end=End(closed))

        assert outcome(replace(again, now=now).audit(), "closing") == OK

    report = replace(SECRETS.given, now=CLOSED - 86_401).audit()

    assert (report.good, report.winners is not None) == (True, True)
    for step in ("closing", "winners"):
        assert outcome(report, step) == NOT_PROVEN
        assert "either the clock is wrong, or the operator signed a wrong date." in sentence(report, step)


def test_documents_of_another_raffle_are_a_mistake_not_a_fraud() -> None:
    stranger = replace(DRAND.example, signer=signer("stranger"))
    of_another_key = written(stranger.receipt(4, 7).shape())
    of_another_operator = written(replace(SECRETS.example, signer=signer("stranger")).receipt(4, 7).shape())
    mistaken = {
        "raffle": replace(DRAND.given, raffle=SECRETS.given.raffle),
        "key": replace(DRAND.given, key=str(stranger.signer.verifier)),
        "no leaves": replace(DRAND.given, leaves=[str(DRAND.given.proof)]),
        "empty leaves": replace(DRAND.given, leaves=[]),
        "no receipt": replace(DRAND.given, receipt=DRAND.given.proof),
        "another operator's receipt": replace(DRAND.given, receipt=of_another_operator),
        "another raffle's copy": replace(DRAND.given, witnessed=[Witnessed(SECRETS.proof.closing)]),
        "code": replace(DRAND.given, code=DRAND.example.codes[5]),
        "half a code": replace(DRAND.given, code="0000"),
    }
    evidence = {
        # Two keys for one raffle: a newer key must not make an older receipt look like a mistake.
        "another key's receipt": replace(DRAND.given, receipt=of_another_key),
        "another key's receipt, of two unknown ones": replace(DRAND.given, receipt=of_another_key, key=None),
        # Many raffles with one key: an operator could publish the one that suits them.
        "another raffle's receipt, with the same key": replace(DRAND.given, receipt=SECRETS.given.receipt),
        "leaves": replace(DRAND.given, leaves=SECRETS.given.leaves),
    }

    for expected, cases in ((True, mistaken), (False, evidence)):
        for name, each in cases.items():
            wrong = each.audit().first_wrong
            assert wrong is not None, name
            assert wrong.is_mistaken is expected, name


def test_a_mistake_does_not_hide_a_false_draw() -> None:
    falsified = DRAND.edited(lambda proof: proof["winners"].reverse())

    wrong = replace(falsified, witnessed=[Witnessed(SECRETS.proof.closing)]).audit().first_wrong

    assert wrong is not None
    assert (wrong.name, wrong.is_mistaken) == ("winners", False)


def test_a_code_is_no_mistake_if_no_code_could_match() -> None:
    no_hash = next(case for case in catalogue() if case.name == "a leaf whose hash fits no code")
    wrong = no_hash.given.audit().first_wrong

    assert wrong is not None
    assert (wrong.name, wrong.is_mistaken) == ("code", False)


def test_a_good_report_has_no_first_wrong_step() -> None:
    assert DRAND.given.audit().first_wrong is None


def test_the_id_is_proven_by_what_comes_from_elsewhere() -> None:
    bare = Given(DRAND.given.proof)
    another_key = replace(DRAND.example, signer=signer("stranger"))
    signed_twice = DRAND.example.receipt(4, 7)
    line = signed_twice.checkpoint.removesuffix("\n").rpartition("\n")[2]
    signed_twice = replace(signed_twice, checkpoint=f"{signed_twice.checkpoint}{line}\n")
    at_the_end = DRAND.example.receipt(4, len(DRAND.example.leaves))
    cancelled = replace(DRAND.example.checkpoint(7), cancellation=Cancellation(CLOSED, "rain"))
    of_cancellation = replace(DRAND.example.receipt(4, 7), checkpoint=DRAND.example.sign(cancelled.text()))
    proven = {
        "id": replace(bare, raffle=DRAND.given.raffle),
        "receipt": replace(bare, receipt=DRAND.given.receipt),
        "copy": replace(bare, witnessed=DRAND.given.witnessed),
        "second copy": replace(bare, witnessed=[Witnessed("nonsense"), *DRAND.given.witnessed]),
    }
    unproven = {
        "nothing": bare,
        "key and witnesses": replace(bare, key=DRAND.given.key, witnesses=DRAND.given.witnesses),
        "another key's receipt": replace(bare, receipt=written(another_key.receipt(4, 7).shape())),
        "a receipt that is signed twice": replace(bare, receipt=written(signed_twice.shape())),
        "another raffle's receipt": replace(bare, receipt=SECRETS.given.receipt),
        "a receipt of the closing": replace(bare, receipt=written(at_the_end.shape())),
        "a receipt of a cancellation": replace(bare, receipt=written(of_cancellation.shape())),
        "another raffle's copy": replace(bare, witnessed=SECRETS.given.witnessed),
    }

    for expected, cases in ((OK, proven), (NOT_PROVEN, unproven)):
        for name, each in cases.items():
            assert outcome(each.audit(), "terms") == expected, name


def test_an_id_in_the_proofs_address_proves_nothing() -> None:
    right = audit(DRAND.given.proof, served_id=DRAND.given.raffle)
    wrong = audit(DRAND.given.proof, served_id=SECRETS.given.raffle, raffle=DRAND.given.raffle)

    assert outcome(right, "terms") == NOT_PROVEN
    assert wrong.first_wrong is not None
    # The server sent another proof than it was asked for.
    assert (wrong.first_wrong.name, wrong.first_wrong.is_mistaken) == ("terms", False)


def test_a_report_has_the_raffle_and_its_winners() -> None:
    report = DRAND.given.audit()
    numbers = [win.leaf.ticket_number for win in DRAND.proof.winners or ()]

    assert report.raffle is not None
    assert report.raffle.shape() == DRAND.proof.terms.shape()
    assert [(win.ticket_number, win.prize) for win in report.winners or ()] == list(
        zip(numbers, ["invisibility", "warm hug", "warm hug", "warm hug"], strict=True)
    )
    shape = report.shape()
    assert shape["raffle"]["id"] == DRAND.given.raffle
    assert shape["winners"][0] == {"ticket_number": numbers[0], "prize": "invisibility"}


def test_a_report_has_only_winners_that_follow_from_the_seed() -> None:
    swapped = DRAND.edited(lambda proof: proof["winners"].reverse()).audit()
    other_terms = DRAND.edited(lambda proof: proof["terms"].update(name="x")).audit()

    assert (swapped.raffle is not None, swapped.winners) == (True, None)
    assert other_terms.winners is None
    assert audit("{}").shape()["raffle"] is None


def test_a_report_has_the_values_that_people_compare() -> None:
    values = DRAND.given.audit().values
    closing = Checkpoint.read(Note.read(DRAND.proof.closing).text)

    assert values is not None
    assert values.shape() == {
        "closed_list": base64_of(closing.closing_hash()),
        "six_words": " ".join(words_of(closing.closing_hash())),
        "random_number": DRAND.proof.entropy.value.hex(),
        "seed": DRAND.proof.seed.hex(),
        "winners_digest": DRAND.proof.draw.split("\n\n")[0].split()[-1],
        "public_key": DRAND.given.key,
        "closing": DRAND.proof.closing.split("\n\n")[0] + "\n",
    }


def test_a_report_has_no_values_of_a_wrong_draw() -> None:
    assert DRAND.given.leaves is not None
    reports = [
        DRAND.edited(lambda proof: proof["winners"].reverse()).audit(),
        DRAND.edited(lambda proof: proof.update(seed="00" * 32)).audit(),
        DRAND.edited(lambda proof: proof["terms"].update(name="x")).audit(),
        ANNOUNCED.edited(lambda proof: proof["forfeits"].pop(0)).audit(),
        replace(DRAND.given, leaves=DRAND.given.leaves[1:]).audit(),
        replace(DRAND.given, code=DRAND.example.codes[-1]).audit(),
    ]

    assert [each.first_wrong and each.first_wrong.name for each in reports] == [
        *("winners", "seed", "terms", "forfeits", "leaves", "code")
    ]
    assert {each.shape()["values"] for each in reports} == {None}


def test_more_than_1_000_winners_are_known_with_the_leaves() -> None:
    winners = MANY.given.audit().winners

    assert winners is not None
    assert len({win.ticket_number for win in winners}) == len(winners) == 1_003
    assert (winners[999].prize, winners[1_000].prize) == ("tea", "biscuit")
    assert replace(MANY.given, leaves=None).audit().winners is None
