"""Every test of the engine runs on each kind of database."""

import pytest

from tests.databases import KINDS, new_database_url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database: a SQLite file, then PostgreSQL."""
    return new_database_url(request)
