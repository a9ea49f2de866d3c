"""What all commands of `rafflekit print` share: their options, the languages of what they print, and its file."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from rafflekit.cli import terminal
from rafflekit.cli.extras import extra_for
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.new_files import check_new, new_file
from rafflekit.core.settings import is_loopback_host

if TYPE_CHECKING:
    from rafflekit.html.paper.fitting import Fitted

_HTML = (".html", ".htm")


def _checked_html(out: Path) -> Path:
    """Check a file's name before anything else, because checking a list or a proof may take long."""
    check_new(out)
    if out.suffix.lower() not in _HTML:
        raise CommandStopped(
            "--out: must end with .html. For a PDF, open that file in a browser and print it to a PDF.",
            status=WRONG_USAGE,
        )
    return out


HtmlFile = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", callback=_checked_html, help="A new HTML file.")]
"""Where the paper goes: a name that is checked before the command begins, for `new_files.new_file`."""

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


def remark_on_address(base: str | None) -> None:
    """Say that phones cannot open the server at `base`, to which QR codes lead, if only this computer can."""
    if base is not None and is_loopback_host(urlsplit(base).hostname or ""):
        terminal.remark(f"Phones cannot open {base}, only this computer can: give another address as --url.")


def remark_on_prizes(where: str, *, named: int, more: int) -> None:
    """Say that the paper does not name all prizes: only the first `named` kinds, and not `more` further prizes."""
    if more:
        first = "only the first" if named == 1 else f"the first {named:,}"
        terminal.remark(f"Not all prizes fit on {where} {first}, and says that there are {more:,} more.")


def remark_on_fitting(fitted: "Fitted", what: str) -> None:
    """Say which texts do not fit on slips, or only in small letters; `what` they are, such as "tickets"."""
    remark_on_prizes(f"the {what}: each names", named=len(fitted.prizes), more=fitted.more)
    if fitted.shortened:
        terminal.remark(f"Too long for the {what}, so cut short on them: {', '.join(fitted.shortened)}.")
    elif fitted.is_small:
        terminal.remark(f"The texts are long, so their letters on the {what} are small: {fitted.points:g} pt.")
