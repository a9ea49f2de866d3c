"""The question before a step that cannot be undone."""

from collections.abc import Iterable
from typing import Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.failures import INTERRUPTED, REFUSED, WRONG_USAGE, CommandStopped

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
"""The option that answers the question beforehand."""


def ask(question: Iterable[str], *, why: str, refused: str) -> None:
    """Ask a person to confirm; the last line of the question ends with '[y/N] '.

    Raises:
        CommandStopped: there is no terminal to ask on (`why` says what makes the question necessary), or the answer is
            not yes (`refused` says what was not done).
    """
    if not terminal.can_ask():
        raise CommandStopped(f"{why}, and there is no terminal to ask on; give --yes.", status=WRONG_USAGE)
    try:
        is_agreed = terminal.confirm("\n".join(question))
    except KeyboardInterrupt:
        raise CommandStopped(refused, status=INTERRUPTED) from None
    if not is_agreed:
        raise CommandStopped(refused, status=REFUSED)
