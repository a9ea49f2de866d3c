"""`rafflekit create`, `list` and `show`: raffles come to be and are looked at."""

from typing import Annotated

import typer

from rafflekit.cli import prizes, render
from rafflekit.cli.failures import arguments_named
from rafflekit.cli.options import AsJson, DatabaseUrl, PageNumber, PageSize, RaffleId, open_engine
from rafflekit.core import limits
from rafflekit.core.protocol.entropy import SECRETS
from rafflekit.core.protocol.entropy.drand import DrandQuicknet


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the raffle is called.")],
    *,
    tickets: Annotated[int, typer.Option(metavar="COUNT", help="How many tickets there are, numbered from 1.")],
    prize: Annotated[list[str], typer.Option(metavar="PRIZE", help=prizes.HELP)],
    entropy: Annotated[
        str,
        typer.Option(
            metavar="KIND", help=f"What decides who wins: {SECRETS} of this machine, or {DrandQuicknet.name}."
        ),
    ] = SECRETS,
    delay: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            show_default=False,
            help=f"With {DrandQuicknet.name}, from the last ticket to its beacon; "
            f"{DrandQuicknet.delay.default} without it.",
        ),
    ] = None,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Create a raffle.

    Example: rafflekit create "Foobar raffle" --tickets 15 --prize "invisibility:1" --prize "warm hug:3"
    """
    offered = [prizes.read_prize(text) for text in prize]
    with open_engine(database_url) as engine:
        raffle = engine.create(name, total_tickets=tickets, prizes=offered, entropy=entropy, delay_s=delay)
    render.show_raffle(raffle, as_json=as_json)


def list_raffles(
    *,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="Only names that contain this, in any case.")] = None,
    drawn: Annotated[
        bool | None, typer.Option("--drawn/--not-drawn", help="Only raffles whose winners are drawn, or are not.")
    ] = None,
    page: PageNumber = 1,
    page_size: PageSize = limits.RAFFLES_PAGE_SIZE,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """List the raffles, the newest first."""
    with open_engine(database_url) as engine, arguments_named({"name": "--name"}):
        found = engine.list(page=page, page_size=page_size, name=name, winners_drawn=drawn)
    render.show_raffles(found, is_filtered=name is not None or drawn is not None, as_json=as_json)


def show(raffle: RaffleId, *, as_json: AsJson = False, database_url: DatabaseUrl = None) -> None:
    """Show a raffle as it stands now."""
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
    render.show_raffle(found, as_json=as_json)
