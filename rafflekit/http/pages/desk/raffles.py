"""Raffles at the desk: all of them, a new one, and what can be done with one."""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from secrets import token_urlsafe

import falcon

from rafflekit.core import limits
from rafflekit.core.errors import IdempotencyKeyReused, InvalidValue, RaffleError
from rafflekit.core.lifecycle import Action, draw_possible_at, lacks_tickets
from rafflekit.core.models import Raffle, Right, State
from rafflekit.http import reading
from rafflekit.http.api.raffles import RafflesQuery, listed_raffles
from rafflekit.http.pages.desk.page import ActionPage, DeskPage, Refused, back_to_desk, refusal_of, told_as_done, wrong
from rafflekit.http.pages.desk.terms import EditForm, TermsForm, doubtful_prizes, read_terms_form, typed_terms
from rafflekit.http.pages.page import other_pages
from rafflekit.http.pages.raffles import RaffleList


class DeskHome(DeskPage):
    """`/desk/`: the raffles, and whose desk pass this is."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Show a page of the raffles."""
        self.enter(request)
        page = listed_raffles(self.service, reading.read_query(request, RafflesQuery))
        desk_pass = self.access.pass_of(request.env)
        self.show_desk(request, response, "home.html", page=page, others=other_pages(request), desk_pass=desk_pass)


class NewRaffle(DeskPage):
    """`/desk/new/`: the form of a new raffle, and the page that shows it before it is created."""

    forms = (TermsForm,)

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Show an empty form."""
        self.enter(request, Right.MANAGE)
        # With it, a form that is sent twice creates one raffle.
        typed = TermsForm(idempotency_key=token_urlsafe()).fields()
        self.show_desk(request, response, "new.html", typed=typed, before=None)

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Show the raffle as it would be announced, or what is wrong with it."""
        self.enter_with_form(request, Right.MANAGE)
        form = reading.read_form(request, TermsForm, most_bytes=limits.CREATE_BODY_BYTES)
        found, typed = read_terms_form(form), form.fields()
        refused = None if form.again else found.refused(found.given, self.engine.check_terms)
        if form.again or refused is not None:
            self.show_desk(request, response, "new.html", typed=typed, before=None, refused=refused)
        else:
            raffle, doubtful = self.engine.check_terms(**found.given), doubtful_prizes(form)
            self.show_desk(request, response, "check.html", typed=typed, raffle=raffle, doubtful=doubtful)


class RaffleListOrNew(RaffleList, DeskPage):
    """`/raffles/`: the list of raffles; or the desk's form that creates one."""

    forms = (*RaffleList.forms, TermsForm)

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Create a raffle."""
        self.enter_with_form(request, Right.MANAGE)
        form = reading.read_form(request, TermsForm, most_bytes=limits.CREATE_BODY_BYTES)
        found = read_terms_form(form)
        typed, refused, before = form.fields(), None, None
        if found.mistakes:
            refused = found.refused(found.given, self.engine.check_terms)
        else:
            try:
                raffle = self.engine.create(**found.given, idempotency_key=form.idempotency_key or None)
            except IdempotencyKeyReused as error:
                # Someone went back and changed the form. With a new key, it can create a second raffle.
                refused = wrong("", "created_before", HTTPStatus.CONFLICT)
                before = self.engine.get(error.raffle_id)
                typed["idempotency_key"] = token_urlsafe()
            except InvalidValue as error:
                # Not before, since a form that is sent again gets its raffle, even if it is too late for a new one.
                refused = found.refused(found.given, self.engine.check_terms) or refusal_of(error)
            except RaffleError as error:
                refused = refusal_of(error)
            else:
                back_to_desk(request, response, raffle, "created")
                return
        self.show_desk(request, response, "new.html", typed=typed, before=before, refused=refused)


# What can have been done last with a raffle in a state.
_DONE = {
    State.UPCOMING: ("created", "changed"),
    State.OPEN: ("created", "changed"),
    State.CLOSED: ("closed",),
    State.DRAWN: ("drawn", "none_passed_on"),
    State.CANCELLED: ("cancelled",),
}
_PASSED_ON = ("passed_on", "lapsed", "all_passed_on")


class RaffleDesk(DeskPage):
    """`/desk/raffles/<id>/`: one raffle, and what can be done with it now."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the raffle's numbers, and a button for each action."""
        self.enter(request)
        raffle = self.raffle(raffle_id)
        forfeits = self.engine.count_forfeits(raffle.id)
        done = told_as_done(request)
        self.show_desk(
            request,
            response,
            "raffle.html",
            raffle=raffle,
            done=done if done in _DONE[raffle.state] or (forfeits and done in _PASSED_ON) else "",
            draw_possible_at=draw_possible_at(raffle),
            lacks_tickets=lacks_tickets(raffle),
            # A prize that passed on has one winner more, but is still one prize.
            prizes_won=self.engine.winners(raffle.id, page_size=1).count - forfeits,
            open_wins=self.engine.winners(raffle.id, page_size=1, unredeemed=True).count,
        )


class RaffleEditing(ActionPage):
    """`/desk/raffles/<id>/edit/`: the form that changes a raffle before its first ticket."""

    action = Action.CHANGE
    forms = (EditForm,)

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the form with the raffle's terms."""
        self.enter(request, Right.MANAGE)
        raffle = self.raffle(raffle_id)
        self._show(request, response, raffle, dict(typed_terms(raffle.terms)))

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Change the raffle."""
        self.enter_with_form(request, Right.MANAGE)
        raffle = self.raffle(raffle_id)
        form = reading.read_form(request, EditForm, most_bytes=limits.CREATE_BODY_BYTES)
        doubtful = doubtful_prizes(form, known=raffle.prizes)
        try:
            refused = self._refused(raffle, form, doubtful)
            if refused is None:
                self.engine.change(raffle.id, **read_terms_form(form).changed_from(raffle.terms))
                back_to_desk(request, response, raffle, "changed")
                return
        except RaffleError as error:
            refused, raffle = refusal_of(error), self.raffle(raffle_id)
        self._show(request, response, raffle, form.fields(), refused=refused, doubtful=doubtful)

    def _refused(self, raffle: Raffle, form: EditForm, doubtful: Sequence[tuple[str, str]]) -> Refused | None:
        """Return what is wrong with a form, or has to be seen before it is saved; None if nothing is.

        Raises:
            TooLate: the raffle can no longer be changed.
        """
        found = read_terms_form(form)
        check = partial(self.engine.change, raffle.id, dry_run=True)
        refused = found.refused(found.changed_from(raffle.terms), check)
        if form.shown != _hash_of(raffle):
            changed = wrong("", "changed_meanwhile").mistakes
            return Refused(changed + (refused.mistakes if refused else ()), HTTPStatus.CONFLICT)
        # Without a page that shows the raffle first, as for a new one, the form is shown once more.
        if refused is None and doubtful and form.seen.split("\n") != [line for line, _ in doubtful]:
            return wrong("prizes", "doubtful_amount")
        return refused

    def _show(
        self,
        request: falcon.Request,
        response: falcon.Response,
        raffle: Raffle,
        typed: dict[str, str],
        *,
        refused: Refused | None = None,
        doubtful: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.show_action(
            request,
            response,
            "edit.html",
            raffle=raffle,
            typed=typed,
            shown=_hash_of(raffle),
            doubtful=doubtful,
            refused=refused,
        )


def _hash_of(raffle: Raffle) -> str:
    return raffle.terms.hash().hex()
