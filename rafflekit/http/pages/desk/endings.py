"""Closing and cancelling a raffle at the desk: the pages that ask first, and the forms at the contract's addresses."""

from typing import Any

import falcon
import msgspec

from rafflekit.core.errors import RaffleError
from rafflekit.core.models import Raffle, Right
from rafflekit.core.prizes import count_wins
from rafflekit.http import reading
from rafflekit.http.pages.desk.page import Asking, Question, back_to_desk, refusal_of


class CancelForm(msgspec.Struct, frozen=True):
    """Why a raffle is called off."""

    reason: str = ""


class _Closing(Asking):
    template = "close.html"

    def values(self, raffle: Raffle) -> dict[str, Any]:
        return {"wins": count_wins(raffle.prizes)}


class ClosingQuestion(_Closing, Question):
    """`/desk/raffles/<id>/close/`: whether a raffle is to be closed."""


class ClosingForm(_Closing):
    """`/raffles/<id>/close/`, from a form."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Close the raffle."""
        self.enter_with_form(request, Right.MANAGE)
        try:
            raffle = self.engine.close_raffle(reading.check_raffle_id(raffle_id))
        except RaffleError as error:
            self.ask(request, response, self.raffle(raffle_id), refused=refusal_of(error))
        else:
            back_to_desk(request, response, raffle, "closed")


class _Cancelling(Asking):
    template = "cancel.html"

    def values(self, raffle: Raffle) -> dict[str, Any]:
        return {"reason": ""}


class CancellingQuestion(_Cancelling, Question):
    """`/desk/raffles/<id>/cancel/`: whether a raffle is to be called off, and why."""


class CancellingForm(_Cancelling):
    """`/raffles/<id>/cancel/`, from a form."""

    forms = (CancelForm,)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Call the raffle off."""
        self.enter_with_form(request, Right.MANAGE)
        reason = reading.read_form(request, CancelForm).reason
        try:
            raffle = self.engine.cancel(reading.check_raffle_id(raffle_id), reason)
        except RaffleError as error:
            self.ask(request, response, self.raffle(raffle_id), reason=reason, refused=refusal_of(error))
        else:
            back_to_desk(request, response, raffle, "cancelled")
