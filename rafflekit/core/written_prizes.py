"""Prizes as people write them: NAME or NAME:AMOUNT, or one per line in a form (pure)."""

import re
from collections.abc import Iterable

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.prizes import Prize
from rafflekit.core.written_numbers import WHOLE, whole_digits

# Chinese and Japanese keyboards type the full-width colon.
_LAST_COLON = re.compile("(.*)[:\uff1a](.*)", re.DOTALL)
# Only with a sign and a blank: '10 € voucher', '2025 wine' and '4x4 car' are names.
_AMOUNT_FIRST = re.compile(rf"(?P<amount>{WHOLE})\s*[x×]\s+(?P<name>\S.*)")
# Signs, decimals, and the bullets of a list: '-1 hampers', '1.5 x hamper' and '- 3 x hamper'.
_LIKE_AN_AMOUNT_FIRST = re.compile(r"[-+−–•*]\s*\d|[\d.,']*\d\s*[x×]\s")
_ENDS_WITH_AMOUNT = re.compile(f"[:\uff1a]\\s*{WHOLE}?$")
# Signs, decimals, digits of other scripts: 'hug:-1' and 'hug:1.5' are not names.
_LIKE_A_NUMBER = re.compile(r"[-+−.,]*\d")
# The end of a time, as in 'Dinner at 19:30'. Anyone who writes 'radio 1:5:1' knows what the last number means.
_DOUBTFUL_AMOUNT = re.compile(rf"[0-9]\s*[:\uff1a]\s*(?!0*1\s*\Z)(?P<amount>{WHOLE})\s*\Z")
# An amount with more digits than the largest raffle fits no raffle, and Python refuses to read very long ones.
_MOST_DIGITS = len(str(limits.TICKETS))


def read_prize(text: str) -> Prize:
    """Return the prize that an argument names; the engine checks name and amount. A full-width colon counts as one.

    >>> read_prize("warm hug:3"), read_prize("warm hug:1,500").amount
    (Prize(name='warm hug', amount=3), 1500)
    >>> read_prize("bike: red")
    Prize(name='bike: red', amount=1)

    Raises:
        InvalidValue: after the last colon is nothing, or a number that is not an amount.
    """
    divided = _LAST_COLON.fullmatch(text)
    if divided is None:
        return Prize(text)
    name, amount = divided[1], divided[2].strip()
    digits = whole_digits(amount)
    if digits is not None:
        return Prize(name, _read_amount(name, digits))
    if not amount or _LIKE_A_NUMBER.match(amount):
        raise InvalidValue(
            "prizes", f"{text!r} has no whole number after its last colon; write '{text}:1' if all of it is the name."
        )
    return Prize(text)


def read_prize_lines(text: str) -> list[Prize]:
    r"""Return the prizes of a text with one per line, in draw order; a line can also begin with an amount and × or x.

    >>> write_prize_lines(read_prize_lines("hamper: 3\n2 × warm hug\n\n3x tea\n10 € voucher")).split("\n")
    ['hamper: 3', 'warm hug: 2', 'tea: 3', '10 € voucher: 1']

    Raises:
        InvalidValue: as `read_prize`; or a line begins with a number that is not an amount; or there is no line.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise InvalidValue("prizes", "At least one prize is needed: write one per line.")
    return [_read_line(line) for line in lines]


def write_prize_lines(prizes: Iterable[Prize]) -> str:
    """Return the text that `read_prize_lines` reads as these prizes."""
    return "\n".join(f"{prize.name}: {prize.amount}" for prize in prizes)


def amount_hint(arguments: Iterable[str]) -> str:
    """Return a sentence about the first argument whose amount may belong to its name; nothing if there is none.

    >>> amount_hint(["tea:3", "Dinner at 19:30"])
    "30 was read as the amount in 'Dinner at 19:30'; write 'Dinner at 19:30:1' if all of it is the name."
    """
    for text, amount in doubtful_amounts(arguments):
        return f"{amount} was read as the amount in {text!r}; write '{text}:1' if all of it is the name."
    return ""


def doubtful_amounts(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Return the prizes, as they are written, whose amount may belong to their name; each with that amount.

    >>> doubtful_amounts(["tea:3", "Dinner at 19:30", "Map 1:25,000"])
    [('Dinner at 19:30', '30'), ('Map 1:25,000', '25,000')]
    """
    return [(text, found["amount"]) for text in texts if (found := _DOUBTFUL_AMOUNT.search(text)) is not None]


def write_prize(prize: Prize) -> str:
    """Return the argument that `read_prize` reads as `prize`."""
    return f"{prize.name}:{prize.amount}"


def _read_line(line: str) -> Prize:
    begins = _AMOUNT_FIRST.fullmatch(line)
    if _ENDS_WITH_AMOUNT.search(line) or not (begins or _LIKE_AN_AMOUNT_FIRST.match(line)):
        return read_prize(line)
    # In '3 200 x 100 cm blankets', the second number may belong to the name.
    if begins is None or len(begins["amount"].split()) > 1:
        raise InvalidValue(
            "prizes",
            f"{line!r} does not begin with a whole number, in digits; write '{line}:1' if all of it is the name.",
        )
    digits = whole_digits(begins["amount"])
    assert digits is not None
    return Prize(begins["name"], _read_amount(begins["name"], digits))


def _read_amount(name: str, digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise InvalidValue(
            "prizes",
            f"Too many prizes: the amount of {name!r} has {len(digits)} digits, "
            f"where a raffle has at most {limits.TICKETS:,} tickets.",
        )
    return int(digits)
