"""Servers for the faults in this folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults.rush import Start, kill
from tests.live_server import SERVE, LiveServer
from tests.postgresql_server import OwnServer, own_server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `rafflekit serve` on a database; servers that still run at the end are killed."""
    servers: list[LiveServer] = []

    def start(url: str, program: Sequence[str] = SERVE) -> LiveServer:
        environment = {"RAFFLEKIT_DATABASE_URL": url, "MANAGER_IPS": "127.0.0.1"}
        servers.append(LiveServer(Path(), log=tmp_path / "server.log", program=program, **environment))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.returncode is None:
            kill(server)


@pytest.fixture
def postgresql_of_our_own() -> Iterator[OwnServer]:
    """A PostgreSQL server that may be killed, and writes to the disk what it commits."""
    with own_server(fsync="on") as server:
        yield server
