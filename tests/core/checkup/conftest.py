"""A check-up's databases are filled in many ways, so they begin without tables."""

import pytest

from tests.databases import KINDS, new_database_url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new database: a SQLite file, then PostgreSQL."""
    return new_database_url(request)
