"""The pages of raffles: all of them, and one."""

from secrets import token_urlsafe

import falcon

from rafflekit.core import limits
from rafflekit.core.models import State
from rafflekit.http import reading
from rafflekit.http.api.raffles import RafflesQuery
from rafflekit.http.pages.page import WebPage, see_other


class Home(WebPage):
    """`/`: leads to the list of raffles."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Lead to the list of raffles."""
        see_other(request, response, "/raffles/")


class RaffleList(WebPage):
    """`/raffles/`: all raffles, the newest first."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Show a page of the list."""
        query = reading.read_query(request, RafflesQuery)
        page = self.engine.list(page=query.page, page_size=query.page_size, most_prizes=limits.LISTED_PRIZES)
        self.show(request, response, "raffles.html", page=page, State=State)


class RafflePage(WebPage):
    """`/raffles/<id>/`: one raffle, where people take part and later see what they won."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the raffle as it is now."""
        raffle = self.engine.get(reading.check_raffle_id(raffle_id))
        # With it, a form that is sent twice gets the same ticket.
        key = token_urlsafe()
        self.show(request, response, "raffle.html", raffle=raffle, State=State, idempotency_key=key)
