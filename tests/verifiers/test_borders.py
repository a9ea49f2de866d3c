"""Limits of the protocol, on which all three verifiers agree."""

import json
from types import ModuleType
from typing import Any

import pytest

from rafflekit.core.protocol.entropy.drand import time_of
from rafflekit.core.protocol.notes import WITNESS, SignerKey
from tests.vectors.examples import BEACON_ROUND, example, witness
from tests.verifiers.node import Javascript
from tests.verifiers.test_standalone import loaded, outcomes, outcomes_of_the_library

DRAND = example("drand")
CREATED = int(DRAND.terms.created_at.timestamp())
BEACON = time_of(BEACON_ROUND)


@pytest.fixture
def standalone() -> ModuleType:
    """`verify_draw.py` as a module."""
    return loaded()


def said_by_all(given: dict[str, Any], step: str, *, javascript: Javascript, standalone: ModuleType) -> set[str | None]:
    """The outcomes of a step in the three verifiers."""
    ends = (outcomes_of_the_library(given), outcomes(standalone, given), javascript.audit(given))
    return {end.get(step) for end in ends}


@pytest.mark.parametrize(
    ("time", "outcome"),
    [(CREATED - 1, "not proven"), (CREATED, "ok"), (BEACON - 1, "ok"), (BEACON, "wrong")],
    ids=["before the raffle", "as it begins", "before the beacon", "as the beacon comes"],
)
def test_a_witness_counts_between_creation_and_beacon(
    javascript: Javascript, standalone: ModuleType, time: int, outcome: str
) -> None:
    proof = DRAND.proof(cosigned=[(witness(), time)])
    given = {"proof": json.dumps(proof.shape()), "witnesses": [str(witness().verifier)]}

    assert said_by_all(given, "witnessed", javascript=javascript, standalone=standalone) == {outcome}


def test_one_public_key_under_two_names_is_not_two_witnesses(javascript: Javascript, standalone: ModuleType) -> None:
    again = SignerKey("example.test/again", WITNESS, witness().private)
    proof = DRAND.proof(cosigned=[(witness(), CREATED), (again, CREATED)])

    given = {"proof": json.dumps(proof.shape())}

    assert said_by_all(given, "form", javascript=javascript, standalone=standalone) == {"wrong"}
