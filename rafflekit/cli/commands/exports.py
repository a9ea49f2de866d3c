"""`rafflekit export`: write a list of a raffle into a file that a spreadsheet or another program reads."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import render
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.new_files import check_new, new_file
from rafflekit.cli.options import AsJsonLine, DatabaseUrl, open_engine, visitors_address
from rafflekit.cli.paper import remark_on_address
from rafflekit.cli.spreadsheets import Separator, check_encoding
from rafflekit.cli.tables.writing import CsvStyle, TableFormat, format_of, write_table
from rafflekit.core import limits

if TYPE_CHECKING:
    from rafflekit.cli.tables.table import Table
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.models import Raffle


class ExportedList(StrEnum):
    """What can be exported of a raffle."""

    WINNERS = "winners"
    TICKETS = "tickets"
    CLAIMS = "claims"
    INVITATIONS = "invitations"


_Raffle = Annotated[
    str,
    typer.Argument(
        metavar="RAFFLE",
        help="The raffle's id, the beginning of it, its name, or a part of its name; for 'invitations', the whole "
        "name. It must match only one raffle.",
    ),
]
_What = Annotated[
    ExportedList,
    typer.Argument(
        metavar="WHAT",
        help="'winners': each win, and what became of it. 'tickets': each ticket, when it was issued, and what it won. "
        "'claims': when prizes were redeemed or passed on, why, and with which desk pass. 'invitations': new codes.",
    ),
]
_Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="FILE", help="A new file, whose ending names the format: FILE.csv.")
]
_Form = Annotated[
    TableFormat | None,
    typer.Option("--format", metavar="FORMAT", help="The format: 'csv', 'json', 'jsonl' or 'xlsx'."),
]
_Separator = Annotated[
    Separator | None, typer.Option(metavar="TEXT", help="For CSV: ',' (the default), ';', 'tab' or '|'.")
]
_Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="For CSV: utf-8-sig (the default) has the mark by which Excel reads UTF-8. Others: utf-8, windows-1252.",
    ),
]
_Tickets = Annotated[
    Path | None,
    typer.Option(
        metavar="TICKETS",
        help="The CSV file that 'participate --from' wrote: adds the participants. Each code in it is checked.",
    ),
]
_Count = Annotated[
    int | None,
    typer.Option(metavar="COUNT", help=f"For 'invitations': how many, at most {limits.INVITATIONS_AT_ONCE:,} at once."),
]
_First = Annotated[
    int | None,
    typer.Option("--from-number", metavar="NUMBER", help="For 'invitations': the first one's number. Default: 1."),
]
_Url = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="For 'invitations': the address of your server, for a link in each line: https://raffles.example.org.",
    ),
]


def export_list(
    raffle: _Raffle,
    what: _What,
    *,
    out: _Out,
    form: _Form = None,
    separator: _Separator = None,
    encoding: _Encoding = None,
    tickets: _Tickets = None,
    count: _Count = None,
    first: _First = None,
    url: _Url = None,
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write winners, tickets, claims or invitations into a file.

    The file is written whole or not at all, and only you can read it, except for winners without participants, which
    are public anyway. Verification codes are in no list: rafflekit stores only their hashes.
    """
    # Now, because the list may take long.
    check_new(out)
    form = format_of(out, form)
    _check_options(what, tickets=tickets, count=count, first=first, url=url)
    style = _style(form, separator, encoding)
    with open_engine(database_url) as engine:
        # Invitations give tickets, so they must be the right raffle's.
        found = engine.find(raffle, whole_name=what is ExportedList.INVITATIONS)
        base = None
        if what is ExportedList.INVITATIONS:
            base = visitors_address(url)
            table = _invitations(engine, found, count, first, base)
        else:
            table = _list(engine, found, what, tickets)
        with new_file(out, is_private=table.is_private) as file:
            rows = write_table(file, table, form=form, style=style)
    if what is ExportedList.INVITATIONS:
        render.print_invitations(first=first or 1, count=rows, raffle=found, out=str(out), as_json=as_json)
        if not as_json:
            remark_on_address(base)
    else:
        render.print_export(table.name, rows, str(out), as_json=as_json)


def _check_options(
    what: ExportedList, *, tickets: Path | None, count: int | None, first: int | None, url: str | None
) -> None:
    is_invitations = what is ExportedList.INVITATIONS
    if is_invitations and count is None:
        raise CommandStopped("--count is missing: how many invitations?", status=WRONG_USAGE)
    of_invitations = {"--count": count, "--from-number": first, "--url": url}
    unused = {"--tickets": tickets} if is_invitations else of_invitations
    for option, given in unused.items():
        if given is not None:
            raise CommandStopped(f"{option} is not for {what}; leave it out.", status=WRONG_USAGE)


def _style(form: TableFormat, separator: Separator | None, encoding: str | None) -> CsvStyle:
    if form is not TableFormat.CSV:
        for option, given in (("--separator", separator), ("--encoding", encoding)):
            if given is not None:
                raise CommandStopped(f"{option} is only for CSV; leave it out.", status=WRONG_USAGE)
        return CsvStyle()
    if encoding is not None:
        check_encoding(encoding)
    usual = CsvStyle()
    return CsvStyle(separator or usual.separator, usual.encoding if encoding is None else encoding)


def _list(engine: "RaffleEngine", raffle: "Raffle", what: ExportedList, tickets: Path | None) -> "Table":
    from rafflekit.cli.tables.exported import exported_claims, exported_tickets, exported_winners

    makers = {
        ExportedList.WINNERS: exported_winners,
        ExportedList.TICKETS: exported_tickets,
        ExportedList.CLAIMS: exported_claims,
    }
    return makers[what](engine, raffle, tickets)


def _invitations(
    engine: "RaffleEngine", raffle: "Raffle", count: int | None, first: int | None, base: str | None
) -> "Table":
    from rafflekit.cli.tables.exported import exported_invitations

    assert count is not None, "see _check_options"
    start = 1 if first is None else first
    codes = engine.invitations(raffle.id, count, first=start)
    return exported_invitations(raffle, codes, first=start, url=base)
