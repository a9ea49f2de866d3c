"""Run a server inside a process, and check that it gets its signals back: `python -m tests.http.serving.embedded`.

This needs its own process: a signal may reach any thread, including those of a parallel test run.
"""

import os
import signal
import sys

from rafflekit import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http.serving import Urls, granian_server, waitress_server

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(name: str, database_url: str) -> None:
    """Serve, print the URL, and stop at once by Ctrl-C."""

    def listening(urls: Urls) -> None:
        print(urls.here)
        os.kill(os.getpid(), signal.SIGINT)

    before = [signal.getsignal(number) for number in SIGNALS]
    if name == "granian":
        environment = os.environ | {"RAFFLEKIT_DATABASE_URL": database_url}
        granian_server.run_granian(environment, workers=1, host="127.0.0.1", port=0, on_listening=listening)
    else:
        with RaffleEngine(database_url) as engine:
            waitress_server.run_waitress(engine, Settings(), host="127.0.0.1", port=0, on_listening=listening)
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & set(SIGNALS)


if __name__ == "__main__":
    main(*sys.argv[1:])
