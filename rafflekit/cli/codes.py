"""Verification and invitation codes on the command line: how they are given, and hints about wrong ones.

A code among the arguments can be read by every account of the machine while the command runs, and stays in the shell's
history. So a command asks for it, or reads it from standard input.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.sources import STDIN, read_file
from rafflekit.core.errors import InvalidVerificationCode
from rafflekit.core.models import Raffle

_CODE_BYTES = 1_000

TicketNumber = Annotated[int, typer.Argument(metavar="NUMBER", help="The ticket's number.")]

TicketCode = Annotated[
    str | None,
    typer.Argument(
        metavar="CODE",
        show_default=False,
        help="The ticket's code, in upper or lower case, with or without dashes, blanks and quotes. Without it, the "
        f"command asks for it; {STDIN} reads it from standard input. Both hide it from other users of this machine.",
    ),
]


def ticket_code(given: str | None, number: int) -> str:
    """Return the code of a ticket: the given one, or the one that is typed or piped in (see `secret_given`).

    Raises:
        CommandStopped: there is none.
    """
    if given is None and not terminal.can_ask():
        raise CommandStopped(
            f"CODE is missing, and there is no terminal to ask on; {STDIN} reads it from standard input.",
            status=WRONG_USAGE,
        )
    return secret_given(STDIN if given is None else given, f"Code of ticket {number}:")


def secret_given(text: str, question: str, *, shows_typing: bool = True) -> str:
    """Return the text, or for `-` the one that a person types, or else that is piped in.

    Codes are typed from paper, so the screen shows them.

    Raises:
        CommandStopped: it is empty.
    """
    given = text
    if text == STDIN:
        given = _typed(question, shows_typing=shows_typing) if terminal.can_ask() else _piped()
    if not given.strip():
        raise CommandStopped("No code was given.", status=WRONG_USAGE)
    return given


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


def _typed(question: str, *, shows_typing: bool) -> str:
    if shows_typing:
        return terminal.ask_for_text(question)
    import getpass

    try:
        return getpass.getpass(f"{question} ")
    except EOFError:
        # Ctrl-D leaves the cursor on the line of the question.
        terminal.remark("")
        return ""


def _piped() -> str:
    return read_file(STDIN, _CODE_BYTES, parameter="CODE").decode(errors="replace").strip()
