"""The three verifiers."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.verifiers.node import Javascript, node
from tests.verifiers.standalone import loaded, outcomes, outcomes_of_the_library, without_consistency

SaidByAll = Callable[[dict[str, Any], str], set[str | None]]
"""Returns the outcomes of a step in the three verifiers."""


@pytest.fixture(scope="session")
def javascript() -> Iterator[Javascript]:
    """The page's verifier, in one process of Node for all tests."""
    program = node()
    if program is None:
        pytest.skip("Node runs the page's verifier: install Node 18 or newer (apt-get install nodejs)")
    with Javascript(program) as started:
        yield started


@pytest.fixture(scope="session")
def verifier() -> ModuleType:
    """`verify_draw.py` as a module that checks no signature twice."""
    return loaded()


@pytest.fixture
def said_by_all(javascript: Javascript, verifier: ModuleType) -> SaidByAll:
    """Ask the three verifiers how a step ends."""

    def ask(given: dict[str, Any], step: str) -> set[str | None]:
        known = without_consistency(given)
        ends = (outcomes_of_the_library(known), outcomes(verifier, known), javascript.audit(known))
        return {end.get(step) for end in ends}

    return ask
