"""How an address is described, for its family's table `ROUTES`: what its methods take, answer and refuse.

The application and the OpenAPI document are made from these tables. HEAD, OPTIONS and what several addresses refuse are
not in them: `openapi` adds those.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

import falcon
import msgspec

from rafflekit.core import errors, limits
from rafflekit.core.settings import ALLOWED_HOSTS, DESK_PASSES, MANAGER_IPS
from rafflekit.http.api.address import Address
from rafflekit.http.kept import BUSY


class BareProblem(NamedTuple):
    """A problem that only HTTP has: its type is "about:blank", and `when` says when it is the answer."""

    status: HTTPStatus
    when: str


Refusal = type[errors.RaffleError] | errors.RaffleError | BareProblem
"""A problem that an operation answers: an error of the core, or one with its usual message."""

STORAGE = (errors.StorageUnavailable, errors.SchemaMismatch)
TOO_BUSY = BareProblem(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)
SIGNED = (errors.SigningKeyUnavailable, *STORAGE)


@dataclass(frozen=True)
class Operation:
    """What a method of an address takes and answers."""

    id: str
    answer: Any
    """The type of the answer: of its JSON, or `str` for another media type."""
    refusals: tuple[Refusal, ...] = ()
    """Its own refusals; those of its body, its query and the id in its path are added to them."""
    outages: tuple[Refusal, ...] = STORAGE
    status: HTTPStatus = HTTPStatus.OK
    media_type: str = falcon.MEDIA_JSON
    description: str = ""
    body: type[msgspec.Struct] | None = None
    body_bytes: int = limits.BODY_BYTES
    query: type[msgspec.Struct] | None = None
    answer_headers: tuple[str, ...] = ()
    optional_headers: tuple[str, ...] = ()
    """Headers that only some of the answers have."""
    is_validated: bool = True
    """Whether clients may keep the answer to a GET, and ask whether it is still the same."""
    example: Mapping[str, Any] | None = None
    """A body as it may be sent."""
    links: Mapping[str, dict[str, Any]] | None = None
    """What can be asked next, by operation: the parameters and the body to take from this answer."""
    repeat: str = ""
    """What a request that is repeated with its Idempotency-Key gets; "" if it takes no such key."""


class Route:
    """An address, and an operation for each of its methods (`get=`, `post=`, …).

    `path` is as in OpenAPI; the application also answers without the slash at its end. `operations` are by method, in
    upper case.
    """

    def __init__(self, path: str, resource: type[Address], **operations: Operation) -> None:
        self.path = path
        self.resource = resource
        self.operations = {method.upper(): operation for method, operation in operations.items()}

    @property
    def template(self) -> str:
        """The path as Falcon has it."""
        return self.path.removesuffix("/") or "/"


FOREIGN_PAGE = BareProblem(
    HTTPStatus.FORBIDDEN,
    "The request comes from another site's page, or its host is not one of this service's, "
    f"which {ALLOWED_HOSTS.name} lists.",
)
MANAGERS_ONLY = (
    BareProblem(
        HTTPStatus.FORBIDDEN,
        f"The client's address is not listed in {MANAGER_IPS.name}, or a desk pass is missing ({DESK_PASSES.name}).",
    ),
    FOREIGN_PAGE,
)

OF_THIS_RAFFLE = {"parameters": {"raffle_id": "$request.path.raffle_id"}}
"""A link to an operation on the raffle of the request."""
