"""Verification and invitation codes on the command line, and hints about wrong ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from rafflekit.core.errors import InvalidVerificationCode
from rafflekit.core.models import Raffle

TicketNumber = Annotated[int, typer.Argument(metavar="NUMBER", help="The ticket's number.")]

TicketCode = Annotated[
    str,
    typer.Argument(
        metavar="CODE",
        help="The ticket's code, in upper or lower case, with or without dashes, blanks and quotes.",
    ),
]


@contextmanager
def code_explained(raffle: Raffle, number: int, code: str) -> Iterator[None]:
    """Add a hint about a refused number or code; no ticket is looked at for it."""
    try:
        yield
    except InvalidVerificationCode as error:
        hint = length_hint(code)
        if not 1 <= number <= raffle.total_tickets:
            hint = f": this raffle's tickets are numbered from 1 to {raffle.total_tickets:,}."
        raise InvalidVerificationCode(f"{error}{hint}") from error


def length_hint(code: str) -> str:
    """Return the end of a sentence about a code of the wrong length; otherwise nothing."""
    from rafflekit.core.protocol.codes import CHARACTERS, length_of

    length = length_of(code)
    return "" if length == CHARACTERS else f": a code has {CHARACTERS} letters and digits, and this one has {length}."
