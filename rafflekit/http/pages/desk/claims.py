"""Handing prizes out at the desk: look at a ticket, confirm, undo."""

from contextlib import suppress
from typing import Literal, NamedTuple

import falcon
import msgspec

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue, InvalidVerificationCode, NoPrize, RaffleError, TooLate
from rafflekit.core.lifecycle import Action, is_overdue
from rafflekit.core.models import Raffle, Right, Verification
from rafflekit.http import reading
from rafflekit.http.pages.desk.page import ActionPage, Refused, refusal_of, wrong
from rafflekit.http.pages.desk.scans import Scan, read_scan
from rafflekit.http.pages.typed import typed_number


class LookForm(msgspec.Struct, frozen=True):
    """A ticket in one field, or its number and its code in two."""

    scan: str = ""
    ticket_number: str = ""
    verification_code: str = ""


class RedeemForm(msgspec.Struct, frozen=True):
    """A ticket whose prize is handed out; with `undo`, that is taken back."""

    ticket_number: int
    verification_code: str
    undo: bool = False


_EMPTY = LookForm()
_ANOTHER_RAFFLE = wrong("scan", "another_raffle")

Outcome = Literal["won", "lost", "redeemed", "forfeited", "late", "done", "undone"]
"""What a ticket's page says: what it won, or what was just done."""


class Looked(NamedTuple):
    """A ticket as a desk sees it; `by` is the name of its pass, if it shows one."""

    scan: Scan
    outcome: Outcome
    verification: Verification
    by: str | None
    can_undo: bool = False

    @property
    def is_perhaps_own(self) -> bool:
        """Whether this desk may have handed the prize out itself."""
        return self.verification.redeemed_by == self.by

    @property
    def is_own(self) -> bool:
        """Whether this desk certainly handed the prize out itself: without a pass, it may have been any other desk."""
        return self.outcome == "done" or (self.by is not None and self.is_perhaps_own)


class _Redeeming(ActionPage):
    action = Action.REDEEM

    def _show(
        self,
        request: falcon.Request,
        response: falcon.Response,
        raffle: Raffle,
        *,
        looked: Looked | None = None,
        form: LookForm = _EMPTY,
        other: Raffle | None = None,
        refused: Refused | None = None,
    ) -> None:
        self.show_action(
            request,
            response,
            "redeem.html",
            raffle=raffle,
            looked=looked,
            form=form,
            other=other,
            undo_minutes=limits.UNDO_S // 60,
            refused=refused,
        )

    def _look(self, raffle: Raffle, scan: Scan, by: str | None) -> Looked:
        """Return what a ticket won, and whether its prize can be handed out now; `by` is the name of the desk's pass.

        Raises:
            RaffleError: the raffle is not drawn, or the code is not the ticket's.
        """
        found = self.engine.verify(raffle.id, scan.number, scan.code)
        if found.redeemed_at is not None:
            return Looked(scan, "redeemed", found, by, self._can_undo(raffle, scan))
        if found.forfeited_at is not None:
            return Looked(scan, "forfeited", found, by)
        if not found.has_won:
            return Looked(scan, "lost", found, by)
        is_late = found.redeem_until is not None and is_overdue(found.redeem_until, self.engine.now())
        return Looked(scan, "late" if is_late else "won", found, by)

    def _can_undo(self, raffle: Raffle, scan: Scan) -> bool:
        with suppress(NoPrize, TooLate):
            self.engine.check_redeem(raffle.id, scan.number, scan.code, undo=True)
            return True
        return False


class RedeemDesk(_Redeeming):
    """`/desk/raffles/<id>/redeem/`: what a ticket won."""

    forms = (LookForm,)

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the field for a ticket."""
        self.enter(request, Right.REDEEM)
        self._show(request, response, self.raffle(raffle_id))

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show what a ticket won; nothing is changed."""
        by = self.enter_with_form(request, Right.REDEEM)
        raffle = self.raffle(raffle_id)
        form = reading.read_form(request, LookForm)
        try:
            scan = _ticket_in(form)
            if scan.raffle_id not in (None, str(raffle.id)):
                other = self.raffle(str(scan.raffle_id))
                self._show(request, response, raffle, form=form, other=other, refused=_ANOTHER_RAFFLE)
                return
            looked = self._look(raffle, scan, by)
        except InvalidVerificationCode:
            field = "scan" if form.scan else "verification_code"
            self._show(request, response, raffle, form=form, refused=wrong(field, "wrong_code"))
        except RaffleError as error:
            self._show(request, response, raffle, form=form, refused=refusal_of(error))
        else:
            self._show(request, response, raffle, looked=looked)


class RedemptionForm(_Redeeming):
    """`/raffles/<id>/redeem/`, from a form."""

    forms = (RedeemForm,)

    def on_post(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Hand a prize out, or undo that.

        The answer is a page, since another address could not say which ticket to undo: its code is a secret.
        """
        by = self.enter_with_form(request, Right.REDEEM)
        raffle = self.raffle(raffle_id)
        form = reading.read_form(request, RedeemForm)
        scan = Scan(form.ticket_number, form.verification_code)
        try:
            done = self.engine.redeem(raffle.id, scan.number, scan.code, undo=form.undo, by=by)
        except (NoPrize, TooLate) as error:
            self._show(request, response, raffle, looked=self._look(raffle, scan, by), refused=refusal_of(error))
        except RaffleError as error:
            self._show(request, response, raffle, refused=refusal_of(error))
        else:
            looked = Looked(scan, "undone" if form.undo else "done", done, by, can_undo=not form.undo)
            self._show(request, response, raffle, looked=looked)


def _ticket_in(form: LookForm) -> Scan:
    if not form.ticket_number.strip() and not form.verification_code.strip():
        return read_scan(form.scan)
    number = typed_number("ticket_number", form.ticket_number)
    if not form.verification_code.strip():
        raise InvalidValue("verification_code", "is missing.")
    return Scan(number, form.verification_code)
