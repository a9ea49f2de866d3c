"""What all pages share: who reads them, what they are filled with, and the headers with which they are sent.

A page is a resource like those of `http.api`, for browsers. At an address that both have, `negotiation` chooses.
"""

from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

import falcon
import msgspec

from rafflekit.core.models import Right
from rafflekit.html.assets import assets_version
from rafflekit.html.languages import preferred_language
from rafflekit.html.rendering import rendered
from rafflekit.http.access import Access
from rafflekit.http.api.address import Address

# Under "no-referrer", Chromium sends "Origin: null" with forms, which are refused then.
REFERRER_POLICY = "same-origin"

POLICY = "; ".join(
    (
        "default-src 'none'",
        *("style-src 'self'", "script-src 'self'", "connect-src 'self'", "form-action 'self'"),
        # The icon is in the page.
        "img-src 'self' data:",
        *("base-uri 'none'", "frame-ancestors 'none'"),
    )
)
"""The Content-Security-Policy: nothing inline, and nothing from another host."""

VARY = "Accept, Accept-Language"


class WebPage(Address):
    """A page, which has one method `on_…` per HTTP method, like every address.

    `forms` are the types into which it reads forms and queries.
    """

    forms: ClassVar[tuple[type[msgspec.Struct], ...]] = ()

    def show(
        self,
        request: falcon.Request,
        response: falcon.Response,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        **values: Any,
    ) -> None:
        """Answer with a template, in the reader's language."""
        send_page(response, filled(request, template, **values), status=status)


def is_at_desk(access: Access, request: falcon.Request) -> bool:
    """Return whether the reader of a page may do anything at the desk, so that the page links to it."""
    return any(access.allows(request.env, right) for right in Right)


def language_of(request: falcon.Request) -> str:
    """Return the language in which the reader of a page gets it."""
    return preferred_language(request.get_header("Accept-Language") or "")


def filled(request: falcon.Request, template: str, **values: Any) -> str:
    """Return the HTML of a template for a request; `root` and `version` are the parts of its links."""
    return rendered(template, language_of(request), root=root_of(request), version=assets_version(), **values)


def root_of(request: falcon.Request) -> str:
    """Return the path below which this application is mounted; "" at the top of a host."""
    return str(request.env.get("SCRIPT_NAME", ""))


def other_pages(request: falcon.Request) -> str:
    """Return the start of the addresses of a list's other pages, which ask for the same; a page's number follows."""
    others = urlencode({name: text for name, text in request.params.items() if name != "page"}, doseq=True)
    return f"?{others}&page=" if others else "?page="


def send_page(response: falcon.Response, html: str, *, status: HTTPStatus) -> None:
    """Answer with a page."""
    response.status = status
    response.content_type = falcon.MEDIA_HTML
    response.data = html.encode()
    # A page may differ by its reader (links for managers), so no other reader may get it from a shared cache.
    if response.get_header("Cache-Control") is None:
        response.set_header("Cache-Control", "private, no-cache")
    response.set_header("Content-Security-Policy", POLICY)
    response.set_header("Referrer-Policy", REFERRER_POLICY)
    response.set_header("Vary", VARY)


def see_other(request: falcon.Request, response: falcon.Response, path: str) -> None:
    """Lead the browser to another page, which it gets by GET."""
    response.status = HTTPStatus.SEE_OTHER
    response.location = f"{root_of(request)}{path}"
