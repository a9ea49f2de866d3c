"""`…/close/` and `…/cancel/`: stop handing out the tickets of a raffle, or call it off."""

import falcon
import msgspec

from rafflekit.core import errors, shapes
from rafflekit.core.models import Right
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, answer
from rafflekit.http.api.operations import MANAGERS_ONLY, OF_THIS_RAFFLE, Operation, Route


class CancelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a raffle is called off; everyone can read it."""

    reason: fields.Reason


class RaffleClosing(Address):
    """`/raffles/<id>/close/`: stop handing out tickets."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Stop handing out tickets."""
        self.access.require(request.env, Right.MANAGE)
        self.access.require_own_page(request.env)
        reading.read_body(request, fields.NoFields)
        answer(response, shapes.raffle_shape(self.engine.close_raffle(reading.check_raffle_id(raffle_id))))


class RaffleCancellation(Address):
    """`/raffles/<id>/cancel/`: call a raffle off."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Call a raffle off."""
        self.access.require(request.env, Right.MANAGE)
        self.access.require_own_page(request.env)
        body = reading.read_body(request, CancelBody)
        answer(response, shapes.raffle_shape(self.engine.cancel(reading.check_raffle_id(raffle_id), body.reason)))


ROUTES = (
    Route(
        "/raffles/{raffle_id}/close/",
        RaffleClosing,
        post=Operation(
            "closeRaffle",
            shapes.RaffleShape,
            (*MANAGERS_ONLY, errors.TooFewTickets, errors.TooLate, errors.Cancelled),
            description="Managers only; this is final. The draw is over the tickets that were handed out.",
            body=fields.NoFields,
            links={"drawWinners": OF_THIS_RAFFLE},
        ),
    ),
    Route(
        "/raffles/{raffle_id}/cancel/",
        RaffleCancellation,
        post=Operation(
            "cancelRaffle",
            shapes.RaffleShape,
            (*MANAGERS_ONLY, errors.TooLate),
            description="Managers only, until the draw; this is final. Everyone can read the `reason`.",
            body=CancelBody,
            example={"reason": "The fair is rained off."},
            links={"showRaffle": OF_THIS_RAFFLE},
        ),
    ),
)
