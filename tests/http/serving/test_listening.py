"""What both servers do inside a process that calls them: where they listen, and how they stop."""

import errno
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable
from typing import Literal

import pytest

from rafflekit import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http.serving import CannotServe, Log, Urls, granian_server, waitress_server
from rafflekit.http.serving.listening import listening_socket, log_stop, urls_of
from tests import programs

Run = Callable[..., None]


@pytest.fixture(params=["waitress", "granian"])
def run(request: pytest.FixtureRequest, engine: RaffleEngine, database_url: str) -> Run:
    """Run each server on the test's database: `run(host=…, port=…, on_listening=…)`."""

    def on_waitress(**where: object) -> None:
        waitress_server.run_waitress(engine, Settings(), **where)

    def on_granian(**where: object) -> None:
        environment = os.environ | {"RAFFLEKIT_DATABASE_URL": database_url}
        granian_server.run_granian(engine, environment, workers=1, **where)

    return {"waitress": on_waitress, "granian": on_granian}[request.param]


@pytest.mark.parametrize("server_name", ["waitress", "granian"])
def test_a_server_gives_a_process_its_signals_back(server_name: str, database_url: str) -> None:
    program = [sys.executable, "-m", "tests.http.serving.embedded", server_name, database_url]
    done = programs.run(program, text=True)

    assert done.returncode == 0, done.stderr
    host, _, port = done.stdout.strip().rpartition(":")
    assert host == "http://127.0.0.1"
    assert int(port) > 0


def test_a_failing_announcement_closes_the_port_again(run: Run) -> None:
    found = []

    def broken(urls: Urls) -> None:
        found.append(urls.here)
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run(host="127.0.0.1", port=0, on_listening=broken)
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", int(found[0].rpartition(":")[2]))),
    ):
        pass


@pytest.mark.parametrize(("host", "loopback"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("[::]", "[::1]")])
def test_a_server_on_every_address_has_a_url_to_type(host: str, loopback: str) -> None:
    with listening_socket(host, 0) as listener:
        port = listener.getsockname()[1]

        assert urls_of(listener) == (f"http://{loopback}:{port}", f"http://<this machine's address>:{port}")


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("[::1]", "[::1]")])
def test_a_server_on_one_address_has_one_url(host: str, shown: str) -> None:
    with listening_socket(host, 0) as listener:
        assert urls_of(listener) == (f"http://{shown}:{listener.getsockname()[1]}", None)


def test_a_port_in_use_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CannotServe, match=rf"^Port {port} of 127\.0\.0\.1 is already in use; choose another port\.$"
        ):
            run(host="127.0.0.1", port=port, on_listening=print)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_reserved_port_is_refused_as_such(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(socket, "create_server", refuse)

    with pytest.raises(CannotServe, match=r"^Port 80 of 127\.0\.0\.1 may only be used by an administrator; "):
        listening_socket("127.0.0.1", 80)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a..b", "", "1.2.3.4.5"])
def test_an_unknown_host_is_named(run: Run, host: str) -> None:
    with pytest.raises(CannotServe, match=f"^The host '{re.escape(host)}' is not an address of this machine"):
        run(host=host, port=0, on_listening=print)


def test_another_machines_address_is_refused(run: Run) -> None:
    with pytest.raises(CannotServe, match=r"^The host '192\.0\.2\.1' is not an address of this machine"):
        run(host="192.0.2.1", port=0, on_listening=print)


@pytest.mark.parametrize(
    ("number", "stop"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")], ids=["SIGINT", "SIGTERM"]
)
@pytest.mark.parametrize("form", ["human", "json"])
def test_a_stop_is_one_line_of_the_log(
    form: Literal["human", "json"], number: int, stop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Log(form).written():
        log_stop(number)

    [line] = capsys.readouterr().err.splitlines()
    if form == "json":
        written = json.loads(line)
        assert (written["level"], written["message"]) == ("info", f"Stopped by {stop}.")
    else:
        assert line.endswith(f"Z INFO Stopped by {stop}.")
