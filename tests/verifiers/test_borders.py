"""Limits of the protocol, on which all three verifiers agree."""

import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.entropy.drand import time_of
from rafflekit.core.protocol.notes import WITNESS, SignerKey
from tests.vectors.examples import BEACON_ROUND, CLOSED, example, witness
from tests.verifiers.conftest import SaidByAll
from tests.verifiers.node import Javascript
from tests.verifiers.raffles import Written, fair
from tests.verifiers.standalone import checked, report_of_the_library

DRAND = example("drand")
CREATED = int(DRAND.terms.created_at.timestamp())
BEACON = time_of(BEACON_ROUND)


@pytest.mark.parametrize(
    ("time", "outcome"),
    [(CREATED - 1, "not proven"), (CREATED, "ok"), (BEACON - 1, "ok"), (BEACON, "wrong")],
    ids=["before the raffle", "as it begins", "before the beacon", "as the beacon comes"],
)
def test_a_witness_counts_between_creation_and_beacon(said_by_all: SaidByAll, time: int, outcome: str) -> None:
    proof = DRAND.proof(cosigned=[(witness(), time)])
    given = {"proof": json.dumps(proof.shape()), "witnesses": [str(witness().verifier)]}

    assert said_by_all(given, "witnessed") == {outcome}


@pytest.mark.parametrize(
    ("time", "outcome"),
    [(CREATED - 1, "not proven"), (CREATED, "ok"), (BEACON - 1, "ok"), (BEACON, "not proven")],
    ids=["before the raffle", "as it begins", "before the beacon", "as the beacon comes"],
)
def test_a_dated_copy_counts_between_creation_and_beacon(said_by_all: SaidByAll, time: int, outcome: str) -> None:
    proof = DRAND.proof()
    given = {"proof": json.dumps(proof.shape()), "witnessed": [{"note": proof.closing, "at": time}]}

    assert said_by_all(given, "witnessed") == {outcome}


SIGNED = DRAND.proof().closing
CANCELLED = DRAND.sign(f"{''.join(SIGNED.splitlines(keepends=True)[:4])}cancelled {CLOSED}\nreason rain \n")


@pytest.mark.parametrize(
    "note",
    [
        SIGNED.removesuffix("\n"),
        SIGNED.replace("\n", "\r\n"),
        SIGNED.replace("\n", " \t\n"),
        f"\ufeff\r\n{SIGNED}\r\n\n",
    ],
    ids=["without the last line break", "lines of Windows", "blanks at the ends of lines", "empty lines around it"],
)
def test_a_closing_copied_from_a_chat_is_a_copy(
    said_by_all: SaidByAll, javascript: Javascript, verifier: ModuleType, note: str
) -> None:
    given = {"proof": json.dumps(DRAND.proof().shape()), "witnessed": [{"note": note, "at": CLOSED}]}

    # A copy shows which raffle this is.
    assert said_by_all(given, "terms") == said_by_all(given, "witnessed") == {"ok"}
    assert all(
        sentence.casefold().startswith("your copy is this closing")
        for sentence in witnessed(javascript, verifier, given)
    )


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("The list is closed!", "not a copy of a closing"),
        (SIGNED.replace("\n\n", "\n"), "not a copy of a closing"),
        (SIGNED.replace("—", "-"), "not a copy of a closing"),
        (f"Look at this:\n{SIGNED}", "not a copy of a closing"),
        (SIGNED.replace("closed 1", "closed 2"), "contradict each other"),
        (CANCELLED, "cancelled this raffle"),
    ],
    ids=["a message", "no empty line", "another dash", "a line in front", "another closing", "a cancellation"],
)
def test_another_text_is_called_what_it_is(
    said_by_all: SaidByAll, javascript: Javascript, verifier: ModuleType, note: str, said: str
) -> None:
    given = {"proof": json.dumps(DRAND.proof().shape()), "witnessed": [{"note": note, "at": None}]}

    sentences = witnessed(javascript, verifier, given)

    assert said_by_all(given, "witnessed") == {"wrong"}
    assert all(said in sentence for sentence in sentences), sentences
    assert said == "contradict each other" or not any("contradict" in sentence for sentence in sentences)


def witnessed(javascript: Javascript, verifier: ModuleType, given: dict[str, Any]) -> list[str]:
    """Return what each verifier says in the step `witnessed`."""
    by_library = {step.name: step.sentence for step in report_of_the_library(given).steps}
    by_page = {step["name"]: step["sentence"] for step in javascript.steps(given)}
    return [by_library["witnessed"], by_page["witnessed"], checked(verifier, given).outcomes["witnessed"][1]]


def test_one_public_key_under_two_names_is_not_two_witnesses(said_by_all: SaidByAll) -> None:
    again = SignerKey("example.test/again", WITNESS, witness().private)
    proof = DRAND.proof(cosigned=[(witness(), CREATED), (again, CREATED)])

    given = {"proof": json.dumps(proof.shape())}

    assert said_by_all(given, "form") == {"wrong"}


@pytest.mark.parametrize("name", ["a", "b"])
def test_one_key_that_is_named_twice_is_one_witness(said_by_all: SaidByAll, name: str) -> None:
    proof = DRAND.proof(cosigned=[(witness("a"), CREATED)])
    named = [str(witness(each).verifier) for each in ("a", name, name)]

    outcome = "ok" if name == "a" else "not proven"
    assert said_by_all({"proof": json.dumps(proof.shape()), "witnesses": named}, "witnesses") == {outcome}


@pytest.mark.parametrize(("length", "outcome"), [(8_192, "ok"), (8_193, "wrong")])
def test_the_last_line_of_the_leaves_may_have_8192_bytes(said_by_all: SaidByAll, length: int, outcome: str) -> None:
    *lines, last = (leaf_line(leaf) for leaf in DRAND.leaves)
    given = {"proof": json.dumps(DRAND.proof().shape()), "leaves": [*lines, last.ljust(length)]}

    assert said_by_all(given, "leaves") == {outcome}


@pytest.mark.parametrize("announced", [20, 10**12])
@pytest.mark.parametrize(("number", "outcome"), [(19, "ok"), (20, "wrong")])
def test_numbers_of_few_tickets_are_always_counted(
    said_by_all: SaidByAll, announced: int, number: int, outcome: str
) -> None:
    raffle = fair(total_tickets=announced)
    # The operator signed this list, so only its numbers can be wrong.
    [first, second, *others] = raffle.leaves
    assert first.ticket_number == 20
    signed = Written(replace(raffle, leaves=[first, replace(second, ticket_number=number), *others]))
    given = {"proof": json.dumps(signed.proof()), "leaves": [leaf_line(leaf) for leaf in signed.leaves]}

    assert said_by_all(given, "leaves") == {outcome}


def test_an_earlier_list_of_all_tickets_is_the_same_list(said_by_all: SaidByAll) -> None:
    raffle = fair()
    [*leaves, last] = raffle.leaves
    other = Written(replace(raffle, leaves=[*leaves, replace(last, ticket_number=1)]))
    proof = json.dumps(Written(raffle).proof())

    for history, outcome in ((Written(raffle), "ok"), (other, "wrong")):
        # The raffle closed with these tickets, but the receipt is from just before.
        receipt = json.dumps(history.receipt(1, len(raffle.leaves)))
        assert said_by_all({"proof": proof, "receipt": receipt}, "receipt") == {outcome}


def test_a_proof_without_its_forfeits_leaves_them_open(said_by_all: SaidByAll) -> None:
    raffle = Written(fair())
    given = {"proof": json.dumps(raffle.proof() | {"forfeits": None}), "receipt": json.dumps(raffle.receipt(3, 14))}

    assert said_by_all(given, "forfeits") == {"not proven"}
    assert said_by_all(given, "receipt") == {"ok"}


@pytest.mark.parametrize(("listed", "outcome"), [(0, "ok"), (1, "not proven"), (2, "not proven")])
def test_forfeits_rest_on_trust_in_the_operator(said_by_all: SaidByAll, listed: int, outcome: str) -> None:
    proof = Written(fair()).proof()

    assert said_by_all({"proof": json.dumps(proof | {"forfeits": proof["forfeits"][:listed]})}, "forfeits") == {outcome}


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        ("", "ok"),
        (f"closed {CLOSED}\n", "not proven"),
        (f"cancelled {CLOSED}\nreason rain\n", "not proven"),
    ],
    ids=["before the closing", "the closing", "a cancellation"],
)
def test_a_receipt_shows_the_id_only_before_the_closing(said_by_all: SaidByAll, end: str, outcome: str) -> None:
    raffle = Written(fair())
    note = raffle.signed(f"{raffle.checkpoint(14)}{end}")
    given = {"proof": json.dumps(raffle.proof()), "receipt": json.dumps(raffle.receipt(1, 14) | {"checkpoint": note})}

    assert said_by_all(given, "terms") == {outcome}


@pytest.mark.parametrize("count", [9, 90])
def test_an_answer_may_have_anything_next_to_the_receipt(said_by_all: SaidByAll, count: int) -> None:
    receipt = DRAND.receipt(4, 20).shape()
    nested: object = 10**29
    for _ in range(count):
        nested = [{"": nested}, "\ud800"]
    given = {"proof": json.dumps(DRAND.proof().shape()), "receipt": json.dumps({"extra": nested, "receipt": receipt})}

    assert said_by_all(given, "receipt") == {"ok"}
