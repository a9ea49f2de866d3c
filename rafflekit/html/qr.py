"""QR codes, by segno."""

import io

import segno
from markupsafe import Markup

_BORDER = 2


def qr_svg(text: str, title: str) -> Markup:
    """Return the QR code of a text as an inline SVG, whose `title` is read aloud instead of it."""
    written = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
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


def qr_for_terminal(text: str) -> str:
    """Return the QR code of a text as lines of half blocks, for a terminal."""
    written = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(written, compact=True, border=_BORDER)
    return written.getvalue()
