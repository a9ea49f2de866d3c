"""How an address is described, for its family's table `ROUTES`: what its methods take, answer and refuse.

The application and the OpenAPI document are made from these tables. HEAD, OPTIONS and the answers that every address
has are not in them: `openapi` adds those.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

import falcon
import msgspec

from rafflekit.core import limits
from rafflekit.core.errors import (
    InvalidValue,
    RaffleError,
    SchemaMismatch,
    SigningKeyUnavailable,
    StorageUnavailable,
)
from rafflekit.core.settings import ALLOWED_HOSTS, MANAGER_IPS
from rafflekit.http.api.address import Address


class BareProblem(NamedTuple):
    """A problem that only HTTP has: its type is "about:blank", and `when` says when it is the answer."""

    status: HTTPStatus
    when: str


Refusal = type[RaffleError] | BareProblem


@dataclass(frozen=True)
class Operation:
    """What a method of an address takes and answers."""

    id: str
    answer: Any
    """The type of the answer: of its JSON, or `str` for another media type."""
    refusals: tuple[Refusal, ...] = ()
    status: HTTPStatus = HTTPStatus.OK
    media_type: str = falcon.MEDIA_JSON
    page: bool = False
    """Whether clients that prefer HTML get a page instead."""
    description: str = ""
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    headers: Mapping[str, tuple[Any, str]] | None = None
    """Headers of the request that matter: their types and what they are for."""
    answer_headers: tuple[str, ...] = ()
    example: Mapping[str, Any] | None = None
    """A body as it may be sent."""
    links: Mapping[str, dict[str, Any]] | None = None
    """What can be asked next, by operation: the parameters and the body to take from this answer."""
    repeat: str = ""
    """What a request that is repeated with its Idempotency-Key gets; "" if such a key means nothing here."""


class Route(NamedTuple):
    """An address and its methods."""

    path: str
    """As in OpenAPI; the application also answers without the slash at its end."""
    resource: type[Address]
    get: Operation | None = None
    post: Operation | None = None

    @property
    def template(self) -> str:
        """The path as Falcon has it."""
        return self.path.removesuffix("/")


def body_refusals(most_bytes: int = limits.BODY_BYTES) -> tuple[Refusal, ...]:
    """Return the refusals of a request that may have a body."""
    return (
        InvalidValue,
        BareProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has more than {most_bytes:,} bytes."),
        BareProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body is not {falcon.MEDIA_JSON}."),
    )


FOREIGN_PAGE = BareProblem(
    HTTPStatus.FORBIDDEN,
    "The request comes from another site's page, or its host is not one of this service's, "
    f"which {ALLOWED_HOSTS.name} lists.",
)
MANAGERS_ONLY = (
    BareProblem(HTTPStatus.FORBIDDEN, f"The client's address is not listed in {MANAGER_IPS.name}."),
    FOREIGN_PAGE,
)
STORAGE = (StorageUnavailable, SchemaMismatch)
SIGNED = (SigningKeyUnavailable, *STORAGE)

OF_THIS_RAFFLE = {"parameters": {"raffle_id": "$request.path.raffle_id"}}
"""A link to an operation on the raffle of the request."""
