"""What all addresses share: what they work with, the answer to OPTIONS, JSON answers, links between pages.

A method of an address reads from top to bottom as the contract decides: who asks, from which page, with what body; then
one call of the engine, whose value is the answer. The rules of a raffle are not here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

import falcon
import msgspec
from falcon.constants import HTTP_METHODS

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.models import Item, Page
from rafflekit.http.access import Access
from rafflekit.http.kept import Kept, Turns
from rafflekit.http.monitoring.metrics import Metrics


@dataclass(frozen=True)
class Service:
    """What the addresses of one application work with."""

    engine: RaffleEngine
    access: Access
    describe: Callable[[], bytes]
    """Returns the OpenAPI document."""
    metrics: Metrics | None
    kept: Kept
    """Makes and keeps what costs much, for all addresses."""
    searches: Turns
    """For requests that may look at every raffle."""


class Address:
    """An address: one method `on_…` per HTTP method; HEAD is answered wherever GET is, and OPTIONS everywhere."""

    allowed_methods: list[str]
    on_head: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "on_get"):
            cls.on_head = cls.on_get
        cls.allowed_methods = sorted(method for method in HTTP_METHODS if hasattr(cls, f"on_{method.lower()}"))

    def __init__(self, service: Service) -> None:
        self.service = service
        self.engine = service.engine
        self.access = service.access

    def on_options(self, request: falcon.Request, response: falcon.Response, **parameters: str) -> None:
        """List the methods of this address."""
        response.status = HTTPStatus.NO_CONTENT
        response.set_header("Allow", ", ".join(self.allowed_methods))


def answer(response: falcon.Response, shape: object, *, status: HTTPStatus = HTTPStatus.OK) -> None:
    """Answer with a shape as JSON."""
    response.status = status
    response.content_type = falcon.MEDIA_JSON
    response.data = msgspec.json.encode(shape)


def link_next(response: falcon.Response, query: Mapping[str, object]) -> None:
    """Name the next part of an answer that is sent in parts, with other parameters at the same address (RFC 8288)."""
    # Relative, so that it holds under whatever host and path a client sees this service.
    response.set_header("Link", f'<?{urlencode(query)}>; rel="next"')


def neighbours(page: Page[Item], request: falcon.Request, url: str) -> tuple[str | None, str | None]:
    """Return the URLs of the next and the previous page of a list, whose own URL is `url`."""

    def url_of(number: int) -> str:
        return f"{url}?{urlencode({**request.params, 'page': number}, doseq=True)}"

    return url_of(page.number + 1) if page.has_next else None, url_of(page.number - 1) if page.has_previous else None
