"""`/raffles/` and `/raffles/<id>/`: create, list, show and change raffles."""

from contextlib import nullcontext
from http import HTTPStatus
from typing import Annotated, Any

import falcon
import msgspec
from msgspec import UNSET, UnsetType

from rafflekit.core import errors, limits, shapes
from rafflekit.core.models import Page, Raffle, Right
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.terms import TIMES
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, Service, answer, neighbours
from rafflekit.http.api.operations import MANAGERS_ONLY, OF_THIS_RAFFLE, SIGNED, STORAGE, TOO_BUSY, Operation, Route


class PrizeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prize of a raffle."""

    name: fields.Name
    amount: fields.PrizeAmount


Prizes = Annotated[list[PrizeBody], fields.documented(minItems=1, maxItems=limits.PRIZE_KINDS)]


class OptionsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of a raffle; null means: without this option."""

    entropy: fields.Entropy | UnsetType | None = UNSET
    delay_s: fields.Delay | UnsetType | None = UNSET
    source: fields.Reason | UnsetType | None = UNSET
    entry: fields.Entry | UnsetType | None = UNSET
    tickets_each: fields.TicketsEach | UnsetType | None = UNSET
    opens_at: fields.Time | UnsetType | None = UNSET
    closes_at: fields.Time | UnsetType | None = UNSET
    draw_at: fields.Time | UnsetType | None = UNSET
    claim_days: fields.ClaimDays | UnsetType | None = UNSET
    collection: fields.Reason | UnsetType | None = UNSET
    promoter: fields.Reason | UnsetType | None = UNSET
    address: fields.Reason | UnsetType | None = UNSET
    price: fields.Reason | UnsetType | None = UNSET
    licence: fields.Reason | UnsetType | None = UNSET
    note: fields.Reason | UnsetType | None = UNSET


class CreateBody(OptionsBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a raffle is created from; a ticket wins at most one prize."""

    name: fields.Name
    total_tickets: fields.TicketCount
    prizes: Prizes


class ChangeBody(OptionsBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The terms of a raffle that change: absent ones stay, and null removes an option."""

    name: fields.Name | UnsetType = UNSET
    total_tickets: fields.TicketCount | UnsetType = UNSET
    prizes: Prizes | UnsetType = UNSET


class RafflesQuery(msgspec.Struct, frozen=True):
    """Which raffles are listed."""

    page: fields.PageNumber = 1
    page_size: fields.RafflesPageSize = limits.RAFFLES_PAGE_SIZE
    name: fields.SearchedName | None = None
    winners_drawn: bool | None = None
    state: fields.RaffleState | None = None


class Raffles(Address):
    """`/raffles/`: list raffles, create one."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """List raffles, newest first."""
        page = listed_raffles(self.service, reading.read_query(request, RafflesQuery))
        next_url, previous_url = neighbours(page, request, f"{self.access.base_url(request.env)}/raffles/")
        answer(response, shapes.raffle_page_shape(page, next_url=next_url, previous_url=previous_url))

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Create a raffle."""
        self.access.require(request.env, Right.MANAGE)
        self.access.require_own_page(request.env)
        body = reading.read_body(request, CreateBody, most_bytes=limits.CREATE_BODY_BYTES)
        key = reading.idempotency_key(request)
        terms = {name: value for name, value in _terms_of(body).items() if value is not None}
        raffle = self.engine.create(**terms, idempotency_key=key)
        response.location = f"{self.access.base_url(request.env)}/raffles/{raffle.id}/"
        answer(response, shapes.raffle_shape(raffle), status=HTTPStatus.CREATED)


def listed_raffles(service: Service, query: RafflesQuery) -> Page[Raffle]:
    """Return the raffles that a query asks for, each with its first prizes.

    Raises:
        InvalidValue, PageNotFound: see `RaffleEngine.list`.
        HTTPServiceUnavailable: too many others are searching.
    """
    is_search = (query.name, query.winners_drawn, query.state) != (None, None, None)
    # Each request has a turn of its own: they share nothing.
    with service.searches.turn(object()) if is_search else nullcontext():
        return service.engine.list(**msgspec.structs.asdict(query), most_prizes=limits.LISTED_PRIZES)


class RaffleDetail(Address):
    """`/raffles/<id>/`: one raffle."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show a raffle."""
        answer(response, shapes.raffle_shape(self.engine.get(reading.check_raffle_id(raffle_id))))

    def on_patch(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Change a raffle that has no tickets yet."""
        self.access.require(request.env, Right.MANAGE)
        self.access.require_own_page(request.env)
        body = reading.read_body(request, ChangeBody, most_bytes=limits.CREATE_BODY_BYTES)
        raffle = self.engine.change(reading.check_raffle_id(raffle_id), **_terms_of(body))
        answer(response, shapes.raffle_shape(raffle))


def _terms_of(body: OptionsBody) -> dict[str, Any]:
    """Return the terms that a body names, as the engine takes them."""
    terms = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}
    for name in TIMES:
        if isinstance(terms.get(name), str):
            terms[name] = reading.moment_of(name, terms[name])
    if "prizes" in terms:
        terms["prizes"] = [Prize(prize.name, prize.amount) for prize in terms["prizes"]]
    return terms


ROUTES = (
    Route(
        "/raffles/",
        Raffles,
        get=Operation(
            "listRaffles",
            shapes.RafflePageShape,
            (errors.PageNotFound,),
            (TOO_BUSY, *STORAGE),
            description=f"Of a raffle with more than {limits.LISTED_PRIZES} prizes, the list has the first "
            f"{limits.LISTED_PRIZES}, and `more_prizes` counts the others.",
            query=RafflesQuery,
        ),
        post=Operation(
            "createRaffle",
            shapes.RaffleShape,
            (*MANAGERS_ONLY, errors.IdempotencyKeyReused),
            SIGNED,
            status=HTTPStatus.CREATED,
            description="Managers only. The prizes' amounts add up to at most the number of tickets, and to at most "
            f"{limits.PRIZES:,}; otherwise the answer is a 400 with the words “Too many prizes”.",
            body=CreateBody,
            body_bytes=limits.CREATE_BODY_BYTES,
            example={
                "name": "Foobar raffle",
                "total_tickets": 15,
                "prizes": [{"name": "invisibility", "amount": 1}, {"name": "warm hug", "amount": 3}],
            },
            answer_headers=("Location",),
            repeat="the same raffle",
            links={
                operation: {"parameters": {"raffle_id": "$response.body#/id"}}
                for operation in ("showRaffle", "changeRaffle", "participate", "drawWinners", "listWinners")
            },
        ),
    ),
    Route(
        "/raffles/{raffle_id}/",
        RaffleDetail,
        get=Operation("showRaffle", shapes.RaffleShape),
        patch=Operation(
            "changeRaffle",
            shapes.RaffleShape,
            (*MANAGERS_ONLY, errors.TooLate),
            description="Managers only. Terms that are absent stay as they are, and null removes an option. From the "
            "first ticket on, the terms are final.",
            body=ChangeBody,
            body_bytes=limits.CREATE_BODY_BYTES,
            example={"name": "Foobar raffle", "closes_at": "2026-12-05T18:00:00+01:00", "claim_days": None},
            links={"showRaffle": OF_THIS_RAFFLE},
        ),
    ),
)
