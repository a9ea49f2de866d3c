"""What people type into the fields of forms (pure): whole numbers."""

import re

from rafflekit.core.errors import InvalidValue
from rafflekit.http.reading import number_in

_BETWEEN_THOUSANDS = re.compile(r"[\s,.'’]")

DIVIDED = rf"[0-9]{{1,3}}(?:{_BETWEEN_THOUSANDS.pattern}[0-9]{{3}})+"
"""What a whole number with divided thousands looks like, as the start of a regular expression."""

_WHOLE = re.compile(rf"[0-9]+|{DIVIDED}")


def typed_number(field: str, text: str) -> int:
    """Return the whole number in a text, perhaps with its thousands divided; the engine checks its limits.

    >>> typed_number("count", " 1,500 ")
    1500

    Raises:
        InvalidValue: for `field`: there is none, or something else.
    """
    if not text.strip():
        raise InvalidValue(field, "is missing.")
    if not _WHOLE.fullmatch(text.strip()):
        raise InvalidValue(field, "must be a whole number, in digits.")
    return number_in(_BETWEEN_THOUSANDS.sub("", text).lstrip("0") or "0")
