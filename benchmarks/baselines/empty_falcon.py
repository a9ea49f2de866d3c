"""An empty Falcon endpoint: it answers with constant bytes, of the length of rafflekit's answers."""

from collections.abc import Mapping
from typing import Any

import falcon

POST_BYTES = "EMPTY_POST_BYTES"
"""The variable with the number of bytes in the answer to a POST (201, like a ticket)."""

GET_BYTES = "EMPTY_GET_BYTES"
"""The variable with the number of bytes in the answer to a GET (200, like a raffle's detail)."""

PATH = "/empty"


class _Empty:
    """Read nothing, compute nothing, answer the same bytes every time."""

    def __init__(self, *, post_bytes: int, get_bytes: int) -> None:
        self._post_answer = b"x" * post_bytes
        self._get_answer = b"x" * get_bytes

    def on_post(self, _request: falcon.Request, response: falcon.Response) -> None:
        """Answer with the length of a ticket."""
        response.status = falcon.HTTP_201
        response.content_type = falcon.MEDIA_JSON
        response.data = self._post_answer

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer with the length of a raffle's detail, or with nothing to those who have it."""
        if request.get_header("If-None-Match"):
            response.status = falcon.HTTP_304
            return
        response.set_header("ETag", '"empty"')
        response.content_type = falcon.MEDIA_JSON
        response.data = self._get_answer


def application_of(environment: Mapping[str, str]) -> Any:
    """Return the application whose answers are as long as the environment says."""
    app = falcon.App()
    app.add_route(PATH, _Empty(post_bytes=int(environment[POST_BYTES]), get_bytes=int(environment[GET_BYTES])))
    return app
