"""Lists of a drawn raffle at the desk: its wins, with what happened to their prizes, and who is next."""

import falcon
import msgspec

from rafflekit.core import limits
from rafflekit.core.lifecycle import Action
from rafflekit.http import fields, reading
from rafflekit.http.api.draws import listed_queue
from rafflekit.http.pages.desk.page import ActionPage
from rafflekit.http.pages.page import other_pages


class DeskQueueQuery(msgspec.Struct, frozen=True):
    """Which page is listed."""

    page: fields.PageNumber = 1
    page_size: fields.PageSize = limits.WINNERS_PAGE_SIZE


class DeskWinnersQuery(DeskQueueQuery, frozen=True):
    """Which wins are listed."""

    unredeemed: bool = False


class DeskWinners(ActionPage):
    """`/desk/raffles/<id>/winners/`: the wins, and with which desk pass their prizes were handed out."""

    # There are wins from the moment when prizes can be handed out.
    action = Action.REDEEM
    forms = (DeskWinnersQuery,)

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show a page of the wins, all or those whose prize is still here."""
        self.enter(request)
        raffle = self.raffle(raffle_id)
        query = reading.read_query(request, DeskWinnersQuery)
        page = self.engine.winners(raffle.id, **msgspec.structs.asdict(query))
        self.show_action(request, response, "winners.html", raffle=raffle, page=page, query=query)


class DeskQueue(ActionPage):
    """`/desk/raffles/<id>/queue/`: the tickets that take over the next prizes."""

    action = Action.REDEEM
    forms = (DeskQueueQuery,)

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show a page of the queue."""
        self.enter(request)
        raffle = self.raffle(raffle_id)
        query = reading.read_query(request, DeskQueueQuery)
        page = None
        if raffle.winners_drawn:
            page = listed_queue(self.service, raffle, page=query.page, page_size=query.page_size)
        self.show_action(request, response, "queue.html", raffle=raffle, page=page, others=other_pages(request))
