"""Drawing the winners at the desk: the page that asks for the raffle's name, and the form that draws."""

from typing import Any

import falcon
import msgspec

from rafflekit.core.errors import InvalidValue, RaffleError
from rafflekit.core.lifecycle import Action, draw_possible_at
from rafflekit.core.models import Raffle, Right
from rafflekit.core.paging import folded
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.entropy.announced import normalised
from rafflekit.core.protocol.quoting import visible
from rafflekit.http import reading
from rafflekit.http.pages.desk.page import Asking, Question, back_to_desk, refusal_of, wrong
from rafflekit.http.pages.raffles import WinnersPage


class DrawForm(msgspec.Struct, frozen=True):
    """The name that confirms a draw, and the value that an announced source gave."""

    confirm: str = ""
    value: str = ""
    again: str = ""
    """Not empty if the value is to be changed."""


class _Drawing(Asking):
    template = "draw.html"
    action = Action.DRAW

    def values(self, raffle: Raffle) -> dict[str, Any]:
        return {
            "needs_value": _needs_value(raffle),
            "possible_at": draw_possible_at(raffle),
            "form": DrawForm(),
            # What decides, once it is typed: a draw is final, so people see it before they confirm.
            "value": None,
        }


class DrawQuestion(_Drawing, Question):
    """`/desk/raffles/<id>/draw/`: whether the winners are to be drawn, which the raffle's name confirms.

    If an announced value decides, that is asked for first, and shown as it will be used.
    """

    forms = (DrawForm,)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the value that decides; nothing is changed."""
        self.enter_with_form(request, Right.MANAGE)
        form = reading.read_form(request, DrawForm)
        raffle = self.raffle(raffle_id)
        value, refused = None, None
        if not form.again:
            try:
                value = _value_in(form, raffle)
            except RaffleError as error:
                refused = refusal_of(error)
        self.ask(request, response, raffle, form=form, value=value, refused=refused)


class WinnersOrDraw(WinnersPage, _Drawing):
    """`/raffles/<id>/winners/`: the winners; or the desk's form that draws them."""

    forms = (*WinnersPage.forms, DrawForm)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Draw the winners, if the raffle's name confirms it."""
        self.enter_with_form(request, Right.MANAGE)
        form = reading.read_form(request, DrawForm)
        raffle = self.raffle(raffle_id)
        value = None
        try:
            value = _value_in(form, raffle)
            if not _is_name(form.confirm, raffle):
                self.ask(request, response, raffle, form=form, value=value, refused=wrong("confirm", "name_differs"))
                return
            self.engine.draw(raffle.id, value=value)
        except RaffleError as error:
            refused = refusal_of(error)
            self.ask(request, response, self.raffle(raffle_id), form=form, value=value, refused=refused)
        else:
            back_to_desk(request, response, raffle, "drawn")


def _needs_value(raffle: Raffle) -> bool:
    return source_of(raffle.terms.entropy).is_announced


def _value_in(form: DrawForm, raffle: Raffle) -> str | None:
    """Return the value that decides, exactly as it is used; None if the raffle needs none."""
    if not _needs_value(raffle):
        return None
    if not form.value.strip():
        raise InvalidValue("value", "is missing.")
    return normalised(form.value)


def _is_name(typed: str, raffle: Raffle) -> bool:
    # As it is shown, which is how it is copied; blanks and letter case do not matter.
    names = (raffle.name, visible(raffle.name))
    return _plain(typed) in [_plain(name) for name in names]


def _plain(name: str) -> str:
    return folded(" ".join(name.split()))
