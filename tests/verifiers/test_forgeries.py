"""Draws that an operator chose among several, with honest witnesses: no verifier calls them proven."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.tamper.making.cases import Given, written
from tests.tamper.making.forgeries import a_closing_for_each_witness, many_ids
from tests.verifiers.conftest import SaidByAll


def given_of(given: Given) -> dict[str, Any]:
    return {name: value for name, value in given.shape().items() if value is not None}


def test_one_of_many_raffles_of_one_name_is_not_proven(said_by_all: SaidByAll) -> None:
    choice = many_ids()

    assert said_by_all(given_of(choice.given), "terms") == {"not proven"}
    assert said_by_all(given_of(choice.given), "witnesses") == {"ok"}


def test_the_receipt_of_another_of_these_raffles_refutes_it(said_by_all: SaidByAll) -> None:
    choice = many_ids()
    other = next(each for each in choice.prepared if each != choice.published)
    given = given_of(replace(choice.given, receipt=written(other.receipt(4, 7).shape())))

    assert said_by_all(given, "receipt") == {"wrong"}
    assert said_by_all(given, "terms") == {"not proven"}


def test_the_id_from_elsewhere_refutes_another_of_these(said_by_all: SaidByAll) -> None:
    choice = many_ids()
    ids = {each == choice.published: str(each.terms.id) for each in choice.prepared}

    assert said_by_all(given_of(replace(choice.given, raffle=ids[False])), "terms") == {"wrong"}
    assert said_by_all(given_of(replace(choice.given, raffle=ids[True])), "terms") == {"ok"}


@pytest.mark.parametrize("step", ["witnesses", "witnessed"])
def test_a_closing_for_each_witness_is_not_proven(said_by_all: SaidByAll, step: str) -> None:
    choice = a_closing_for_each_witness()

    assert said_by_all(given_of(choice.given), step) == {"not proven"}
    # To name only the witness who signed would prove it: the operator must not choose whom people name.
    [signed] = json.loads(choice.given.proof)["witnesses"]
    assert said_by_all(given_of(replace(choice.given, witnesses=[signed])), step) == {"ok"}
