"""Real servers on a test's own database, with shorter limits: 75 seconds of patience are too long for a test."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live_server import LiveServer

# The modules for waitress have copies of what they import from `listening`; Granian's is imported later.
IMPATIENT = """
import ast, sys
from rafflekit.cli import main
from rafflekit.http.serving import listening, waitress_connections, waitress_server
from waitress.adjustments import Adjustments

for name, number in ast.literal_eval(sys.argv[1]).items():
    for module in (listening, waitress_connections, waitress_server, Adjustments):
        if hasattr(module, name):
            setattr(module, name, number)
sys.exit(main(sys.argv[2:]))
"""


def impatient(**numbers: float) -> tuple[str, ...]:
    """Return the program `rafflekit serve` with other numbers in `listening`, or in waitress."""
    return sys.executable, "-c", IMPATIENT, repr(numbers), "serve", "--host", "127.0.0.1", "--port", "0"


@contextmanager
def server_in(folder: Path, *arguments: str, **how: Any) -> Iterator[LiveServer]:
    """Run a server on a new database in a folder, and check that it logged no problem."""
    live = LiveServer(folder / "raffles.db", *arguments, log=folder / "log", MANAGER_IPS="127.0.0.1", **how)
    try:
        yield live
    finally:
        live.stop()
    assert live.complaints() == ""
