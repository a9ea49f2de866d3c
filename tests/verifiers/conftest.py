"""The JavaScript verifier, started once."""

from collections.abc import Iterator

import pytest

from tests.verifiers.node import Javascript, node


@pytest.fixture(scope="session")
def javascript() -> Iterator[Javascript]:
    """The page's verifier, in one process of Node for all tests."""
    program = node()
    if program is None:
        pytest.skip("Node runs the page's verifier: install Node 18 or newer (apt-get install nodejs)")
    with Javascript(program) as started:
        yield started
