"""`…/participate/`: get a ticket."""

from http import HTTPStatus

import falcon

from rafflekit.core import errors, shapes
from rafflekit.core.models import Right
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, answer
from rafflekit.http.api.claims import VerifyBody
from rafflekit.http.api.operations import (
    MANAGERS_ONLY,
    OF_THIS_RAFFLE,
    SIGNED,
    BareProblem,
    Operation,
    Route,
)


class ParticipateBody(fields.OptionalBody, frozen=True, forbid_unknown_fields=True):
    """Who asks for a ticket, if the client's address alone does not say it."""

    invitation: str | None = None
    participant: fields.Participant | None = None


class Participation(Address):
    """`/raffles/<id>/participate/`: get a ticket."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Hand out a ticket: to the client or, for a manager, to the participant whom the body names."""
        self.access.require_own_page(request.env)
        body = reading.read_body(request, ParticipateBody)
        if body.participant is not None:
            self.access.require(request.env, Right.SELL)
        key = reading.idempotency_key(request)
        try:
            ticket = self.engine.participate(
                reading.check_raffle_id(raffle_id),
                body.participant,
                address=self.access.participant(request.env) if body.participant is None else None,
                invitation=body.invitation,
                idempotency_key=key,
            )
        except errors.ManagersOnly as error:
            if self.access.allows(request.env, Right.SELL):
                raise errors.ManagersOnly(f"{error}; name the participant.") from error
            raise
        answer(response, shapes.ticket_shape(ticket), status=HTTPStatus.CREATED)


_NO_ADDRESS = BareProblem(
    HTTPStatus.BAD_REQUEST, "The client's address cannot be determined, so the client cannot take part."
)
_ADDRESS_TOOK_PART = errors.AlreadyParticipated("Your ip address has already participated in this raffle")

ROUTES = (
    Route(
        "/raffles/{raffle_id}/participate/",
        Participation,
        post=Operation(
            "participate",
            shapes.TicketShape,
            (
                *(*MANAGERS_ONLY, _NO_ADDRESS, errors.Cancelled, errors.SoldOut, errors.NotOpenYet),
                *(errors.InvitationNeeded, errors.ManagersOnly, _ADDRESS_TOOK_PART),
            ),
            SIGNED,
            status=HTTPStatus.CREATED,
            description="Only managers may name a `participant`, who gets the ticket under any entry rule. The "
            "verification code is shown only this once. Until the draw, the same participant repeating the request "
            "with the same Idempotency-Key gets the same ticket and code.",
            body=ParticipateBody,
            repeat="the same ticket",
            links={
                "verifyTicket": OF_THIS_RAFFLE
                | {"requestBody": {name: f"$response.body#/{name}" for name in VerifyBody.__struct_fields__}}
            },
        ),
    ),
)
