"""Real servers, each in its own process (with its workers) on a free loopback port: `rafflekit serve` and others."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

from tests.databases import KEY
from tests.programs import Program
from tests.waiting import LIMIT_S, wait_until

SERVE = (sys.executable, "-m", "rafflekit", "serve", "--host", "127.0.0.1", "--port", "0")
"""`rafflekit serve`, on waitress unless more arguments say otherwise."""

GUNICORN = (
    *(sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--error-logfile", "/dev/stdout"),
    *("--worker-class", "gthread", "--workers", "2", "--threads", "16", "rafflekit.http.wsgi:application"),
)
"""The command line for gunicorn in the documentation, with a free port and its log on standard output."""


class Answer(NamedTuple):
    """An answer: the status, the headers (lower case), the bytes, and the JSON in them or None."""

    status: int
    headers: dict[str, str]
    body: bytes
    json: Any

    @classmethod
    def of(cls, response: HTTPResponse) -> "Answer":
        body = response.read()
        is_json = "json" in response.headers.get("Content-Type", "") and "Content-Encoding" not in response.headers
        headers = {name.lower(): value for name, value in response.getheaders()}
        return cls(response.status, headers, body, json.loads(body) if is_json and body else None)


def read_answer(connection: socket.socket) -> Answer:
    """Return the next answer on a connection that asked by itself."""
    with closing(HTTPResponse(connection)) as response:
        response.begin()
        return Answer.of(response)


def until_read(*connections: socket.socket) -> None:
    """Wait until the server at the other end has read all that these connections of this machine sent."""
    ends = {(opened.getpeername()[1], opened.getsockname()[1]) for opened in connections}
    wait_until(lambda: ends <= _all_read())


def is_refused(port: int) -> bool:
    """Return whether a port of this machine is closed."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection, suppress(OSError):
            # One at a time: a server that accepts this connection closes it, too.
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        # It stopped listening at this moment.
        return False
    return False


def _all_read() -> set[tuple[int, int]]:
    # proc_pid_net(5): local and remote address, and "sent, not acknowledged:received, not read", all in hexadecimal.
    lines = re.findall(
        r"^ *\d+: \w+:(\w+) \w+:(\w+) \w+ \w+:00000000 ", Path("/proc/net/tcp").read_text(), re.MULTILINE
    )
    return {(int(local, 16), int(remote, 16)) for local, remote in lines}


def surroundings() -> dict[str, str]:
    """Return the environment of the tests without rafflekit's variables."""
    return {name: value for name, value in os.environ.items() if "RAFFLEKIT" not in name and name != "MANAGER_IPS"}


class LiveServer:
    """A server process; `stop` ends it and returns what it printed after its first line, the announcement.

    `arguments` are added to the command line `program`. On PostgreSQL, they have `KEY`.
    """

    def __init__(
        self, database: Path, *arguments: str, log: Path, program: Sequence[str] = SERVE, **environment: str
    ) -> None:
        self.log, self.database = log, database
        # Here, so that what a killed server leaves is deleted with the test's folder.
        environment = {"RAFFLEKIT_DATABASE_URL": f"sqlite:///{database}", "TMPDIR": str(log.parent)} | environment
        if environment["RAFFLEKIT_DATABASE_URL"].startswith("postgresql"):
            key = log.with_suffix(".key")
            key.touch(0o600)
            key.write_text(KEY.write())
            environment = {"RAFFLEKIT_SIGNING_KEY": str(key)} | environment
        with log.open("ab") as stderr:
            self.process = Program(
                [*program, *arguments],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=surroundings() | environment,
            )
        assert self.process.stdout is not None
        self.announcement = next((line for line in self.process.stdout if "http://" in line), "")
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.announcement)
        assert found, f"no address in {self.announcement!r}; {log.read_text()}"
        self.url, self.port = found.group(0), int(found.group(1))

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request on a new connection; underscores in header names become dashes.

        `body` is sent as JSON, or unchanged if it is bytes.
        """
        return self.request_from(None, method, path, body, **headers)

    def request_from(self, source: str | None, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request from the given loopback address (127.0.0.0/8 is one machine on Linux)."""
        connection = HTTPConnection(
            "127.0.0.1", self.port, timeout=60, source_address=None if source is None else (source, 0)
        )
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
            sent = {"Content-Type": "application/json"} | sent
        try:
            # A server may refuse a body before it has read it, and close the connection (RFC 9112, section 9.5).
            with suppress(BrokenPipeError):
                connection.request(method, path, content, sent)
            return Answer.of(connection.getresponse())
        finally:
            connection.close()

    def complaints(self) -> str:
        """Return the log without the line that says what stopped the server."""
        return re.sub(r".*Stopped by .*\n", "", self.log.read_text())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> str:
        """End the server and return what it printed; it must end with status 0."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        printed, _ = self.process.communicate(timeout=LIMIT_S)
        assert self.process.returncode == 0, self.log.read_text()
        return printed


Serve = Callable[..., LiveServer]
"""Start a server with these arguments and environment variables: what the fixture `serve` gives."""
