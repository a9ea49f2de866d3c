"""Server processes: `rafflekit serve`, and the empty endpoint on the same server with the same settings."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from benchmarks.baselines import empty_falcon
from rafflekit.core.settings import DATABASE_URL, METRICS_IPS, PROXY_HEADER, SIGNING_KEY, TRUSTED_PROXIES, ProxyHeader

HOST = "127.0.0.1"
START_LIMIT_S = 30
STOP_LIMIT_S = 40


@dataclass(frozen=True)
class Served:
    """A running server: its URL without a slash at the end, and the id of its process."""

    url: str
    process: int


@contextmanager
def rafflekit(database_url: str, *, server: str = "waitress", key: Path | None = None) -> Iterator[str]:
    """Serve a database, signing with this key; give the URL without a slash at the end."""
    with rafflekit_process(database_url, server=server, key=key) as served:
        yield served.url


@contextmanager
def rafflekit_process(
    database_url: str, *, server: str = "waitress", key: Path | None = None, metrics_reader: str = ""
) -> Iterator[Served]:
    """Serve a database; the load's addresses come from its proxy, and one of them may read the metrics."""
    port = _free_port()
    command = [sys.executable, "-m", "rafflekit", "serve", "--host", HOST, "--port", str(port)]
    if server != "waitress":
        command += ["--server", server, "--workers", "1"]
    settings = {
        DATABASE_URL.name: database_url,
        TRUSTED_PROXIES.name: HOST,
        # The only header that every server can distinguish from similar ones.
        PROXY_HEADER.name: ProxyHeader.FORWARDED,
        METRICS_IPS.name: metrics_reader,
    }
    if key is not None:
        settings[SIGNING_KEY.name] = str(key)
    with _process(command, port, settings) as process:
        yield Served(f"http://{HOST}:{port}", process)


@contextmanager
def empty(*, server: str = "waitress", post_bytes: int, get_bytes: int) -> Iterator[str]:
    """Serve the empty endpoint; give its URL."""
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.baselines.serve_empty", server, str(port)]
    lengths = {empty_falcon.POST_BYTES: str(post_bytes), empty_falcon.GET_BYTES: str(get_bytes)}
    with _process(command, port, lengths):
        yield f"http://{HOST}:{port}{empty_falcon.PATH}"


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with these settings of rafflekit's, and no others."""
    kept = {name: value for name, value in os.environ.items() if "RAFFLEKIT" not in name and name != "MANAGER_IPS"}
    return kept | dict(settings)


@contextmanager
def _process(command: Sequence[str], port: int, settings: Mapping[str, str]) -> Iterator[int]:
    with TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[1],
            env=clean_environment(settings),
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_it_listens(process, port, said)
            yield process.pid
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, said: IO[str]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said.seek(0)
            raise RuntimeError(f"the server ended at once with status {process.returncode}: {said.read()}")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the server does not listen on port {port} after {START_LIMIT_S} s")


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as found:
        return int(found.getsockname()[1])
