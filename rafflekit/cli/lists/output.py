"""The output of `participate --from`: a CSV file with one row for each line of the list, in the same order.

Rows are only added. If the writer was killed, the file may end with half a row. Everything before it is complete, and a
run resumes after the last complete row.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TextIO

from rafflekit.cli.cells import defused
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.people import REFUSED_BY_ITSELF, Line, list_changed
from rafflekit.core import limits
from rafflekit.core.models import Ticket
from rafflekit.core.private_files import private, sync
from rafflekit.core.protocol.quoting import visible

HEADER = "line,participant,ticket_number,verification_code,refusal\n"

# Longer than any row: a participant's text is cut, and a character takes at most 10 bytes when it is shown.
_ROW_BYTES = 64 * 1024
_OUTCOME = re.compile(rb"(?P<ticket>[0-9]+,[0-9A-Z-]+,)\n|,,(?P<refusal>[^\r\n]+)\n")
_LINE_NUMBER = re.compile(rb"[0-9]{1,18}")
_NEEDS_QUOTES = re.compile(r'[",;]|^\s|\s$')


def shown(participant: str) -> str:
    r"""Return a participant's text as a row shows it: on one line, not too long, and not a formula for a spreadsheet.

    >>> shown("ann"), shown("a\nb"), shown("=1+1"), shown("+49 170 12345")
    ('ann', 'a\\nb', "'=1+1", '+49 170 12345')
    """
    if len(participant) > limits.PARTICIPANT_CHARACTERS:
        participant = f"{participant[: limits.PARTICIPANT_CHARACTERS]}…"
    return defused(visible(participant))


def row(line: Line, outcome: Ticket | str) -> str:
    """Return the row of a line: its ticket, or the reason why it got none."""
    if isinstance(outcome, Ticket):
        return f"{_beginning(line)}{outcome.number},{outcome.verification_code},\n"
    return f"{_beginning(line)},,{_cell(outcome)}\n"


class TicketFile:
    """The output file of one list: first `take_up` its rows, then `append` new ones.

    `tickets` and `refused` count all rows. `last_line` is the number of the last line that has all its rows, and
    `last_refused` that of the last line that has a refusal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tickets = 0
        self.refused = 0
        self.last_line = 0
        self.last_refused = 0
        self._whole_bytes = 0

    def take_up(self, lines: Iterator[Line], *, list_name: str) -> int:
        """Compare every complete row with the next of the `lines`; return the number of rows.

        The file is not changed.

        Raises:
            CommandStopped: a row does not match its line of the list, or the file is not an output.
        """
        try:
            file = open(self.path, "rb", opener=private)  # noqa: SIM115 - closed below
        except FileNotFoundError:
            return 0
        with file:
            header = file.readline(_ROW_BYTES)
            if header != HEADER.encode():
                if HEADER.encode().startswith(header):
                    return 0
                if header.strip(b"\xef\xbb\xbf\r\n") == HEADER.strip().encode():
                    raise self._stopped(
                        "was saved by another program, which changed its format. Move the file away and rerun the "
                        "command: until the draw, it writes the same numbers and codes again"
                    )
                raise self._stopped("was not made by 'rafflekit participate'; give another --out")
            self._whole_bytes = len(header)
            for number in count(2):
                written = file.readline(_ROW_BYTES)
                if not written.endswith(b"\n"):
                    if file.read(1):
                        raise self._damaged(number)
                    break
                self._take_row(written, number, next(lines, None), list_name)
        return self.tickets + self.refused

    @contextmanager
    def append(self) -> Iterator["TicketWriter"]:
        """Give a writer that resumes after the last complete row; half a row is cut off.

        Success is safe only after its `sync`.
        """
        try:
            with open(self.path, "a", encoding="utf-8", newline="", opener=private) as file:
                file.truncate(self._whole_bytes)
                if not self._whole_bytes:
                    file.write(HEADER)
                yield TicketWriter(self, file)
        except OSError as error:
            # A full disk does not say which file it has no room for.
            if error.filename is None:
                error.filename = str(self.path)
            raise

    def count(self, line: Line, *, got_ticket: bool) -> None:
        """Count a line's row."""
        self.tickets += got_ticket
        if not got_ticket:
            self.refused += 1
            self.last_refused = line.number
        if line.nth == line.tickets:
            self.last_line = line.number

    def _take_row(self, written: bytes, number: int, line: Line | None, list_name: str) -> None:
        if line is None:
            what = f"{list_name} has fewer lines than {self.path.name} has rows"
            raise list_changed(what, list_name=list_name)
        beginning = _beginning(line).encode()
        if not written.startswith(beginning):
            # If a line asks for another number of tickets, the rows of the next one are compared with it, or its rows
            # with the next one.
            of_row = _LINE_NUMBER.match(written)
            changed = line.number if of_row is None else min(line.number, int(of_row[0]))
            raise self._mismatch(changed, number, list_name)
        outcome = _OUTCOME.fullmatch(written, len(beginning))
        if outcome is None:
            raise self._damaged(number)
        if _refusal_by_itself(outcome["refusal"]) != (line.refusal and _cell(line.refusal).encode()):
            raise self._mismatch(line.number, number, list_name)
        self._whole_bytes += len(written)
        self.count(line, got_ticket=outcome["ticket"] is not None)

    def _mismatch(self, line: int, row: int, list_name: str) -> CommandStopped:
        what = f"Line {line} of {list_name} does not match line {row} of {self.path.name}"
        return list_changed(what, list_name=list_name)

    def _damaged(self, number: int) -> CommandStopped:
        return self._stopped(
            f"is damaged in line {number}. Delete that line and all after it, and rerun the command: until the draw, "
            "it writes the same numbers and codes again"
        )

    def _stopped(self, problem: str) -> CommandStopped:
        return CommandStopped(f"{self.path} {problem}.", status=WRONG_USAGE)


class TicketWriter:
    """Writes rows at the end of a ticket file."""

    def __init__(self, tickets: TicketFile, file: TextIO) -> None:
        self.tickets = tickets
        self._file = file

    def write(self, line: Line, outcome: Ticket | str) -> None:
        """Add the row of a line: its ticket, or the reason why it got none."""
        self._file.write(row(line, outcome))
        self.tickets.count(line, got_ticket=isinstance(outcome, Ticket))

    def flush(self) -> None:
        """Hand the rows to the operating system, so that they outlive the process."""
        self._file.flush()

    def sync(self) -> None:
        """Return when the rows are on the disk, where they outlive a power cut."""
        sync(self._file, self.tickets.path)


def _beginning(line: Line) -> str:
    return f"{line.number},{_cell(shown(line.participant))},"


def _cell(text: str) -> str:
    if not _NEEDS_QUOTES.search(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _refusal_by_itself(cell: bytes | None) -> bytes | None:
    """Return a cell with a refusal that the line itself showed, or None."""
    return cell if cell is not None and cell.lstrip(b'"').startswith(REFUSED_BY_ITSELF.encode()) else None
