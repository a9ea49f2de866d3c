"""Counting and logging every request: never what it contained, only how it was answered.

None of a request's own text is used: the route is a template, the method one that exists here, the client only its
network. `problems` notes in the request's context why it was refused (`refusal`), and the id of an `incident`.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import falcon

from rafflekit.http.forwarded import IpAddress
from rafflekit.http.monitoring.log_lines import log_request, requests_are_logged
from rafflekit.http.monitoring.metrics import Metrics
from rafflekit.http.monitoring.redaction import network_of

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PATCH", "POST"})


class Answered(NamedTuple):
    """A request that was answered, as it is logged (`log_lines.Event`)."""

    method: str
    route: str
    status: int
    duration_ms: float
    client: str | None
    refusal: str | None
    incident: str | None

    def fields(self) -> dict[str, Any]:
        """Return the fields of the JSON line; a refusal and an incident only if there is one."""
        return {name: value for name, value in self._asdict().items() if value is not None or name == "client"}

    def __str__(self) -> str:
        """Return the line for people."""
        line = f"{self.status} {self.method} {self.route} {self.duration_ms:.1f} ms {self.client or '-'}"
        return " ".join([line, *(word for word in (self.refusal, self.incident) if word)])


class Monitoring:
    """Falcon middleware that measures every answer; it is the outermost, to measure the others as well.

    `client_of` returns the client's address by a request's environ.
    """

    def __init__(self, client_of: Callable[[dict[str, Any]], IpAddress | None], metrics: Metrics | None) -> None:
        self._client_of = client_of
        self._metrics = metrics

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Start the clock."""
        req.context.began_s = perf_counter()

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        """Count the answer, and log it if requests are logged."""
        duration_s = perf_counter() - req.context.began_s
        method, route, status = known_method(req), route_of(req), resp.status_code
        refusal = None if req_succeeded else getattr(req.context, "refusal", None)
        if self._metrics is not None:
            self._metrics.note_request(method, route, status, duration_s=duration_s, refusal=refusal)
        if requests_are_logged():
            address = self._client_of(req.env)
            client = None if address is None else network_of(address)
            incident = None if req_succeeded else getattr(req.context, "incident", None)
            log_request(Answered(method, route, status, round(duration_s * 1000, 3), client, refusal, incident))


def route_of(request: falcon.Request) -> str:
    """Return the template of a request's path, or "unmatched" if it is unknown."""
    return request.uri_template or "unmatched"


def known_method(request: falcon.Request) -> str:
    """Return a request's method, or "other" for one that no address has."""
    method: str = request.method
    return method if method in _METHODS else "other"
