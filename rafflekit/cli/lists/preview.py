"""What a run understood of a list, shown before the first ticket: a wrong guess can still be mended then."""

from collections.abc import Iterator
from enum import Enum, auto

from rafflekit.cli import asking, terminal
from rafflekit.cli.lists.people import Line, ParticipantList
from rafflekit.cli.lists.reading.separators import NAMES
from rafflekit.cli.lists.reading.understanding import all_at_once
from rafflekit.cli.lists.repeats import LineNumbers, Repeats
from rafflekit.cli.words import counted, shortened
from rafflekit.core.models import Raffle
from rafflekit.core.protocol.quoting import harmless

_REFUSALS_SHOWN = 3
_ENCODINGS = {"utf-8": "UTF-8", "windows-1252": "Windows-1252"}


class Consent(Enum):
    """What follows the preview: a question, if there is a terminal to ask on; the tickets; or nothing."""

    ASK = auto()
    GIVEN = auto()
    DRY_RUN = auto()


class Preview:
    """A list that is read for the first time: counts its lines meanwhile, for the preview."""

    def __init__(self, people: ParticipantList) -> None:
        self.name = people.name
        self.layout = people.layout
        self._people = people
        self._first: str | None = None
        self._lines = 0
        self._tickets = 0
        self._refusals: list[str] = []
        self._refused = 0

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines of the list."""
        for line in self._people:
            if line.nth == 1:
                self._lines += 1
            if line.refusal is None:
                self._tickets += 1
                if self._first is None:
                    self._first = line.participant
            else:
                self._refused += 1
                if self._refused <= _REFUSALS_SHOWN:
                    self._refusals.append(f"line {line.number}: {line.refusal}")
            yield line

    def agree(self, raffle: Raffle, consent: Consent, repeats: Repeats, *, more: int | None = None) -> None:
        """Show what was understood on standard error, and on a terminal, let a person confirm it.

        In a run that resumes, `more` tickets are still wanted.

        Raises:
            CommandStopped: something is in doubt and no one is asked, or the answer is not yes.
        """
        doubts = self._people.doubts
        asks = consent is Consent.ASK and terminal.can_ask()
        summary = self._summary(raffle, repeats, more)
        if not asks:
            terminal.remark(summary)
            if doubts:
                raise all_at_once(self.name, list(doubts))
            if consent is Consent.DRY_RUN:
                for line in self._refused_lines():
                    terminal.remark(line)
            return
        lines = [summary, *self._refused_lines(), *(f"In doubt: {doubt}" for doubt in doubts)]
        asking.ask(
            [*map(harmless, lines), "Hand out the tickets? [y/N] "],
            why="Tickets are handed out to a list",
            refused="No ticket was handed out.",
        )

    def _summary(self, raffle: Raffle, repeats: Repeats, more: int | None) -> str:
        layout = self.layout
        parts = []
        if layout.sheet is not None:
            parts.append(f"sheet {layout.sheet!r}")
        else:
            parts += [NAMES[layout.separator]] if layout.columns.participant and layout.separator else []
            parts.append(_ENCODINGS.get(layout.encoding or "", layout.encoding or ""))
        parts.append(counted(self._lines, "line"))
        columns = layout.columns.participant
        if columns:
            parts.append(f"column{'s' if len(columns) > 1 else ''} {' and '.join(map(repr, columns))}")
        elif layout.header:
            parts.append("the first line is a header")
        if self._first is not None:
            parts.append(f"first {shortened(self._first)!r}")
        parts += _repeated(repeats)
        left = counted(raffle.available_tickets, "ticket")
        return f"{self.name}: {', '.join(parts)}; {left} left for {self._wanted(raffle, repeats, more)}."

    def _wanted(self, raffle: Raffle, repeats: Repeats, more: int | None) -> str:
        """Return for whom or what the tickets are."""
        noun = "ticket" if self.layout.columns.quantity else "line"
        if more is not None:
            return counted(more, f"more {noun}")
        if raffle.terms.tickets_each > 1 or not repeats.is_complete:
            return counted(self._tickets, noun)
        return "1 person" if repeats.people == 1 else f"{repeats.people:,} people"

    def _refused_lines(self) -> Iterator[str]:
        yield from self._refusals
        if self._refused > len(self._refusals):
            yield f"{counted(self._refused - len(self._refusals), 'more line')} cannot get a ticket."


def _repeated(repeats: Repeats) -> Iterator[str]:
    """Yield how many lines name the participant of an earlier line."""
    least = "" if repeats.is_complete else "at least "
    for lines, one, many in (
        (repeats.repeated, "repeats an earlier one", "repeat an earlier one"),
        (repeats.respelled, "differs from an earlier one", "differ from an earlier one"),
    ):
        if lines.count:
            how = " only in case or spaces" if lines is repeats.respelled else ""
            yield f"{least}{counted(lines.count, 'line')} {one if lines.count == 1 else many}{how} ({_listed(lines)})"


def _listed(lines: LineNumbers) -> str:
    numbers = ", ".join(map(str, lines.first))
    more = ", …" if lines.count > len(lines.first) else ""
    return f"line{'' if lines.count == 1 else 's'} {numbers}{more}"
