"""QR codes, by segno."""

import io
from functools import lru_cache
from typing import NamedTuple

import segno
from markupsafe import Markup

_BORDER = 2
# Trying all eight patterns takes 5 of 6 ms, which would be most of what a ticket costs; readers know each of them.
_PATTERN = 0


def qr_svg(text: str, title: str) -> Markup:
    """Return the QR code of a text as an inline SVG, whose `title` is read aloud instead of it."""
    written = io.BytesIO()
    segno.make_qr(text, error="m", mask=_PATTERN).save(
        written,
        kind="svg",
        xmldecl=False,
        svgns=False,
        svgclass="qr",
        lineclass=None,
        border=_BORDER,
        title=title,
        omitsize=True,
        dark="#000",
        light="#fff",
    )
    # segno escapes the title.
    return Markup(written.getvalue().decode().strip().replace("<svg ", '<svg role="img" ', 1))  # noqa: S704


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
