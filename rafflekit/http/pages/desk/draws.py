"""Drawing the winners at the desk: the page that asks for the raffle's name, and the form that draws."""

from typing import Any

import falcon
import msgspec

from rafflekit.core.errors import RaffleError
from rafflekit.core.lifecycle import draw_possible_at
from rafflekit.core.models import Raffle, Right
from rafflekit.core.paging import folded
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.quoting import visible
from rafflekit.http import reading
from rafflekit.http.pages.desk.page import Asking, Question, back_to_desk, refusal_of, wrong
from rafflekit.http.pages.raffles import WinnersPage


class DrawForm(msgspec.Struct, frozen=True):
    """The name that confirms a draw, and the value that an announced source gave."""

    confirm: str = ""
    value: str = ""


class _Drawing(Asking):
    template = "draw.html"

    def values(self, raffle: Raffle) -> dict[str, Any]:
        return {
            "needs_value": source_of(raffle.terms.entropy).is_announced,
            "possible_at": draw_possible_at(raffle),
            "form": DrawForm(),
        }


class DrawQuestion(_Drawing, Question):
    """`/desk/raffles/<id>/draw/`: whether the winners are to be drawn, which the raffle's name confirms."""


class WinnersOrDraw(WinnersPage, _Drawing):
    """`/raffles/<id>/winners/`: the winners; or the desk's form that draws them."""

    forms = (*WinnersPage.forms, DrawForm)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Draw the winners, if the raffle's name confirms it."""
        self.enter_with_form(request, Right.MANAGE)
        form = reading.read_form(request, DrawForm)
        raffle = self.raffle(raffle_id)
        if not _is_name(form.confirm, raffle):
            self.ask(request, response, raffle, form=form, refused=wrong("confirm", "name_differs"))
            return
        try:
            self.engine.draw(raffle.id, value=" ".join(form.value.split()) or None)
        except RaffleError as error:
            self.ask(request, response, self.raffle(raffle_id), form=form, refused=refusal_of(error))
        else:
            back_to_desk(request, response, raffle, "drawn")


def _is_name(typed: str, raffle: Raffle) -> bool:
    # As it is shown, which is how it is copied; blanks and letter case do not matter.
    names = (raffle.name, visible(raffle.name))
    return _plain(typed) in [_plain(name) for name in names]


def _plain(name: str) -> str:
    return folded(" ".join(name.split()))
