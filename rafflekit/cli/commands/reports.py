"""`rafflekit print winners`, `certificate` and `return`: what is printed after a draw."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import REFUSED, CommandStopped
from rafflekit.cli.new_files import new_file
from rafflekit.cli.options import AsJsonLine, DatabaseUrl, ShownRaffle, open_engine, visitors_address
from rafflekit.cli.paper import HtmlFile, PaperLanguage, ServerAddress, page_address, paper_in

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.models import Raffle
    from rafflekit.html.paper.certificate import CertifiedDraw


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
        owners = None
        if tickets is not None:
            from rafflekit.cli.lists.owners import none_listed, owners_of

            owners = owners_of(tickets, [each.current.ticket_number for each in holdings], engine, found)
            if not owners:
                raise none_listed(tickets)
        text = winner_list(found, holdings, language, owners=owners, address=page_address(base, found))
    with new_file(out, is_private=owners is not None) as file:
        file.write(text.encode())
    render.print_paper(str(out), "list", has_qr_code=base is not None, as_json=as_json)


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
        from rafflekit.html.paper.certificate import certificate

        found = engine.find(raffle)
        with terminal.working("Auditing the proof"):
            audited = _audited(engine, found)
        page = page_address(base, found)
        text = certificate(audited, language, address=None if page is None else f"{page}proof/")
    with new_file(out, is_private=False) as file:
        file.write(text.encode())
    render.print_paper(str(out), "certificate", has_qr_code=base is not None, as_json=as_json)


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
    with new_file(out, is_private=False) as file:
        file.write(text.encode())
    render.print_paper(str(out), "return", has_qr_code=True, as_json=as_json)


def _audited(engine: "RaffleEngine", raffle: "Raffle") -> "CertifiedDraw":
    """Audit the proof of a raffle with all of its leaves, as anyone can.

    Raises:
        CommandStopped: a step is wrong.
    """
    from rafflekit.core.protocol.audit import audit
    from rafflekit.core.protocol.audit.form import read_parts
    from rafflekit.core.protocol.documents import leaf_line
    from rafflekit.html.paper.certificate import CertifiedDraw

    now = engine.now()
    document = json.dumps(engine.proofs.proof(raffle.id).shape())
    # No key, id or witness is given: what the operator knows of these proves nothing to others.
    report = audit(document, leaves=map(leaf_line, engine.proofs.leaves(raffle.id)), now=int(now.timestamp()))
    wrong = report.first_wrong
    if wrong is not None:
        stopped = CommandStopped(
            f"The audit found an error, so there is no certificate: {wrong.name}: {wrong.sentence}", status=REFUSED
        )
        stopped.add_note("'rafflekit doctor' checks the database.")
        raise stopped
    return CertifiedDraw(raffle, read_parts(document), report, engine.holdings(raffle.id), now)


GROUP = {"winners": write_winner_list, "certificate": write_certificate, "return": write_return}
