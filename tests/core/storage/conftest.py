"""The tests of storage say themselves which kind of database they are about; without a word, it is SQLite."""

from pathlib import Path

import pytest


@pytest.fixture
def database_url(database: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{database}"
