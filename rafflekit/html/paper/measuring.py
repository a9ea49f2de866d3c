"""How many lines a text takes in Arial or Helvetica.

Only a browser knows it, and sheets are made without one. So it is estimated, on the safe side: rarely a line too many,
never one too few. Text is the HTML of a paragraph, as it will be printed.
"""

import re
import unicodedata
from html import unescape

_WIDTHS = {
    0.222: "ijl'‘’‚",
    0.278: " ftI!,./:;[]\\|·\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}",
    0.334: "r()-`{}“”„",
    0.4: '"*°',
    0.5: "ckJsvxyz^",
    0.556: "0123456789abdeghnopquL?_#$€£–«»",
    0.611: "FTZ+<=>~×ßøæ",
    0.667: "ABEKPSVXY&",
    0.722: "CDHNRUw",
    0.778: "GOQ",
    0.833: "Mm",
    0.944: "W%",
    1.015: "@—…",
}
_WIDTH_OF = {character: width for width, characters in _WIDTHS.items() for character in characters}
"""Widths of characters as parts of the size of the type."""

# Of other alphabets, in the widest of the fonts that browsers take for them. Most letters of Arabic are joined.
_OTHER = 0.8
_RIGHT_TO_LEFT = 0.66
_WIDE = 1.05
_EMOJI = 1.4
_BOLD = 1.1
_SAFETY = 1.02

# A no-break space is a part of its word.
_PIECE = re.compile(r"<[^>]*>|[ \n]+|[^< \n]+")
_TIME = re.compile("<time.*?</time>")
_LOCAL_TIMES = {
    "de": "24.12.2026,\N{NO-BREAK SPACE}18:00",
    "en": "Mmm 24, 2026, 10:00 PM".replace(" ", "\N{NO-BREAK SPACE}"),
}
"""The widest times of a language, as `times.js` shows them; the stylesheet keeps them on one line."""


def with_local_times(html: str, language: str) -> str:
    """Return HTML with times as wide as a script will show them."""
    return _TIME.sub(_LOCAL_TIMES[language], html)


def printed_lines(paragraph: str, *, points: float, width_mm: float, bold: bool = False) -> int:
    """Return how many lines a paragraph of HTML takes, in letters of this size."""
    width = width_mm / (points * 25.4 / 72 * _SAFETY)
    lines, used = 0, width
    for word in _words(paragraph, bold=bold):
        used += _WIDTH_OF[" "] + word
        if used > width:
            lines, used = lines + 1, word
        # Only a word that is longer than a line is broken. A line of it may end two characters before its edge.
        while used > width:
            lines, used = lines + 1, used - (width - 2 * _WIDE)
    return lines


def printed_width(text: str) -> float:
    """Return the width of a text, as a multiple of the size of its letters.

    >>> printed_width("WWW") > printed_width("くじ") > printed_width("ill")
    True
    """
    return sum(map(_width_of, text))


def _width_of(character: str) -> float:
    known = _WIDTH_OF.get(character)
    if known is not None:
        return known
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return 0.0
    if category == "So":
        return _EMOJI
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    if unicodedata.bidirectional(character) in ("R", "AL"):
        return _RIGHT_TO_LEFT
    # A letter with an accent is as wide as without it.
    return _WIDTH_OF.get(unicodedata.normalize("NFD", character)[0], _OTHER)


def _words(paragraph: str, *, bold: bool) -> list[float]:
    """Return the widths of the words."""
    words, word, is_bold = [], 0.0, bold
    for piece in _PIECE.findall(paragraph):
        if piece[0] in " \n":
            words.append(word)
            word = 0.0
        elif not piece.startswith("<"):
            word += printed_width(unescape(piece)) * (_BOLD if is_bold else 1)
        elif piece in ("<b>", "</b>"):
            is_bold = bold or piece == "<b>"
    return [width for width in [*words, word] if width]
