"""`…/participate/` and `…/verify-ticket/`: get a ticket, and see what it won."""

from http import HTTPStatus

import falcon
import msgspec

from rafflekit.core import errors, shapes
from rafflekit.http import fields, reading
from rafflekit.http.api.address import Address, answer
from rafflekit.http.api.operations import FOREIGN_PAGE, OF_THIS_RAFFLE, SIGNED, BareProblem, Operation, Route


class VerifyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket to be verified."""

    ticket_number: fields.TicketNumber
    verification_code: str


class Participation(Address):
    """`/raffles/<id>/participate/`: get a ticket."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Give the client's address a ticket."""
        self.access.require_own_page(request.env)
        reading.read_body(request, fields.NoFields)
        key = reading.idempotency_key(request)
        participant = self.access.participant(request.env)
        ticket = self.engine.participate(reading.check_raffle_id(raffle_id), participant, idempotency_key=key)
        answer(response, shapes.ticket_shape(ticket), status=HTTPStatus.CREATED)


class TicketVerification(Address):
    """`/raffles/<id>/verify-ticket/`: check a ticket and what it won."""

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show what a ticket won, given its verification code."""
        body = reading.read_body(request, VerifyBody)
        verification = self.engine.verify(
            reading.check_raffle_id(raffle_id), body.ticket_number, body.verification_code
        )
        answer(response, shapes.verification_shape(verification))


_NO_ADDRESS = BareProblem(
    HTTPStatus.BAD_REQUEST, "The client's address cannot be determined, so the client cannot take part."
)

ROUTES = (
    Route(
        "/raffles/{raffle_id}/participate/",
        Participation,
        post=Operation(
            "participate",
            shapes.TicketShape,
            (FOREIGN_PAGE, _NO_ADDRESS, errors.SoldOut, errors.AlreadyParticipated),
            SIGNED,
            status=HTTPStatus.CREATED,
            description="The verification code is shown only this once. Until the draw, the same address repeating "
            "the request with the same Idempotency-Key gets the same ticket and code.",
            body=fields.NoFields,
            repeat="the same ticket",
            links={
                "verifyTicket": OF_THIS_RAFFLE
                | {"requestBody": {name: f"$response.body#/{name}" for name in VerifyBody.__struct_fields__}}
            },
        ),
    ),
    Route(
        "/raffles/{raffle_id}/verify-ticket/",
        TicketVerification,
        post=Operation(
            "verifyTicket",
            shapes.VerificationShape,
            (errors.NotDrawnYet, errors.InvalidVerificationCode),
            description="Only after the draw.",
            body=VerifyBody,
            example={"ticket_number": 7, "verification_code": "X45Z-H67Q-KCQR-VV52-Q553-3CAG"},
        ),
    ),
)
