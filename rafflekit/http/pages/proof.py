"""The page of a draw's proof: one HTML file for every raffle, per language, made of the verifier and `static/proof`.

It does not contain a raffle: its JavaScript fetches the proof from the page's own address and checks it in the browser.
A saved copy is one file that needs no server. The page's Content-Security-Policy names its one script and one style by
their hashes; the file contains the policy as well, for readers who open it from a disk.
"""

import json
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import falcon

from rafflekit.html.assets import VERIFIER, static_text
from rafflekit.html.languages import SOURCE_LANGUAGE
from rafflekit.html.rendering import rendered
from rafflekit.http import reading
from rafflekit.http.kept import Document, answer_document
from rafflekit.http.pages.page import WebPage, language_of

SCRIPTS = ("proof/summary.js", "proof/page.js")
"""The scripts that show what the verifier finds."""

# From the address of a proof to the place where the application is mounted.
_ROOT = "../../.."


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A page, and the Content-Security-Policy that goes with it."""

    content: bytes
    policy: str


@cache
def proof_page(language: str = SOURCE_LANGUAGE) -> HtmlPage:
    """Return the page in one of `languages.LANGUAGES`."""
    texts = proof_texts(language)
    parts = "".join(map(static_text, (*VERIFIER, *SCRIPTS)))
    # In a function, since windows already have names (status, name, close) that a script cannot declare again.
    script = f'(() => {{\n"use strict";\nconst SENTENCES = {texts};\n{parts}}})();'
    style = static_text("style.css")
    # "frame-ancestors" is not allowed in a file, so it is added below.
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_source(script)}",
            f"style-src {_source(style)}",
            "connect-src 'self'",
            # The icon is in the page.
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    html = rendered(
        "proof.html",
        language,
        root=_ROOT,
        is_manager=False,
        policy=policy,
        style=style,
        script=script,
        texts=json.loads(texts),
    )
    return HtmlPage(html.encode(), f"{policy}; frame-ancestors 'none'")


def proof_texts(language: str) -> str:
    """Return the sentences of the page's script in a language, as JSON."""
    return rendered("proof_texts.html", language)


def _source(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


class ProofPage(WebPage):
    """`/raffles/<id>/proof/`: the page that checks the proof of a draw in a browser."""

    def on_get(self, request: falcon.Request, response: falcon.Response, raffle_id: str) -> None:
        """Show the page, if there is such a raffle."""
        self.engine.get(reading.check_raffle_id(raffle_id))
        language = language_of(request)
        response.content_type = falcon.MEDIA_HTML
        response.set_header("Vary", "Accept, Accept-Language, Accept-Encoding")
        response.set_header("Content-Security-Policy", proof_page(language).policy)
        response.set_header("Referrer-Policy", "no-referrer")
        answer_document(request, response, _document(language))


@cache
def _document(language: str) -> Document:
    return Document.of(proof_page(language).content)
