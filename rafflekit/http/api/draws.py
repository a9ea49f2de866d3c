"""`…/winners/`: draw the winners of a raffle, and list them."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus

import falcon
import msgspec

from rafflekit.core import errors, limits, shapes
from rafflekit.core.prizes import Win
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, answer, neighbours
from rafflekit.http.api.operations import MANAGERS_ONLY, OF_THIS_RAFFLE, SIGNED, Operation, Route

_WINS_AT_ONCE = 1_000


class WinnersQuery(msgspec.Struct, frozen=True):
    """Which wins are listed."""

    page: fields.PageNumber = 1
    page_size: fields.PageSize = limits.WINNERS_PAGE_SIZE


class Winners(Address):
    """`/raffles/<id>/winners/`: draw the winners, list them."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """List the wins in draw order."""
        checked_id = reading.check_raffle_id(raffle_id)
        query = reading.read_query(request, WinnersQuery)
        page = self.engine.winners(checked_id, page=query.page, page_size=query.page_size)
        url = f"{self.access.base_url(request.env)}/raffles/{raffle_id}/winners/"
        next_url, previous_url = neighbours(page, request, url)
        answer(response, shapes.win_page_shape(page, next_url=next_url, previous_url=previous_url))

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Draw the winners."""
        self.access.require_manager(request.env)
        self.access.require_own_page(request.env)
        reading.read_body(request, fields.NoFields)
        wins = self.engine.draw(reading.check_raffle_id(raffle_id))
        response.status = HTTPStatus.CREATED
        response.content_type = falcon.MEDIA_JSON
        response.stream = _array_of(wins)


def _array_of(wins: Sequence[Win]) -> Iterator[bytes]:
    """Yield the JSON array of all wins in parts: a million of them would take some hundred MiB as a whole."""
    opening = b"["
    for first in range(0, len(wins), _WINS_AT_ONCE):
        some = [shapes.win_shape(win) for win in wins[first : first + _WINS_AT_ONCE]]
        yield opening + msgspec.json.encode(some)[1:-1]
        opening = b","
    yield b"]"


ROUTES = (
    Route(
        "/raffles/{raffle_id}/winners/",
        Winners,
        get=Operation(
            "listWinners",
            shapes.WinPageShape,
            (errors.PageNotFound,),
            description="The list is empty before the draw.",
            query=WinnersQuery,
        ),
        post=Operation(
            "drawWinners",
            list[shapes.WinShape],
            (
                *(*MANAGERS_ONLY, errors.TicketsRemaining, errors.AlreadyDrawn),
                *(errors.BeaconNotPublished, errors.BeaconUnavailable),
            ),
            SIGNED,
            status=HTTPStatus.CREATED,
            description="Managers only. The answer is every win, in draw order.",
            body=fields.NoFields,
            links={"listWinners": OF_THIS_RAFFLE},
        ),
    ),
)
