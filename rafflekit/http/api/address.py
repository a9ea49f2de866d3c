"""What all addresses share: what they work with, the answer to OPTIONS, JSON answers, links between pages.

A method of an address reads from top to bottom as the contract decides: who asks, from which page, with what body; then
one call of the engine, whose value is the answer. The rules of a raffle are not here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

import falcon
import msgspec
from falcon.constants import HTTP_METHODS

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.models import Item, Page
from rafflekit.http import reading
from rafflekit.http.access import Access
from rafflekit.http.monitoring.metrics import Metrics


@dataclass(frozen=True)
class Service:
    """What the addresses of one application work with."""

    engine: RaffleEngine
    access: Access
    describe: Callable[[], bytes]
    """Returns the OpenAPI document."""
    metrics: Metrics | None = None


class Address:
    """An address: one method `on_…` per HTTP method, and an answer to OPTIONS."""

    def __init__(self) -> None:
        self.allowed_methods = sorted(method for method in HTTP_METHODS if hasattr(self, f"on_{method.lower()}"))

    @classmethod
    def of(cls, service: Service) -> Self | None:  # noqa: ARG003  # addresses that need something take it from there
        """Return this address in a service, or None if the service has no such address."""
        return cls()

    def on_options(self, request: falcon.Request, response: falcon.Response, **parameters: str) -> None:
        """List the methods of this address."""
        response.status = HTTPStatus.NO_CONTENT
        response.set_header("Allow", ", ".join(self.allowed_methods))


class RaffleAddress(Address):
    """An address that calls the engine, and may ask who is calling."""

    def __init__(self, engine: RaffleEngine, access: Access) -> None:
        super().__init__()
        self.engine = engine
        self.access = access

    @classmethod
    def of(cls, service: Service) -> Self:
        """Return this address in a service."""
        return cls(service.engine, service.access)


def answer(response: falcon.Response, shape: object, *, status: HTTPStatus = HTTPStatus.OK) -> None:
    """Answer with a shape as JSON."""
    response.status = status
    response.content_type = falcon.MEDIA_JSON
    response.data = msgspec.json.encode(shape)


def neighbours(page: Page[Item], request: falcon.Request, url: str) -> tuple[str | None, str | None]:
    """Return the whole URLs of the next and the previous page of a list, whose own URL is `url`."""
    next_url = reading.page_url(url, request, page.number + 1) if page.has_next else None
    previous_url = reading.page_url(url, request, page.number - 1) if page.has_previous else None
    return next_url, previous_url
