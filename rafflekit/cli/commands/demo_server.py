"""The demo's processes: a real server, requests to it from many addresses, and the manager's commands.

The demo takes the place of a reverse proxy: the server trusts 127.0.0.1 to say where a request comes from.
The addresses are reserved for documentation (RFC 5737, RFC 3849), so no one has them.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from rafflekit.cli.failures import CommandStopped
from rafflekit.core.settings import DATABASE_URL, TRUSTED_PROXIES, VARIABLES

MOST_ADDRESSES = 500
"""The number of addresses that `address` can return: 203.0.113.0/24 is small, and half of them are in it."""

COMMAND = ("rafflekit", "serve", "--port", "0")
"""The command line that starts the server."""

_STOP_LIMIT_S = 10
_ANSWER_LIMIT_S = 30
_PORT = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Answer:
    """An answer of the server: the status, and the JSON of the body."""

    status: int
    json: Any

    def __str__(self) -> str:
        detail = self.json.get("detail", "") if isinstance(self.json, dict) else ""
        return f"{self.status} {detail}".rstrip()


@dataclass(frozen=True)
class DemoServer:
    """A running server; `announcement` is the line that it printed."""

    announcement: str
    port: int

    def request(self, method: str, path: str, body: object = None, *, address: str) -> Answer:
        """Send a request as a proxy would for the client `address`, and return the answer."""
        headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_LIMIT_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read()))
        finally:
            connection.close()


@dataclass(frozen=True)
class ManagersTerminal:
    """Runs the manager's commands on the demo's database, each in its own process."""

    database_url: str

    def ask(self, command: Sequence[str]) -> Any:
        """Run a command of rafflekit that prints JSON, and return what it printed.

        Raises:
            CommandStopped: it failed.
        """
        done = self._run(command, capture_output=True, text=True)
        if done.returncode:
            raise CommandStopped(done.stderr.strip().removeprefix("rafflekit: "), status=done.returncode)
        return json.loads(done.stdout)

    def show(self, command: Sequence[str]) -> None:
        """Run a command of rafflekit that prints to the demo's own terminal."""
        sys.stdout.flush()
        self._run(command)

    def _run(self, command: Sequence[str], **how: Any) -> "subprocess.CompletedProcess[str]":
        arguments = [sys.executable, "-m", *command]
        return subprocess.run(arguments, env=_environment(self.database_url), check=False, **how)  # noqa: S603


def address(participant: int) -> str:
    """Return the address of participant 0, 1, … `MOST_ADDRESSES` - 1: alternately IPv4 and IPv6 (each in its /64)."""
    half, is_ipv6 = divmod(participant, 2)
    return f"2001:db8:0:{half + 1:x}::1" if is_ipv6 else f"203.0.113.{half + 1}"


@contextmanager
def running_server(database_url: str, *, log: Path) -> Iterator[DemoServer]:
    """Start a server on this database and a free port; stop it at the end.

    Raises:
        CommandStopped: it does not start; the message is its own.
    """
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", *COMMAND],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=_environment(database_url),
        )
    try:
        yield _announced(process, log)
    finally:
        _stop(process)


def _environment(database_url: str) -> dict[str, str]:
    environment = os.environ.copy()
    for variable in VARIABLES:
        environment.pop(variable.name, None)
    return environment | {DATABASE_URL.name: database_url, TRUSTED_PROXIES.name: "127.0.0.1"}


def _announced(process: subprocess.Popen[str], log: Path) -> DemoServer:
    assert process.stdout is not None
    announcement = process.stdout.readline().strip()
    port = _PORT.search(announcement)
    if port is None:
        status = process.wait(_STOP_LIMIT_S)
        reason = log.read_text(errors="replace").strip().rpartition("\n")[2].removeprefix("rafflekit: ")
        raise CommandStopped(reason or "The demo's server did not start.", status=status)
    return DemoServer(announcement, int(port.group(1)))


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.stdout is not None
    process.stdout.close()
