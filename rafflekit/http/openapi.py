"""`document`: the OpenAPI 3.1 document of the HTTP contract, generated.

Everything in it comes from the code that applies it: requests and answers from the tables of `http.api`, shapes
from `core.shapes`, problems from `problems`, summaries from the docstrings of the resources' methods.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

import falcon
import msgspec

from rafflekit import __version__
from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue, RaffleError, RaffleNotFound, StorageUnavailable
from rafflekit.core.protocol.terms import TIMES
from rafflekit.http import fields, problems
from rafflekit.http.api import ROUTES
from rafflekit.http.api.operations import BareProblem, Operation, Refusal, Route

_SCHEMAS = "#/components/schemas/{name}"

_ABOUT = """\
Raffles with numbered tickets. A manager creates a raffle; participants get tickets, by default one per IP address; when
no tickets are left or the raffle is closed, the manager draws the winners, once, and hands out the prizes.

Every address works with and without the slash at its end. HEAD works wherever GET does; OPTIONS lists the methods of an
address. An answer to GET has an ETag, and clients that send it in If-None-Match get a 304 while the answer stays the
same. Whole numbers are written with digits only: 1.0 is refused. Unknown query parameters are ignored. Every refusal
is a problem (RFC 9457), whose `type` is for programs and whose `detail` is for people. Browsers, which prefer HTML, get
pages at the same addresses; they are not described here.\
"""

_NO_SUCH_PATH = BareProblem(HTTPStatus.NOT_FOUND, "Nothing is at this address.")
_NO_SUCH_METHOD = BareProblem(HTTPStatus.METHOD_NOT_ALLOWED, problems.BARE_DETAILS[HTTPStatus.METHOD_NOT_ALLOWED])
_INCIDENT = BareProblem(
    HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong. The log explains it under an incident id."
)
_NOT_JSON = BareProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body is not {falcon.MEDIA_JSON}.")

_RAFFLE_ID = "{raffle_id}"

_Url = Annotated[str, fields.documented(format="uri-reference")]
_Time = Annotated[str, fields.documented(format="date-time")]

_ANSWER_HEADERS = {
    "Allow": (str, "The methods of the address."),
    "Location": (_Url, "The new raffle's URL; only a path if the host of the request is not listed."),
    "Cache-Control": (str, "Whether the answer may be kept: only if the service says that it is still the same."),
    "ETag": (str, "A tag of this answer, for the header If-None-Match."),
    "Link": (str, 'Where the next part of the answer is: `<?…>; rel="next"`.'),
    "Retry-After": (Annotated[int, fields.documented(minimum=1)], "The seconds to wait before the next try."),
}

_VALIDATORS = ("Cache-Control", "ETag")

# Typed dicts of the core cannot carry facts that only msgspec reads.
_ANSWER_FIELDS = {
    "id": fields.RaffleId,
    "raffle_id": fields.RaffleId,
    "name": fields.Name,
    "state": fields.RaffleState,
    "entry": fields.Entry,
    "tickets_each": fields.TicketsEach,
    "claim_days": fields.ClaimDays,
    "in_place_of": fields.TicketNumber,
    **dict.fromkeys(
        (
            *("created_at", *TIMES, "closed_at", "draw_possible_at", "drawn_at", "cancelled_at"),
            *("redeemed_at", "redeem_until", "forfeited_at"),
        ),
        _Time,
    ),
    "total_tickets": fields.TicketCount,
    "available_tickets": Annotated[int, fields.documented(minimum=0, maximum=limits.TICKETS)],
    "ticket_number": fields.TicketNumber,
    "amount": fields.PrizeAmount,
    "count": Annotated[int, fields.documented(minimum=0)],
    **dict.fromkeys(("handed_out", "wins"), Annotated[int, fields.documented(minimum=0, maximum=limits.TICKETS)]),
    "poll_s": Annotated[int, fields.documented(minimum=1)],
    "more_prizes": Annotated[int, fields.documented(minimum=1)],
    "next": _Url | None,
    "previous": _Url | None,
}


@cache
def document() -> bytes:
    """Return the document as JSON; it is made at the first call, and names no host."""
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "rafflekit",
                "version": __version__,
                "description": _ABOUT,
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            # Relative to this document, so that it also holds for a service below a path of a larger site.
            "servers": [{"url": "."}],
            "paths": {route.path: _path_item(route) for route in ROUTES},
            "components": {
                "schemas": _components(),
                "responses": {
                    "NoSuchPath": _refusal([_NO_SUCH_PATH]),
                    "NoSuchMethod": _refusal([_NO_SUCH_METHOD], headers=["Allow"]),
                },
            },
        }
    )


def _path_item(route: Route) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for method, operation in route.operations.items():
        name = method.lower()
        item[name] = _operation(operation, route, f"on_{name}")
        if name == "get":
            item["head"] = _head(item["get"])
    item["options"] = _options(route)
    return item


def _operation(operation: Operation, route: Route, method: str) -> dict[str, Any]:
    content = _content(operation.media_type, _schema(operation.answer))
    validators = _VALIDATORS if method == "on_get" and operation.is_validated else ()
    answer = _answer(
        "Done.",
        content=content,
        headers=(*operation.answer_headers, *validators),
        optional_headers=operation.optional_headers,
    )
    answers = {f"{operation.status:d}": answer}
    if validators:
        answers[f"{HTTPStatus.NOT_MODIFIED:d}"] = _answer("The client has this answer.", headers=validators)
    if operation.links:
        answer["links"] = {name: {"operationId": name} | link for name, link in operation.links.items()}
    described = {
        "operationId": operation.id,
        "summary": _summary(route, method),
        "description": operation.description,
        "parameters": _path_parameters(route) + _parameters(operation),
        "requestBody": _request_body(operation),
        "responses": answers | _refusals(_refusals_of(operation, route)),
    }
    return {name: value for name, value in described.items() if value}


def _head(get: dict[str, Any]) -> dict[str, Any]:
    """Return the operation HEAD that belongs to a GET: the same without bodies."""
    responses = {
        status: {name: part for name, part in answer.items() if name not in ("content", "links")}
        for status, answer in get["responses"].items()
    }
    return get | {"operationId": f"{get['operationId']}Head", "responses": responses}


def _options(route: Route) -> dict[str, Any]:
    allowed = _answer("The methods are in the Allow header.", headers=["Allow"])
    # No raffle is looked up, so its id may be anything.
    anything = [parameter | {"schema": {"type": "string"}} for parameter in _path_parameters(route)]
    return {
        "summary": _summary(route, "on_options"),
        "parameters": anything,
        "responses": {f"{HTTPStatus.NO_CONTENT:d}": allowed} | _refusals([]),
    }


def _summary(route: Route, method: str) -> str:
    # `python -OO` removes docstrings.
    return (getattr(route.resource, method).__doc__ or "").rstrip(".")


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    if _RAFFLE_ID not in route.path:
        return []
    return [_parameter("path", "raffle_id", fields.RaffleId, "A raffle's id.", required=True)]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    query = _components_of(operation.query)[operation.query.__name__] if operation.query else {"properties": {}}
    required = query.get("required", ())
    parameters = [
        # A parameter is null by being absent.
        {"in": "query", "name": name, "required": name in required, "schema": schema.get("anyOf", [schema])[0]}
        for name, schema in query["properties"].items()
    ]
    if operation.repeat:
        what = "A random text that makes it safe to repeat the request."
        parameters.append(_parameter("header", "Idempotency-Key", fields.IdempotencyKey, what))
    return parameters


def _parameter(place: str, name: str, kind: Any, what: str, *, required: bool = False) -> dict[str, Any]:
    return {"in": place, "name": name, "required": required, "description": what, "schema": _schema(kind)}


def _request_body(operation: Operation) -> dict[str, Any]:
    if operation.body is None:
        return {}
    content = _content(falcon.MEDIA_JSON, _schema(operation.body))
    if operation.example:
        content[falcon.MEDIA_JSON]["example"] = operation.example
    return {"required": not issubclass(operation.body, fields.OptionalBody), "content": content}


def _refusals_of(operation: Operation, route: Route) -> list[Refusal]:
    refusals: list[Refusal] = [InvalidValue] if operation.body or operation.query else []
    if operation.body:
        too_large = f"The body has more than {operation.body_bytes:,} bytes."
        refusals += [BareProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large), _NOT_JSON]
    if _RAFFLE_ID in route.path:
        refusals.append(RaffleNotFound)
    return [*refusals, *operation.refusals, *operation.outages]


def _refusals(refusals: Iterable[Refusal]) -> dict[str, Any]:
    by_status: dict[HTTPStatus, list[Refusal]] = {}
    for refusal in (*refusals, _INCIDENT):
        by_status.setdefault(_status(refusal), []).append(refusal)
    described = {}
    for status, some in sorted(by_status.items()):
        answer = described[f"{status:d}"] = _refusal(some, headers=["Retry-After"] if _may_wait(some) else [])
        if status is not HTTPStatus.SERVICE_UNAVAILABLE and _may_wait(some):
            # Other refusals of this status have none.
            answer["headers"]["Retry-After"]["required"] = False
    return described


def _may_wait(refusals: Iterable[Refusal]) -> bool:
    return any(refusal in (StorageUnavailable, *problems.WAITING) for refusal in refusals)


def _refusal(refusals: list[Refusal], *, headers: Collection[str] = ()) -> dict[str, Any]:
    """Return the answer of one status, which several problems may share."""
    examples = [_example(refusal) for refusal in refusals]
    kinds = sorted({example.type for example in examples})
    schema = {
        "allOf": [_schema(problems.Problem)],
        "properties": {"type": {"enum": kinds}, "status": {"const": _status(refusals[0])}},
    }
    content = _content(problems.MEDIA_PROBLEM, schema)
    content[problems.MEDIA_PROBLEM]["examples"] = {
        f"{example.type.rpartition(':')[2]}-{number}": {"value": example} for number, example in enumerate(examples, 1)
    }
    described = "\n".join(f"- {example.detail}" for example in examples)
    return _answer(described, content=content, headers=headers)


def _status(refusal: Refusal) -> HTTPStatus:
    if isinstance(refusal, BareProblem):
        return refusal.status
    return problems.STATUSES[type(refusal) if isinstance(refusal, RaffleError) else refusal]


def _example(refusal: Refusal) -> problems.Problem:
    if isinstance(refusal, BareProblem):
        return problems.bare_problem(refusal.status, refusal.when)
    if isinstance(refusal, RaffleError):
        return problems.problem_of(refusal)
    if refusal is InvalidValue:
        return problems.problem_of(InvalidValue("field", "what is wrong, and what would be right."))
    return problems.plain_problem(refusal)


def _answer(
    description: str,
    *,
    content: Mapping[str, Any] | None = None,
    headers: Collection[str] = (),
    optional_headers: Collection[str] = (),
) -> dict[str, Any]:
    described_headers = {
        name: {"required": name in headers, "description": what, "schema": _schema(kind)}
        for name, (kind, what) in _ANSWER_HEADERS.items()
        if name in headers or name in optional_headers
    }
    described = {"description": description, "headers": described_headers, "content": content}
    return {name: value for name, value in described.items() if value}


def _content(media_type: str, schema: Any) -> dict[str, Any]:
    return {media_type: {"schema": schema}}


def _schema(kind: Any) -> Any:
    [schema], _ = msgspec.json.schema_components([kind], ref_template=_SCHEMAS)
    return schema


def _components_of(*kinds: Any) -> dict[str, Any]:
    return msgspec.json.schema_components(kinds, ref_template=_SCHEMAS)[1]


def _components() -> dict[str, Any]:
    operations = [operation for route in ROUTES for operation in route.operations.values()]
    asked = _components_of(problems.Problem, *(operation.body for operation in operations if operation.body))
    answered = _components_of(*(operation.answer for operation in operations))
    for schema in answered.values():
        properties = schema["properties"]
        properties |= {name: _schema(_ANSWER_FIELDS[name]) for name in properties.keys() & _ANSWER_FIELDS.keys()}
    return asked | answered
