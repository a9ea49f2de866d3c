"""`rafflekit serve`: one line says where, and the real engine answers."""

import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rafflekit import RaffleEngine
from rafflekit.core.settings import VARIABLES
from tests.cli.conftest import LIMIT_S, Session, Terminal
from tests.live_server import LiveServer

Serve = Callable[..., LiveServer]


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RaffleEngine, Any, dict[str, Any]]]:
    """What `serve` hands to the HTTP face, which does not run."""
    import rafflekit.http.server

    calls: list[tuple[RaffleEngine, Any, dict[str, Any]]] = []

    def run(engine: RaffleEngine, settings: object, **how: Any) -> None:
        calls.append((engine, settings, how))
        how["on_listening"]("http://127.0.0.1:8080")

    monkeypatch.setattr(rafflekit.http.server, "run", run)
    return calls


def test_serve_says_where_in_one_line(terminal: Terminal, wired: object, database_url: str) -> None:
    served = terminal("serve")

    assert served.status == 0
    assert served.out == f"rafflekit serves {database_url} at http://127.0.0.1:8080 (Ctrl-C stops it)\n"
    assert wired


def test_serve_says_that_nobody_is_manager_and_how_to_change_it(
    terminal: Terminal, wired: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned = terminal("serve")
    monkeypatch.setenv("MANAGER_IPS", "127.0.0.1")
    silent = terminal("serve")

    sentence = (
        "MANAGER_IPS is not set, so nobody can create or draw over HTTP; MANAGER_IPS=127.0.0.1 would let this machine."
    )
    assert warned.err == sentence + "\n"
    assert silent.err == ""
    assert wired


def test_serve_wires_up_the_real_thing(terminal: Terminal, wired: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANAGER_IPS", "192.0.2.1")
    monkeypatch.setenv("RAFFLEKIT_ARGON2_MEMORY_KIB", "16")

    terminal("serve --host 0.0.0.0 --port 1234")

    ((engine, settings, how),) = wired
    assert type(engine) is RaffleEngine
    assert engine._entropy is secrets.token_bytes
    assert engine._hasher is settings.code_hasher
    assert "$m=16," in engine._hasher.hash(bytes(15))
    assert [str(network) for network in settings.manager_networks] == ["192.0.2.1/32"]
    assert (how["host"], how["port"]) == ("0.0.0.0", 1234)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_real_server_answers_until_it_is_told_to_stop(serve: Serve, how: signal.Signals) -> None:
    server = serve()

    answer = server.request("GET", "/raffles/")
    printed_after = server.stop(how)

    assert answer.status == 200
    assert server.process.returncode == 0
    assert printed_after == ""
    assert "Traceback" not in server.log.read_text()


def test_serve_takes_the_database_of_its_option(terminal: Terminal, wired: object, tmp_path: Path) -> None:
    served = terminal(f"serve --database-url sqlite:///{tmp_path}/other.db")

    assert f"rafflekit serves sqlite:///{tmp_path}/other.db at " in served.out
    assert (tmp_path / "other.db").exists()
    assert wired


def test_a_port_that_is_taken_is_a_sentence(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        status, out, err = terminal(f"serve --port {port}")

    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"rafflekit: port is '{port}'")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_wrong_usage(terminal: Terminal, port: str) -> None:
    status, out, err = terminal(f"serve --port={port}")

    assert (status, out) == (2, "")
    assert err.startswith("rafflekit: Invalid value for '--port'")


@pytest.mark.parametrize("library", ["falcon", "msgspec", "waitress"])
def test_without_the_http_extra_serve_says_how_to_install_it(library: str) -> None:
    program = f"import sys; sys.modules['{library}'] = None; from rafflekit.cli import main; sys.exit(main(['serve']))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT_S, check=False)

    sentence = f"rafflekit: The HTTP service needs {library}; pip install 'rafflekit[http]' installs it.\n"
    assert Session(done.returncode, done.stdout, done.stderr) == Session(2, "", sentence)


def test_the_help_of_serve_names_every_variable(terminal: Terminal) -> None:
    words = " ".join(terminal("serve --help").out.split())

    for variable in VARIABLES:
        assert f"{variable.name}: {variable.purpose} (without it: {variable.default})." in words


def test_port_0_takes_a_free_port(serve: Serve) -> None:
    first, second = serve(), serve()

    assert first.port != second.port
