"""The engine of the tests of reports."""

from collections.abc import Iterator

import pytest

from tests.html.paper.fairs import Fair


@pytest.fixture
def fair(database_url: str) -> Iterator[Fair]:
    """An engine on an empty database."""
    made = Fair(database_url)
    with made.engine:
        yield made
