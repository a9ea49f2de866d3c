"""Loads over HTTP, on 127.0.0.1 only: by wrk if it is installed, otherwise by threads in Python."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.sizes import CONNECTIONS

WRK = shutil.which("wrk")

GENERATOR = "wrk" if WRK else "Python threads (install wrk for better figures)"

_SCRIPT = Path(__file__).with_name("load.lua")

# The number of addresses of 10.0.0.0/8 for one load: more than a server answers in it.
_ADDRESSES_PER_LOAD = 2**18
_next_post = count()


class WrongAnswers(Exception):
    """A server gave a wrong answer, so that its speed means nothing."""


@dataclass(frozen=True)
class Load:
    """What one load showed."""

    requests: int
    seconds: float
    p99_ms: float

    @property
    def seconds_per_request(self) -> float:
        """The server's time for a request: one divided by the throughput."""
        return self.seconds / self.requests


def post(url: str, *, seconds: int, connections: int = CONNECTIONS) -> Load:
    """Send POSTs, each from an address that no other load of this run has."""
    return finish(start(url, "POST", 201, seconds=seconds, connections=connections))


def get(url: str, *, seconds: int, connections: int = CONNECTIONS, accept: str = "*/*") -> Load:
    """Send GETs."""
    return finish(start(url, "GET", 200, seconds=seconds, connections=connections, accept=accept))


def start(
    url: str, method: str, status: int, *, seconds: int, connections: int, accept: str = "*/*"
) -> subprocess.Popen[str]:
    """Start a load; `finish` waits for its end."""
    first_address = next(_next_post) * _ADDRESSES_PER_LOAD if method == "POST" else 0
    assert first_address < 2**24, "the addresses of 10.0.0.0/8 are used up"
    arguments = [method, str(status), str(first_address), accept]
    if WRK:
        command = [WRK, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(_SCRIPT), url, "--", *arguments]
    else:
        command = [sys.executable, "-m", "benchmarks.load_threads", url, str(connections), str(seconds), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(running: subprocess.Popen[str]) -> Load:
    """Wait for a load and return what it showed.

    Raises:
        WrongAnswers: a status was not the expected one, or a connection broke.
    """
    printed, _ = running.communicate()
    if running.returncode:
        raise WrongAnswers(f"the load ended with status {running.returncode}: {printed.strip()}")
    numbers = json.loads(printed.strip().splitlines()[-1])
    if numbers["unexpected"] or numbers["broken"] or not numbers["requests"]:
        raise WrongAnswers(
            f"{numbers['unexpected']} of {numbers['requests']} answers had another status (such as "
            f"{numbers['example']}), {numbers['broken']} connections broke or timed out"
        )
    return Load(numbers["requests"], numbers["seconds"], numbers["p99_ms"])
