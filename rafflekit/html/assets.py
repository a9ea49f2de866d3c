"""The stylesheets, the scripts and the words of the pages: the files in `static/`, and what a script is made of.

All of them share one version, which is part of their addresses, so that browsers may keep them.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from rafflekit.core.protocol.words import word_list

_CSS = "text/css; charset=utf-8"
_JAVASCRIPT = "text/javascript; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"

_VERIFIER_PARTS = ("hashes", "ed25519", "documents", "notes", "tickets", "witnesses", "forfeits", "verifier")
VERIFIER = tuple(f"verifier/{name}.js" for name in _VERIFIER_PARTS)
"""The parts of the verifier, in the order in which they depend on each other; none of them knows about a page."""

_SCRIPTS: dict[str, tuple[str, ...]] = {
    "desk.js": ("printing.js", "desk.js"),
    "sheets.js": ("times.js", "printing.js"),
    "times.js": ("times.js",),
    "raffle.js": ("times.js", "following.js", "keeping.js", "witness.js", "raffle.js"),
    "ticket.js": ("times.js", "keeping.js", "ticket.js"),
    "live.js": ("times.js", "following.js", "live.js"),
}
"""Each script, and the files in `static/` that it consists of, in order."""

_OFFERED = ("audit", "readClosing", "readOperatorKey", "isSigned", "readReceiptParts", "wordsOf")
_MODULES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "verifier.js": ((*VERIFIER, "verifier/words.js"), _OFFERED),
}
"""Each module, which scripts load when they need it: the files that it consists of, and what it offers."""


class Asset(NamedTuple):
    """A file that pages load."""

    media_type: str
    content: bytes


@cache
def assets() -> dict[str, Asset]:
    """Return every asset by its name."""
    scripts = {name: Asset(_JAVASCRIPT, script_text(name).encode()) for name in _SCRIPTS}
    modules = {name: Asset(_JAVASCRIPT, _module(*parts).encode()) for name, parts in _MODULES.items()}
    words = Asset(_TEXT, "".join(f"{word}\n" for word in word_list()).encode())
    styles = {name: Asset(_CSS, static_text(name).encode()) for name in ("style.css", "poster.css", "sheets.css")}
    return {**styles, "words.txt": words, **scripts, **modules}


@cache
def assets_version() -> str:
    """Return the version of the assets: a part of the hash of them all."""
    content = sha256()
    for name, asset in sorted(assets().items()):
        content.update(name.encode() + b"\0" + asset.content + b"\0")
    return content.hexdigest()[:12]


def static_text(name: str) -> str:
    """Return the text of a file in `static/`."""
    return files("rafflekit.html").joinpath("static", name).read_text(encoding="utf-8")


def script_text(name: str) -> str:
    """Return the text of a script."""
    # In a function, since windows already have names (status, name, close) that a script cannot declare again.
    return f'(() => {{\n"use strict";\n{"".join(map(static_text, _SCRIPTS[name]))}}})();\n'


def _module(parts: tuple[str, ...], offered: tuple[str, ...]) -> str:
    return f"{''.join(map(static_text, parts))}export {{ {', '.join(offered)} }};\n"
