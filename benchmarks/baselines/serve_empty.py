"""Serve the empty endpoint as `rafflekit serve` serves rafflekit: the same function, with another application.

    python -m benchmarks.baselines.serve_empty waitress|granian PORT

The environment sets the length of its answers: see `empty_falcon`.
"""

import os
import sys
from unittest import mock

from benchmarks.baselines import empty_falcon
from rafflekit.core.settings import Settings

# It has nothing to close.
_NO_ENGINE = mock.Mock(spec=["close_due"])


def main() -> None:
    """Serve until SIGTERM."""
    server, port = sys.argv[1], int(sys.argv[2])
    if server == "granian":
        _serve_on_granian(port)
    else:
        _serve_on_waitress(port)


def _serve_on_waitress(port: int) -> None:
    from rafflekit.http.serving import waitress_server

    application = empty_falcon.application_of(os.environ)
    with mock.patch.object(waitress_server, "create_app", return_value=application):
        waitress_server.run_waitress(
            _NO_ENGINE, Settings(), host="127.0.0.1", port=port, on_listening=lambda _urls: None
        )


def _serve_on_granian(port: int) -> None:
    from rafflekit.http.serving import granian_server

    # The worker, a separate process, calls this in place of rafflekit's function.
    with mock.patch.object(granian_server, "_application", empty_falcon.application_of):
        granian_server.run_granian(
            _NO_ENGINE, os.environ, host="127.0.0.1", port=port, workers=1, on_listening=lambda _urls: None
        )


if __name__ == "__main__":
    main()
