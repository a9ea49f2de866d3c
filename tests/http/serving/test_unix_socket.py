"""A Unix socket for a proxy on this machine: its file, and both servers on it."""

import grp
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from rafflekit import InvalidSetting, RaffleEngine
from rafflekit.core.settings import ProxyHeader
from rafflekit.http.serving import CannotServe, UnixSocket, granian_server
from rafflekit.http.serving.listening import STOP_LIMIT_S
from rafflekit.http.serving.unix_socket import listening_unix_socket
from tests.http.conftest import RAFFLE
from tests.live_server import Answer, surroundings
from tests.programs import Program

MANAGER = "192.0.2.7"
SERVERS = {"waitress": (), "granian": ("--server", "granian", "--workers", "2")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the socket is made."""
    return tmp_path / "rafflekit.sock"


def left_behind(path: Path) -> None:
    """Leave the file of a socket whose server is gone."""
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))


def test_only_the_owner_and_the_group_may_open_it(path: Path) -> None:
    group = grp.getgrgid(os.getegid()).gr_name

    with listening_unix_socket(UnixSocket(path, group)):
        found = path.stat()

    assert stat.filemode(found.st_mode) == "srw-rw----"
    assert found.st_gid == os.getegid()


def test_a_socket_is_removed_at_the_end(path: Path) -> None:
    with pytest.raises(KeyError), listening_unix_socket(UnixSocket(path)):
        raise KeyError

    assert not path.exists()


def test_the_socket_of_a_killed_server_is_replaced(path: Path) -> None:
    left_behind(path)

    with listening_unix_socket(UnixSocket(path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_the_socket_of_a_running_server_is_kept(path: Path) -> None:
    with listening_unix_socket(UnixSocket(path)) as listener:
        # Its queue is full, so that no one can connect at the moment.
        listener.listen(0)
        with socket.socket(socket.AF_UNIX) as waiting:
            waiting.connect(str(path))
            with pytest.raises(CannotServe, match=r"^Another server is listening at "):
                listening_unix_socket(UnixSocket(path)).__enter__()

        assert path.is_socket()


def test_a_socket_that_replaced_this_one_is_kept(path: Path) -> None:
    stopping, successor = (listening_unix_socket(UnixSocket(path)) for _ in range(2))
    stopping.__enter__().close()
    with successor:
        stopping.__exit__(None, None, None)

        assert path.is_socket()


@pytest.mark.parametrize("what", ["file", "folder", "link to a socket", "link to nothing"])
def test_what_is_not_a_socket_is_never_deleted(path: Path, what: str) -> None:
    other = path.with_name("other.sock")
    if what == "file":
        path.write_text("precious")
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to(other)
    if what == "link to a socket":
        left_behind(other)

    with pytest.raises(CannotServe, match=r"^There is something other than a socket at "):
        listening_unix_socket(UnixSocket(path)).__enter__()

    assert path.is_symlink() == what.startswith("link")
    assert other.is_socket() == (what == "link to a socket")
    assert path.is_file() == (what == "file")


@pytest.mark.parametrize("rights", [0o777, 0o1777])
def test_a_socket_that_others_could_replace_is_refused(path: Path, rights: int) -> None:
    path.parent.chmod(rights)

    with pytest.raises(CannotServe, match=r"^The socket '.*' would not be private: other users can "):
        listening_unix_socket(UnixSocket(path)).__enter__()

    assert not path.exists()


def test_another_users_socket_is_never_deleted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left_behind(path)
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)

    with pytest.raises(CannotServe, match=r"^The socket '.*' belongs to another user; "):
        listening_unix_socket(UnixSocket(path)).__enter__()

    assert path.is_socket()


def test_a_path_that_cannot_be_a_socket_says_why(path: Path) -> None:
    for wrong, reason in (
        (path / "none" / "it.sock", "No such file or directory"),
        (path.with_name("x" * 200), "AF_UNIX path too long"),
    ):
        with pytest.raises(CannotServe, match=f"^The socket '.*' cannot be created: {reason}\\.$"):
            listening_unix_socket(UnixSocket(wrong)).__enter__()


def test_a_group_that_does_not_exist_is_named(path: Path) -> None:
    with pytest.raises(CannotServe, match=r"^This system has no group 'no such group'\.$"):
        listening_unix_socket(UnixSocket(path, "no such group")).__enter__()

    assert not path.exists()


def test_a_group_of_others_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(shutil, "chown", refuse)

    with pytest.raises(CannotServe, match=r"^The socket cannot be given to the group 'staff', because "):
        listening_unix_socket(UnixSocket(path, "staff")).__enter__()


def test_a_system_without_unix_sockets_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")

    with pytest.raises(CannotServe, match=r"^This system has no Unix sockets; use --host and --port\.$"):
        listening_unix_socket(UnixSocket(path)).__enter__()


class ByPath(HTTPConnection):
    """A connection to a server on a Unix socket, as a proxy opens it."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@contextmanager
def served(path: Path, *arguments: str) -> Iterator["Program"]:
    """Serve on a Unix socket; give the process."""
    environment = {
        "RAFFLEKIT_DATABASE_URL": f"sqlite:///{path.parent}/raffles.db",
        "RAFFLEKIT_PROXY_HEADER": ProxyHeader.FORWARDED,
        "MANAGER_IPS": MANAGER,
    }
    process = Program(
        [sys.executable, "-m", "rafflekit", "serve", "--unix-socket", str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=surroundings() | environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ask(path: Path, method: str, url: str, body: bytes | None = None, **headers: str) -> Answer:
    """Send a request; underscores in header names become dashes."""
    with closing(ByPath(path)) as connection:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, url, body, {"Content-Type": "application/json"} | sent)
        return Answer.of(connection.getresponse())


@pytest.mark.parametrize("arguments", SERVERS.values(), ids=SERVERS)
def test_everyone_who_opens_the_socket_is_a_trusted_proxy(path: Path, arguments: tuple[str, ...]) -> None:
    body = json.dumps(RAFFLE).encode()
    with served(path, *arguments) as process:
        assert process.stdout is not None
        assert process.stdout.readline().endswith(f" at unix:{path} (Ctrl-C stops it)\n")

        created = ask(path, "POST", "/raffles/", body, Forwarded=f"for={MANAGER}")
        assert created.status == 201
        ticket = f"/raffles/{created.json['id']}/participate/"
        assert [ask(path, "POST", ticket, Forwarded=f"for=203.0.113.{who}").status for who in (1, 1)] == [201, 403]
        assert ask(path, "POST", "/raffles/", body, Forwarded="for=203.0.113.1").status == 403

        # Without the header, there is no address.
        assert ask(path, "POST", "/raffles/", body).status == 403
        refused = ask(path, "POST", ticket)
        assert (refused.status, "sent no Forwarded header" in refused.json["detail"]) == (400, True)

        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_LIMIT_S) == 0
        assert not path.exists()


def test_granian_needs_a_header_without_a_dash_there(path: Path, engine: RaffleEngine) -> None:
    where = {"host": "", "port": 0, "unix_socket": UnixSocket(path)}

    with pytest.raises(InvalidSetting, match=r"^RAFFLEKIT_PROXY_HEADER is 'X-Forwarded-For': Granian confuses "):
        granian_server.run_granian(engine, {}, **where, workers=1, on_listening=print)
