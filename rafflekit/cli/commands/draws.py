"""`rafflekit draw`, `winners` and `purge`: the draw, once, what came of it, and what may go after it."""

from collections.abc import Iterator
from typing import Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import REFUSED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import AsJson, AsJsonLine, DatabaseUrl, PageNumber, PageSize, RaffleId, open_engine
from rafflekit.core import limits
from rafflekit.core.lifecycle import State, state_of
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import count_wins

_PRIZES_IN_THE_QUESTION = 10


def draw(
    raffle: RaffleId,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Draw without asking.")] = False,
    beacon: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="The beacon of the raffle's round (- for standard input), if no relay is in reach."
        ),
    ] = None,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Draw the winners of a sold-out raffle, once and for ever."""
    text = None if beacon is None else _read_beacon(beacon)
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        # A raffle that cannot be drawn is nothing to ask about: the engine says why not.
        if state_of(found) is State.CLOSED and not yes:
            _ask(found)
        with terminal.working(f"Drawing among {render.counted(found.total_tickets, 'ticket')}"):
            wins = engine.draw(found.id, beacon=text)
    render.show_draw(wins, found, as_json=as_json)


def winners(
    raffle: RaffleId,
    *,
    page: PageNumber = 1,
    page_size: PageSize = limits.WINNERS_PAGE_SIZE,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """List the winners of a raffle, in the order of the draw."""
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        wins = engine.winners(found.id, page=page, page_size=page_size)
    render.show_winners(wins, found, as_json=as_json)


def purge(raffle: RaffleId, *, as_json: AsJsonLine = False, database_url: DatabaseUrl = None) -> None:
    """Drop what is stored of a drawn raffle's participants; tickets, winners and codes stay."""
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        with terminal.working(f"Dropping the participants of {render.counted(found.total_tickets, 'ticket')}"):
            purged = engine.purge(found.id)
    render.show_purge(purged, found, as_json=as_json)


def _read_beacon(file: str) -> str:
    from rafflekit.cli.sources import read_file
    from rafflekit.core.protocol.entropy.drand import BEACON_CHARACTERS

    try:
        return read_file(file, BEACON_CHARACTERS, parameter="--beacon").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandStopped(f"--beacon: {file} is no text.", status=WRONG_USAGE) from error


def _ask(raffle: Raffle) -> None:
    if not terminal.can_ask():
        raise CommandStopped(
            "A draw happens once and for ever, and there is no terminal to ask on; --yes draws without asking.",
            status=WRONG_USAGE,
        )
    if not terminal.confirm("\n".join(_question(raffle))):
        raise CommandStopped("nothing was drawn.", status=REFUSED)


def _question(raffle: Raffle) -> Iterator[str]:
    tickets = render.counted(raffle.total_tickets, "ticket")
    prizes = render.counted(count_wins(raffle.prizes), "prize")
    yield f"“{terminal.visible(raffle.name)}” has {tickets} for {prizes}:"
    for prize in raffle.prizes[:_PRIZES_IN_THE_QUESTION]:
        yield f"  {prize.amount:,} × {terminal.visible(prize.name)}"
    further = len(raffle.prizes) - _PRIZES_IN_THE_QUESTION
    if further > 0:
        yield f"  … and {further:,} more kinds"
    yield "A draw happens once and for ever. Draw the winners now? [y/N] "
