"""`/`, `/healthz`, `/readyz`, `/metrics` and `/openapi.json`: what operators and programs ask of the service itself.

Probes come from addresses that are not known in advance, so anyone may ask the first two; they reveal nothing else.
"""

import multiprocessing
from http import HTTPStatus
from typing import Any

import falcon
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from rafflekit.core.settings import METRICS_IPS
from rafflekit.http.api.address import Address, Service, answer
from rafflekit.http.api.operations import BareProblem, Operation, Route
from rafflekit.http.monitoring.metrics import SHARED_FOLDER


class Index(Address):
    """`/`: where this API begins."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Name the addresses with which clients begin."""
        base = self.access.base_url(request.env)
        answer(response, {"raffles": f"{base}/raffles/", "openapi": f"{base}/openapi.json"})


class Liveness(Address):
    """`/healthz`: whether the process answers, and nothing more."""

    def __init__(self, service: Service | None = None) -> None:
        """Work without a service, too: a process without its database is alive."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer without looking at anything."""
        _answer_for_now(response, "alive")


class Readiness(Address):
    """`/readyz`: whether the database answers, and has the layout that this version knows."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Ask the database."""
        self.engine.check()
        _answer_for_now(response, "ready")


class MetricsPage(Address):
    """`/metrics`: the figures, for those who may read them."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Show the figures of all processes."""
        self.access.require_metrics_reader(request.env)
        metrics = self.service.metrics
        assert metrics is not None
        # Granian claims to be one process, however many there are; its workers are started by multiprocessing.
        is_one_of_several = request.env.get("wsgi.multiprocess") or multiprocessing.parent_process() is not None
        if is_one_of_several and not metrics.are_shared:
            raise falcon.HTTPServiceUnavailable(
                description="The server has several processes, and each would show only its own figures. "
                f"Name an empty folder in {SHARED_FOLDER}, where they count together, and restart the server."
            )
        response.content_type = CONTENT_TYPE_PLAIN_0_0_4
        response.set_header("Cache-Control", "no-store")
        response.data = metrics.page()


class ApiDescription(Address):
    """`/openapi.json`: the API, described for programs."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Describe this API for programs, as OpenAPI 3.1."""
        response.content_type = falcon.MEDIA_JSON
        response.data = self.service.describe()


def _answer_for_now(response: falcon.Response, status: str) -> None:
    answer(response, {"status": status})
    response.set_header("Cache-Control", "no-store")


_NO_METRICS_READER = BareProblem(HTTPStatus.FORBIDDEN, f"The client's address is not listed in {METRICS_IPS.name}.")
_ONE_OF_SEVERAL = BareProblem(
    HTTPStatus.SERVICE_UNAVAILABLE, f"The server has several processes that do not count together ({SHARED_FOLDER})."
)

HEALTHZ = Route("/healthz", Liveness, get=Operation("isAlive", dict[str, str], outages=(), is_validated=False))
"""The one address of an application that has no database."""

ROUTES = (
    Route("/", Index, get=Operation("showIndex", dict[str, str], outages=())),
    Route("/openapi.json", ApiDescription, get=Operation("describeApi", dict[str, Any], outages=())),
    HEALTHZ,
    Route("/readyz", Readiness, get=Operation("isReady", dict[str, str], is_validated=False)),
    Route(
        "/metrics",
        MetricsPage,
        get=Operation(
            "showMetrics",
            str,
            (_NO_METRICS_READER,),
            (_ONE_OF_SEVERAL,),
            media_type=CONTENT_TYPE_PLAIN_0_0_4,
            is_validated=False,
        ),
    ),
)
