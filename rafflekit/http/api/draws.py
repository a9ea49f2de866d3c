"""`…/winners/`: draw the winners of a raffle, and list them."""

from contextlib import nullcontext
from http import HTTPStatus

import falcon
import msgspec

from rafflekit.core import errors, limits, shapes
from rafflekit.core.models import Page, Raffle, Right
from rafflekit.core.prizes import count_wins
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, Service, answer, link_next, neighbours
from rafflekit.http.api.operations import MANAGERS_ONLY, OF_THIS_RAFFLE, SIGNED, STORAGE, TOO_BUSY, Operation, Route

CHEAP_WINS = 1_000
"""After a draw of so many wins, the queue takes a few milliseconds."""


class WinnersQuery(msgspec.Struct, frozen=True):
    """Which page is listed: of the wins or, with `queue`, of the tickets that are next."""

    page: fields.PageNumber = 1
    page_size: fields.PageSize = limits.WINNERS_PAGE_SIZE
    queue: bool = False


class DrawBody(fields.OptionalBody, frozen=True, forbid_unknown_fields=True):
    """The value that decides the draw, if a manager gives it instead of the source being fetched."""

    value: str | None = None


def listed_queue(service: Service, raffle: Raffle, *, page: int = 1, page_size: int) -> Page[int]:
    """Return a page of the tickets that are next, as `RaffleEngine.queue`.

    Raises:
        HTTPServiceUnavailable: too many others are waiting for their turn.
        NotDrawnYet, InvalidValue, PageNotFound: see `RaffleEngine.queue`.
    """
    # The engine keeps the shuffle, but after a draw of a million prizes, the first one takes seconds.
    is_cheap = count_wins(raffle.prizes) <= CHEAP_WINS
    with nullcontext() if is_cheap else service.kept.turns.turn(str(raffle.id)):
        return service.engine.queue(raffle.id, page=page, page_size=page_size)


class Winners(Address):
    """`/raffles/<id>/winners/`: draw the winners, list them."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """List the wins in draw order, or the tickets that take over the next forfeited prizes."""
        checked_id = reading.check_raffle_id(raffle_id)
        query = reading.read_query(request, WinnersQuery)
        url = f"{self.access.base_url(request.env)}/raffles/{raffle_id}/winners/"
        if query.queue:
            raffle = self.engine.get(checked_id)
            queue = listed_queue(self.service, raffle, page=query.page, page_size=query.page_size)
            next_url, previous_url = neighbours(queue, request, url)
            shape = shapes.queue_page_shape(queue, next_url=next_url, previous_url=previous_url)
        else:
            page = self.engine.winners(checked_id, page=query.page, page_size=query.page_size)
            next_url, previous_url = neighbours(page, request, url)
            shape = shapes.win_page_shape(page, next_url=next_url, previous_url=previous_url)
        answer(response, shape)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Draw the winners."""
        self.access.require(request.env, Right.MANAGE)
        self.access.require_own_page(request.env)
        body = reading.read_body(request, DrawBody)
        wins = self.engine.draw(reading.check_raffle_id(raffle_id), value=body.value)
        if len(wins) > limits.PAGE_SIZE:
            link_next(response, {"page": 2, "page_size": limits.PAGE_SIZE})
        first = [shapes.win_shape(win) for win in wins[: limits.PAGE_SIZE]]
        answer(response, first, status=HTTPStatus.CREATED)


ROUTES = (
    Route(
        "/raffles/{raffle_id}/winners/",
        Winners,
        get=Operation(
            "listWinners",
            shapes.WinPageShape,
            (errors.PageNotFound, errors.NotDrawnYet),
            (TOO_BUSY, *STORAGE),
            description="The list is empty before the draw, and there is no queue yet.",
            query=WinnersQuery,
        ),
        post=Operation(
            "drawWinners",
            list[shapes.WinShape],
            (
                *(*MANAGERS_ONLY, errors.Cancelled, errors.TooFewTickets),
                *(errors.TicketsRemaining, errors.AlreadyDrawn, errors.BeaconNotPublished, errors.BeaconUnavailable),
            ),
            SIGNED,
            status=HTTPStatus.CREATED,
            description=f"Managers only. The answer is the first {limits.PAGE_SIZE:,} wins, in draw order; the Link "
            "header leads to the next ones, if there are any. `value` is what an announced source gave, or the beacon "
            "of a drand round, which is otherwise fetched.",
            optional_headers=("Link",),
            body=DrawBody,
            example={"value": "3 17 22 31 38 45"},
            links={"listWinners": OF_THIS_RAFFLE},
        ),
    ),
)
