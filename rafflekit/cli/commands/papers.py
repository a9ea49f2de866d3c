"""`rafflekit print`: write what a raffle needs on paper, as HTML files that any browser prints."""

from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.commands import reports
from rafflekit.cli.failures import REFUSED, CommandStopped
from rafflekit.cli.options import AsJsonLine, ChangedRaffle, DatabaseUrl, ShownRaffle, open_engine, visitors_address
from rafflekit.cli.paper import (
    HtmlFile,
    PaperLanguage,
    ServerAddress,
    paper_in,
    remark_on_address,
    remark_on_fitting,
    remark_on_prizes,
    write_paper,
)
from rafflekit.core import limits
from rafflekit.core.models import State
from rafflekit.html.links import raffle_address

_OVER = {State.CLOSED: "closed", State.DRAWN: "drawn", State.CANCELLED: "called off"}
"""The states in which a raffle hands out no more tickets, as the terminal names them."""


def write_poster(
    raffle: ShownRaffle,
    *,
    out: HtmlFile,
    url: ServerAddress = None,
    language: PaperLanguage = "en",
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write a poster with the prizes and a QR code.

    It is one page of A4, which also shows the times, what decides the draw and who runs the raffle. Once the raffle is
    closed, drawn or called off, the poster says so.
    """
    base = visitors_address(url)
    with open_engine(database_url) as engine:
        found, now = engine.find(raffle), engine.now()
    with paper_in(language):
        from rafflekit.html.poster import poster

        made = poster(found, language, now=now, address=raffle_address(base, found))
    write_paper(out, [made.html], is_private=False)
    render.print_paper(str(out), as_json=as_json, without_qr_code="poster" if base is None else None)
    if not as_json:
        if found.state in _OVER:
            terminal.remark(f"The raffle is {_OVER[found.state]}, and the poster says so.")
        remark_on_address(base)
        remark_on_prizes("the poster: it names", named=made.named, more=made.more)


def write_ticket_sheets(
    raffle: ShownRaffle,
    *,
    out: HtmlFile,
    tickets: Annotated[Path, typer.Option(metavar="FILE", help="The file that 'rafflekit participate --from' wrote.")],
    url: ServerAddress = None,
    language: PaperLanguage = "en",
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the tickets of a list, eight to a page of A4.

    Codes are shown only once, so tickets can be printed only from the file with which they were handed out. Each has a
    counterfoil with its number and participant, without the code. After cutting, the tickets are in the order of the
    list.
    """
    from rafflekit.cli.lists.printed import TicketsToPrint

    base = visitors_address(url)
    with paper_in(language), open_engine(database_url) as engine:
        from rafflekit.html.paper.fitting import fitted_ticket
        from rafflekit.html.paper.sheets import sheets_for, ticket_sheets

        found = engine.find(raffle)
        if found.cancellation is not None:
            raise CommandStopped("This raffle was called off, so its tickets are not printed.", status=REFUSED)
        listed = TicketsToPrint(tickets, engine, found)
        address = raffle_address(base, found)
        sheets = ticket_sheets(found, listed.piles(address), language, count=listed.count, address=address)
        write_paper(out, sheets, is_private=True)
    render.print_slips(
        str(out), "ticket", listed.count, sheets=sheets_for(listed.count), has_qr_code=base is not None, as_json=as_json
    )
    if not as_json:
        if found.winners_drawn:
            terminal.remark("The raffle is drawn already: print its tickets only to replace lost ones.")
        remark_on_address(base)
        remark_on_fitting(fitted_ticket(found, language, address=address), "tickets")


def write_invitation_sheets(
    raffle: ChangedRaffle,
    *,
    out: HtmlFile,
    count: Annotated[
        int,
        typer.Option(
            metavar="COUNT", help=f"The number of invitations, at most {limits.INVITATIONS_AT_ONCE:,} at once."
        ),
    ],
    first: Annotated[
        int, typer.Option("--from-number", metavar="NUMBER", help="The number of the first invitation.")
    ] = 1,
    url: ServerAddress = None,
    language: PaperLanguage = "en",
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write invitations, eight to a page of A4.

    Anyone who has one can take a ticket with its code, so the raffle needs --entry invitation. They are those of
    'export … invitations': the same numbers always have the same codes. After cutting, the numbers are in order.
    """
    base = visitors_address(url)
    with paper_in(language), open_engine(database_url) as engine:
        from rafflekit.html.paper.fitting import fitted_invitation
        from rafflekit.html.paper.sheets import invitation_sheets, invitations_with, sheets_for

        found = engine.find(raffle, whole_name=True)
        address = raffle_address(base, found)
        invitations = invitations_with(engine.invitations(found.id, count, first=first), first=first, address=address)
        write_paper(out, invitation_sheets(found, invitations, language, address=address), is_private=True)
    render.print_slips(
        str(out),
        "invitation",
        count,
        sheets=sheets_for(count),
        has_qr_code=base is not None,
        as_json=as_json,
        tickets_each=found.terms.tickets_each,
    )
    if not as_json:
        remark_on_address(base)
        remark_on_fitting(fitted_invitation(found, language, address=address), "invitations")


GROUP = {
    "poster": write_poster,
    "tickets": write_ticket_sheets,
    "invitations": write_invitation_sheets,
    **reports.GROUP,
}
