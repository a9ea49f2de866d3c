"""One class per address of the contract, one method per HTTP method.

A method reads top-down as the contract decides: who asks, from which page, with what body; then one call of the
engine, and its value's shape as the answer. No rule of a raffle is here.
"""

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus

import falcon
import msgspec

from rafflekit.core import limits, shapes
from rafflekit.core.engine import RaffleEngine
from rafflekit.core.models import Item, Page
from rafflekit.core.prizes import Prize, Win
from rafflekit.http import reading
from rafflekit.http.access import Access

_WINS_AT_ONCE = 1_000
_DESCRIPTION_CACHED_S = 3_600


class Address:
    """What all addresses have: an answer to OPTIONS."""

    def __init__(self) -> None:
        self.allowed_methods = [
            method for method in ("GET", "HEAD", "OPTIONS", "POST") if hasattr(self, f"on_{method.lower()}")
        ]

    def on_options(self, request: falcon.Request, response: falcon.Response, **parameters: str) -> None:
        """Tell which methods this address has."""
        response.status = HTTPStatus.NO_CONTENT
        response.set_header("Allow", ", ".join(self.allowed_methods))


class RaffleAddress(Address):
    """What all addresses of the contract have: the engine, and who may come in."""

    def __init__(self, engine: RaffleEngine, access: Access) -> None:
        super().__init__()
        self.engine = engine
        self.access = access


class Raffles(RaffleAddress):
    """`/raffles/`: list raffles, create one."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """List raffles from the newest on."""
        query = reading.read_query(request, reading.RafflesQuery)
        page = self.engine.list(
            page=query.page, page_size=query.page_size, name=query.name, winners_drawn=query.winners_drawn
        )
        next_url, previous_url = _neighbours(page, request, f"{self.access.base_url(request.env)}/raffles/")
        answer(response, shapes.raffle_page_shape(page, next_url=next_url, previous_url=previous_url))

    on_head = on_get

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Create a raffle."""
        self.access.require_manager(request.env)
        self.access.require_own_page(request.env)
        body = reading.read_body(request, reading.CreateBody, most_bytes=limits.CREATE_BODY_BYTES)
        raffle = self.engine.create(
            body.name,
            total_tickets=body.total_tickets,
            prizes=[Prize(prize.name, prize.amount) for prize in body.prizes],
            entropy=body.entropy,
            delay_s=body.delay_s,
        )
        response.location = f"{self.access.base_url(request.env)}/raffles/{raffle.id}/"
        answer(response, shapes.raffle_shape(raffle), status=HTTPStatus.CREATED)


class RaffleDetail(RaffleAddress):
    """`/raffles/<id>/`: one raffle."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show a raffle as it stands now."""
        answer(response, shapes.raffle_shape(self.engine.get(reading.check_raffle_id(raffle_id))))

    on_head = on_get


class Participation(RaffleAddress):
    """`/raffles/<id>/participate/`: get a ticket."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Hand a ticket to the address that asks."""
        self.access.require_own_page(request.env)
        reading.check_no_fields(request)
        key = reading.idempotency_key(request)
        participant = self.access.participant(request.env)
        ticket = self.engine.participate(reading.check_raffle_id(raffle_id), participant, idempotency_key=key)
        answer(response, shapes.ticket_shape(ticket), status=HTTPStatus.CREATED)


class Winners(RaffleAddress):
    """`/raffles/<id>/winners/`: draw the winners, list them."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """List the wins in draw order."""
        checked_id = reading.check_raffle_id(raffle_id)
        query = reading.read_query(request, reading.WinnersQuery)
        page = self.engine.winners(checked_id, page=query.page, page_size=query.page_size)
        url = f"{self.access.base_url(request.env)}/raffles/{raffle_id}/winners/"
        next_url, previous_url = _neighbours(page, request, url)
        answer(response, shapes.win_page_shape(page, next_url=next_url, previous_url=previous_url))

    on_head = on_get

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Draw the winners."""
        self.access.require_manager(request.env)
        self.access.require_own_page(request.env)
        reading.check_no_fields(request)
        wins = self.engine.draw(reading.check_raffle_id(raffle_id))
        response.status = HTTPStatus.CREATED
        response.content_type = falcon.MEDIA_JSON
        response.stream = _array_of(wins)


class TicketVerification(RaffleAddress):
    """`/raffles/<id>/verify-ticket/`: check a ticket and what it won."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Tell the holder of a ticket's code what it won."""
        body = reading.read_body(request, reading.VerifyBody)
        verification = self.engine.verify(
            reading.check_raffle_id(raffle_id), body.ticket_number, body.verification_code
        )
        answer(response, shapes.verification_shape(verification))


class ApiDescription(Address):
    """`/openapi.json`: the API, described for programs."""

    def __init__(self, document: Callable[[], bytes]) -> None:
        super().__init__()
        self._document = document

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Describe this API for programs, as OpenAPI 3.1."""
        response.content_type = falcon.MEDIA_JSON
        response.cache_control = ["public", f"max-age={_DESCRIPTION_CACHED_S}"]
        response.data = self._document()

    on_head = on_get


def answer(response: falcon.Response, shape: object, *, status: HTTPStatus = HTTPStatus.OK) -> None:
    """Answer with a shape as JSON."""
    response.status = status
    response.content_type = falcon.MEDIA_JSON
    response.data = msgspec.json.encode(shape)


def _array_of(wins: Sequence[Win]) -> Iterator[bytes]:
    """Yield the JSON array of all wins, a part at a time: a million of them would take some hundred MiB as a whole."""
    opening = b"["
    for first in range(0, len(wins), _WINS_AT_ONCE):
        some = [shapes.win_shape(win) for win in wins[first : first + _WINS_AT_ONCE]]
        yield opening + msgspec.json.encode(some)[1:-1]
        opening = b","
    yield b"]"


def _neighbours(page: Page[Item], request: falcon.Request, url: str) -> tuple[str | None, str | None]:
    next_url = reading.page_url(url, request, page.number + 1) if page.has_next else None
    previous_url = reading.page_url(url, request, page.number - 1) if page.has_previous else None
    return next_url, previous_url
