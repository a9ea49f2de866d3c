"""`rafflekit close`, `cancel` and `purge`: no more tickets, no draw, and no participant data afterwards."""

from collections.abc import Iterator
from typing import Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.asking import Yes, ask
from rafflekit.cli.options import AsJson, AsJsonLine, ChangedRaffle, DatabaseUrl, open_engine
from rafflekit.cli.ways_out import way_out_explained
from rafflekit.cli.words import counted
from rafflekit.core import limits
from rafflekit.core.lifecycle import check_cancellable, check_closable
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import count_wins
from rafflekit.core.protocol.quoting import quoted


def close_tickets(
    raffle: ChangedRaffle, *, yes: Yes = False, as_json: AsJson = False, database_url: DatabaseUrl = None
) -> None:
    """Stop handing out tickets; the draw is over those handed out.

    This is final. There must be a ticket for each prize.
    """
    with open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        with way_out_explained(found):
            # Before the question: if it cannot be closed, there is nothing to confirm.
            check_closable(found)
            if not yes:
                ask(_close_question(found), why="A closing is final", refused="The raffle was not closed.")
            closed = engine.close_raffle(found.id)
    render.print_raffle(closed, as_json=as_json)


def cancel_raffle(
    raffle: ChangedRaffle,
    *,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why: one line, which everyone can read, with the raffle.")
    ],
    yes: Yes = False,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Call a raffle off before its draw.

    This is final. The raffle stays in the list with the reason. Its secrets and its participants' data are deleted.
    """
    limits.check_reason("reason", reason)
    with open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        check_cancellable(found)
        if not yes:
            ask(
                _cancel_question(found, reason),
                why="A cancellation is final",
                refused="The raffle was not cancelled.",
            )
        with terminal.working(f"Deleting the participant data of {counted(found.issued, 'ticket')}"):
            cancelled = engine.cancel(found.id, reason)
    render.print_raffle(cancelled, as_json=as_json)


def purge_participants(
    raffle: ChangedRaffle, *, yes: Yes = False, as_json: AsJsonLine = False, database_url: DatabaseUrl = None
) -> None:
    """Delete the participant data of a drawn or cancelled raffle.

    Tickets, winners and codes are kept. Older backups still contain what is deleted.
    """
    with open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        # Even if nothing is left, `purge` completes one that was interrupted before its end.
        if engine.check_purge(found.id) and not yes:
            ask(_purge_question(found), why="Deleted data cannot be restored", refused="Nothing was deleted.")
        with terminal.working(f"Deleting the participant data of {counted(found.issued, 'ticket')}"):
            purged = engine.purge(found.id)
    render.print_purge(purged, found, as_json=as_json)


def _close_question(raffle: Raffle) -> Iterator[str]:
    handed_out = f"{raffle.issued:,} of {raffle.total_tickets:,} tickets"
    prizes = counted(count_wins(raffle.prizes), "prize")
    yield f"{handed_out} of {quoted(raffle.name)} have been handed out, for {prizes}."
    yield "Only these tickets will be in the draw. A closing is final. Close the raffle now? [y/N] "


def _cancel_question(raffle: Raffle, reason: str) -> Iterator[str]:
    tickets = counted(raffle.issued, "ticket")
    yield f"{quoted(raffle.name)} will never be drawn; {tickets} of it {_have(raffle.issued)} been handed out."
    yield f"Everyone can read the reason: {quoted(reason)}"
    yield "A cancellation is final. Cancel the raffle now? [y/N] "


def _purge_question(raffle: Raffle) -> Iterator[str]:
    yield (
        f"The stored data of the participants of {quoted(raffle.name)} will be deleted. Tickets, winners "
        "and codes are kept."
    )
    yield "Older backups still contain the data. Without one, it cannot be restored. Delete it now? [y/N] "


def _have(number: int) -> str:
    return "has" if number == 1 else "have"
