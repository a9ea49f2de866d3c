"""Passing prizes on at the desk: look first, then confirm; one ticket, or all that were not collected in time."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import falcon
import msgspec

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue, NotDrawnYet, RaffleError, TooEarly
from rafflekit.core.lifecycle import Action
from rafflekit.core.models import Raffle, Right
from rafflekit.core.prizes import Win
from rafflekit.http import reading
from rafflekit.http.api.draws import listed_queue
from rafflekit.http.pages.desk.page import Asking, Question, back_to_desk, refusal_of
from rafflekit.http.pages.typed import typed_number


class ForfeitForm(msgspec.Struct, frozen=True):
    """A ticket whose prize passes on, and why; everyone can read the `reason`."""

    ticket_number: str = ""
    why: str = ""
    reason: str = ""
    verification_code: str = ""
    again: str = ""
    """Not empty if the form is to be shown again, to be changed."""


class UnclaimedForm(msgspec.Struct, frozen=True):
    """What everyone can read about the prizes that were not collected."""

    reason: str = ""


class _Loss(NamedTuple):
    """The win that would be lost, and the ticket that is next; None if the prize would lapse."""

    win: Win
    following: int | None


class _Forfeiting(Asking):
    template = "forfeit.html"
    action = Action.FORFEIT

    def values(self, raffle: Raffle) -> dict[str, Any]:
        return {"form": ForfeitForm(), "loss": None}


class ForfeitQuestion(_Forfeiting, Question):
    """`/desk/raffles/<id>/forfeit/`: the form, and what it would do."""

    forms = (ForfeitForm,)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show who would lose which prize, and to whom it passes; nothing is changed."""
        self.enter_with_form(request, Right.MANAGE)
        raffle = self.raffle(raffle_id)
        form = reading.read_form(request, ForfeitForm)
        loss, refused = None, None
        if not form.again:
            try:
                win = self.engine.check_forfeit(raffle.id, **_given(form))
                queue = listed_queue(self.service, raffle, page_size=1).items
                loss = _Loss(win, queue[0] if queue else None)
            except RaffleError as error:
                refused = refusal_of(error)
        self.ask(request, response, raffle, form=form, loss=loss, refused=refused)


class ForfeitureForm(_Forfeiting):
    """`/raffles/<id>/forfeit/`, from a form."""

    forms = (ForfeitForm,)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Pass a prize on."""
        by = self.enter_with_form(request, Right.MANAGE)
        raffle = self.raffle(raffle_id)
        form = reading.read_form(request, ForfeitForm)
        try:
            heir = self.engine.forfeit(raffle.id, **_given(form), by=by)
        except RaffleError as error:
            self.ask(request, response, raffle, form=form, refused=refusal_of(error))
        else:
            back_to_desk(request, response, raffle, "lapsed" if heir is None else "passed_on")


class UnclaimedPrizes(Question):
    """`/desk/raffles/<id>/unclaimed/`: pass on all prizes that were not collected in time."""

    forms = (UnclaimedForm,)
    template = "unclaimed.html"
    action = Action.FORFEIT_UNCLAIMED

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Pass them on; those that can still be redeemed stay."""
        by = self.enter_with_form(request, Right.MANAGE)
        raffle = self.raffle(raffle_id)
        reason = reading.read_form(request, UnclaimedForm).reason
        try:
            passed = self.engine.forfeit_unclaimed(raffle.id, reason=reason.strip() or None, by=by)
        except RaffleError as error:
            self.ask(request, response, raffle, reason=reason, refused=refusal_of(error))
        else:
            back_to_desk(request, response, raffle, "all_passed_on" if passed else "none_passed_on")

    def values(self, raffle: Raffle) -> dict[str, Any]:
        """Return the prizes that would pass on now; none if this raffle has not come to that."""
        wins: Sequence[Win] = ()
        with suppress(TooEarly, NotDrawnYet, InvalidValue):
            wins = self.engine.unclaimed(raffle.id)
        return {"count": len(wins), "wins": wins[: limits.WINNERS_PAGE_SIZE], "reason": ""}


def _given(form: ForfeitForm) -> dict[str, Any]:
    number = typed_number("ticket_number", form.ticket_number)
    if not form.why:
        raise InvalidValue("why", "is missing.")
    return {
        "ticket_number": number,
        "why": form.why,
        "reason": form.reason.strip() or None,
        "verification_code": form.verification_code or None,
    }
