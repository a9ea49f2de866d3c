"""The list that `participate --from` reads: a participant in each line, in the only column or in named ones.

Another column may have the number of tickets of each line.

The list's file is copied once, and only the copy is read, several times: people may save the list meanwhile, and the
tickets go to those whom the preview showed.

An error that makes the rest of the list doubtful (its encoding, a quote that is never closed) stops the reader. If only
one line is wrong, the line is passed on with its refusal.
"""

import re
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rafflekit.cli import terminal
from rafflekit.cli.failures import IO_FAILED, WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.reading.cells import Unclear
from rafflekit.cli.lists.reading.columns import is_same_name, width_of
from rafflekit.cli.lists.reading.csv_records import RecordWrong
from rafflekit.cli.lists.reading.formats import is_workbook
from rafflekit.cli.lists.reading.layout import Layout
from rafflekit.cli.lists.reading.understanding import understand, wrong_line

REFUSED_BY_ITSELF = "The line"
"""Every `Line.refusal` begins with this, and no refusal of the engine does."""

_WIDE = ("utf-16", "utf-32")
_COPIED_AT_ONCE = 1024 * 1024
_SHOWN_OF_A_COUNT = 50
# A header that is there again may have blanks and byte order marks; comparing names takes long.
_BLANKS_MORE = 16
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
            elif header and len(participant) < len(header) + _BLANKS_MORE and is_same_name(participant, header):
                # Lists were joined.
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
    path: Path, *, layout: Layout, most_each: int, out: Path | None = None, saved_anew: Layout | None = None
) -> Iterator[ParticipantList]:
    """Give the list in a file or a pipe, as it is now, from a private copy next to `out`.

    If it cannot be read with the layout, it may be `saved_anew`, with another layout.

    Raises:
        CommandStopped: it does not exist, cannot be read or cannot be copied; see `ParticipantList`.
    """
    name = path.name if path.is_file() else "the list"
    with ExitStack() as open_files:
        with terminal.working(f"Looking at {name}"):
            copy = open_files.enter_context(_private_copy(path, name=name, out=out))
            people = _understood(copy, layout, saved_anew, name=name, most_each=most_each)
        yield people


def _private_copy(path: Path, *, name: str, out: Path | None) -> BinaryIO:
    """Return a copy without a name: no one else can open it, and nothing is left of it.

    It is next to the output, where room is needed anyway. The folder for temporary files may be in memory.
    """
    folder = None if out is None else out.parent
    try:
        copy = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise _not_copied(name, folder, error) from error
    try:
        copy.writelines(_blocks_of(path))
        copy.flush()
    except BaseException as error:
        with suppress(OSError):  # It tries again to write what it could not write.
            copy.close()
        if isinstance(error, OSError):
            raise _not_copied(name, folder, error) from error
        raise
    return copy


def _blocks_of(path: Path) -> Iterator[bytes]:
    source, shown = (Path("/dev/stdin"), "standard input") if str(path) == "-" else (path, path)
    try:
        mode = source.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise CommandStopped(f"--from: {shown} is neither a regular file nor a pipe.", status=WRONG_USAGE)
        with source.open("rb") as file:
            while block := file.read(_COPIED_AT_ONCE):
                yield block
    except OSError as error:
        raise CommandStopped(f"--from: {shown} cannot be read ({error.strerror}).", status=WRONG_USAGE) from error


def _not_copied(name: str, folder: Path | None, error: OSError) -> CommandStopped:
    if folder is None:
        sentence = f"{name} cannot be copied to a temporary file: {error.strerror}. TMPDIR names the folder for it."
    else:
        sentence = f"--out: no file can be written in the folder {folder}: {error.strerror}."
    return CommandStopped(sentence, status=IO_FAILED)


def _understood(
    file: BinaryIO, layout: Layout, saved_anew: Layout | None, *, name: str, most_each: int
) -> ParticipantList:
    """Return the list. In a resumed run, another program may have saved a CSV file with another layout."""

    def read(layout: Layout) -> ParticipantList:
        return ParticipantList(file, name=name, layout=layout, most_each=most_each)

    if saved_anew is None:
        return read(layout)
    began_with_excel = saved_anew.sheet is not None
    if is_workbook(file, name=name) != began_with_excel:
        now, before = ("a CSV file", "an Excel file") if began_with_excel else ("an Excel file", "a CSV file")
        raise CommandStopped(
            f"{name} is {now}, but the run began with {before}. Name that file, or give another --out.",
            status=WRONG_USAGE,
        )
    if began_with_excel:
        return read(layout)
    errors: list[CommandStopped] = []
    # Without an option, a list that was saved since is in UTF-8, or still in the encoding of the run.
    readings = [layout, saved_anew, replace(saved_anew, encoding=layout.encoding)]
    if (layout.encoding or "").startswith(_WIDE):
        # Most texts in UTF-8 can be read as UTF-16 as well, but not the other way round.
        readings.insert(0, saved_anew)
    for possible in dict.fromkeys(readings):
        try:
            return read(possible)
        except CommandStopped as error:
            errors.insert(0, error)
    # The reading that finds less is more likely the right one.
    raise min(errors, key=_number_of_problems)


def _number_of_problems(error: CommandStopped) -> int:
    return len(getattr(error, "__notes__", ()))


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
