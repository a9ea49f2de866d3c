"""What all commands of `rafflekit print` share: their options, the languages of what they print, and its file."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.extras import extra_for
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.new_files import new_file

if TYPE_CHECKING:
    from rafflekit.html.paper.fitting import Fitted

HtmlFile = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="A new HTML file.")]
"""Where the paper goes: for `new_files.new_file`."""

PaperLanguage = Annotated[str, typer.Option(metavar="LANGUAGE", help="The language of the paper: 'en' or 'de'.")]
"""The language of the paper: for `paper_in`."""

ServerAddress = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="The address of your server, for QR codes: https://raffles.example.org."),
]
"""The server whose pages QR codes lead to: for `options.visitors_address`."""


@contextmanager
def paper_in(language: str) -> Iterator[None]:
    """Check the language, and let the caller import `rafflekit.html` and use it.

    Raises:
        CommandStopped: pages are not in this language, or a library that only an extra installs is missing.
    """
    with extra_for("Printing"):
        from rafflekit.html.languages import LANGUAGES

        if language not in LANGUAGES:
            raise CommandStopped(f"--language: must be one of these: {', '.join(LANGUAGES)}.", status=WRONG_USAGE)
        yield


def write_paper(out: Path, parts: Iterable[str], *, is_private: bool) -> None:
    """Write a new file with these parts of a page.

    Raises:
        CommandStopped: it exists, or cannot be written.
    """
    with new_file(out, is_private=is_private) as file:
        for part in parts:
            file.write(part.encode())


def remark_on_fitting(fitted: "Fitted", what: str) -> None:
    """Say which texts do not fit on slips, or only in small letters; `what` they are, such as "tickets"."""
    if fitted.more:
        named = "only the first" if len(fitted.prizes) == 1 else f"the first {len(fitted.prizes):,}"
        terminal.remark(
            f"Not all prizes fit on the {what}: each names {named}, and says that there are {fitted.more:,} more."
        )
    if fitted.shortened:
        terminal.remark(f"Too long for the {what}, so cut short on them: {', '.join(fitted.shortened)}.")
    elif fitted.is_small:
        terminal.remark(f"The texts are long, so their letters on the {what} are small: {fitted.points:g} pt.")
