"""Falsified documents are refused, each at the right step, and honest ones are not."""

import json
from pathlib import Path
from typing import Any

import pytest

from rafflekit.core.protocol.audit import STEPS, Witnessed, audit, selftest
from tests.tamper.making import first_wrong_step

FROZEN = Path(selftest.__file__).parent / "frozen"
BASES = json.loads((FROZEN / "bases.json").read_text())
CASES = json.loads((FROZEN / "cases.json").read_text())


def given_of(base: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    given = base | changed
    return given | {"witnessed": [Witnessed(**copy) for copy in given["witnessed"]]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_falsified_documents_are_refused_at_the_right_step(case: dict[str, Any]) -> None:
    report = audit(**given_of(BASES[case["base"]], case["given"]))

    assert first_wrong_step(report) == case["step"]
    assert not report.good
    # After a wrong step among the first four, nothing else is checked, so nothing else is called good.
    names = [step.name for step in report.steps]
    assert names == list(STEPS[: STEPS.index(case["step"]) + 1]) or STEPS.index(case["step"]) > 3
    assert all(step.sentence.endswith(".") and not step.sentence.endswith("..") for step in report.steps)


@pytest.mark.parametrize("base", BASES)
def test_the_documents_behind_the_cases_are_good(base: str) -> None:
    report = audit(**given_of(BASES[base], {}))

    assert report.good
    assert [step.name for step in report.steps] == list(STEPS)


def test_the_catalogue_tries_every_step_and_no_case_twice() -> None:
    assert {case["step"] for case in CASES} == set(STEPS)
    assert len({case["name"] for case in CASES}) == len(CASES) >= 40
    assert len({json.dumps([case["base"], case["given"]]) for case in CASES}) == len(CASES)
    assert all(case["given"] for case in CASES)
