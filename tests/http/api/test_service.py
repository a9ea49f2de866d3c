"""`/healthz` and `/readyz`: what a probe sees when all is well, and in an outage."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from falcon import testing

from rafflekit import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http import wsgi
from rafflekit.http.app import create_app
from tests.live_server import Serve
from tests.postgresql_server import OwnServer, own_server

PROBES = {"/healthz": {"status": "alive"}, "/readyz": {"status": "ready"}}


@pytest.fixture
def stranger(engine: RaffleEngine) -> testing.TestClient:
    """A client at an unknown address that uses an unknown host name, as probes do."""
    return testing.TestClient(create_app(engine, Settings()), headers={"Host": "node-7.internal"})


@pytest.fixture
def own_postgresql() -> Iterator[OwnServer]:
    """A PostgreSQL server that may be stopped."""
    with own_server() as server:
        yield server


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("path", "said"), PROBES.items())
def test_anyone_may_ask_a_probe_and_no_cache_may_answer(
    stranger: testing.TestClient, path: str, said: dict[str, str], slash: str
) -> None:
    answer, head = stranger.simulate_get(path + slash), stranger.simulate_head(path + slash)

    assert (answer.status_code, answer.json, answer.headers["Cache-Control"]) == (200, said, "no-store")
    assert (head.status_code, head.content) == (200, b"")


def test_without_its_database_the_service_is_alive_and_not_ready(
    stranger: testing.TestClient, engine: RaffleEngine, database: Path
) -> None:
    engine.close()

    alive, ready = (stranger.simulate_get(path) for path in PROBES)

    assert alive.status_code == 200
    assert (ready.status_code, ready.json["type"]) == (503, "urn:rafflekit:problem:storage-unavailable")
    assert int(ready.headers["Retry-After"]) > 0
    assert database.name not in ready.text


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "schema-mismatch"),
        ("UPDATE alembic_version SET version_num = '0000'", "schema-mismatch"),
        ("DELETE FROM alembic_version", "schema-mismatch"),
        ("DROP TABLE alembic_version", "storage-unavailable"),
    ],
)
def test_a_layout_that_was_changed_meanwhile_is_not_ready(
    stranger: testing.TestClient, database: Path, change: str, problem: str
) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(change)

    answer = stranger.simulate_get("/readyz")

    assert (answer.status_code, answer.json["type"]) == (503, f"urn:rafflekit:problem:{problem}")
    assert not [word for word in (database.name, "9999", "alembic") if word in answer.text]


def test_a_process_that_cannot_open_its_database_is_alive(database: Path, database_url: str) -> None:
    application = wsgi.ForkSafeApplication({"RAFFLEKIT_DATABASE_URL": database_url})
    client = testing.TestClient(application)
    good = database.read_bytes()
    database.write_bytes(b"no database at all" * 1000)

    broken = [client.simulate_get(path).status_code for path in ("/healthz", "/healthz/", "/readyz", "/metrics")]
    database.write_bytes(good)

    assert broken == [200, 200, 503, 503]
    assert [client.simulate_get(path).status_code for path in PROBES] == [200, 200]


def test_a_service_is_ready_again_when_its_postgresql_is_back(own_postgresql: OwnServer, serve: Serve) -> None:
    live = serve(RAFFLEKIT_DATABASE_URL=own_postgresql.url())
    seen = []
    for change in (lambda: None, own_postgresql.stop, own_postgresql.start):
        change()
        seen.append([live.request("GET", path).status for path in PROBES])

    assert seen[:2] == [[200, 200], [200, 503]]
    # A broken connection may go unnoticed until it is first used.
    assert live.request("GET", "/readyz").status == 200
