"""`/raffles/<id>/live/`: the wall of a hall. It shows what is left, then what the draw waits for, then the winners."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import falcon
import msgspec

from rafflekit.core import limits
from rafflekit.core.models import Page, Raffle, State
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.terms import EntryRule
from rafflekit.core.shapes import LiveShape
from rafflekit.html.links import raffle_address
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Service
from rafflekit.http.api.live import live_state
from rafflekit.http.pages.kept_pages import KeptPages, PageKey
from rafflekit.http.pages.page import WebPage, filled, language_of, root_of, send_page
from rafflekit.http.pages.raffles import draw_time

MOST_PRESENTED = limits.PAGE_SIZE
"""The most wins that are shown one by one."""


class WallQuery(msgspec.Struct, frozen=True):
    """Which page of winners is shown if they are too many to show one by one."""

    page: fields.PageNumber = 1


@dataclass(frozen=True, slots=True)
class Place:
    """One prize of the draw: the ticket that has it now, None if no ticket was left, and those that lost it before."""

    prize: str
    ticket_number: int | None
    lost_by: tuple[int, ...]


class LivePage(WebPage):
    """`/raffles/<id>/live/`: the wall."""

    forms = (WallQuery,)

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._kept = KeptPages()

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show where the raffle stands; a script keeps the page current."""
        raffle = self.engine.get(reading.check_raffle_id(raffle_id))
        state = live_state(self.engine, raffle)
        if not raffle.winners_drawn:
            html = self._html(request, raffle, state, address=self._address(request, raffle))
        elif state["wins"] > MOST_PRESENTED:
            query = reading.read_query(request, WallQuery)
            html = self._html(
                request,
                raffle,
                state,
                page=self.engine.winners(raffle.id, page=query.page, page_size=limits.WINNERS_PAGE_SIZE),
            )
        else:
            key = PageKey(raffle.id, language_of(request), root_of(request), is_manager=False)
            html = self._kept.get(key, (raffle, state), lambda: self._winners_html(request, raffle, state)).html()
        send_page(response, html, status=HTTPStatus.OK)

    def _address(self, request: falcon.Request, raffle: Raffle) -> str | None:
        """Return the address at which phones can take part; None if they cannot, or it is not known."""
        base = self.access.visitors_url(request.env)
        is_for_phones = raffle.state is State.OPEN and raffle.terms.entry != EntryRule.DESK
        return raffle_address(base, raffle) if is_for_phones else None

    def _winners_html(self, request: falcon.Request, raffle: Raffle, state: LiveShape) -> str:
        wins = self.engine.winners(raffle.id, page_size=MOST_PRESENTED).items
        return self._html(request, raffle, state, places=places_of(wins))

    def _html(
        self,
        request: falcon.Request,
        raffle: Raffle,
        state: LiveShape,
        *,
        address: str | None = None,
        places: Sequence[Place] | None = None,
        page: Page[Win] | None = None,
    ) -> str:
        return filled(
            request,
            "live.html",
            raffle=raffle,
            state=state,
            State=State,
            **draw_time(raffle, self.engine.now()),
            address=address,
            places=places,
            page=page,
        )


def places_of(wins: Sequence[Win]) -> list[Place]:
    """Return who has each prize in the end, in draw order; `wins` are all wins of a raffle."""
    heirs = {win.in_place_of: win for win in wins if win.in_place_of is not None}
    return [_place(win, heirs) for win in wins if win.in_place_of is None]


def _place(win: Win, heirs: dict[int, Win]) -> Place:
    holder: Win | None = win
    lost_by: list[int] = []
    while holder is not None and holder.forfeited_at is not None:
        lost_by.append(holder.ticket_number)
        holder = heirs.get(holder.ticket_number)
    return Place(win.prize, None if holder is None else holder.ticket_number, tuple(lost_by))
