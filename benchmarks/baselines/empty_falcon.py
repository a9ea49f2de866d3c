"""An empty Falcon endpoint: constant bytes, as many as rafflekit answers, from a server with rafflekit's settings.

    python -m benchmarks.baselines.empty_falcon PORT

serves it on waitress through the very function that `rafflekit serve` calls; Granian loads `application` from here.
The environment says how many bytes: EMPTY_POST_BYTES (answered 201, as a ticket is) and EMPTY_GET_BYTES (200).
"""

import os
import sys
from typing import Any
from unittest import mock

import falcon

from rafflekit.core.settings import Settings
from rafflekit.http import server

POST_BYTES = "EMPTY_POST_BYTES"
GET_BYTES = "EMPTY_GET_BYTES"
PATH = "/empty"


class _Empty:
    """Read nothing, compute nothing, answer the same bytes every time."""

    def __init__(self, *, post_bytes: int, get_bytes: int) -> None:
        self._post_answer = b"x" * post_bytes
        self._get_answer = b"x" * get_bytes

    def on_post(self, _request: falcon.Request, response: falcon.Response) -> None:
        """Answer as many bytes as a ticket has."""
        response.status = falcon.HTTP_201
        response.content_type = falcon.MEDIA_JSON
        response.data = self._post_answer

    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        """Answer as many bytes as a raffle's detail has."""
        response.content_type = falcon.MEDIA_JSON
        response.data = self._get_answer


def _application() -> Any:
    app = falcon.App()
    empty = _Empty(post_bytes=int(os.environ.get(POST_BYTES, "0")), get_bytes=int(os.environ.get(GET_BYTES, "0")))
    app.add_route(PATH, empty)
    return app


application = _application()


def main() -> None:
    """Serve on waitress as `rafflekit serve` does, until SIGTERM."""
    port = int(sys.argv[1])
    with mock.patch.object(server, "create_app", return_value=application):
        server.run(mock.sentinel.no_engine, Settings(), host="127.0.0.1", port=port, on_listening=lambda _url: None)


if __name__ == "__main__":
    main()
