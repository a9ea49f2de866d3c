"""What the pages of the desk share: who may enter, what a form shows when it is refused, and the way back."""

import re
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Literal, NamedTuple

import falcon

from rafflekit.core.errors import (
    AlreadyParticipated,
    InvalidValue,
    InvalidVerificationCode,
    NoPrize,
    RaffleError,
    TicketNotFound,
)
from rafflekit.core.lifecycle import Action, possible_actions
from rafflekit.core.models import Raffle, Right, State
from rafflekit.http import reading
from rafflekit.http.access import Access
from rafflekit.http.pages.page import WebPage, see_other
from rafflekit.http.problems import http_status_of

# "prizes[0].amount" is about the first line of the field "prizes".
_IN_ROW = re.compile(r"(?P<field>\w+)\[(?P<position>[0-9]+)\]\.(?P<part>\w+)")
_FIELDS: dict[type[RaffleError], str] = {
    AlreadyParticipated: "participant",
    InvalidVerificationCode: "verification_code",
    NoPrize: "ticket_number",
    TicketNotFound: "ticket_number",
}
"""The fields of which errors speak that do not name one."""

# All other actions need the right to manage.
_RIGHTS = {Action.HAND_OUT: Right.SELL, Action.REDEEM: Right.REDEEM}

DeskRefusal = Literal[
    "name_differs",
    "unknown_pass",
    "wrong_code",
    "another_raffle",
    "changed_meanwhile",
    "doubtful_amount",
    "created_before",
]
"""What the desk itself refuses."""


class Mistake(NamedTuple):
    """What a form shows about an input that was refused, next to its field ("": of no field) and at the top.

    It is an error of the engine, which `detail` explains; or what the desk itself refuses, for which `word` names a
    sentence in the template. In a field with several lines, `row` is the one (from 1) whose `part` is wrong.
    """

    field: str
    detail: str = ""
    word: DeskRefusal | None = None
    row: int | None = None
    part: str = ""


class Refused(NamedTuple):
    """A form that was refused: its mistakes, and the status of the answer."""

    mistakes: tuple[Mistake, ...]
    status: HTTPStatus


class DeskPage(WebPage):
    """A page for managers."""

    def enter(self, request: falcon.Request, right: Right | None = None) -> str | None:
        """Let managers pass who have a right, or any right; return the name of their desk pass, if they show one.

        Raises:
            HTTPForbidden: the client is not a manager, or its pass does not have the right.
        """
        self.access.require_address(request.env)
        needed = right or next((each for each in Right if self.access.allows(request.env, each)), Right.REDEEM)
        try:
            shown = self.access.require(request.env, needed)
        except falcon.HTTPForbidden:
            # The page of this error says what to do.
            request.context.needs_pass = _needed_pass(self.access, request)
            raise
        return None if shown is None else shown.name

    def enter_with_form(self, request: falcon.Request, right: Right) -> str | None:
        """Let a form pass that a page of this service sent for a manager with a right; return as `enter`.

        Raises:
            HTTPForbidden: as `enter`, or the form is another site's.
        """
        name = self.enter(request, right)
        self.access.require_own_form(request.env)
        return name

    def raffle(self, raffle_id: str) -> Raffle:
        """Return the raffle of an address.

        Raises:
            RaffleNotFound: no raffle has this id.
        """
        return self.engine.get(reading.check_raffle_id(raffle_id))

    def show_desk(
        self,
        request: falcon.Request,
        response: falcon.Response,
        template: str,
        *,
        refused: Refused | None = None,
        **values: Any,
    ) -> None:
        """Answer with a template in `desk/`, with what the client may do, and with what was refused."""
        # A page may show a code, and what it offers depends on the pass.
        response.set_header("Cache-Control", "no-store")
        # Nothing here asks the database: something may just have been changed, and the answer must say so.
        may = frozenset(right for right in Right if self.access.allows(request.env, right))
        self.show(
            request,
            response,
            f"desk/{template}",
            status=HTTPStatus.OK if refused is None else refused.status,
            may=may,
            actions_of=partial(_allowed_actions, may),
            mistakes=() if refused is None else refused.mistakes,
            State=State,
            **values,
        )


class ActionPage(DeskPage):
    """A page for one action, and the form that does it; the raffle's state may not allow the action."""

    action: ClassVar[Action]

    def show_action(
        self,
        request: falcon.Request,
        response: falcon.Response,
        template: str,
        *,
        raffle: Raffle,
        refused: Refused | None = None,
        **values: Any,
    ) -> None:
        """Answer with a template in `desk/`; or say why this cannot be done with the raffle, as it was just read."""
        if self.action in possible_actions(raffle):
            self.show_desk(request, response, template, raffle=raffle, refused=refused, **values)
            return
        self.show_desk(request, response, "impossible.html", raffle=raffle, action=self.action)
        if request.method == "POST":
            response.status = HTTPStatus.CONFLICT


class Asking(ActionPage):
    """What a page that asks before something is done with a raffle shares with the form that does it."""

    template: ClassVar[str]

    def ask(
        self,
        request: falcon.Request,
        response: falcon.Response,
        raffle: Raffle,
        *,
        refused: Refused | None = None,
        **typed: Any,
    ) -> None:
        """Answer with the question, and with what was typed and refused."""
        values = self.values(raffle) | typed
        self.show_action(request, response, self.template, raffle=raffle, refused=refused, **values)

    def values(self, raffle: Raffle) -> dict[str, Any]:
        """Return what the template shows of a raffle, and what its fields contain at first."""
        raise NotImplementedError


class Question(Asking):
    """The page that asks first."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Ask."""
        self.enter(request, Right.MANAGE)
        self.ask(request, response, self.raffle(raffle_id))


def refusal_of(error: RaffleError) -> Refused:
    """Return what a form shows of an error of the engine; outages are not refusals, and are raised again."""
    status = http_status_of(type(error))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error
    return Refused((mistake_of(error),), status)


def mistake_of(error: RaffleError) -> Mistake:
    """Return what a form shows of an error."""
    if isinstance(error, InvalidValue):
        found = _IN_ROW.fullmatch(error.field)
        if found is None:
            return Mistake(error.field, error.reason)
        return Mistake(found["field"], error.reason, row=int(found["position"]) + 1, part=found["part"])
    return Mistake(_FIELDS.get(type(error), ""), str(error))


def wrong(field: str, word: DeskRefusal, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> Refused:
    """Return what a form shows of an input that the desk itself refuses."""
    return Refused((Mistake(field, word=word),), status)


def back_to_desk(request: falcon.Request, response: falcon.Response, raffle: Raffle, done: str) -> None:
    """Lead the browser to the desk of a raffle, which says what was done."""
    see_other(request, response, f"/desk/raffles/{raffle.id}/?done={done}")


def told_as_done(request: falcon.Request) -> str:
    """Return what the address of a page says was done, which anyone can write into it; "" if nothing."""
    return request.get_param("done") or ""


def _needed_pass(access: Access, request: falcon.Request) -> str:
    if access.pass_of(request.env):
        return "another"
    return "valid" if access.shows_token(request.env) else "any"


def _allowed_actions(may: frozenset[Right], raffle: Raffle) -> frozenset[Action]:
    return frozenset(action for action in possible_actions(raffle) if _RIGHTS.get(action, Right.MANAGE) in may)
