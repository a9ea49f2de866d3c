"""`/raffles/` and `/raffles/<id>/`: create, list and show raffles."""

from http import HTTPStatus
from typing import Annotated

import falcon
import msgspec

from rafflekit.core import errors, limits, shapes
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.entropy import SECRETS
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, answer, neighbours
from rafflekit.http.api.operations import MANAGERS_ONLY, SIGNED, Operation, Route


class PrizeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prize of a raffle to be created."""

    name: fields.Name
    amount: fields.PrizeAmount


class CreateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a raffle is created from; a ticket wins at most one prize."""

    name: fields.Name
    total_tickets: fields.TicketCount
    prizes: Annotated[list[PrizeBody], fields.documented(minItems=1, maxItems=limits.PRIZE_KINDS)]
    entropy: fields.Entropy = SECRETS
    delay_s: fields.Delay | None = None


class RafflesQuery(msgspec.Struct, frozen=True):
    """Which raffles are listed."""

    page: fields.PageNumber = 1
    page_size: fields.PageSize = limits.RAFFLES_PAGE_SIZE
    name: fields.SearchedName | None = None
    winners_drawn: bool | None = None


class Raffles(Address):
    """`/raffles/`: list raffles, create one."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """List raffles, newest first."""
        query = reading.read_query(request, RafflesQuery)
        page = self.engine.list(
            page=query.page, page_size=query.page_size, name=query.name, winners_drawn=query.winners_drawn
        )
        next_url, previous_url = neighbours(page, request, f"{self.access.base_url(request.env)}/raffles/")
        answer(response, shapes.raffle_page_shape(page, next_url=next_url, previous_url=previous_url))

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Create a raffle."""
        self.access.require_manager(request.env)
        self.access.require_own_page(request.env)
        body = reading.read_body(request, CreateBody, most_bytes=limits.CREATE_BODY_BYTES)
        prizes = [Prize(prize.name, prize.amount) for prize in body.prizes]
        raffle = self.engine.create(**msgspec.structs.asdict(body) | {"prizes": prizes})
        response.location = f"{self.access.base_url(request.env)}/raffles/{raffle.id}/"
        answer(response, shapes.raffle_shape(raffle), status=HTTPStatus.CREATED)


class RaffleDetail(Address):
    """`/raffles/<id>/`: one raffle."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show a raffle."""
        answer(response, shapes.raffle_shape(self.engine.get(reading.check_raffle_id(raffle_id))))


ROUTES = (
    Route(
        "/raffles/",
        Raffles,
        get=Operation("listRaffles", shapes.RafflePageShape, (errors.PageNotFound,), query=RafflesQuery),
        post=Operation(
            "createRaffle",
            shapes.RaffleShape,
            MANAGERS_ONLY,
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
            links={
                operation: {"parameters": {"raffle_id": "$response.body#/id"}}
                for operation in ("showRaffle", "participate", "drawWinners", "listWinners")
            },
        ),
    ),
    Route("/raffles/{raffle_id}/", RaffleDetail, get=Operation("showRaffle", shapes.RaffleShape)),
)
