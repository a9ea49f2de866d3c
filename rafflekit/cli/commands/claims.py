"""`rafflekit winners`, `verify`, `redeem`, `forfeit` and `queue`: winners, redeemed prizes, and who is next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import outcomes
from rafflekit.cli.asking import Yes, ask
from rafflekit.cli.codes import TicketCode, TicketNumber, code_explained, ticket_code
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped, arguments_named
from rafflekit.cli.options import AsJson, ChangedRaffle, DatabaseUrl, PageNumber, PageSize, ShownRaffle, open_engine
from rafflekit.cli.sources import STDIN
from rafflekit.cli.words import counted, local_time
from rafflekit.core import limits
from rafflekit.core.models import Raffle, Verification
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.forfeits import Why
from rafflekit.core.protocol.quoting import harmless, quoted

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine

_NEXT_SHOWN = 10
_FINAL = "A forfeit is final and public"
_NOT_FORFEITED = "No prize was passed on."


def list_winners(
    raffle: ShownRaffle,
    *,
    unredeemed: Annotated[
        bool, typer.Option("--unredeemed", help="Only prizes that were neither redeemed nor forfeited.")
    ] = False,
    tickets: Annotated[
        Path | None,
        typer.Option(
            metavar="TICKETS",
            help="The CSV file that 'participate --from' wrote: shows whose tickets won. It is not stored.",
        ),
    ] = None,
    page: PageNumber = 1,
    page_size: PageSize = limits.WINNERS_PAGE_SIZE,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """List the winners in draw order.

    After them come the tickets that took a prize over. Before the draw, the list is empty.
    """
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        wins = engine.winners(found.id, page=page, page_size=page_size, unredeemed=unredeemed)
        owners = None
        if tickets is not None:
            from rafflekit.cli.lists.owners import owners_of

            owners = owners_of(tickets, [win.ticket_number for win in wins.items], engine, found)
    outcomes.print_winners(wins, found, owners=owners, is_filtered=unredeemed, as_json=as_json)


def verify_ticket(
    raffle: ShownRaffle,
    number: TicketNumber,
    code: TicketCode = None,
    *,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Check a ticket's code and show what the ticket won."""
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        given = ticket_code(code, number)
        with code_explained(found, number, given):
            verification = engine.verify(found.id, number, given)
    outcomes.print_verification(verification, number, as_json=as_json)


def redeem_prize(
    raffle: ChangedRaffle,
    number: TicketNumber,
    code: TicketCode = None,
    *,
    undo: Annotated[
        bool,
        typer.Option("--undo", help=f"Take the mark back, within {limits.UNDO_S // 60} minutes. Both are recorded."),
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Mark the prize of a ticket as handed out, once."""
    with open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        given = ticket_code(code, number)
        with code_explained(found, number, given):
            if not yes:
                # Before the question: if there is nothing to mark, there is nothing to answer.
                before = engine.check_redeem(found.id, number, given, undo=undo)
                ask(
                    _redeem_question(found, number, before, undo=undo),
                    why="An undone redemption stays recorded" if undo else "A prize is redeemed once",
                    refused="Nothing was marked.",
                )
            after = engine.redeem(found.id, number, given, undo=undo)
    outcomes.print_verification(after, number, as_json=as_json)


def forfeit_prize(
    raffle: ChangedRaffle,
    number: Annotated[
        int | None,
        typer.Argument(metavar="NUMBER", show_default=False, help="The number of the ticket that loses its prize."),
    ] = None,
    *,
    unclaimed: Annotated[bool, typer.Option("--unclaimed", help="The winner did not come in time.")] = False,
    renounced: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help=f"The winner gives the prize up: the ticket's code, or {STDIN} to be asked for it."
        ),
    ] = None,
    disqualified: Annotated[
        bool, typer.Option("--disqualified", help="The winner must not win; give --reason.")
    ] = False,
    all_unclaimed: Annotated[
        bool, typer.Option("--all-unclaimed", help="Instead of NUMBER: every prize whose deadline has passed.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why: one line, which everyone can read, with the winners.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Pass a prize on to the next ticket of the draw.

    This is final. 'rafflekit queue' shows which tickets are next.
    """
    kinds = {
        Why.UNCLAIMED: unclaimed or all_unclaimed,
        Why.RENOUNCED: renounced is not None,
        Why.DISQUALIFIED: disqualified,
    }
    chosen = [why for why, is_given in kinds.items() if is_given]
    if len(chosen) != 1 or (unclaimed and all_unclaimed):
        raise CommandStopped(
            "Give one of --unclaimed, --renounced CODE, --disqualified and --all-unclaimed.", status=WRONG_USAGE
        )
    if (number is None) != all_unclaimed:
        raise CommandStopped("Give either NUMBER or --all-unclaimed: one ticket, or all.", status=WRONG_USAGE)
    with open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        if number is None:
            with arguments_named({"claim_days": "--all-unclaimed"}):
                heirs = _all_forfeited(engine, found, reason, yes=yes)
            outcomes.print_heirs(heirs, as_json=as_json)
            return
        code = None if renounced is None else ticket_code(renounced, number)
        heir = _forfeited(engine, found, _Forfeit(number, chosen[0], reason, code), yes=yes)
    outcomes.print_heir(heir, as_json=as_json)


def show_queue(
    raffle: ShownRaffle,
    *,
    page: PageNumber = 1,
    page_size: PageSize = limits.WINNERS_PAGE_SIZE,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """List the tickets that are next if a prize is forfeited."""
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        queue = engine.queue(found.id, page=page, page_size=page_size)
    outcomes.print_queue(queue, found, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Forfeit:
    """A forfeit, as the command line asks for it."""

    number: int
    why: Why
    reason: str | None
    code: str | None = field(repr=False)


def _forfeited(engine: "RaffleEngine", raffle: Raffle, wanted: _Forfeit, *, yes: bool) -> Win | None:
    number, why, reason, code = wanted.number, wanted.why, wanted.reason, wanted.code
    with code_explained(raffle, number, code or ""):
        if not yes:
            lost = engine.check_forfeit(raffle.id, number, why=why, reason=reason, verification_code=code)
            ask(_forfeit_question(engine, raffle, lost, wanted), why=_FINAL, refused=_NOT_FORFEITED)
        return engine.forfeit(raffle.id, number, why=why, reason=reason, verification_code=code)


def _all_forfeited(engine: "RaffleEngine", raffle: Raffle, reason: str | None, *, yes: bool) -> Sequence[Win | None]:
    if not yes and (lost := engine.unclaimed(raffle.id)):
        # A wrong reason is refused before the question.
        engine.check_forfeit(raffle.id, lost[0].ticket_number, why=Why.UNCLAIMED, reason=reason)
        ask(_all_unclaimed_question(engine, raffle, len(lost)), why=_FINAL, refused=_NOT_FORFEITED)
    return engine.forfeit_unclaimed(raffle.id, reason=reason)


def _redeem_question(raffle: Raffle, number: int, verification: Verification, *, undo: bool) -> Iterator[str]:
    yield f"Ticket {number} of {quoted(raffle.name)} is genuine and won: {harmless(verification.prize or '')}"
    if undo and verification.redeemed_at is not None:
        yield f"It was marked as handed out on {local_time(verification.redeemed_at)}. Take that back? [y/N] "
    else:
        yield "Hand the prize out and mark it as redeemed? [y/N] "


def _forfeit_question(engine: "RaffleEngine", raffle: Raffle, lost: Win, wanted: _Forfeit) -> Iterator[str]:
    queue = engine.queue(raffle.id, page_size=1)
    yield f"Ticket {lost.ticket_number} of {quoted(raffle.name)} won: {harmless(lost.prize)}"
    if queue.items:
        yield f"Ticket {queue.items[0]} is next, and takes the prize."
    else:
        yield outcomes.LAPSES
    reason = wanted.why.value if wanted.reason is None else f"{wanted.why.value}, {quoted(wanted.reason)}"
    yield f"{_FINAL}: {reason}. Pass the prize on now? [y/N] "


def _all_unclaimed_question(engine: "RaffleEngine", raffle: Raffle, lost: int) -> Iterator[str]:
    queue = engine.queue(raffle.id, page_size=_NEXT_SHOWN)
    yield f"{counted(lost, 'prize')} of {quoted(raffle.name)} {'was' if lost == 1 else 'were'} not redeemed in time."
    yield "Each goes to the next ticket. The queue begins with:"
    shown = ", ".join(map(str, queue.items[:lost])) or "no ticket is left, so the prizes lapse"
    yield f"  {shown}{', …' if lost > _NEXT_SHOWN and queue.has_next else ''}"
    yield f"{_FINAL}. Pass the prizes on now? [y/N] "
