"""One address, two answers: a page for browsers, JSON for all others.

A GET is a browser's if it prefers HTML; a POST is a page's if its body is that of a form.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import falcon
from falcon.constants import COMBINED_METHODS

from rafflekit.http.api.address import Address

_Responder = Callable[..., None]
_WITH_BODY = ("POST", "PATCH")


def prefers_page(request: falcon.Request) -> bool:
    """Return whether the sender of a request prefers HTML, as browsers do."""
    # Of two that a client prefers equally (as with */*), Falcon takes the first.
    return bool(request.client_prefers((falcon.MEDIA_JSON, falcon.MEDIA_HTML)) == falcon.MEDIA_HTML)


def _is_for_page(request: falcon.Request) -> bool:
    if request.method in _WITH_BODY:
        return (request.content_type or "").partition(";")[0].strip().lower() == falcon.MEDIA_URLENCODED
    return prefers_page(request)


class Negotiated(Address):
    """An address of the API that also has a page."""

    def __init__(self, api: Address, page: Address) -> None:
        # Those of the API: where only the page has GET, it just leads browsers elsewhere. For the same reason every
        # method has a responder, since Falcon would name all that have one.
        self.allowed_methods = api.allowed_methods
        for method in COMBINED_METHODS:
            name = f"on_{method.lower()}"
            responders = getattr(api, name, None), getattr(page, name, None)
            if method != "OPTIONS":
                setattr(self, name, partial(self._choose, *responders))

    def _choose(
        self,
        api: _Responder | None,
        page: _Responder | None,
        request: falcon.Request,
        response: falcon.Response,
        **parameters: Any,
    ) -> None:
        response.set_header("Vary", "Accept")
        chosen = page if page is not None and _is_for_page(request) else api
        if chosen is None:
            raise falcon.HTTPMethodNotAllowed(self.allowed_methods)
        chosen(request, response, **parameters)
