"""`rafflekit poster`: write the poster of a raffle, to be printed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import render
from rafflekit.cli.extras import extra_needed
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.new_files import new_file
from rafflekit.cli.options import (
    AsJsonLine,
    DatabaseUrl,
    ShownRaffle,
    open_engine,
    visitors_address,
)

if TYPE_CHECKING:
    from rafflekit.core.models import Raffle


def write_poster(
    raffle: ShownRaffle,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="A new HTML file.")],
    url: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="The address of your server, for the QR code: https://raffles.example.org."
        ),
    ] = None,
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help="The language of the poster: 'en' or 'de'.")] = "en",
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write a poster with the prizes and a QR code, to be printed.

    It is one page of A4 as HTML, which also shows the times, what decides the draw and who runs the raffle. Print it
    from a browser.
    """
    base = visitors_address(url)
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
    text = _made(found, language, None if base is None else f"{base}/raffles/{found.id}/")
    with new_file(out, is_private=False) as file:
        file.write(text.encode())
    render.print_poster(str(out), has_qr_code=base is not None, as_json=as_json)


def _made(raffle: "Raffle", language: str, address: str | None) -> str:
    try:
        from rafflekit.html.languages import LANGUAGES
        from rafflekit.html.poster import poster
    except ModuleNotFoundError as error:
        sentence = extra_needed("A poster", error)
        if sentence is None:
            raise
        raise CommandStopped(sentence, status=WRONG_USAGE) from error
    if language not in LANGUAGES:
        raise CommandStopped(f"--language: must be one of these: {', '.join(LANGUAGES)}.", status=WRONG_USAGE)
    return poster(raffle, language, address=address)
