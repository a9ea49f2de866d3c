"""QR codes, by segno. Its SVG writer takes almost as long as its encoder, so that SVGs are written here."""

import io
import re
from functools import cache, lru_cache
from typing import NamedTuple

import segno
from markupsafe import Markup

_BORDER = 2
# Trying all eight patterns takes most of what a ticket costs; readers know each of them.
_PATTERN = 0
# Light modules, if any, and the dark ones that follow them.
_STEP = re.compile(rb"\x00*\x01+")
# The line through a row of modules is in their middle, so that a stroke of 1 covers them.
_SVG = Markup(
    '<svg role="img" viewBox="-{border} -{border}.5 {size} {size}" class="qr"><title>{title}</title>'
    '<path fill="#fff" d="M-{border}-{border}.5h{size}v{size}h-{size}z"/><path stroke="#000" d="{dark}"/></svg>'
)


def qr_svg(text: str, title: str) -> Markup:
    """Return the QR code of a text as an inline SVG, whose `title` is read aloud instead of it."""
    # Capitals need fewer modules if they are on their own: a code at the end of a link, after its name.
    link, equals, code = text.rpartition("=")
    parts = [part for part in (link + equals, code) if part]
    # segno takes lists, but its types and its documentation omit that (heuer/segno#76).
    rows = segno.make_qr(parts, error="m", mask=_PATTERN).matrix  # type: ignore[arg-type]
    dark = "".join(f"M0 {y}{''.join(map(_step, _STEP.findall(row)))}" for y, row in enumerate(rows))
    return _SVG.format(border=_BORDER, size=len(rows) + 2 * _BORDER, title=title, dark=dark)


@cache
def _step(modules: bytes) -> str:
    """Return how a path steps over light modules and draws dark ones; there are few such steps, and many of each."""
    light = modules.count(0)
    line = f"h{len(modules) - light}"
    return f"m{light} 0{line}" if light else line


@lru_cache(256)
def page_qr_svg(address: str, title: str) -> Markup:
    """Return the QR code of a raffle's page, which is kept; those of tickets and invitations are secrets."""
    return qr_svg(address, title)


class TerminalCode(NamedTuple):
    """A QR code for a terminal: its lines of half blocks, and how many columns they need."""

    lines: list[str]
    columns: int


def qr_for_terminal(text: str) -> TerminalCode:
    """Return the QR code of a text for a terminal; the blocks are the light modules."""
    code = segno.make_qr(text)
    written = io.StringIO()
    code.terminal(written, compact=True)
    return TerminalCode(written.getvalue().splitlines(), int(code.symbol_size()[0]))
