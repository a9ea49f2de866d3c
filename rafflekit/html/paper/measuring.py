"""How many lines a text takes in Arial or Helvetica.

Only a browser knows it, and sheets are made without one. So it is estimated, on the safe side: rarely a line too many,
and never one too few in Latin, Greek or Cyrillic letters of today's languages. Fonts of other scripts differ by system.
Text is the HTML of a paragraph, as it will be printed.
"""

import re
import unicodedata
from collections.abc import Mapping
from html import unescape

MM_OF_POINT = 25.4 / 72
"""How many millimetres a point has."""


def _by_character(widths: Mapping[float, str]) -> dict[str, float]:
    return {character: width for width, characters in widths.items() for character in characters}


_WIDTH_OF = _by_character(
    {
        0.222: "ijl'‘’‚",
        0.278: " ftI!,./:;[]\\|·ìíîïĩīĭłı\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}",
        0.334: "r()-`{}“”„ľ¹²³",
        0.4: '"*°ťº',
        0.5: "ckJsvxyz^",
        0.556: "0123456789abdeghnopquL?_#$€£–«»±÷",
        0.611: "FTZ+<=>~×ßøďđŁþð",
        0.667: "ABEKPSVXY&ơư",
        0.722: "CDHNRUw",
        0.778: "GOQØ©®",
        0.84: "MmΜΨМф¼½¾Ύ",
        0.89: "æƯЂЋЫΉΏ",
        0.944: "W%œƠЖШЩљ",
        1.015: "@—―…ÆŒ‰Ю",
        1.06: "ЉЊ",
    }
)
"""Widths of characters as parts of the size of the type."""

_BOLD_WIDTH_OF = _WIDTH_OF | _by_character(
    {
        0.278: "ijl'‘’‚",
        0.334: "ft!:;[]",
        0.4: "r{}ľ",
        0.5: '“”„ť"',
        0.556: "ckJsvxyz",
        0.611: "bdghnopquL?#^",
        0.722: "ABK&ďđ",
        0.778: "w",
        0.89: "mфЋ",
        0.95: "ΉΎљ",
        1.03: "ЫШЩЮ",
        1.1: "ЉЊ",
    }
)

# Of other alphabets, in the widest of the fonts that browsers take for them. Most letters of Arabic are joined.
_OTHER, _OTHER_BOLD = 0.8, 0.88
_RIGHT_TO_LEFT = 0.66
_WIDE = 1.05
# Also ligatures and numerals that are made of several letters, and arrows.
_EMOJI = 1.45
_SAFETY = 1.02
_EMOJI_CATEGORIES = ("So", "Sm", "Nl", "No")

# A no-break space is a part of its word. Browsers also break a line where <wbr> is, and after a hyphen between Latin
# letters.
_PIECE = re.compile(r"<[^>]*>|[ \n]+|[^< \n]+")
_HYPHEN = re.compile("(?<=[A-Za-zÀ-ɏ]-)(?=[A-Za-zÀ-ɏ])")
_TIME = re.compile(r'<time datetime="\d+-(\d\d)-(\d\d).*?</time>')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WIDEST_MONTH = "May"


def with_local_times(html: str, language: str) -> str:
    """Return HTML with times as wide as `times.js` may show them, in any time zone."""
    return _TIME.sub("24.12.2026,\N{NO-BREAK SPACE}18:00" if language == "de" else _widest_in_english, html)


def _widest_in_english(time: re.Match[str]) -> str:
    month, day = int(time[1]), int(time[2])
    # Elsewhere it may be the day before or after.
    name = _MONTHS[month - 1] if 1 < day < 28 else _WIDEST_MONTH
    text = f"{name} {8 if 1 < day < 9 else 28}, 2026, 10:00 PM"
    # The stylesheet keeps a time on one line.
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def printed_lines(paragraph: str, *, points: float, width_mm: float, bold: bool = False) -> int:
    """Return how many lines a paragraph of HTML takes, in letters of this size."""
    width = width_mm / (points * MM_OF_POINT * _SAFETY)
    lines, used = 0, width
    for space, word in _words(paragraph, bold=bold):
        used += space + word
        if used > width:
            lines, used = lines + 1, word
        # Only a word that is longer than a line is broken. A line of it may end two characters before its edge.
        while used > width:
            lines, used = lines + 1, used - (width - 2 * _WIDE)
    return lines


def printed_width(text: str, *, bold: bool = False) -> float:
    """Return the width of a text, as a multiple of the size of its letters.

    >>> printed_width("WWW") > printed_width("くじ") > printed_width("ill", bold=True) > printed_width("ill")
    True
    """
    return sum(_width_of(each, bold=bold) for each in text)


def _width_of(character: str, *, bold: bool) -> float:
    known = _BOLD_WIDTH_OF if bold else _WIDTH_OF
    if character in known:
        return known[character]
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return 0.0
    if category in _EMOJI_CATEGORIES:
        return _EMOJI
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    if unicodedata.bidirectional(character) in ("R", "AL"):
        return _RIGHT_TO_LEFT
    letters = [each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each)]
    # A letter with an accent is about as wide as without it.
    return known.get(letters[0], _OTHER_BOLD if bold else _OTHER) if len(letters) == 1 else _EMOJI


def _words(paragraph: str, *, bold: bool) -> list[tuple[float, float]]:
    """Return the widths of the words and other parts that stay on one line, each with that of the space before it."""
    words, space, word, is_bold = [], 0.0, 0.0, bold
    for piece in _PIECE.findall(paragraph):
        if piece[0] in " \n" or piece == "<wbr>":
            words.append((space, word))
            space, word = 0.0 if piece == "<wbr>" else _WIDTH_OF[" "], 0.0
        elif not piece.startswith("<"):
            first, *others = _HYPHEN.split(unescape(piece))
            word += printed_width(first, bold=is_bold)
            for other in others:
                words.append((space, word))
                space, word = 0.0, printed_width(other, bold=is_bold)
        elif piece in ("<b>", "</b>"):
            is_bold = bold or piece == "<b>"
    return [each for each in [*words, (space, word)] if each[1]]
