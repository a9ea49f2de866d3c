"""`rafflekit draw`, `winners` and `purge`: the draw, its winners, and what may be deleted afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import INTERRUPTED, NO_DATABASE, REFUSED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import AsJson, AsJsonLine, DatabaseUrl, PageNumber, PageSize, RaffleId, open_engine
from rafflekit.core import limits
from rafflekit.core.errors import BeaconNotPublished, BeaconUnavailable, TicketsRemaining
from rafflekit.core.lifecycle import is_drawn
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import count_wins
from rafflekit.core.protocol.entropy import SECRETS

_PRIZES_IN_THE_QUESTION = 10


def draw_winners(
    raffle: RaffleId,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Draw without asking.")] = False,
    beacon: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The beacon of the raffle's round (- for standard input), if this machine can reach no relay.",
        ),
    ] = None,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Draw the winners of a sold-out raffle.

    A draw is final: it cannot be repeated or undone.
    """
    text = None if beacon is None else _read_beacon(beacon)
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        with _way_out_explained(found):
            # Before the question: if the raffle cannot be drawn, there is nothing to confirm.
            engine.check_draw(found.id, has_beacon=text is not None)
            if not yes:
                _ask(_draw_question(found), why="A draw is final", refused="Nothing was drawn.")
            with terminal.working(f"Drawing among {render.counted(found.total_tickets, 'ticket')}"):
                wins = engine.draw(found.id, beacon=text)
    render.print_draw(wins, found, as_json=as_json)


def list_winners(
    raffle: RaffleId,
    *,
    page: PageNumber = 1,
    page_size: PageSize = limits.WINNERS_PAGE_SIZE,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """List the winners in draw order.

    Before the draw, the list is empty.
    """
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        wins = engine.winners(found.id, page=page, page_size=page_size)
    render.print_winners(wins, found, as_json=as_json)


def purge_participants(
    raffle: RaffleId,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Delete the stored participant data of a drawn raffle.

    Tickets, winners and codes are kept. Older backups still contain what is deleted.
    """
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        # Before the draw nothing can be deleted: the engine says so.
        if is_drawn(found) and not yes:
            _ask(_purge_question(found), why="Deleted data cannot be restored", refused="Nothing was deleted.")
        with terminal.working(f"Deleting the participant data of {render.counted(found.total_tickets, 'ticket')}"):
            purged = engine.purge(found.id)
    render.print_purge(purged, found, as_json=as_json)


@contextmanager
def _way_out_explained(raffle: Raffle) -> Iterator[None]:
    """Say what to do about a draw that cannot be made now."""
    try:
        yield
    except TicketsRemaining as error:
        left = f"{error.remaining:,} of {raffle.total_tickets:,} {'is' if error.remaining == 1 else 'are'} left"
        advice = "Hand them out first, with 'rafflekit participate' or over HTTP."
        raise CommandStopped(f"{error}: {left}. {advice}", status=REFUSED) from error
    except BeaconUnavailable as error:
        from rafflekit.core.relays import DEFAULT_RELAYS, NoRelayGaveIt, beacon_url

        cause = error.__cause__
        if not isinstance(cause, NoRelayGaveIt):
            raise
        stopped = CommandStopped(
            f"No relay gave the beacon of round {cause.round} of drand's quicknet.", status=NO_DATABASE
        )
        url = beacon_url(DEFAULT_RELAYS[0], cause.round)
        stopped.add_note(f"Without a network, save {url} on another machine, and give the file with --beacon FILE.")
        for relay, reason in cause.reasons.items():
            stopped.add_note(f"  {relay}: {reason}")
        raise stopped from error
    except BeaconNotPublished as error:
        comes = f"it comes on {error.published_at:%Y-%m-%d at %H:%M:%S} UTC"
        wait = render.duration(error.retry_after_s)
        raise CommandStopped(f"{error}: {comes}, in {wait}. Draw after that.", status=REFUSED) from error


def _read_beacon(file: str) -> str:
    from rafflekit.cli.sources import read_file
    from rafflekit.core.protocol.entropy.drand import BEACON_CHARACTERS

    try:
        return read_file(file, BEACON_CHARACTERS, parameter="--beacon").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandStopped(f"--beacon: {file} is not a text file.", status=WRONG_USAGE) from error


def _ask(question: Iterator[str], *, why: str, refused: str) -> None:
    if not terminal.can_ask():
        raise CommandStopped(f"{why}, and there is no terminal to ask on; give --yes.", status=WRONG_USAGE)
    try:
        is_agreed = terminal.confirm("\n".join(question))
    except KeyboardInterrupt:
        raise CommandStopped(refused, status=INTERRUPTED) from None
    if not is_agreed:
        raise CommandStopped(refused, status=REFUSED)


def _draw_question(raffle: Raffle) -> Iterator[str]:
    tickets = render.counted(raffle.total_tickets, "ticket")
    prizes = render.counted(count_wins(raffle.prizes), "prize")
    yield f"“{terminal.visible(raffle.name)}” has {tickets} for {prizes}:"
    for prize in raffle.prizes[:_PRIZES_IN_THE_QUESTION]:
        yield f"  {prize.amount:,} × {terminal.visible(prize.name)}"
    further = len(raffle.prizes) - _PRIZES_IN_THE_QUESTION
    if further > 0:
        yield f"  … and {further:,} more kinds"
    if raffle.terms.entropy == SECRETS:
        yield render.DRAWN_HERE
    yield "A draw is final. Draw the winners now? [y/N] "


def _purge_question(raffle: Raffle) -> Iterator[str]:
    yield (
        f"The stored data of the participants of “{terminal.visible(raffle.name)}” will be deleted. Tickets, winners "
        "and codes are kept."
    )
    yield "Older backups still contain the data. Without one, it cannot be restored. Delete it now? [y/N] "
