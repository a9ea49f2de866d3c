"""`rafflekit invite`: write the invitation codes of a raffle into a file."""

import csv
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import render
from rafflekit.cli.new_files import new_file
from rafflekit.cli.options import (
    AsJsonLine,
    ChangedRaffle,
    DatabaseUrl,
    open_engine,
    visitors_address,
)
from rafflekit.core import limits


def write_invitations(
    raffle: ChangedRaffle,
    *,
    count: Annotated[
        int,
        typer.Option(
            metavar="COUNT", help=f"The number of invitations, at most {limits.INVITATIONS_AT_ONCE:,} at once."
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="A new CSV file that only you can read, with one invitation per line.")
    ],
    first: Annotated[
        int, typer.Option("--from-number", metavar="NUMBER", help="The number of the first invitation.")
    ] = 1,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="The address of your server, for a link in each line: https://raffles.example.org."
        ),
    ] = None,
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write invitation codes into a file, to be handed out.

    Anyone who has a code can take a ticket with it, so the raffle needs --entry invitation. Nothing is stored: you can
    write more invitations at any time until the draw.
    """
    base = visitors_address(url)
    with open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        codes = engine.invitations(found.id, count, first=first)
    rows = [
        (number, code, *([] if base is None else [f"{base}/raffles/{found.id}/#i={code}"]))
        for number, code in enumerate(codes, start=first)
    ]
    header = ["number", "invitation", *([] if base is None else ["link"])]
    with new_file(out, is_private=True) as file, TextIOWrapper(file, encoding="utf-8", newline="") as text:
        csv.writer(text, lineterminator="\n").writerows([header, *rows])
    render.print_invitations(first=first, count=count, raffle=found, out=str(out), as_json=as_json)
