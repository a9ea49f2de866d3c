"""`rafflekit participate --from`: tickets for a whole list, in a run that can be killed at any moment and resumed.

Three files: the list (`people`), the output (`output`), and the run's key (`run`). The engine decides who gets a
ticket.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import REFUSED, WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.layout import Layout
from rafflekit.cli.lists.output import TicketFile, TicketWriter
from rafflekit.cli.lists.people import Line, ParticipantList, open_list
from rafflekit.cli.lists.preview import Consent, Preview
from rafflekit.cli.lists.run import LineKeys, TicketRun, open_run
from rafflekit.cli.options import open_engine
from rafflekit.cli.signals import ending_as_with_ctrl_c
from rafflekit.cli.words import counted, local_time, partly_handed_out
from rafflekit.core.errors import Cancelled, NotOpenYet, RaffleError, SoldOut, StorageUnavailable
from rafflekit.core.lifecycle import is_drawn
from rafflekit.core.models import Entry, Raffle, State, Ticket

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine

_ROWS_PER_FLUSH = 1_000
# Ten of the engine's groups. These lines are in memory at the same time.
_LINES_PER_CALL = 10_000
_REFUSALS_SHOWN = 20
_RESUME = "Rerun the same command to resume; nothing is lost."
_DRAWN = (
    "The raffle has been drawn, so people who are not in the output get no ticket. If this run handed out a ticket and "
    "was stopped before it wrote the ticket to the output, the code of that ticket is lost."
)


def participate_from(
    raffle: str, source: Path, out: Path, *, layout: Layout, consent: Consent, as_json: bool, database_url: str | None
) -> None:
    """Hand tickets to the participants of the list `source`, and write them to `out`.

    Raises:
        CommandStopped: the list cannot be read without doubt, or a person does not agree.
        typer.Exit: lines were refused, now or in an earlier part of the run.
    """
    tickets = TicketFile(out)
    if _is_same_file(source, out):
        raise CommandStopped("--out is the list itself; name another file.", status=WRONG_USAGE)
    with ending_as_with_ctrl_c(), open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        with (
            open_run(out, raffle_id=found.id, layout=layout) as run,
            open_list(source, layout=run.layout, most_each=found.terms.tickets_each) as people,
        ):
            _hand_out(engine, found, _Run(people, run, tickets), consent)
            if consent is Consent.DRY_RUN:
                return
    render.print_run(tickets=tickets.tickets, refused=tickets.refused, out=str(out), as_json=as_json)
    if tickets.refused:
        raise typer.Exit(REFUSED)


class _Run(NamedTuple):
    """The three files of a run."""

    people: ParticipantList
    run: TicketRun
    tickets: TicketFile


def _hand_out(engine: "RaffleEngine", raffle: Raffle, files: _Run, consent: Consent) -> None:
    people, run, tickets = files
    preview = Preview(people)
    # The whole list is read before the first ticket, so that a broken list can be repaired first.
    with terminal.working(f"Reading {people.name}"):
        total = run.read(preview)
    # Lines added to the list from now on wait for the next run.
    lines = islice(people, total)
    with _explaining_how_to_resume():
        taken_up = tickets.take_up(lines, list_name=people.name)
        _check_that_tickets_exist(tickets, raffle)
        if taken_up < total:
            _check_state(raffle)
        if run.has_news or consent is Consent.DRY_RUN:
            preview.agree(raffle, consent, more=total - taken_up if taken_up else None)
        if consent is Consent.DRY_RUN:
            return
        with terminal.counting("Handing out tickets", total) as advance:
            advance(taken_up)
            keys = run.begin(list_name=people.name, last_line=tickets.last_line)
            with tickets.append() as writer:
                step = max(1, min(total // 100, _ROWS_PER_FLUSH))
                is_correctable = _write(writer, _outcomes(engine, raffle.id, lines, keys), advance, step=step)
    if is_correctable:
        terminal.remark(
            f"To correct a line, do not change it: add the corrected line at the end of {people.name} and rerun the "
            "same command."
        )


def _check_that_tickets_exist(tickets: TicketFile, raffle: Raffle) -> None:
    """Check that the output does not promise tickets that an older backup of the database does not have."""
    if tickets.tickets > raffle.issued:
        name = tickets.path.name
        raise CommandStopped(
            f"{name} has {counted(tickets.tickets, 'ticket')}, but {raffle.issued:,} of this raffle have been handed "
            f"out. If you restored an older backup, move {name} away and rerun the command: it hands out the missing "
            "tickets again.",
            status=WRONG_USAGE,
        )


def _check_state(raffle: Raffle) -> None:
    """Check that it makes sense to begin: otherwise the run would leave files that no later run can complete."""
    if is_drawn(raffle):
        raise CommandStopped(_DRAWN, status=REFUSED)
    if raffle.state is State.CANCELLED:
        raise Cancelled
    if raffle.state is State.UPCOMING and raffle.terms.opens_at is not None:
        raise CommandStopped(f"{NotOpenYet.sentence}: it opens on {local_time(raffle.terms.opens_at)}.", status=REFUSED)


def _outcomes(
    engine: "RaffleEngine", raffle_id: UUID, lines: Iterator[Line], keys: LineKeys
) -> Iterator[tuple[Line, Ticket | RaffleError]]:
    """Yield every line with its ticket, or with the reason why it gets none."""
    while some := list(islice(lines, _LINES_PER_CALL)):
        entries = (Entry(line.participant, keys.key_of(line)) for line in some if line.refusal is None)
        try:
            answers = engine.participate_many(raffle_id, entries)
        except SoldOut as error:
            raise CommandStopped(_DRAWN, status=REFUSED) from error
        for line in some:
            yield line, next(answers) if line.refusal is None else RaffleError(line.refusal)


def _write(
    writer: TicketWriter, outcomes: Iterator[tuple[Line, Ticket | RaffleError]], advance: terminal.Advance, *, step: int
) -> bool:
    """Write a row for each line; return whether some were refused that can be corrected.

    The bar moves every `step` lines: moving it takes longer than writing.
    """
    refused = waiting = 0
    is_correctable = False
    for position, (line, outcome) in enumerate(outcomes, start=1):
        # Of the tickets of one line, the first refusal says it all.
        is_news = isinstance(outcome, RaffleError) and writer.tickets.last_refused != line.number
        writer.write(line, outcome if isinstance(outcome, Ticket) else str(outcome))
        waiting += 1
        refused += is_news
        is_correctable |= is_news and not isinstance(outcome, SoldOut | Cancelled)
        is_shown = is_news and refused <= _REFUSALS_SHOWN
        if is_shown or waiting >= step:
            advance(waiting)
            waiting = 0
        if is_shown:
            reason = partly_handed_out(line.nth - 1, line.tickets, str(outcome)) if line.nth > 1 else outcome
            terminal.remark(f"line {line.number}: {reason}")
        if position % _ROWS_PER_FLUSH == 0:
            writer.flush()
    advance(waiting)
    writer.sync()
    if refused > _REFUSALS_SHOWN:
        terminal.remark(
            f"{refused - _REFUSALS_SHOWN:,} more lines were refused; the output has the reason in each row."
        )
    return is_correctable


def _is_same_file(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False


@contextmanager
def _explaining_how_to_resume() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        terminal.remark(_RESUME)
        raise
    except (OSError, StorageUnavailable) as error:
        error.add_note(_RESUME)
        raise
