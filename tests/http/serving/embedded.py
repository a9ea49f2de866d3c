"""Run a server inside a process, and check that it leaves nothing behind: `python -m tests.http.serving.embedded`.

The process gets its signals back. It has to be a separate one, because a signal may reach any thread, including those
of a parallel test run.
"""

import os
import signal
import sys
import threading
from typing import Any

from rafflekit import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http.serving import Urls, granian_server, waitress_server

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(name: str, database_url: str) -> None:
    """Serve, print the URL, and stop at once by Ctrl-C."""
    started: list[str] = []

    def listening(urls: Urls) -> None:
        print(urls.here)
        started.extend(thread.name for thread in threading.enumerate())
        os.kill(os.getpid(), signal.SIGINT)

    before = [signal.getsignal(number) for number in SIGNALS]
    where: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "on_listening": listening}
    with RaffleEngine(database_url) as engine:
        if name == "granian":
            environment = os.environ | {"RAFFLEKIT_DATABASE_URL": database_url}
            granian_server.run_granian(engine, environment, workers=1, **where)
        else:
            waitress_server.run_waitress(engine, Settings(), **where)
    assert "closing" in started
    assert "closing" not in [thread.name for thread in threading.enumerate()]
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & set(SIGNALS)


if __name__ == "__main__":
    main(*sys.argv[1:])
