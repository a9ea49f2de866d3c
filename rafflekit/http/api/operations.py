"""What every address of the service takes and answers, in one table: `PATHS`. Whoever adds an address adds its entry.

Those of raffles (`RaffleAddress`) are served by being in it; the others take something of their own, from `app`.

HEAD, OPTIONS and the answers that every address has are not in it: `openapi` adds them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

import falcon
import msgspec
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from rafflekit.core import limits, shapes
from rafflekit.core.errors import (
    AlreadyDrawn,
    AlreadyParticipated,
    BeaconNotPublished,
    BeaconUnavailable,
    InvalidValue,
    InvalidVerificationCode,
    NotDrawnYet,
    PageNotFound,
    RaffleError,
    RaffleNotFound,
    SchemaMismatch,
    SigningKeyUnavailable,
    SoldOut,
    StorageUnavailable,
    TicketNotFound,
    TicketsRemaining,
)
from rafflekit.core.protocol import shapes as document_shapes
from rafflekit.core.settings import ALLOWED_HOSTS, MANAGER_IPS, METRICS_IPS
from rafflekit.http import reading
from rafflekit.http.api.address import (
    Address,
    ApiDescription,
    Participation,
    RaffleDetail,
    Raffles,
    TicketVerification,
    Winners,
)
from rafflekit.http.api.proofs import (
    MEDIA_LINES,
    DrawProof,
    Ledger,
    LedgerConsistency,
    LedgerLeaves,
    LedgerProof,
)
from rafflekit.http.api.service import Liveness, Readiness
from rafflekit.http.monitoring.metrics import SHARED_FOLDER, MetricsPage


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
    """Whether whoever prefers HTML gets a page instead."""
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


class Path(NamedTuple):
    """An address and its methods."""

    template: str
    resource: type[Address]
    get: Operation | None = None
    post: Operation | None = None


_NO_ADDRESS = BareProblem(HTTPStatus.BAD_REQUEST, "The address that asks cannot be told, so it cannot take part.")
_NO_MANAGER = BareProblem(
    HTTPStatus.FORBIDDEN, f"The address that asks is none of the managers' addresses, which {MANAGER_IPS.name} lists."
)
_FOREIGN_PAGE = BareProblem(
    HTTPStatus.FORBIDDEN,
    f"The request comes from another site's page, or the host is not this service's: {ALLOWED_HOSTS.name} lists those.",
)


_NO_METRICS_READER = BareProblem(
    HTTPStatus.FORBIDDEN, f"The address that asks is none of those that {METRICS_IPS.name} lists."
)
_ONE_OF_SEVERAL = BareProblem(
    HTTPStatus.SERVICE_UNAVAILABLE, f"The server has several processes that do not count together ({SHARED_FOLDER})."
)


def _body_refusals(most_bytes: int = limits.BODY_BYTES) -> tuple[Refusal, ...]:
    return (
        InvalidValue,
        BareProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has more than {most_bytes:,} bytes."),
        BareProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body is not {falcon.MEDIA_JSON}."),
    )


_MANAGERS_ONLY = (_NO_MANAGER, _FOREIGN_PAGE)
_STORAGE = (StorageUnavailable, SchemaMismatch)
_SIGNED = (SigningKeyUnavailable, *_STORAGE)
_BEACON = (BeaconNotPublished, BeaconUnavailable)
_PROTOCOL = "As docs/draw-protocol.md describes it."
_OF_THIS_RAFFLE = {"raffle_id": "$request.path.raffle_id"}
_OF_THE_NEW_RAFFLE = {"raffle_id": "$response.body#/id"}

PATHS = (
    Path(
        "/raffles/",
        Raffles,
        get=Operation(
            "listRaffles",
            shapes.RafflePageShape,
            (InvalidValue, PageNotFound, *_STORAGE),
            query=reading.RafflesQuery,
        ),
        post=Operation(
            "createRaffle",
            shapes.RaffleShape,
            (*_MANAGERS_ONLY, *_body_refusals(limits.CREATE_BODY_BYTES), *_SIGNED),
            status=HTTPStatus.CREATED,
            description="Managers only. All prizes together are at most as many as tickets, "
            f"and at most {limits.PRIZES:,}; otherwise the answer is a 400 with the words “Too many prizes”.",
            body=reading.CreateBody,
            example={
                "name": "Foobar raffle",
                "total_tickets": 15,
                "prizes": [{"name": "invisibility", "amount": 1}, {"name": "warm hug", "amount": 3}],
            },
            answer_headers=("Location",),
            links={
                operation: {"parameters": _OF_THE_NEW_RAFFLE}
                for operation in ("showRaffle", "participate", "drawWinners", "listWinners")
            },
        ),
    ),
    Path(
        "/raffles/{raffle_id}/",
        RaffleDetail,
        get=Operation("showRaffle", shapes.RaffleShape, (RaffleNotFound, *_STORAGE)),
    ),
    Path(
        "/raffles/{raffle_id}/participate/",
        Participation,
        post=Operation(
            "participate",
            shapes.TicketShape,
            (
                *(_FOREIGN_PAGE, *_body_refusals(), _NO_ADDRESS),
                *(RaffleNotFound, SoldOut, AlreadyParticipated, *_SIGNED),
            ),
            status=HTTPStatus.CREATED,
            description="The verification code is shown this once. Whoever repeats the request from the same address "
            "with the same Idempotency-Key gets the same ticket and code, until the draw.",
            body=reading.NoFields,
            headers={"Idempotency-Key": (reading.IdempotencyKey, "A random text, to repeat the request safely.")},
            links={
                "verifyTicket": {
                    "parameters": _OF_THIS_RAFFLE,
                    "requestBody": {
                        "ticket_number": "$response.body#/ticket_number",
                        "verification_code": "$response.body#/verification_code",
                    },
                }
            },
        ),
    ),
    Path(
        "/raffles/{raffle_id}/winners/",
        Winners,
        get=Operation(
            "listWinners",
            shapes.WinPageShape,
            (InvalidValue, PageNotFound, RaffleNotFound, *_STORAGE),
            description="Before the draw there are none.",
            query=reading.WinnersQuery,
        ),
        post=Operation(
            "drawWinners",
            list[shapes.WinShape],
            (*_MANAGERS_ONLY, *_body_refusals(), RaffleNotFound, TicketsRemaining, AlreadyDrawn, *_BEACON, *_SIGNED),
            status=HTTPStatus.CREATED,
            description="Managers only. The answer is every win, in draw order.",
            body=reading.NoFields,
            links={"listWinners": {"parameters": _OF_THIS_RAFFLE}},
        ),
    ),
    Path(
        "/raffles/{raffle_id}/verify-ticket/",
        TicketVerification,
        post=Operation(
            "verifyTicket",
            shapes.VerificationShape,
            (*_body_refusals(), RaffleNotFound, NotDrawnYet, InvalidVerificationCode, *_STORAGE),
            description="After the draw only.",
            body=reading.VerifyBody,
            example={"ticket_number": 7, "verification_code": "X45Z-H67Q-KCQR-VV52-Q553-3CAG"},
        ),
    ),
    Path(
        "/raffles/{raffle_id}/ledger/",
        Ledger,
        get=Operation(
            "showCheckpoint", str, (RaffleNotFound, *_SIGNED), media_type=falcon.MEDIA_TEXT, description=_PROTOCOL
        ),
    ),
    Path(
        "/raffles/{raffle_id}/ledger/proof/",
        LedgerProof,
        get=Operation(
            "proveTicket",
            document_shapes.ReceiptShape,
            (InvalidValue, RaffleNotFound, TicketNotFound, *_SIGNED),
            description=_PROTOCOL,
            query=reading.TicketQuery,
        ),
    ),
    Path(
        "/raffles/{raffle_id}/ledger/consistency/",
        LedgerConsistency,
        get=Operation(
            "proveConsistency",
            document_shapes.ConsistencyShape,
            (InvalidValue, RaffleNotFound, *_STORAGE),
            description=_PROTOCOL,
            query=reading.SizesQuery,
        ),
    ),
    Path(
        "/raffles/{raffle_id}/ledger/leaves/",
        LedgerLeaves,
        get=Operation("listLeaves", str, (RaffleNotFound, *_STORAGE), media_type=MEDIA_LINES, description=_PROTOCOL),
    ),
    Path(
        "/raffles/{raffle_id}/proof/",
        DrawProof,
        get=Operation(
            "proveDraw",
            document_shapes.ProofShape,
            (RaffleNotFound, NotDrawnYet, *_SIGNED),
            description=f"{_PROTOCOL} Whoever prefers HTML gets a page that checks it.",
            page=True,
        ),
    ),
    Path("/openapi.json", ApiDescription, get=Operation("describeApi", dict[str, Any])),
    Path("/healthz", Liveness, get=Operation("isAlive", dict[str, str])),
    Path("/readyz", Readiness, get=Operation("isReady", dict[str, str], _STORAGE)),
    Path(
        "/metrics",
        MetricsPage,
        get=Operation("showMetrics", str, (_NO_METRICS_READER, _ONE_OF_SEVERAL), media_type=CONTENT_TYPE_PLAIN_0_0_4),
    ),
)
"""Every address of the service."""
