"""`rafflekit print`: write what a raffle needs on paper, as HTML files that any browser prints."""

from rafflekit.cli import render
from rafflekit.cli.commands import reports
from rafflekit.cli.new_files import new_file
from rafflekit.cli.options import AsJsonLine, DatabaseUrl, ShownRaffle, open_engine, visitors_address
from rafflekit.cli.paper import HtmlFile, PaperLanguage, ServerAddress, paper_in


def print_poster(
    raffle: ShownRaffle,
    *,
    out: HtmlFile,
    url: ServerAddress = None,
    language: PaperLanguage = "en",
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write a poster with the prizes and a QR code.

    It is one page of A4, which also shows the times, what decides the draw and who runs the raffle.
    """
    base = visitors_address(url)
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
    with paper_in(language):
        from rafflekit.html.poster import poster

        text = poster(found, language, address=None if base is None else f"{base}/raffles/{found.id}/")
    with new_file(out, is_private=False) as file:
        file.write(text.encode())
    render.print_paper(str(out), "poster", has_qr_codes=base is not None, as_json=as_json)


GROUP = {"poster": print_poster, **reports.GROUP}
