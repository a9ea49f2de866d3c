"""Handing tickets out at the desk: to a person by name, and by invitations on paper or in a file."""

import csv
import io
from http import HTTPStatus
from secrets import token_urlsafe

import falcon
import msgspec

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue, RaffleError
from rafflekit.core.lifecycle import Action, possible_actions
from rafflekit.core.models import Raffle, Right
from rafflekit.html.assets import assets_version
from rafflekit.html.links import raffle_address
from rafflekit.html.paper.sheets import SCRIPT, STYLE, Invitation, PageParts, invitation_sheets, invitations_with
from rafflekit.http import reading
from rafflekit.http.pages.desk.page import ActionPage, Refused, refusal_of
from rafflekit.http.pages.page import language_of, root_of, send_page
from rafflekit.http.pages.tickets import ParticipateForm, ParticipatePage
from rafflekit.http.pages.typed import typed_number

_CARDS = 200
_FEW = "24"


class _Naming(ActionPage):
    action = Action.HAND_OUT

    def show_naming(
        self,
        request: falcon.Request,
        response: falcon.Response,
        raffle: Raffle,
        *,
        participant: str = "",
        refused: Refused | None = None,
    ) -> None:
        """Answer with the form that gives a ticket to a person by name."""
        self.show_action(
            request,
            response,
            "tickets.html",
            raffle=raffle,
            # With it, a form that is sent twice gives one ticket.
            idempotency_key=token_urlsafe(),
            participant=participant,
            refused=refused,
        )


class DeskTickets(_Naming):
    """`/desk/raffles/<id>/tickets/`: give a ticket to a person by name."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the field for the name; the form asks at the address where everyone takes part."""
        self.enter(request, Right.SELL)
        self.show_naming(request, response, self.raffle(raffle_id))


class NamedForm(ParticipateForm, frozen=True):
    """The wish for a ticket, also for a person whom the desk names."""

    at_desk: bool = False
    """Whether the desk asks: without it, a form without a name would give the ticket to the manager."""
    participant: str = ""


class ParticipateOrNamed(ParticipatePage, _Naming):
    """`/raffles/<id>/participate/`: get a ticket; or give one to a person whom the desk names."""

    forms = (NamedForm,)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Hand out a ticket and show it, or the form with what is wrong."""
        self.access.require_own_form(request.env)
        form = reading.read_form(request, NamedForm)
        if not form.at_desk:
            self.take_part(request, response, raffle_id, form)
            return
        self.enter(request, Right.SELL)
        raffle = self.raffle(raffle_id)
        try:
            ticket = self.engine.participate(raffle.id, form.participant, idempotency_key=form.idempotency_key)
        except RaffleError as error:
            refused, raffle = refusal_of(error), self.raffle(raffle_id)
            self.show_naming(request, response, raffle, participant=form.participant, refused=refused)
        else:
            self.show_ticket(request, response, raffle, ticket, at_desk=True)


class InvitationsForm(msgspec.Struct, frozen=True):
    """Which invitations are made, and whether as a file."""

    first: str = "1"
    count: str = _FEW
    as_file: bool = False


class DeskInvitations(ActionPage):
    """`/desk/raffles/<id>/invitations/`: cards with invitation codes to print, or a file of them."""

    action = Action.INVITE
    forms = (InvitationsForm,)

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Ask how many."""
        self.enter(request, Right.MANAGE)
        self._show(request, response, self.raffle(raffle_id), InvitationsForm())

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Answer with the cards or the file."""
        self.enter_with_form(request, Right.MANAGE)
        raffle = self.raffle(raffle_id)
        form = reading.read_form(request, InvitationsForm)
        base = self.access.visitors_url(request.env)
        page = raffle_address(base, raffle)
        try:
            invitations = self._made(raffle, form, page)
        except RaffleError as error:
            self._show(request, response, raffle, form, refusal_of(error))
            return
        if form.as_file:
            response.content_type = "text/csv; charset=utf-8"
            response.downloadable_as = "invitations.csv"
            response.data = _table(invitations, has_links=page is not None)
        elif self.action not in possible_actions(raffle):
            self._show(request, response, raffle, form)
        else:
            response.set_header("Cache-Control", "no-store")
            send_page(response, _sheets(request, raffle, invitations, page), status=HTTPStatus.OK)

    def _made(self, raffle: Raffle, form: InvitationsForm, page: str | None) -> list[Invitation]:
        first, count = typed_number("first", form.first), typed_number("count", form.count)
        if not form.as_file and count > _CARDS:
            raise InvalidValue("count", f"must be at most {_CARDS} on paper; a file may have more.")
        codes = self.engine.invitations(raffle.id, count, first=first)
        return invitations_with(codes, first=first, address=page)

    def _show(
        self,
        request: falcon.Request,
        response: falcon.Response,
        raffle: Raffle,
        form: InvitationsForm,
        refused: Refused | None = None,
    ) -> None:
        self.show_action(
            request,
            response,
            "invitations.html",
            raffle=raffle,
            form=form,
            has_links=self.access.visitors_url(request.env) is not None,
            most_cards=_CARDS,
            most=limits.INVITATIONS_AT_ONCE,
            refused=refused,
        )


def _sheets(request: falcon.Request, raffle: Raffle, invitations: list[Invitation], page: str | None) -> str:
    root = root_of(request)
    assets = f"{root}/assets/{assets_version()}"
    parts = PageParts(f"{assets}/{STYLE}", f"{assets}/{SCRIPT}", back=f"{root}/desk/raffles/{raffle.id}/")
    return "".join(invitation_sheets(raffle, invitations, language_of(request), address=page, parts=parts))


def _table(invitations: list[Invitation], *, has_links: bool) -> bytes:
    """Return the same file as `rafflekit export` writes: with a byte order mark."""
    columns = 3 if has_links else 2
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerows(row[:columns] for row in (("number", "invitation", "link"), *invitations))
    return written.getvalue().encode("utf-8-sig")
