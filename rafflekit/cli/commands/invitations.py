"""`rafflekit invite`: write the invitation codes of a raffle into a file."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import render
from rafflekit.cli.failures import IO_FAILED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import (
    AsJsonLine,
    ChangedRaffle,
    DatabaseUrl,
    open_engine,
    refuse_standard_output,
    visitors_address,
)
from rafflekit.core import limits
from rafflekit.core.private_files import private


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
    refuse_standard_output("--out", out)
    base = visitors_address(url)
    with open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        codes = engine.invitations(found.id, count, first=first)
    rows = [
        (number, code, *([] if base is None else [f"{base}/raffles/{found.id}/#i={code}"]))
        for number, code in enumerate(codes, start=first)
    ]
    _write(out, ["number", "invitation", *([] if base is None else ["link"])], rows)
    render.print_invitations(first=first, count=count, raffle=found, out=str(out), as_json=as_json)


def _write(out: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    is_made = False
    try:
        with open(out, "x", encoding="utf-8", newline="", opener=private) as file:
            is_made = True
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
    except FileExistsError as error:
        raise CommandStopped(f"--out: {out} already exists; name a new file.", status=WRONG_USAGE) from error
    except OSError as error:
        if is_made:
            out.unlink(missing_ok=True)
        raise CommandStopped(f"--out: {out} cannot be written: {error.strerror}.", status=IO_FAILED) from error
