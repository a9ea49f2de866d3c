"""`/healthz`, `/readyz`, `/metrics` and `/openapi.json`: what operators and programs ask of the service itself.

Probes come from addresses that are not known in advance, so anyone may ask the first two; they reveal nothing else.
"""

import multiprocessing
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Self

import falcon
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.settings import METRICS_IPS
from rafflekit.http.access import Access
from rafflekit.http.api.address import Address, Service
from rafflekit.http.api.operations import STORAGE, BareProblem, Operation, Route
from rafflekit.http.monitoring.metrics import SHARED_FOLDER, Metrics

_DESCRIPTION_CACHED_S = 3_600


class Liveness(Address):
    """`/healthz`: whether the process answers, and nothing more."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer without looking at anything."""
        _say(response, b'{"status":"alive"}')

    on_head = on_get


class Readiness(Address):
    """`/readyz`: whether the database answers, and has the layout that this version knows."""

    def __init__(self, engine: RaffleEngine) -> None:
        super().__init__()
        self._engine = engine

    @classmethod
    def of(cls, service: Service) -> Self:
        """Return this address in a service."""
        return cls(service.engine)

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Ask the database."""
        self._engine.check()
        _say(response, b'{"status":"ready"}')

    on_head = on_get


class MetricsPage(Address):
    """`/metrics`: the figures, for those who may read them."""

    def __init__(self, metrics: Metrics, access: Access) -> None:
        super().__init__()
        self._metrics = metrics
        self._access = access

    @classmethod
    def of(cls, service: Service) -> Self | None:
        """Return this address in a service, if the service counts."""
        return None if service.metrics is None else cls(service.metrics, service.access)

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Show the figures of all processes."""
        self._access.require_metrics_reader(request.env)
        if not self._metrics.are_shared and _is_one_of_several(request):
            raise falcon.HTTPServiceUnavailable(
                description="The server has several processes, and each would show only its own figures. "
                f"Name an empty folder in {SHARED_FOLDER}, where they count together, and restart the server."
            )
        response.status = HTTPStatus.OK
        response.content_type = CONTENT_TYPE_PLAIN_0_0_4
        response.set_header("Cache-Control", "no-store")
        response.data = self._metrics.page()

    on_head = on_get


class ApiDescription(Address):
    """`/openapi.json`: the API, described for programs."""

    def __init__(self, describe: Callable[[], bytes]) -> None:
        super().__init__()
        self._describe = describe

    @classmethod
    def of(cls, service: Service) -> Self:
        """Return this address in a service."""
        return cls(service.describe)

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Describe this API for programs, as OpenAPI 3.1."""
        response.content_type = falcon.MEDIA_JSON
        response.cache_control = ["public", f"max-age={_DESCRIPTION_CACHED_S}"]
        response.data = self._describe()

    on_head = on_get


def _say(response: falcon.Response, content: bytes) -> None:
    response.status = HTTPStatus.OK
    response.content_type = falcon.MEDIA_JSON
    # It is true only at this moment.
    response.set_header("Cache-Control", "no-store")
    response.data = content


def _is_one_of_several(request: falcon.Request) -> bool:
    # Granian claims to be one process, however many there are; its workers are started by multiprocessing.
    return bool(request.env.get("wsgi.multiprocess")) or multiprocessing.parent_process() is not None


_NO_METRICS_READER = BareProblem(HTTPStatus.FORBIDDEN, f"The client's address is not listed in {METRICS_IPS.name}.")
_ONE_OF_SEVERAL = BareProblem(
    HTTPStatus.SERVICE_UNAVAILABLE, f"The server has several processes that do not count together ({SHARED_FOLDER})."
)

HEALTHZ = Route("/healthz", Liveness, get=Operation("isAlive", dict[str, str]))
"""The one address of an application that has no database."""

ROUTES = (
    Route("/openapi.json", ApiDescription, get=Operation("describeApi", dict[str, Any])),
    HEALTHZ,
    Route("/readyz", Readiness, get=Operation("isReady", dict[str, str], STORAGE)),
    Route(
        "/metrics",
        MetricsPage,
        get=Operation("showMetrics", str, (_NO_METRICS_READER, _ONE_OF_SEVERAL), media_type=CONTENT_TYPE_PLAIN_0_0_4),
    ),
)
