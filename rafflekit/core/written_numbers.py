"""Whole numbers as people write them, and as paper prints them: perhaps with divided thousands (pure)."""

import re

MOST_DIGITS = 30
"""The most digits of a number that are read. Every limit of the engine has fewer."""

# One separator throughout, and no zero in front: '1,234.5' and '0.125' are fractions. The page of a proof has the same
# rule in static/verifier/tickets.js.
DIVIDED = (
    "[1-9][0-9]{0,2}(?P<divider>[ \N{NO-BREAK SPACE}\N{FIGURE SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE},.'’])"
    "[0-9]{3}(?:(?P=divider)[0-9]{3})*"
)
"""What a whole number with divided thousands looks like, as a part of a regular expression."""

WHOLE = f"(?:[0-9]+|{DIVIDED})"
"""What a whole number looks like, as a part of a regular expression."""

_WHOLE = re.compile(WHOLE)
_NOT_A_DIGIT = re.compile("[^0-9]")


def read_whole_number(text: str) -> int | None:
    """Return the whole number in a text, perhaps with its thousands divided; the engine checks its limits.

    None if the text is not a number, or could be another one: '1,1' is not read.

    >>> read_whole_number("1110"), read_whole_number(" 1,110 "), read_whole_number("1.110"), read_whole_number("1,1")
    (1110, 1110, 1110, None)
    """
    digits = whole_digits(text)
    return None if digits is None else number_in(digits)


def whole_digits(text: str) -> str | None:
    """Return the digits of the number that `read_whole_number` reads, without zeros in front; None if it reads none."""
    if not _WHOLE.fullmatch(text.strip()):
        return None
    return _NOT_A_DIGIT.sub("", text).lstrip("0") or "0"


def number_in(digits: str) -> int:
    """Return the whole number that digits write; for one with more than `MOST_DIGITS`, another above every limit.

    Python refuses to read very long numbers. The engine refuses them, too, and says what is possible.
    """
    return int(digits) if len(digits) <= MOST_DIGITS else 10**MOST_DIGITS
