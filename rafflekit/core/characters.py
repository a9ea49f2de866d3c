"""Characters that do not show or do not count, as ranges for regular expressions (pure).

The ranges are fixed (Unicode 16) and not taken from `unicodedata`, which changes with Python's version. A participant
must count as the same person after an upgrade, and a code must be read alike everywhere.
"""

import re
import unicodedata

BLANKS = " \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""The general category Zs."""

WHITE_SPACE = rf"\t-\r\x85\u2028\u2029{BLANKS}"
"""The property White_Space."""

FORMAT = (
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f"
)
"""The general category Cf: soft hyphens, zero-width and bidi characters, tags."""

DASHES = (
    r"\-\u058a\u05be\u1400\u1806\u2010-\u2015\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58"
    r"\ufe63\uff0d\U00010d6e\U00010ead\u2212"
)
"""The general category Pd, and the minus sign."""

VARIATION_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""They choose the form of the character before them."""

# Letters, marks and symbols of other categories that show nothing, and code points reserved for more of them.
_FILLERS = (
    "\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0-\ufff8\ufffc\U00013441\U00013442\U00016fe4"
    "\U0001d159\U000e0000\U000e0002-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
)

INVISIBLE = f"{FORMAT}{VARIATION_SELECTORS}{_FILLERS}"
"""Everything that shows nothing and is not white space."""

_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_EACH_BLANK = BLANKS.replace("\u2000-\u200a", "".join(map(chr, range(0x2000, 0x200B))))


def without_invisible(text: str) -> str:
    """Return a text without its invisible characters; white space stays."""
    return _INVISIBLE.sub("", text)


def without_blanks_around(text: str) -> str:
    """Return a text without the blanks at its ends; line breaks are not blanks.

    >>> without_blanks_around(" warm  hug ")
    'warm  hug'
    """
    return text.strip(_EACH_BLANK)


def is_visible(text: str) -> bool:
    """Return whether a text has a character that shows something by itself, as a mark does not."""
    # Not a list of what is visible: Python may be older than a new emoji, which is unassigned then.
    return any(unicodedata.category(character)[0] not in "MZ" for character in without_invisible(text))
