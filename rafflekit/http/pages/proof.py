"""The page of a draw's proof: one HTML file for every raffle, put together from the files beside this module.

It holds no raffle: its JavaScript fetches the proof from the page's own address, and checks it in the browser. Saved,
it is one file that needs no server. Its Content-Security-Policy names its one script and one style by their hashes, and
is in the file as well, for whoever opens it from a disk.
"""

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

VERIFIER = tuple(f"verifier/{name}.js" for name in ("hashes", "ed25519", "documents", "notes", "tickets", "verifier"))
"""The parts of the verifier, in the order in which they use each other; none of them knows of a page."""

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
    # In a function of its own, since windows have names (status, name, close) that scripts cannot have again.
    script = f'(() => {{\n"use strict";\n{"".join(_text(name) for name in (*VERIFIER, *_PAGE))}}})();'
    style = _text("page.css")
    # In a file, "frame-ancestors" is not allowed.
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_source(script)}",
            f"style-src {_source(style)}",
            "connect-src 'self'",
            # The page's icon is empty, so that no browser asks for one.
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
