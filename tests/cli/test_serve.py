"""`rafflekit serve`: one line says where, and the real engine answers."""

import json
import os
import pty
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from rafflekit import RaffleEngine
from rafflekit.core.protocol.codes import spell
from rafflekit.core.settings import VARIABLES
from rafflekit.http.monitoring.log_lines import Log, requests_are_logged
from rafflekit.http.serving import UnixSocket, Urls
from tests.cli.conftest import Process, Session, Terminal
from tests.databases import PostgresqlServer
from tests.live_server import SERVE, LiveServer
from tests.programs import Program
from tests.waiting import LIMIT_S

Serve = Callable[..., LiveServer]


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RaffleEngine, Any, dict[str, Any]]]:
    """What `serve` hands to the HTTP face, which does not run."""
    import rafflekit.http.serving.waitress_server

    calls: list[tuple[RaffleEngine, Any, dict[str, Any]]] = []

    def run(engine: RaffleEngine, settings: object, **how: Any) -> None:
        calls.append((engine, settings, how))
        how["on_listening"](Urls("http://127.0.0.1:8080", None))

    monkeypatch.setattr(rafflekit.http.serving.waitress_server, "run_waitress", run)
    return calls


@pytest.fixture
def wired_to_granian(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """What `serve` hands to Granian, which does not run: an environment, and where to listen."""
    import rafflekit.http.serving.granian_server

    calls: list[tuple[dict[str, str], dict[str, Any]]] = []

    def run(_engine: RaffleEngine, environment: dict[str, str], **how: Any) -> None:
        calls.append((environment, how))
        how["on_listening"](Urls("http://127.0.0.1:8080", None))

    monkeypatch.setattr(rafflekit.http.serving.granian_server, "run_granian", run)
    return calls


def test_serve_says_where_in_one_line(terminal: Terminal, wired: object, database_url: str) -> None:
    served = terminal("serve")

    assert served.status == 0
    assert served.out == f"rafflekit serves {database_url} at http://127.0.0.1:8080 (Ctrl-C stops it)\n"
    assert wired


def test_serve_says_where_other_machines_reach_it(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = "http://<this machine's address>:8080"
    monkeypatch.setattr(
        "rafflekit.http.serving.waitress_server.run_waitress",
        lambda *_, on_listening, **__: on_listening(Urls("http://127.0.0.1:8080", elsewhere)),
    )

    first, second = terminal("serve --host 0.0.0.0").out.splitlines()

    assert first.endswith(" at http://127.0.0.1:8080 (Ctrl-C stops it)")
    assert second == f"Other machines reach it at {elsewhere}"


def test_serve_says_when_there_is_no_manager(
    terminal: Terminal, wired: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned = terminal("serve")
    monkeypatch.setenv("MANAGER_IPS", "127.0.0.1")
    silent = terminal("serve")

    sentence = (
        "MANAGER_IPS is not set, so no one can create or draw over HTTP; set MANAGER_IPS=127.0.0.1 to allow this "
        "machine."
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
    assert engine._random_bytes is secrets.token_bytes
    assert engine._hasher is settings.code_hasher
    assert "$m=16," in engine._hasher.hash_all([spell(bytes(15))])[0]
    assert [str(network) for network in settings.manager_networks] == ["192.0.2.1/32"]
    assert (how["host"], how["port"]) == ("0.0.0.0", 1234)


def test_granian_gets_the_database_of_the_option(
    terminal: Terminal, wired_to_granian: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANAGER_IPS", "192.0.2.1")
    url = f"sqlite:///{tmp_path}/other.db"

    served = terminal(f"serve --server granian --workers 3 --host 0.0.0.0 --port 1234 --database-url {url}")

    ((environment, how),) = wired_to_granian
    assert served == (0, f"rafflekit serves {url} at http://127.0.0.1:8080 (Ctrl-C stops it)\n", "")
    assert environment == os.environ | {"RAFFLEKIT_DATABASE_URL": url}
    assert (how["host"], how["port"], how["workers"]) == ("0.0.0.0", 1234, 3)
    assert (tmp_path / "other.db").exists()


def test_granian_has_one_worker_unless_more_are_asked_for(terminal: Terminal, wired_to_granian: list[Any]) -> None:
    assert terminal("serve --server granian").status == 0

    ((environment, how),) = wired_to_granian
    assert environment == os.environ
    assert how["workers"] == 1


def test_waitress_refuses_several_workers_and_says_what_to_do(terminal: Terminal, wired: list[Any]) -> None:
    refused = terminal("serve --workers 2")

    sentence = "rafflekit: waitress is one process, so --workers 2 needs --server granian.\n"
    assert refused == Session(2, "", sentence)
    assert not wired


@pytest.mark.parametrize("server", ["waitress", "granian"])
def test_a_unix_socket_replaces_host_and_port(
    terminal: Terminal, wired: list[Any], wired_to_granian: list[Any], server: str
) -> None:
    terminal(f"serve --server {server} --unix-socket /run/rafflekit.sock --unix-socket-group www-data")
    terminal(f"serve --server {server} --unix-socket here.sock")

    places = [how["unix_socket"] for *_, how in (*wired, *wired_to_granian)]
    assert places == [UnixSocket(Path("/run/rafflekit.sock"), "www-data"), UnixSocket(Path("here.sock"))]


def test_a_group_without_a_unix_socket_is_wrong_usage(terminal: Terminal, wired: list[Any]) -> None:
    refused = terminal("serve --unix-socket-group www-data")

    assert refused == Session(2, "", "rafflekit: --unix-socket-group needs --unix-socket.\n")
    assert not wired


@pytest.mark.parametrize("option", ["--server gunicorn", "--workers 0", "--workers 129", "--workers many"])
def test_an_invalid_server_or_number_of_workers_is_wrong_usage(terminal: Terminal, option: str) -> None:
    status, out, err = terminal(f"serve {option}")

    assert (status, out) == (2, "")
    assert err.startswith(f"rafflekit: Invalid value for '{option.partition(' ')[0]}'")


@pytest.mark.parametrize(
    ("variable", "value", "status"),
    [
        ("MANAGER_IPS", "everyone", 2),
        ("RAFFLEKIT_PROXY_HEADER", "Via", 2),
        ("RAFFLEKIT_TRUSTED_PROXIES", "127.0.0.1", 2),
        ("RAFFLEKIT_DATABASE_URL", "sqlite:////no/such/folder/raffles.db", 3),
    ],
)
def test_granian_starts_no_worker_with_wrong_settings(process: Process, variable: str, value: str, status: int) -> None:
    settings = {"MANAGER_IPS": "192.0.2.1", variable: value}

    ended = process("serve --server granian --port 0", **settings)

    assert (ended.status, ended.out) == (status, "")
    assert re.fullmatch(r"rafflekit: .*\n", ended.err)


def test_granian_on_a_port_that_is_taken_is_a_sentence(process: Process) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        status, out, err = process(f"serve --server granian --port {port}")

    assert (status, out) == (2, "")
    assert err == f"rafflekit: Port {port} of 127.0.0.1 is already in use; choose another port.\n"


def test_granian_notices_another_granian_on_its_port(process: Process, serve: Serve) -> None:
    running = serve("--server", "granian")

    ended = process(f"serve --server granian --port {running.port}")

    assert ended.status == 2
    assert running.request("GET", "/raffles/").status == 200


@pytest.mark.parametrize("options", ["", "--log-format json", "--log-format human"])
@pytest.mark.parametrize("is_watched", [False, True])
def test_requests_are_logged_on_demand_or_on_a_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, options: str, is_watched: bool
) -> None:
    import rafflekit.http.serving.waitress_server

    logged: list[bool] = []
    monkeypatch.setattr(
        rafflekit.http.serving.waitress_server, "run_waitress", lambda *_, **__: logged.append(requests_are_logged())
    )
    monkeypatch.setattr("rafflekit.cli.terminal.is_terminal", lambda _: is_watched)

    assert terminal(f"serve {options}").status == 0

    assert logged == [bool(options) or is_watched]
    assert not requests_are_logged()


def test_granian_gets_the_form_of_the_log(terminal: Terminal, wired_to_granian: list[Any]) -> None:
    terminal("serve --server granian")
    terminal("serve --server granian --log-format json")

    assert [how["log"] for _, how in wired_to_granian] == [Log("human", requests=False), Log("json", requests=True)]


def test_a_log_for_programs_has_no_line_for_people(terminal: Terminal, wired: object, wired_to_granian: object) -> None:
    for server in ("waitress", "granian"):
        [line] = map(json.loads, terminal(f"serve --server {server} --log-format json").err.splitlines())
        assert line["level"] == "warning"
        assert "MANAGER_IPS is not set" in line["message"]
    assert wired
    assert wired_to_granian


def test_an_unknown_form_of_log_is_wrong_usage(terminal: Terminal) -> None:
    status, out, err = terminal("serve --log-format xml")

    assert (status, out) == (2, "")
    assert err.startswith("rafflekit: Invalid value for '--log-format'")


def test_on_a_terminal_a_server_shows_the_requests(database_url: str) -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"RAFFLEKIT_DATABASE_URL": database_url, "TERM": "xterm"}
    process = Program(SERVE, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment)
    os.close(theirs)
    assert process.stdout is not None
    port = process.stdout.readline().rpartition(":")[2].split()[0]
    with closing(HTTPConnection("127.0.0.1", int(port), timeout=LIMIT_S)) as connection:
        connection.request("GET", "/raffles/")
        assert connection.getresponse().status == 200
    process.terminate()
    process.communicate(timeout=LIMIT_S)
    # Little enough for the terminal to have kept it all.
    shown, stopped = os.read(ours, 4096).decode().splitlines()[-2:]
    os.close(ours)

    assert re.fullmatch(r"\S+Z 200 GET /raffles \d+\.\d ms 127\.0\.0\.0/24", shown)
    assert stopped.endswith("Z INFO Stopped by SIGTERM.")


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
    assert err == f"rafflekit: Port {port} of 127.0.0.1 is already in use; choose another port.\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_an_invalid_port_is_wrong_usage(terminal: Terminal, port: str) -> None:
    status, out, err = terminal(f"serve --port={port}")

    assert (status, out) == (2, "")
    assert err.startswith("rafflekit: Invalid value for '--port'")


@pytest.mark.parametrize(
    ("library", "server", "extra"),
    [
        ("falcon", "waitress", "http"),
        ("msgspec", "waitress", "http"),
        ("prometheus_client", "waitress", "http"),
        ("waitress", "waitress", "http"),
        ("falcon", "granian", "http"),
        ("granian", "granian", "granian"),
    ],
)
def test_without_the_extra_serve_says_how_to_install_it(library: str, server: str, extra: str) -> None:
    program = (
        f"import sys; sys.modules['{library}'] = None; from rafflekit.cli import main; "
        f"sys.exit(main(['serve', '--server', '{server}']))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT_S, check=False)

    needed = f"The HTTP service needs the extra '{extra}'."
    advice = f"In the clone of rafflekit, run: pip install '.[{extra}]'"
    assert Session(done.returncode, done.stdout, done.stderr) == Session(2, "", f"rafflekit: {needed} {advice}\n")


def test_the_help_of_serve_names_every_variable(terminal: Terminal) -> None:
    words = " ".join(terminal("serve --help").out.split())

    for variable in VARIABLES:
        assert f"{variable.name}: {variable.purpose} (default: {variable.default})." in words


def test_port_0_takes_a_free_port(serve: Serve) -> None:
    first, second = serve(), serve()

    assert first.port != second.port


@pytest.mark.parametrize("server", ["waitress", "granian"])
def test_on_a_shared_database_a_server_needs_a_key(
    terminal: Terminal, wired: list[Any], wired_to_granian: list[Any], postgresql: PostgresqlServer, server: str
) -> None:
    served = terminal(f"serve --server {server} --database-url {postgresql.new_url()}")

    assert (served.status, served.out) == (2, "")
    assert served.err == (
        "rafflekit: RAFFLEKIT_SIGNING_KEY is not set: it must name the key that signs the receipts, the same for all "
        "servers of a shared database; 'rafflekit key make FILE' makes one.\n"
    )
    assert not wired + wired_to_granian


@pytest.mark.parametrize("command", ["serve", "list"])
def test_a_key_that_is_not_there_is_named_and_not_the_database(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("RAFFLEKIT_SIGNING_KEY", str(tmp_path / "nowhere"))

    stopped = terminal(command)

    assert stopped.status == 2
    assert stopped.err.startswith(
        f"rafflekit: RAFFLEKIT_SIGNING_KEY is '{tmp_path / 'nowhere'}': the key cannot be read"
    )
