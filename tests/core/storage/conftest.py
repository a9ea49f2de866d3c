"""The tests of storage choose their kind of database; the default is SQLite."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.core.storage.past_the_engine import PastTheEngine

# A step for Alembic, not a test.
collect_ignore_glob = ["next_layout/*"]


@pytest.fixture
def database_url(database: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{database}"


@pytest.fixture
def past_the_engine() -> Iterator[Callable[[str], PastTheEngine]]:
    """Open connections to databases past the engine: call it with a URL; they are closed afterwards."""
    with ExitStack() as opened:
        yield lambda url: opened.enter_context(PastTheEngine(url))
