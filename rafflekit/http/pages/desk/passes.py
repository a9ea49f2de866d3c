"""Desk passes in a browser: the page that takes one, and the button that gives it up on this device.

The token comes in the fragment of a link, which browsers send to no one; the page's script moves it into the form.
"""

import falcon
import msgspec

from rafflekit.http import reading
from rafflekit.http.access import PASS_COOKIE
from rafflekit.http.pages.desk.page import DeskPage, told_as_done, wrong
from rafflekit.http.pages.page import root_of, see_other

_SAME_SITE = "Strict"


class PassForm(msgspec.Struct, frozen=True):
    """The token of a desk pass."""

    token: str = ""


class PassPage(DeskPage):
    """`/desk/pass/`: where a desk pass begins to be used in a browser."""

    forms = (PassForm,)

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Show the form; it never shows a token."""
        self.access.require_address(request.env)
        has_left = told_as_done(request) == "left" and self.access.pass_of(request.env) is None
        self.show_desk(request, response, "pass.html", has_left=has_left)

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Keep a valid pass in a cookie."""
        self.access.require_address(request.env)
        self.access.require_own_form(request.env)
        token = reading.read_form(request, PassForm).token.strip()
        found = self.engine.passes.find(token)
        if found is None:
            refused = wrong("token", "unknown_pass")
            self.show_desk(request, response, "pass.html", has_left=False, refused=refused)
            return
        response.set_cookie(
            PASS_COOKIE,
            token,
            expires=found.expires_at,
            path=_path(request),
            secure=self.access.is_encrypted(request.env),
            http_only=True,
            same_site=_SAME_SITE,
        )
        see_other(request, response, "/desk/")


class LeavingForm(DeskPage):
    """`/desk/leave/`: the button that ends the use of a pass in this browser; the pass stays valid."""

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Forget the pass."""
        self.access.require_address(request.env)
        self.access.require_own_form(request.env)
        response.unset_cookie(PASS_COOKIE, path=_path(request), same_site=_SAME_SITE)
        see_other(request, response, "/desk/pass/?done=left")


def _path(request: falcon.Request) -> str:
    # Not only the desk: forms at the contract's own addresses need the pass as well.
    return f"{root_of(request)}/"
