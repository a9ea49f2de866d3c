"""What people type into the fields of forms (pure): whole numbers."""

from rafflekit.core.errors import InvalidValue
from rafflekit.core.written_numbers import read_whole_number


def typed_number(field: str, text: str) -> int:
    """Return the whole number in a text, perhaps with its thousands divided; the engine checks its limits.

    Raises:
        InvalidValue: for `field`: there is none, or something else.
    """
    if not text.strip():
        raise InvalidValue(field, "is missing.")
    number = read_whole_number(text)
    if number is None:
        raise InvalidValue(field, "must be a whole number, in digits.")
    return number
