"""`rafflekit print winners`, `certificate` and `return`: what is printed after a draw."""

from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import REFUSED, CommandStopped
from rafflekit.cli.options import AsJsonLine, DatabaseUrl, ShownRaffle, open_engine, visitors_address
from rafflekit.cli.paper import HtmlFile, PaperLanguage, ServerAddress, paper_in, remark_on_address, write_paper
from rafflekit.cli.words import counted
from rafflekit.html.links import raffle_address


def write_winner_list(
    raffle: ShownRaffle,
    *,
    out: HtmlFile,
    tickets: Annotated[
        Path | None,
        typer.Option(
            metavar="TICKETS",
            help="The CSV file that 'participate --from' wrote: adds names. Only you can read the list then.",
        ),
    ] = None,
    url: ServerAddress = None,
    language: PaperLanguage = "en",
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the list of winners, to hang up.

    It has large numbers, prize by prize, and says where and until when prizes can be collected.
    """
    base = visitors_address(url)
    with paper_in(language), open_engine(database_url) as engine:
        from rafflekit.html.paper.winner_list import winner_list

        found = engine.find(raffle)
        holdings = engine.holdings(found.id)
        owners, missing = None, 0
        if tickets is not None:
            from rafflekit.cli.lists.owners import owners_of

            shown = [each.current.ticket_number for each in holdings if not each.has_lapsed]
            owners = owners_of(tickets, shown, engine, found)
            missing = len(shown) - len(owners)
        text = winner_list(
            found, holdings, language, made_at=engine.now(), owners=owners, address=raffle_address(base, found)
        )
    write_paper(out, [text], is_private=owners is not None)
    render.print_paper(str(out), as_json=as_json, without_qr_code="list" if base is None else None)
    if not as_json:
        remark_on_address(base)
    if missing:
        terminal.remark(
            f"The file of --tickets lacks {counted(missing, 'winning ticket')}: the list says so instead of a name."
        )


def write_certificate(
    raffle: ShownRaffle,
    *,
    out: HtmlFile,
    url: ServerAddress = None,
    language: PaperLanguage = "en",
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write a certificate of the draw.

    The proof of the draw is audited first. The certificate says what that proves, what it does not prove, and how
    anyone can check it. If the audit finds anything wrong, no certificate is written.
    """
    base = visitors_address(url)
    with paper_in(language), open_engine(database_url) as engine:
        from rafflekit.core.certificates import audited_draw
        from rafflekit.html.paper.certificate import certificate

        found = engine.find(raffle)
        with terminal.working("Auditing the proof"):
            audited = audited_draw(engine, found.id)
        if (wrong := audited.report.first_wrong) is not None:
            stopped = CommandStopped(
                f"The audit found an error, so there is no certificate: {wrong.name}: {wrong.sentence}", status=REFUSED
            )
            stopped.add_note("'rafflekit doctor' checks the database.")
            raise stopped
        page = raffle_address(base, found)
        text = certificate(audited, language, address=None if page is None else f"{page}proof/")
    write_paper(out, [text], is_private=False)
    render.print_paper(str(out), as_json=as_json, without_qr_code="certificate" if base is None else None)
    if not as_json:
        remark_on_address(base)


def write_return(
    raffle: ShownRaffle,
    *,
    out: HtmlFile,
    language: PaperLanguage = "en",
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the return sheet that lotteries' authorities ask for.

    It has the tickets, the dates and what became of the prizes, and lines for what rafflekit cannot know. The raffle is
    drawn or called off.
    """
    with paper_in(language), open_engine(database_url) as engine:
        from rafflekit.html.paper.return_sheet import return_sheet

        found = engine.find(raffle)
        holdings = () if found.cancellation is not None else engine.holdings(found.id)
        text = return_sheet(found, holdings, language, made_at=engine.now())
    write_paper(out, [text], is_private=False)
    render.print_paper(str(out), as_json=as_json)


GROUP = {"winners": write_winner_list, "certificate": write_certificate, "return": write_return}
