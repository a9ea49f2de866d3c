"""`rafflekit create`, `list` and `show`."""

from typing import Annotated

import typer

from rafflekit.cli import prizes, render
from rafflekit.cli.failures import arguments_named
from rafflekit.cli.options import AsJson, DatabaseUrl, PageNumber, PageSize, RaffleId, open_engine
from rafflekit.core import limits
from rafflekit.core.protocol.entropy import SECRETS
from rafflekit.core.protocol.entropy.drand import DrandQuicknet


def create_raffle(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The raffle's name.")],
    *,
    tickets: Annotated[int, typer.Option(metavar="COUNT", help="The number of tickets. They are numbered from 1.")],
    prize: Annotated[list[str], typer.Option(metavar="PRIZE", help=prizes.HELP)],
    entropy: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help=f"Source of randomness: '{SECRETS}' (this machine) or '{DrandQuicknet.name}' (public, and beyond your "
            "control).",
        ),
    ] = SECRETS,
    delay: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            show_default=False,
            help=f"With {DrandQuicknet.name}: seconds from the last ticket to the beacon. "
            f"Default: {DrandQuicknet.delay.default}.",
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
    render.print_new_raffle(raffle, as_json=as_json)


def list_raffles(
    *,
    name: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only raffles with this text in their name, in upper or lower case."),
    ] = None,
    drawn: Annotated[
        bool | None, typer.Option("--drawn/--not-drawn", help="Only raffles that have been drawn, or have not.")
    ] = None,
    page: PageNumber = 1,
    page_size: PageSize = limits.RAFFLES_PAGE_SIZE,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """List the raffles, newest first."""
    with open_engine(database_url) as engine, arguments_named({"name": "--name"}):
        found = engine.list(page=page, page_size=page_size, name=name, winners_drawn=drawn)
    render.print_raffles(found, is_filtered=name is not None or drawn is not None, as_json=as_json)


def show_raffle(raffle: RaffleId, *, as_json: AsJson = False, database_url: DatabaseUrl = None) -> None:
    """Show one raffle."""
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        draw_possible_at = engine.draw_possible_at(found.id)
    render.print_raffle(found, draw_possible_at=draw_possible_at, as_json=as_json)
