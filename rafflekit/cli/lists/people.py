"""The list that `participate --from` reads: CSV in UTF-8, one participant per line, in the only column or a named one.

Another column may have the number of tickets of each line.

An error that makes the rest of the list doubtful (its encoding, a quote that is never closed) stops the reader. If only
one line is wrong, the line is passed on with its refusal.
"""

import re
import shlex
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.records import RecordWrong, records

REFUSED_BY_ITSELF = "The line"
"""Every `Line.refusal` begins with this, and no refusal of the engine does."""

_COLUMNS_IN_THE_ERROR = 20
_SHOWN_OF_A_COUNT = 50
_COUNT = re.compile("0*[1-9][0-9]{0,8}")

_OTHER_SEPARATORS = re.compile(r"[;\t]")
_SEPARATOR_NAMES = {";": "semicolons", "\t": "tabs"}

# No participant is called this: the first line of a list with one column is a header then.
_HEADERS = frozenset(
    {"address", "e-mail", "email", "full name", "mail", "name", "names", "participant", "participants", "person"}
)
_EXCEL = b"PK\x03\x04"


class Line(NamedTuple):
    """A participant in a list: the number of the line on which the record begins (from 1), and the participant's text.

    `refusal` says why the line cannot get a ticket, if the line itself shows it. Where a line asks for several
    `tickets`, there is a `Line` for each, which `nth` counts.
    """

    number: int
    participant: str
    refusal: str | None = None
    nth: int = 1
    tickets: int = 1


class Columns(NamedTuple):
    """The columns that are read, by their names: the participants, and how many tickets each gets (None: one)."""

    participant: str | None = None
    quantity: str | None = None


_ONLY = Columns()


class ParticipantList:
    """An open list. Each iteration reads it from the beginning and skips blank lines.

    A line asks for at most `most_each` tickets.
    """

    def __init__(self, file: BinaryIO, *, name: str, columns: Columns = _ONLY, most_each: int = 1) -> None:
        self.file = file
        self.name = name
        self.columns = columns
        self.most_each = most_each

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines in order.

        Raises:
            CommandStopped: it is not UTF-8 or not CSV, has other columns than expected, or a record is too long.
        """
        rows = self._rows()
        number, first = next(rows, (1, []))
        counts = None
        if self.columns.participant is None:
            position, columns = 0, 1
            if len(first) > 1:
                raise self._stopped(
                    number,
                    f"has {len(first)} columns. Choose one with --column NAME; line 1 must hold the column names",
                )
            if first:
                self._refuse_what_is_not_a_participant(number, first[0])
                yield Line(number, first[0])
        else:
            position, columns = self._position_of(self.columns.participant, number, first), len(first)
            counts = None if self.columns.quantity is None else self._position_of(self.columns.quantity, number, first)
        for number, row in rows:
            if len(row) > columns:
                # With too many commas, only the author of the list knows which text is the participant.
                yield Line(number, ",".join(row), f"The line has {len(row)} columns instead of {columns}.")
            elif counts is None:
                yield Line(number, _cell_of(row, position))
            else:
                yield from self._tickets_of(number, _cell_of(row, position), _cell_of(row, counts).strip())

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

    def _refuse_what_is_not_a_participant(self, number: int, text: str) -> None:
        # Tickets that were handed out to whole rows, or to a header, could not be taken back.
        if separator := _OTHER_SEPARATORS.search(text):
            # Some spreadsheets save a "CSV" like this.
            raise CommandStopped(
                f"The columns of {self.name} are separated by {_SEPARATOR_NAMES[separator[0]]}; save the list with "
                "commas instead.",
                status=WRONG_USAGE,
            )
        header = text.strip()
        if header.lower() in _HEADERS:
            raise CommandStopped(
                f"Line {number} of {self.name}, {header!r}, looks like a header; use --column {shlex.quote(header)}.",
                status=WRONG_USAGE,
            )

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        try:
            yield from records(self.file)
        except RecordWrong as error:
            raise self._stopped(error.number, str(error)) from error

    def _position_of(self, column: str, number: int, header: Sequence[str]) -> int:
        names = [name.strip() for name in header]
        if column in names:
            if names.count(column) > 1:
                raise self._stopped(number, f"has {names.count(column)} columns named {column!r}")
            return names.index(column)
        if not names:
            raise self._stopped(number, f"has no column {column!r}: the list is empty")
        columns = ", ".join(map(repr, names[:_COLUMNS_IN_THE_ERROR]))
        further = " …" if len(names) > _COLUMNS_IN_THE_ERROR else ""
        hint = "; separate columns with commas" if len(names) == 1 and _OTHER_SEPARATORS.search(names[0]) else ""
        raise self._stopped(number, f"has no column {column!r}, only {columns}{further}{hint}")

    def _stopped(self, number: int, problem: str) -> CommandStopped:
        return CommandStopped(f"Line {number} of {self.name} {problem}.", status=WRONG_USAGE)


@contextmanager
def open_list(path: Path, *, columns: Columns, most_each: int) -> Iterator[ParticipantList]:
    """Give the list in a file.

    Raises:
        CommandStopped: it does not exist, cannot be read, or is not a regular file.
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
        if file.read(len(_EXCEL)) == _EXCEL:
            raise CommandStopped(f"{path.name} is an Excel file; save it as CSV (UTF-8).", status=WRONG_USAGE)
        yield ParticipantList(file, name=path.name, columns=columns, most_each=most_each)


def _cell_of(row: Sequence[str], position: int) -> str:
    # Spreadsheets omit empty cells at the end of a line.
    return row[position] if position < len(row) else ""
