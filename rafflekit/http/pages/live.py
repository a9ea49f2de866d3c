"""`/raffles/<id>/live/`: the wall of a hall. It shows what is left, then what the draw waits for, then the winners."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import falcon
import msgspec

from rafflekit.core import limits
from rafflekit.core.lifecycle import draw_due_at, draw_possible_at
from rafflekit.core.models import Raffle, State
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.terms import EntryRule
from rafflekit.http import fields, reading
from rafflekit.http.api.live import live_state
from rafflekit.http.pages.page import WebPage

MOST_PRESENTED = 1_000
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

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show where the raffle stands; a script keeps the page current."""
        raffle = self.engine.get(reading.check_raffle_id(raffle_id))
        state = live_state(self.engine, raffle)
        values: dict[str, Any] = {}
        if raffle.winners_drawn:
            values = self._winners(request, raffle, wins=state["wins"])
        elif raffle.state is State.OPEN and raffle.terms.entry != EntryRule.DESK:
            base = self.access.base_url(request.env)
            # A phone can read only a whole address.
            values = {"address": f"{base}/raffles/{raffle.id}/" if "://" in base else None}
        due_at = draw_due_at(raffle)
        self.show(
            request,
            response,
            "live.html",
            raffle=raffle,
            state=state,
            State=State,
            due_at=due_at,
            is_due=due_at is not None and due_at <= datetime.now(UTC),
            waits_for_beacon=due_at is not None and due_at == draw_possible_at(raffle),
            **{"address": None, "places": None, "page": None, **values},
        )

    def _winners(self, request: falcon.Request, raffle: Raffle, *, wins: int) -> dict[str, Any]:
        if wins > MOST_PRESENTED:
            query = reading.read_query(request, WallQuery)
            return {"page": self.engine.winners(raffle.id, page=query.page, page_size=limits.PAGE_SIZE)}
        return {"places": places_of(list(self._all_wins(raffle)))}

    def _all_wins(self, raffle: Raffle) -> Iterator[Win]:
        for number in count(1):
            page = self.engine.winners(raffle.id, page=number, page_size=limits.PAGE_SIZE)
            yield from page.items
            if not page.has_next:
                return


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
