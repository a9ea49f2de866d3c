"""Every test of the engine runs on each kind of database."""

from collections.abc import Iterator

import pytest

from rafflekit import RaffleEngine
from rafflekit.core.protocol.notes import SignerKey
from tests.databases import KINDS, new_database_url, prepare

KEY = SignerKey.make("raffles.example.org")
"""The key of an operator, for modules whose `signing_key` it is."""


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database: a SQLite file, then PostgreSQL."""
    return new_database_url(request)


@pytest.fixture
def signing_key() -> SignerKey | None:
    """The key that the engine is given: None, so it makes its own key on SQLite and has no key on PostgreSQL."""
    return None


@pytest.fixture
def engine(database_url: str, signing_key: SignerKey | None) -> Iterator[RaffleEngine]:
    """An engine on that database, with that key."""
    prepare(database_url)
    with RaffleEngine(database_url, signing_key=signing_key) as opened:
        yield opened
