"""`…/verify-ticket/`, `…/redeem/` and `…/forfeit/`: see what a ticket won, hand its prize out, pass its prize on."""

import falcon
import msgspec

from rafflekit.core import errors, shapes
from rafflekit.core.models import Right
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, answer
from rafflekit.http.api.operations import MANAGERS_ONLY, OF_THIS_RAFFLE, Operation, Route

_TICKET = {"ticket_number": 7, "verification_code": "X45Z-H67Q-KCQR-VV52-Q553-3CAG"}


class VerifyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket to be verified."""

    ticket_number: fields.TicketNumber
    verification_code: str


class RedeemBody(VerifyBody, frozen=True, forbid_unknown_fields=True):
    """A ticket whose prize is handed out; with `undo`, the redemption is taken back."""

    undo: bool = False


class ForfeitBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket whose prize passes on, and why; everyone can read the `reason`."""

    ticket_number: fields.TicketNumber
    why: fields.ForfeitReason
    reason: fields.Reason | None = None
    verification_code: str | None = None


class TicketVerification(Address):
    """`/raffles/<id>/verify-ticket/`: check a ticket and what it won."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show what a ticket won, given its verification code."""
        body = reading.read_body(request, VerifyBody)
        verification = self.engine.verify(
            reading.check_raffle_id(raffle_id), body.ticket_number, body.verification_code
        )
        answer(response, shapes.verification_shape(verification))


class Redemption(Address):
    """`/raffles/<id>/redeem/`: hand a prize out, once."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Mark the prize of a ticket as handed out."""
        shown = self.access.require(request.env, Right.REDEEM)
        self.access.require_own_page(request.env)
        body = reading.read_body(request, RedeemBody)
        verification = self.engine.redeem(
            reading.check_raffle_id(raffle_id),
            body.ticket_number,
            body.verification_code,
            undo=body.undo,
            by=None if shown is None else shown.name,
        )
        answer(response, shapes.verification_shape(verification))


class Forfeiture(Address):
    """`/raffles/<id>/forfeit/`: pass a prize on to the next ticket."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Pass the prize of a ticket on to the next ticket."""
        shown = self.access.require(request.env, Right.MANAGE)
        self.access.require_own_page(request.env)
        body = reading.read_body(request, ForfeitBody)
        win = self.engine.forfeit(
            reading.check_raffle_id(raffle_id),
            body.ticket_number,
            why=body.why,
            reason=body.reason,
            verification_code=body.verification_code,
            by=None if shown is None else shown.name,
        )
        answer(response, None if win is None else shapes.win_shape(win))


_OF_A_TICKET = (errors.NotDrawnYet, errors.InvalidVerificationCode)

ROUTES = (
    Route(
        "/raffles/{raffle_id}/verify-ticket/",
        TicketVerification,
        post=Operation(
            "verifyTicket",
            shapes.VerificationShape,
            _OF_A_TICKET,
            description="Only after the draw.",
            body=VerifyBody,
            example=_TICKET,
        ),
    ),
    Route(
        "/raffles/{raffle_id}/redeem/",
        Redemption,
        post=Operation(
            "redeemPrize",
            shapes.VerificationShape,
            (*MANAGERS_ONLY, *_OF_A_TICKET, errors.NoPrize, errors.TooLate),
            description="Managers only, once. For 15 minutes, the same request with `undo` takes it back.",
            body=RedeemBody,
            example=_TICKET,
        ),
    ),
    Route(
        "/raffles/{raffle_id}/forfeit/",
        Forfeiture,
        post=Operation(
            "forfeitPrize",
            shapes.WinShape | None,
            (
                *(*MANAGERS_ONLY, *_OF_A_TICKET, errors.TicketNotFound),
                *(errors.NoPrize, errors.TooLate, errors.TooEarly),
            ),
            description="Managers only; this is final. The answer is the win that takes its place, or null if every "
            "ticket has won. `renounced` needs the ticket's `verification_code`, `disqualified` a `reason`; "
            "`unclaimed` is possible only after the announced deadline, if there is one.",
            body=ForfeitBody,
            example={"ticket_number": 7, "why": "disqualified", "reason": "an organiser's ticket"},
            links={"listWinners": OF_THIS_RAFFLE},
        ),
    ),
)
