"""The pages of raffles: all of them, one, and the winners of one."""

from datetime import datetime
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any, ClassVar

import falcon
import msgspec

from rafflekit.core import limits
from rafflekit.core.lifecycle import draw_due_at, draw_possible_at, lacks_tickets
from rafflekit.core.models import Page, Raffle, Right, State
from rafflekit.core.prizes import Win, count_wins
from rafflekit.core.protocol.terms import EntryRule
from rafflekit.html.rendering import numeral
from rafflekit.http import reading
from rafflekit.http.api.address import Service
from rafflekit.http.api.draws import WinnersQuery, listed_queue
from rafflekit.http.api.live import POLL_S
from rafflekit.http.api.raffles import RafflesQuery, listed_raffles
from rafflekit.http.pages.kept_pages import SLOTS, KeptPages, PageKey
from rafflekit.http.pages.page import (
    WebPage,
    filled,
    is_at_desk,
    language_of,
    other_pages,
    root_of,
    see_other,
    send_page,
)

_SHOWN_WINS = 20


class Home(WebPage):
    """`/`: leads to the list of raffles."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Lead to the list of raffles."""
        see_other(request, response, "/raffles/")


class RaffleList(WebPage):
    """`/raffles/`: all raffles, the newest first."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Show a page of the list."""
        page = listed_raffles(self.service, reading.read_query(request, RafflesQuery))
        is_manager = is_at_desk(self.access, request)
        others = other_pages(request)
        self.show(request, response, "raffles.html", page=page, others=others, State=State, is_manager=is_manager)


class OneRaffle(WebPage):
    """What the addresses of one raffle share: its page, also as the answer to a form that was refused."""

    def show_raffle(
        self, request: falcon.Request, response: falcon.Response, raffle: Raffle, *, status: HTTPStatus, **form: Any
    ) -> None:
        """Answer with the page of a raffle, which says what is wrong with a form: its `error` and what it contained."""
        left = raffle.available_tickets
        values = self._values(request, raffle, self._first_wins(raffle)) | {
            "left": left,
            "left_shown": numeral(left, language_of(request)),
            "idempotency_key": token_urlsafe(),
        }
        send_page(response, filled(request, "raffle.html", **(values | form)), status=status)

    def _first_wins(self, raffle: Raffle) -> Page[Win] | None:
        return self.engine.winners(raffle.id, page_size=_SHOWN_WINS) if raffle.winners_drawn else None

    def _values(self, request: falcon.Request, raffle: Raffle, wins: Page[Win] | None) -> dict[str, Any]:
        return {
            "raffle": raffle,
            "wins": wins,
            "wins_count": count_wins(raffle.prizes) if wins is None else wins.count,
            "forfeits": 0 if wins is None else self.engine.count_forfeits(raffle.id),
            "draw_possible_at": draw_possible_at(raffle),
            "lacks_tickets": lacks_tickets(raffle),
            **draw_time(raffle, self.engine.now()),
            "is_manager": is_at_desk(self.access, request),
            "may_redeem": self.access.allows(request.env, Right.REDEEM),
            "poll_s": POLL_S,
            "error": None,
            "invitation": "",
            "State": State,
            "EntryRule": EntryRule,
        }


def draw_time(raffle: Raffle, now: datetime) -> dict[str, Any]:
    """Return what pages say about the time of a closed raffle's draw: `due_at`, `can_begin` and `waits_for_beacon`."""
    due_at = draw_due_at(raffle)
    return {
        "due_at": due_at,
        "can_begin": due_at is not None and due_at <= now,
        "waits_for_beacon": due_at is not None and due_at == draw_possible_at(raffle),
    }


class RafflePage(OneRaffle):
    """`/raffles/<id>/`: one raffle, where people take part and later see what they won."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._kept = KeptPages()

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the raffle as it is now.

        In a rush, thousands ask for it. So it is rendered once, except for what differs: the number of tickets left,
        and the key with which a form that is sent twice gets the same ticket.
        """
        raffle = self.engine.get(reading.check_raffle_id(raffle_id))
        wins = self._first_wins(raffle)
        values = self._values(request, raffle, wins)
        rights = {name: values[name] for name in ("is_manager", "may_redeem")}
        key = PageKey(raffle.id, language_of(request), root_of(request), **rights)
        shown = raffle, (wins, values["forfeits"], values["can_begin"])
        page = self._kept.get(key, shown, lambda: filled(request, "raffle.html", **values, **SLOTS))
        left = raffle.available_tickets
        send_page(response, page.filled(left=left, idempotency_key=token_urlsafe()), status=HTTPStatus.OK)
        response.set_header("ETag", page.etag(left))


class WinnersPage(WebPage):
    """`/raffles/<id>/winners/`: the winners, in draw order."""

    forms: ClassVar[tuple[type[msgspec.Struct], ...]] = (WinnersQuery,)

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show a page of the winners or, with `queue`, of the tickets that are next."""
        checked_id = reading.check_raffle_id(raffle_id)
        query = reading.read_query(request, WinnersQuery)
        # Rows of HTML cost several times as much as items of JSON.
        page_size = min(query.page_size, limits.WINNERS_PAGE_SIZE)
        raffle = self.engine.get(checked_id)
        queue = wins = None
        if query.queue and raffle.winners_drawn:
            queue = listed_queue(self.service, raffle, page=query.page, page_size=page_size)
        else:
            wins = self.engine.winners(checked_id, page=query.page, page_size=page_size)
        self.show(request, response, "winners.html", raffle=raffle, queue=queue, wins=wins, page_size=page_size)
