"""`/healthz` and `/readyz`: what whoever runs the service asks, to restart it or to send it nobody.

Anybody may ask, since probes come from addresses that nobody knows beforehand; the answers tell nothing else.
"""

from http import HTTPStatus

import falcon

from rafflekit.core.engine import RaffleEngine
from rafflekit.http.api.address import Address


class Liveness(Address):
    """`/healthz`: the process answers; whether it can do anything is another question."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Say so; nothing is looked at."""
        _say(response, b'{"status":"alive"}')

    on_head = on_get


class Readiness(Address):
    """`/readyz`: the database answers, and has the layout that this version knows."""

    def __init__(self, engine: RaffleEngine) -> None:
        super().__init__()
        self._engine = engine

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Ask the database."""
        self._engine.check()
        _say(response, b'{"status":"ready"}')

    on_head = on_get


def _say(response: falcon.Response, content: bytes) -> None:
    response.status = HTTPStatus.OK
    response.content_type = falcon.MEDIA_JSON
    # True of this moment only.
    response.set_header("Cache-Control", "no-store")
    response.data = content
