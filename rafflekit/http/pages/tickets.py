"""The pages of a ticket: the ticket itself, once, and after the draw what it won."""

from http import HTTPStatus

import falcon
import msgspec

from rafflekit.core.errors import (
    AlreadyParticipated,
    Cancelled,
    InvalidValue,
    InvalidVerificationCode,
    InvitationNeeded,
    ManagersOnly,
    NotDrawnYet,
    NotOpenYet,
    RaffleError,
    SoldOut,
)
from rafflekit.core.models import Raffle, Ticket, Verification
from rafflekit.core.shapes import ticket_shape
from rafflekit.html.links import raffle_address, ticket_fragment
from rafflekit.http import reading
from rafflekit.http.api.draws import listed_queue
from rafflekit.http.pages.page import root_of, see_other
from rafflekit.http.pages.raffles import OneRaffle
from rafflekit.http.pages.typed import typed_number
from rafflekit.http.problems import http_status_of

# What a raffle's page explains next to its form. All other refusals have a page of their own.
_EXPLAINED = (AlreadyParticipated, Cancelled, InvitationNeeded, ManagersOnly, NotOpenYet, SoldOut)

_QUEUE_PLACES = 100


class ParticipateForm(msgspec.Struct, frozen=True):
    """The wish for a ticket."""

    idempotency_key: str | None = None
    invitation: str | None = None


class VerifyForm(msgspec.Struct, frozen=True):
    """A ticket whose holder wants to know what it won."""

    ticket_number: str = ""
    verification_code: str = ""


class _SentFromRaffle(OneRaffle):
    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Lead to the raffle, whose page has the form."""
        see_other(request, response, f"/raffles/{reading.check_raffle_id(raffle_id)}/")


class ParticipatePage(_SentFromRaffle):
    """`/raffles/<id>/participate/`: get a ticket."""

    forms = (ParticipateForm,)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Hand out a ticket and show it, or say next to the form why not."""
        self.access.require_own_form(request.env)
        self.take_part(request, response, raffle_id, reading.read_form(request, ParticipateForm))

    def take_part(
        self, request: falcon.Request, response: falcon.Response, raffle_id: str, form: ParticipateForm
    ) -> None:
        """Hand a ticket to the visitor and show it, or say next to the form why not."""
        checked_id = reading.check_raffle_id(raffle_id)
        address = self.access.participant(request.env)
        # Before the ticket is issued, so that nothing can fail afterwards.
        raffle = self.engine.get(checked_id)
        try:
            ticket = self.engine.participate(
                checked_id, address=address, invitation=form.invitation, idempotency_key=form.idempotency_key
            )
        except _EXPLAINED as error:
            request.context.refusal = error.code
            self.show_raffle(
                request,
                response,
                self.engine.get(checked_id),
                status=http_status_of(type(error)),
                error=error.code,
                invitation=form.invitation or "",
            )
            return
        self.show_ticket(request, response, raffle, ticket)

    def show_ticket(
        self,
        request: falcon.Request,
        response: falcon.Response,
        raffle: Raffle,
        ticket: Ticket,
        *,
        at_desk: bool = False,
    ) -> None:
        """Answer with a ticket, which is shown only once; at the desk, with the way to the next person."""
        url = self.access.visitors_url(request.env)
        # A scanner at the desk reads the code of any address, also of one that phones cannot open.
        base = url or f"{request.env['HTTP_ORIGIN']}{root_of(request)}"
        self.show(
            request,
            response,
            "ticket.html",
            status=HTTPStatus.CREATED,
            raffle=raffle,
            ticket=ticket,
            at_desk=at_desk,
            address=raffle_address(base, raffle),
            fragment=ticket_fragment(ticket.number, ticket.verification_code),
            is_for_phones=url is not None,
            # As the API answers, which every verifier reads.
            document=msgspec.json.format(msgspec.json.encode(ticket_shape(ticket))).decode(),
        )


class VerifyPage(_SentFromRaffle):
    """`/raffles/<id>/verify-ticket/`: what a ticket won."""

    forms = (VerifyForm,)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show what a ticket won, or the form again with what is wrong."""
        form = reading.read_form(request, VerifyForm)
        raffle = self.engine.get(reading.check_raffle_id(raffle_id))
        try:
            number = typed_number("ticket_number", form.ticket_number)
            found = self.engine.verify(raffle.id, number, form.verification_code)
        except (InvalidValue, InvalidVerificationCode, NotDrawnYet) as error:
            request.context.refusal = error.code
            self._show_result(request, response, raffle, form, error=_wrong_in_form(error))
            return
        place = None if found.has_won or found.forfeited_at else self._place_in_queue(raffle, number)
        self._show_result(request, response, raffle, form, number=number, found=found, place=place)

    def _show_result(
        self,
        request: falcon.Request,
        response: falcon.Response,
        raffle: Raffle,
        form: VerifyForm,
        *,
        number: int | None = None,
        found: Verification | None = None,
        place: int | None = None,
        error: str | None = None,
    ) -> None:
        self.show(
            request,
            response,
            "verify.html",
            status=HTTPStatus.OK if error is None else HTTPStatus.BAD_REQUEST,
            raffle=raffle,
            form=form,
            number=number,
            found=found,
            place=place,
            error=error,
        )

    def _place_in_queue(self, raffle: Raffle, number: int) -> int | None:
        """Return how many prizes have to pass on until this ticket gets one; None if that is unlikely or unknown."""
        try:
            queue = listed_queue(self.service, raffle, page_size=_QUEUE_PLACES).items
        except falcon.HTTPServiceUnavailable:
            # What the ticket won is known, and more than its place in the queue.
            return None
        return queue.index(number) + 1 if number in queue else None


def _wrong_in_form(error: RaffleError) -> str:
    """Return the field that is wrong, or the code of the error if none is."""
    if isinstance(error, InvalidValue):
        return error.field
    return "verification_code" if isinstance(error, InvalidVerificationCode) else error.code
