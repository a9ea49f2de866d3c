"""What a run understood of a list, shown before the first ticket: a wrong guess can still be mended then."""

import sys
from collections.abc import Callable, Iterator
from enum import Enum, auto
from itertools import islice

from rafflekit.cli import asking, terminal
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.people import Line, ParticipantList
from rafflekit.cli.lists.reading.decoding import shown_encoding
from rafflekit.cli.lists.reading.separators import NAMES
from rafflekit.cli.lists.reading.understanding import all_at_once
from rafflekit.cli.lists.repeats import LineNumbers, Repeats
from rafflekit.cli.printing import print_json
from rafflekit.cli.words import counted, shortened
from rafflekit.core.models import Raffle
from rafflekit.core.protocol.quoting import harmless

_REFUSALS_ASKED_ABOUT = 3
_REFUSALS_SHOWN = 20


class Consent(Enum):
    """What follows the preview: a question, if there is a terminal to ask on; the tickets; or nothing."""

    ASK = auto()
    GIVEN = auto()
    DRY_RUN = auto()


class Preview:
    """A list that is read for the first time: counts its lines meanwhile. Then `agree` or `show` follows.

    `see` gets each line, and returns why it will get no ticket, as far as that is known without the raffle.
    """

    def __init__(self, people: ParticipantList, see: Callable[[Line], str | None]) -> None:
        self.name = people.name
        self.layout = people.layout
        self._doubts = people.doubts
        self._people = people
        self._see = see
        self._first: str | None = None
        self._lines = 0
        self._tickets = 0
        self._refusals: list[str] = []
        self._refused = 0

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines of the list.

        Raises:
            CommandStopped: it cannot be read to its end, or has no participants.
        """
        for line in self._people:
            if line.nth == 1:
                self._count(line)
            yield line
        if not self._lines:
            raise CommandStopped(f"{self.name} contains no participants.", status=WRONG_USAGE)

    def _count(self, line: Line) -> None:
        self._lines += 1
        refusal = self._see(line)
        if refusal is None:
            self._tickets += line.tickets
            if self._first is None:
                self._first = line.participant
        else:
            self._refused += 1
            if self._refused <= _REFUSALS_ASKED_ABOUT:
                self._refusals.append(f"line {line.number}: {refusal}")

    def agree(self, raffle: Raffle, consent: Consent, repeats: Repeats, *, more: int | None = None) -> None:
        """Show what was understood on standard error, and on a terminal, ask a person.

        In a run that resumes, `more` tickets are still wanted.

        Raises:
            CommandStopped: something is in doubt and no one is asked, or the answer is not yes.
        """
        summary = self._summary(raffle, repeats, more)
        if consent is not Consent.ASK or not terminal.can_ask():
            terminal.remark(summary)
            self._stop_if_in_doubt()
            return
        lines = [summary, *self._refusals]
        if self._refused > len(self._refusals):
            rest = counted(self._refused - len(self._refusals), "more line")
            lines.append(f"{rest} cannot get a ticket; --dry-run shows them.")
        lines += [f"In doubt: {doubt}" for doubt in self._doubts]
        if self._doubts:
            lines.append("If you answer y, the list is read as the first line above says.")
        asking.ask(
            [*map(harmless, lines), "Hand out the tickets? [y/N] "],
            why="Tickets are handed out to a list",
            refused="No ticket was handed out.",
        )

    def show(
        self,
        raffle: Raffle,
        repeats: Repeats,
        refusal_of: Callable[[Line], str | None],
        *,
        more: int | None = None,
        is_new: bool = True,
        as_json: bool,
    ) -> None:
        """Show what was understood, and which lines cannot get a ticket; the counts also as JSON on standard output.

        A terminal shows the first 20 of these lines; a file gets all of them. If the list is not new, a run has begun
        with it, so what was in doubt is settled.

        Raises:
            CommandStopped: something is in doubt.
        """
        terminal.remark(self._summary(raffle, repeats, more))
        if is_new:
            self._stop_if_in_doubt()
        shown = _REFUSALS_SHOWN if terminal.is_terminal(sys.stderr) else self._refused
        for line in islice(self._refused_lines(refusal_of), shown):
            terminal.remark(line)
        if self._refused > shown:
            rest = counted(self._refused - shown, "more line")
            terminal.remark(f"{rest} cannot get a ticket. To see all of them, add '2> refused.txt' to the command.")
        if as_json:
            wanted = self._wanted(repeats, more)
            left = raffle.available_tickets
            print_json({"lines": self._lines, "refused": self._refused, "wanted": wanted, "left": left})

    def _stop_if_in_doubt(self) -> None:
        if self._doubts:
            raise all_at_once(self.name, list(self._doubts))

    def _summary(self, raffle: Raffle, repeats: Repeats, more: int | None) -> str:
        layout = self.layout
        parts = []
        if layout.sheet is not None:
            parts.append(f"sheet {shortened(layout.sheet)!r}")
        else:
            # A list of one column has none, unless one is in doubt.
            has_separator = layout.columns.participant or any("--separator" in doubt for doubt in self._doubts)
            parts += [NAMES[layout.separator]] if has_separator and layout.separator else []
            parts.append(shown_encoding(layout.encoding or ""))
        parts.append(counted(self._lines, "line"))
        columns = layout.columns.participant
        if columns:
            parts.append(f"column{'s' if len(columns) > 1 else ''} {' and '.join(map(repr, columns))}")
        elif layout.header:
            parts.append("the first line is a header")
        if self._first is not None:
            parts.append(f"first {shortened(self._first)!r}")
        parts += _repeated(repeats)
        wanted = counted(self._wanted(repeats, more), "ticket" if more is None else "more ticket")
        return f"{self.name}: {', '.join(parts)}; {wanted} wanted, {raffle.available_tickets:,} left."

    def _wanted(self, repeats: Repeats, more: int | None) -> int:
        """Return the number of tickets that people can get."""
        return self._tickets - repeats.in_vain if more is None else more

    def _refused_lines(self, refusal_of: Callable[[Line], str | None]) -> Iterator[str]:
        if not self._refused:
            return
        for line in self._people:
            if line.nth == 1 and (refusal := refusal_of(line)) is not None:
                yield f"line {line.number}: {refusal}"


def _repeated(repeats: Repeats) -> Iterator[str]:
    """Yield how many lines name the participant of an earlier line."""
    least = "" if repeats.is_complete else "at least "
    for lines, one, many in (
        (repeats.repeated, "repeats an earlier one", "repeat an earlier one"),
        (repeats.respelled, "differs from an earlier one", "differ from an earlier one"),
    ):
        if lines.count:
            how = " only in case, spaces or forms of characters" if lines is repeats.respelled else ""
            yield f"{least}{counted(lines.count, 'line')} {one if lines.count == 1 else many}{how} ({_listed(lines)})"


def _listed(lines: LineNumbers) -> str:
    numbers = ", ".join(map(str, lines.first))
    more = ", …" if lines.count > len(lines.first) else ""
    return f"line{'' if lines.count == 1 else 's'} {numbers}{more}"
