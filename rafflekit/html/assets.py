"""The stylesheet and the scripts of the pages: the files in `static/`, and what a script is made of.

All of them share one version, which is part of their addresses, so that browsers may keep them.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

_CSS = "text/css; charset=utf-8"
_JAVASCRIPT = "text/javascript; charset=utf-8"

_SCRIPTS: dict[str, tuple[str, ...]] = {
    "desk.js": ("desk.js",),
    "times.js": ("times.js",),
}
"""Each script, and the files in `static/` that it consists of, in order."""


class Asset(NamedTuple):
    """A file that pages load."""

    media_type: str
    content: bytes


@cache
def assets() -> dict[str, Asset]:
    """Return every asset by its name."""
    scripts = {name: Asset(_JAVASCRIPT, _script(parts).encode()) for name, parts in _SCRIPTS.items()}
    return {"style.css": Asset(_CSS, static_text("style.css").encode()), **scripts}


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


def _script(parts: tuple[str, ...]) -> str:
    # In a function, since windows already have names (status, name, close) that a script cannot declare again.
    return f'(() => {{\n"use strict";\n{"".join(map(static_text, parts))}}})();\n'
