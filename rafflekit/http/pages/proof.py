"""The page of a draw's proof: one HTML file for every raffle, made of the verifier and the files next to this module.

It does not contain a raffle: its JavaScript fetches the proof from the page's own address and checks it in the browser.
A saved copy is one file that needs no server. The page's Content-Security-Policy names its one script and one style by
their hashes; the file contains the policy as well, for readers who open it from a disk.
"""

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

import falcon

from rafflekit.html.assets import VERIFIER, static_text
from rafflekit.http import reading
from rafflekit.http.kept import Document, answer_document
from rafflekit.http.pages.page import WebPage

_PAGE = ("summary.js", "page.js")
_FOLDER = files("rafflekit.http.pages")


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A page, and the Content-Security-Policy that goes with it."""

    content: bytes
    policy: str


@cache
def proof_page() -> HtmlPage:
    """Return the page."""
    # In a function, since windows already have names (status, name, close) that a script cannot declare again.
    script = f'(() => {{\n"use strict";\n{"".join((*map(static_text, VERIFIER), *map(_text, _PAGE)))}}})();'
    style = _text("page.css")
    # "frame-ancestors" is not allowed in a file, so it is added below.
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_source(script)}",
            f"style-src {_source(style)}",
            "connect-src 'self'",
            # The page's icon is empty, so that browsers do not ask for one.
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    html = _text("page.html")
    for mark, content in (("{policy}", policy), ("{style}", style), ("{script}", script)):
        html = html.replace(mark, content, 1)
    return HtmlPage(html.encode(), f"{policy}; frame-ancestors 'none'")


def _text(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")


def _source(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


class ProofPage(WebPage):
    """`/raffles/<id>/proof/`: the page that checks the proof of a draw in a browser."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the page, if there is such a raffle."""
        self.engine.get(reading.check_raffle_id(raffle_id))
        response.content_type = falcon.MEDIA_HTML
        response.set_header("Vary", "Accept, Accept-Encoding")
        response.set_header("Content-Security-Policy", proof_page().policy)
        response.set_header("Referrer-Policy", "no-referrer")
        answer_document(request, response, _document())


@cache
def _document() -> Document:
    return Document.of(proof_page().content)
