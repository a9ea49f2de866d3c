"""The list that `participate --from` reads: a participant in each line, in the only column or in named ones.

Another column may have the number of tickets of each line.

An error that makes the rest of the list doubtful (its encoding, a quote that is never closed) stops the reader. If only
one line is wrong, the line is passed on with its refusal.
"""

import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rafflekit.cli import terminal
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.reading.cells import Unclear
from rafflekit.cli.lists.reading.columns import width_of
from rafflekit.cli.lists.reading.csv_records import RecordWrong
from rafflekit.cli.lists.reading.layout import Layout
from rafflekit.cli.lists.reading.separators import NAMES
from rafflekit.cli.lists.reading.understanding import understand, wrong_line

REFUSED_BY_ITSELF = "The line"
"""Every `Line.refusal` begins with this, and no refusal of the engine does."""

_SHOWN_OF_A_COUNT = 50
_COUNT = re.compile("0*[1-9][0-9]{0,8}")
# Also as other programs than Excel write them.
_LINE_BREAKS = re.compile(r"[\n\r\x0b\x85\u2028\u2029]+")


class Line(NamedTuple):
    """A participant in a list: the number of the line on which the record begins (from 1), and the participant's text.

    In an Excel file, it is the number of the row. `refusal` says why the line cannot get a ticket, if the line itself
    shows it. Where a line asks for several `tickets`, there is a `Line` for each, which `nth` counts.
    """

    number: int
    participant: str
    refusal: str | None = None
    nth: int = 1
    tickets: int = 1


class ParticipantList:
    """An open list, whose layout is decided. Each iteration reads it from the beginning and skips blank lines.

    `doubts` are sentences about what is likely, but not certain, in the layout. A line asks for at most `most_each`
    tickets.
    """

    def __init__(self, file: BinaryIO, *, name: str, layout: Layout | None = None, most_each: int = 1) -> None:
        """Look at the whole list, to understand it.

        Raises:
            CommandStopped: it cannot be read with this layout, or there is more than one way to read it.
        """
        understood = understand(file, layout or Layout(), name=name)
        self.name = name
        self.layout = understood.layout
        self.doubts = understood.doubts
        self.most_each = most_each
        self._table = understood.table
        self._positions = understood.positions

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines in order.

        Raises:
            CommandStopped: it cannot be read to its end, or a record is too long.
        """
        rows = self._rows()
        positions = self._positions
        header = None if self.layout.header else ""
        only = positions.participant[0] if len(positions.participant) == 1 else None
        for number, row in rows:
            if len(row) > positions.width and (width := width_of(row)) > positions.width:
                # With too many separators, only the author of the list knows which text is the participant.
                columns = "1 column" if width == 1 else f"{width} columns"
                whole = (self.layout.separator or ",").join(row)
                yield Line(number, whole, f"The line has {columns} instead of {positions.width}.")
                continue
            participant = _joined(row, positions.participant) if only is None else _on_one_line(_cell_of(row, only))
            if header is None:
                header = participant
            elif header and len(participant) == len(header) and participant.casefold() == header.casefold():
                # Sheets were pasted below each other.
                yield Line(number, participant, "The line repeats the header.")
            elif self.layout.sheet is not None and (reason := _unclear(row, positions.participant, positions.quantity)):
                yield Line(number, participant, f"The line's {reason}.")
            elif positions.quantity is None:
                yield Line(number, participant)
            else:
                yield from self._tickets_of(number, participant, _cell_of(row, positions.quantity).strip())

    def _tickets_of(self, number: int, participant: str, count: str) -> Iterator[Line]:
        if not _COUNT.fullmatch(count):
            found = f"{count[:_SHOWN_OF_A_COUNT]!r} is not one" if count else "there is none"
            yield Line(number, participant, f"The line's number of tickets must be a whole number from 1; {found}.")
        elif int(count) > self.most_each:
            most = "1 ticket" if self.most_each == 1 else f"{self.most_each:,} tickets"
            yield Line(number, participant, f"The line asks for {count} tickets; a participant gets at most {most}.")
        else:
            tickets = int(count)
            yield from (Line(number, participant, nth=nth, tickets=tickets) for nth in range(1, tickets + 1))

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        try:
            yield from self._table.rows()
        except RecordWrong as error:
            raise CommandStopped(wrong_line(error.number, self.name, str(error)), status=WRONG_USAGE) from error


@contextmanager
def open_list(
    path: Path, *, layout: Layout, most_each: int, saved_anew: Layout | None = None
) -> Iterator[ParticipantList]:
    """Give the list in a file. If it cannot be read with the layout, it may be `saved_anew`, with another layout.

    Raises:
        CommandStopped: it does not exist, is not a regular file, or cannot be read; see `ParticipantList`.
    """
    if str(path) == "-":
        raise CommandStopped(
            "--from needs a file: standard input cannot be read again when a run resumes.",
            status=WRONG_USAGE,
        )
    try:
        # Checked before it is opened: opening a pipe waits for its other end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise CommandStopped(
                f"--from: {path} is not a regular file. The list is read again when a run resumes.",
                status=WRONG_USAGE,
            )
        file = path.open("rb")
    except OSError as error:
        raise CommandStopped(f"--from: {path} cannot be read ({error.strerror}).", status=WRONG_USAGE) from error
    with file:
        with terminal.working(f"Looking at {path.name}"):
            try:
                people = ParticipantList(file, name=path.name, layout=layout, most_each=most_each)
            except CommandStopped as error:
                people = _saved_anew(file, layout, saved_anew, name=path.name, most_each=most_each, error=error)
        yield people


def _saved_anew(
    file: BinaryIO, before: Layout, layout: Layout | None, *, name: str, most_each: int, error: CommandStopped
) -> ParticipantList:
    """Return a CSV file that another program has saved, with other separators or another byte order mark.

    Raises:
        CommandStopped: the given error, if the file is something else, or in doubt.
    """
    if layout is None or before.separator is None or before.encoding is None:
        raise error
    with suppress(CommandStopped):
        people = ParticipantList(file, name=name, layout=layout, most_each=most_each)
        if people.layout.sheet is None and not people.doubts:
            return people
    error.add_note(
        f"The run reads {name} with {NAMES[before.separator]}, as {before.encoding}. Save it that way, or give "
        "--separator or --encoding."
    )
    raise error


def _cell_of(row: Sequence[str], position: int) -> str:
    # Spreadsheets omit empty cells at the end of a line.
    return row[position] if position < len(row) else ""


def _joined(row: Sequence[str], positions: Sequence[int]) -> str:
    """Return the texts of several cells, with a space between them; empty cells are left out."""
    return " ".join(filter(None, (_on_one_line(_cell_of(row, position)).strip() for position in positions)))


def _on_one_line(text: str) -> str:
    """Return a text with a space for line breaks in it, and none for those around it."""
    return text if text.isprintable() else " ".join(filter(None, _LINE_BREAKS.split(text)))


def _unclear(row: Sequence[str], positions: Sequence[int], quantity: int | None) -> str | None:
    """Return why one of these cells of an Excel file must not be used."""
    read = positions if quantity is None else (*positions, quantity)
    cells = (_cell_of(row, position) for position in read)
    return next((cell.reason for cell in cells if isinstance(cell, Unclear)), None)
