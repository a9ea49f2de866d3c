"""What a scanner or a person types to name a ticket (pure): the URL of its QR code, or its number and code."""

import re
from typing import NamedTuple
from urllib.parse import unquote

from rafflekit.core.errors import InvalidValue
from rafflekit.core.protocol import codes
from rafflekit.core.written_numbers import DIVIDED, read_whole_number
from rafflekit.http.fields import RAFFLE_ID

# The fragment of the URL in a ticket's QR code.
_IN_FRAGMENT = re.compile(r"#(?:.*&)?t=(?P<number>[0-9]{1,30})&c=(?P<code>[^&\s]+)")
_OF_RAFFLE = re.compile(rf"/raffles/({RAFFLE_ID.pattern})/")
# The second as pages print numbers from 1,000 on.
_IN_WORDS, _DIVIDED = (
    re.compile(rf"\D{{0,20}}?(?P<number>{number})[\s,;:/|]+(?P<code>\S.*)", re.DOTALL)
    for number in ("[0-9]{1,30}", DIVIDED)
)


class Scan(NamedTuple):
    """A ticket's number and code, and the id of its raffle if the text says it."""

    number: int
    code: str
    raffle_id: str | None = None

    # A code is a secret.
    def __repr__(self) -> str:
        return f"Scan(number={self.number})"


def read_scan(text: str) -> Scan:
    """Read what was typed into one field.

    >>> scan = read_scan("https://raffle.example/raffles/1b4f2a0e-0000-4000-8000-000000000000/#t=7&c=X45Z-H67Q")
    >>> scan.number, scan.code, scan.raffle_id
    (7, 'X45Z-H67Q', '1b4f2a0e-0000-4000-8000-000000000000')
    >>> read_scan("7 X45Z-H67Q").code
    'X45Z-H67Q'
    >>> read_scan("1,234 X45Z-H67Q-X45Z-H67Q-X45Z-H67Q").number
    1234

    Raises:
        InvalidValue: it names no ticket.
    """
    found = _IN_FRAGMENT.search(text)
    if found is not None:
        raffle = _OF_RAFFLE.search(text)
        return Scan(int(found["number"]), unquote(found["code"]), raffle[1] if raffle else None)
    divided = _DIVIDED.fullmatch(text.strip())
    # Otherwise, what looks like thousands is the start of the code.
    if divided is not None and codes.read(divided["code"]) is not None:
        number = read_whole_number(divided["number"])
        assert number is not None
        return Scan(number, divided["code"])
    typed = _IN_WORDS.fullmatch(text.strip())
    if typed is None:
        raise InvalidValue("scan", "must be a ticket's QR code, or its number, a space and its code.")
    return Scan(int(typed["number"]), typed["code"])
