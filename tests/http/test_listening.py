"""What the servers do alike inside a process that calls them: where they listen, and how they leave it."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from rafflekit import InvalidSetting, RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http.serving import granian_server, waitress_server

Run = Callable[..., None]


@pytest.fixture(params=["waitress", "granian"])
def run(request: pytest.FixtureRequest, engine: RaffleEngine, database_url: str) -> Run:
    """Run each server on the test's database: `run(host=…, port=…, on_listening=…)`."""

    def on_waitress(**where: object) -> None:
        waitress_server.run(engine, Settings(), **where)

    def on_granian(**where: object) -> None:
        granian_server.run(os.environ | {"RAFFLEKIT_DATABASE_URL": database_url}, workers=1, **where)

    return {"waitress": on_waitress, "granian": on_granian}[request.param]


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("[::1]", "[::1]")])
@pytest.mark.parametrize("server_name", ["waitress", "granian"])
def test_it_runs_and_stops_inside_a_process_and_gives_its_signals_back(
    server_name: str, host: str, shown: str, database_url: str
) -> None:
    program = [sys.executable, "-m", "tests.http.embedded", server_name, host, database_url]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    url = done.stdout.strip()
    assert url.startswith(f"http://{shown}:")
    assert int(url.rpartition(":")[2]) > 0


def test_a_failing_announcement_closes_the_port_again(run: Run) -> None:
    urls = []

    def broken(url: str) -> None:
        urls.append(url)
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run(host="127.0.0.1", port=0, on_listening=broken)
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", int(urls[0].rpartition(":")[2]))),
    ):
        pass


def test_a_port_in_use_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidSetting, match=f"port is '{port}'"):
            run(host="127.0.0.1", port=port, on_listening=print)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a..b", "", "1.2.3.4.5"])
def test_a_host_that_is_none_is_named(run: Run, host: str) -> None:
    with pytest.raises(InvalidSetting, match="host is"):
        run(host=host, port=0, on_listening=print)


def test_another_machines_address_is_refused(run: Run) -> None:
    with pytest.raises(InvalidSetting, match=r"host is '192\.0\.2\.1'"):
        run(host="192.0.2.1", port=0, on_listening=print)
