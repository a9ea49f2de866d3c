"""`rafflekit participate --from`: tickets for a whole list, in a run that can be killed at any moment and resumed.

Three files: the list (`people`), the output (`output`), and the run's key (`run`). The engine decides who gets a
ticket.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import REFUSED, WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.output import LineRows, TicketFile, TicketWriter
from rafflekit.cli.lists.people import Line, ParticipantList, open_list
from rafflekit.cli.lists.preview import Consent, Preview
from rafflekit.cli.lists.reading.layout import Layout
from rafflekit.cli.lists.repeats import RepeatFinder, Repeats
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
# Files that a spreadsheet program refuses to open if they are CSV.
_NOT_CSV = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers"}
_RESUME = "Rerun the same command to resume; nothing is lost."
_DRAWN = (
    "The raffle has been drawn, so people who are not in the output get no ticket. If this run handed out a ticket and "
    "was stopped before it wrote the ticket to the output, the code of that ticket is lost."
)


def show_list(raffle: str, source: Path, *, layout: Layout, as_json: bool, database_url: str | None) -> None:
    """Show how the list `source` is read by a run that is not begun yet, and hand out nothing.

    Raises:
        CommandStopped: the list cannot be read without doubt.
    """
    with open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        with open_list(source, layout=layout, most_each=found.terms.tickets_each) as people:
            finder = RepeatFinder(engine.canonical)
            preview = Preview(people, finder.see)
            with terminal.working(f"Reading {people.name}"):
                deque(preview, maxlen=0)
                repeats = finder.resolve(people, tickets_each=found.terms.tickets_each)
            preview.show(found, repeats, finder.refusal_of, as_json=as_json)


def participate_from(
    raffle: str, source: Path, out: Path, *, layout: Layout, consent: Consent, as_json: bool, database_url: str | None
) -> None:
    """Hand tickets to the participants of the list `source`, and write them to `out`.

    Raises:
        CommandStopped: the list cannot be read without doubt, or a person does not agree.
        typer.Exit: lines were refused, now or in an earlier part of the run.
    """
    if _is_same_file(source, out):
        raise CommandStopped("--out is the list itself; name another file.", status=WRONG_USAGE)
    if out.suffix.lower() in _NOT_CSV:
        raise CommandStopped(
            f"--out: the tickets are written as CSV; give a name such as {out.with_suffix('.csv')}.", status=WRONG_USAGE
        )
    with ending_as_with_ctrl_c(), open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        with (
            open_run(out, raffle_id=found.id, layout=layout) as run,
            open_list(
                source, layout=run.layout, most_each=found.terms.tickets_each, out=out, saved_anew=run.saved_anew
            ) as people,
        ):
            tickets = _HandingOut(engine, found, people, run).to_everyone(out, consent, as_json=as_json)
            if tickets is None:
                return
    render.print_run(tickets=tickets.tickets, refused=tickets.refused, out=str(out), as_json=as_json)
    if tickets.refused:
        raise typer.Exit(REFUSED)


@dataclass(frozen=True)
class _HandingOut:
    """Tickets of a raffle go to the people in a list."""

    engine: "RaffleEngine"
    raffle: Raffle
    people: ParticipantList
    run: TicketRun

    def to_everyone(self, out: Path, consent: Consent, *, as_json: bool) -> TicketFile | None:
        """Hand out what the lines of the list lack, and return the output with all their rows; None for a dry run."""
        name, finder = self.people.name, RepeatFinder(self.engine.canonical)
        preview = Preview(self.people, finder.see)
        # The whole list is read before the first ticket, so that a broken list can be repaired first.
        with terminal.working(f"Reading {name}"):
            total = self.run.read(preview)
            repeats = finder.resolve(self.people, tickets_each=self.raffle.terms.tickets_each)
        tickets = TicketFile(out, repeats.got_ticket, list_only_grew=self.run.list_only_grew)
        lines = tickets.take_up(iter(self.people), list_name=name)
        _check_that_tickets_exist(tickets, self.raffle)
        taken_up = tickets.tickets + tickets.refused
        if taken_up < total:
            _check_state(self.raffle)
        self.run.check(tickets, list_name=name)
        # If refused lines were only deleted, there is nothing to agree to.
        is_new = self.run.has_news and taken_up < total
        if consent is Consent.DRY_RUN:
            more = self._more(tickets, finder, repeats)
            preview.show(self.raffle, repeats, finder.refusal_of, more=more, is_new=is_new, as_json=as_json)
            return None
        if is_new:
            preview.agree(self.raffle, consent, repeats, more=self._more(tickets, finder, repeats))
        keys = self.run.begin(tickets, is_complete=taken_up == total and not tickets.is_mended)
        with _explaining_how_to_resume(), terminal.counting("Handing out tickets", total) as advance:
            progress = _Progress(advance, step=max(1, min(total // 100, _ROWS_PER_FLUSH)))
            if tickets.is_mended:
                compared = tickets.compared(iter(self.people), list_name=name)
                with tickets.rewrite() as writer:
                    _write(writer, self._outcomes(_in_place(compared), keys, repeats), progress)
                lines = tickets.take_up(iter(self.people), list_name=name)
            else:
                progress.move(taken_up)
            with tickets.append() as writer:
                _write(writer, self._outcomes(lines, keys, repeats), progress)
            assert tickets.tickets + tickets.refused == total, "a line has no row"
            self.run.end(tickets)
        progress.sum_up()
        if progress.is_correctable and self.engine.get(self.raffle.id).available_tickets:
            terminal.remark(
                f"To correct a refused line, change it in its place in {name} and rerun the same command. Leave lines "
                "with tickets as they are."
            )
        return tickets

    def _more(self, tickets: TicketFile, finder: RepeatFinder, repeats: Repeats) -> int | None:
        """Return how many tickets a resumed run will hand out, unless the raffle has too few; None for a new one."""
        if not tickets.tickets + tickets.refused:
            return None
        lacking = tickets.lacking(iter(self.people), list_name=self.people.name)
        return repeats.possible(line for line in lacking if finder.refusal_of(line) is None)

    def _outcomes(
        self, lines: Iterator[Line | LineRows], keys: LineKeys, repeats: Repeats
    ) -> Iterator[LineRows | tuple[Line, Ticket | RaffleError]]:
        """Yield every line with its ticket, or with the reason why it gets none; rows that are kept, as they are."""
        while some := list(islice(lines, _LINES_PER_CALL)):
            asking = [line for line in some if isinstance(line, Line) and line.refusal is None]
            answers = self._ask(asking, keys) if asking else iter(())
            for line in some:
                if isinstance(line, LineRows):
                    yield line
                    continue
                answer = next(answers) if line.refusal is None else RaffleError(line.refusal)
                if isinstance(answer, RaffleError):
                    answer = repeats.explained(answer, line)
                yield line, answer

    def _ask(self, lines: Sequence[Line], keys: LineKeys) -> Iterator[Ticket | RaffleError]:
        entries = (Entry(line.participant, keys.key_of(line)) for line in lines)
        try:
            return self.engine.participate_many(self.raffle.id, entries)
        except SoldOut as error:
            raise CommandStopped(_DRAWN, status=REFUSED) from error


def _in_place(compared: Iterator[LineRows]) -> Iterator[Line | LineRows]:
    """Yield rows that are kept, and instead of others, the lines that have changed."""
    for each in compared:
        if each.is_kept:
            yield each
        else:
            yield from each.lines


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


@dataclass(slots=True)
class _Progress:
    """What people see of a run: how far it is, and the first refusals.

    The bar moves every `step` rows: moving it takes longer than writing.
    """

    advance: terminal.Advance
    step: int
    refused: int = 0
    is_correctable: bool = False
    _waiting: int = 0

    def move(self, rows: int = 1) -> None:
        """Count rows."""
        self._waiting += rows
        if self._waiting >= self.step:
            self.catch_up()

    def catch_up(self) -> None:
        """Move the bar to the last row."""
        self.advance(self._waiting)
        self._waiting = 0

    def refuse(self, line: Line, refusal: RaffleError) -> None:
        """Count a line that was refused, and say why."""
        self.refused += 1
        self.is_correctable |= not isinstance(refusal, Cancelled)
        if self.refused <= _REFUSALS_SHOWN:
            self.catch_up()
            reason = partly_handed_out(line.nth - 1, line.tickets, str(refusal)) if line.nth > 1 else refusal
            terminal.remark(f"line {line.number}: {reason}")

    def sum_up(self) -> None:
        """Say how many more lines were refused."""
        if self.refused > _REFUSALS_SHOWN:
            terminal.remark(
                f"{self.refused - _REFUSALS_SHOWN:,} more lines were refused; the output has the reason in each row."
            )


def _write(
    writer: TicketWriter, outcomes: Iterable[LineRows | tuple[Line, Ticket | RaffleError]], progress: _Progress
) -> None:
    """Write the rows of each line."""
    for position, outcome in enumerate(outcomes, start=1):
        if isinstance(outcome, LineRows):
            writer.copy(outcome)
            progress.move(len(outcome.rows))
        else:
            line, answer = outcome
            # Of the tickets of one line, the first refusal says it all.
            is_known = writer.tickets.last_refused == line.number
            writer.write(line, answer if isinstance(answer, Ticket) else str(answer))
            progress.move()
            if isinstance(answer, RaffleError) and not is_known:
                progress.refuse(line, answer)
        if position % _ROWS_PER_FLUSH == 0:
            writer.flush()
    progress.catch_up()
    writer.sync()


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
