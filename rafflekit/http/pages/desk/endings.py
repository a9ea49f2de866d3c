"""Closing and cancelling a raffle at the desk: the pages that ask first, and the forms at the contract's addresses."""

import falcon
import msgspec

from rafflekit.core.errors import RaffleError
from rafflekit.core.models import Right
from rafflekit.core.prizes import count_wins
from rafflekit.http import reading
from rafflekit.http.pages.desk.page import DeskPage, Refused, back_to_desk, refusal_of


class CancelForm(msgspec.Struct, frozen=True):
    """Why a raffle is called off."""

    reason: str = ""


class _Closing(DeskPage):
    def _show(
        self, request: falcon.Request, response: falcon.Response, raffle_id: str, refused: Refused | None = None
    ) -> None:
        raffle = self.raffle(raffle_id)
        wins = count_wins(raffle.prizes)
        self.show_desk(request, response, "close.html", raffle=raffle, wins=wins, refused=refused)


class ClosingQuestion(_Closing):
    """`/desk/raffles/<id>/close/`: whether a raffle is to be closed."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Ask."""
        self.enter(request, Right.MANAGE)
        self._show(request, response, raffle_id)


class ClosingForm(_Closing):
    """`/raffles/<id>/close/`, from a form."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Close the raffle."""
        self.enter_with_form(request, Right.MANAGE)
        try:
            raffle = self.engine.close_raffle(reading.check_raffle_id(raffle_id))
        except RaffleError as error:
            self._show(request, response, raffle_id, refusal_of(error))
        else:
            back_to_desk(request, response, raffle, "closed")


class _Cancelling(DeskPage):
    def _show(
        self,
        request: falcon.Request,
        response: falcon.Response,
        raffle_id: str,
        reason: str = "",
        refused: Refused | None = None,
    ) -> None:
        raffle = self.raffle(raffle_id)
        self.show_desk(request, response, "cancel.html", raffle=raffle, reason=reason, refused=refused)


class CancellingQuestion(_Cancelling):
    """`/desk/raffles/<id>/cancel/`: whether a raffle is to be called off, and why."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Ask."""
        self.enter(request, Right.MANAGE)
        self._show(request, response, raffle_id)


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
            self._show(request, response, raffle_id, reason, refusal_of(error))
        else:
            back_to_desk(request, response, raffle, "cancelled")
