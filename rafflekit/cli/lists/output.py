"""The output of `participate --from`: a CSV file with one row for each line of the list, in the same order.

New rows are added at the end. If the writer was killed, the file may end with half a row. Everything before it is
complete, and a run resumes after the last complete row. If rows in the middle change, because refused lines were
mended, a new file replaces the whole output at once.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from glob import escape
from itertools import chain, count, groupby, islice, pairwise
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from rafflekit.cli.failures import IO_FAILED, WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.people import REFUSED_BY_ITSELF, Line
from rafflekit.cli.spreadsheets import defused
from rafflekit.core import limits
from rafflekit.core.models import Ticket
from rafflekit.core.private_files import NotPrivate, partial_file, private, sync, sync_name
from rafflekit.core.protocol.quoting import visible

HEADER = "line,participant,ticket_number,verification_code,refusal\n"

# Longer than any row: a participant's text is cut, and a character takes at most 10 bytes when it is shown.
_ROW_BYTES = 64 * 1024
_ROW = re.compile(
    rb'(?P<beginning>(?P<number>[0-9]{1,18}),(?:[^",\n]*+|"(?:[^"\n]++|"")*+"),)'
    rb"(?:(?P<ticket>[0-9]+,[0-9A-Z-]+,)|,,(?P<refusal>[^\r\n]+))\n"
)
# Of the run of the same list, whose key is there.
_WRITTEN_AGAIN = "rerun the command: until the draw, it writes the same numbers and codes again"
_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")
_NEEDS_QUOTES = re.compile('[",;]')
_BETWEEN_CELLS = re.compile("[,;|\t]")


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


class Row(NamedTuple):
    """A row of an output: its own line, the line of the list, how it begins, and its refusal (None with a ticket)."""

    position: int
    number: int
    beginning: bytes
    refusal: bytes | None
    written: bytes

    def fits(self, line: Line) -> bool:
        """Return whether the row may be this line's: it has the same text, and the refusal that the line shows."""
        if self.beginning != _beginning(line).encode():
            return False
        return _refusal_by_itself(self.refusal) == (line.refusal and _cell(line.refusal).encode())


class LineRows(NamedTuple):
    """All that a list and an output have of one line number; one of them may have nothing of it.

    `is_kept` says that the rows stay as they are. Otherwise all of them are refusals, and the lines get new rows.
    """

    lines: Sequence[Line]
    rows: Sequence[Row]
    is_kept: bool


class TicketFile:
    """The output file of one list: first `take_up` its rows, then `append` new ones.

    `tickets` and `refused` count all rows that fit their lines. `last_line` is the number of the last line up to which
    the lines have all their rows, and `last_refused` that of the last line that has a refusal. `is_mended` says that
    rows with a refusal do not fit their lines: then the output must be rewritten, and taken up again.

    `got_ticket` is called with each line that has a ticket. If the `list_only_grew`, a row with a ticket that does not
    fit its line was changed by another program.
    """

    def __init__(
        self,
        path: Path,
        got_ticket: Callable[[Line], object] = lambda _line: None,
        *,
        list_only_grew: bool = False,
    ) -> None:
        self.path = path
        self._got_ticket = got_ticket
        self._list_only_grew = list_only_grew
        self._start()

    def _start(self) -> None:
        self.tickets = 0
        self.refused = 0
        self.last_line = 0
        self.last_refused = 0
        self.is_mended = False
        self._whole_bytes = 0

    def take_up(self, lines: Iterator[Line], *, list_name: str) -> Iterator[Line]:
        """Compare every complete row with the `lines`; return the lines that have no row yet, unless some are mended.

        The file is not changed.

        Raises:
            CommandStopped: a row with a ticket does not fit its line of the list, or the file is not an output.
        """
        self._start()
        rest: Sequence[Line] = ()
        for each in self.compared(lines, list_name=list_name):
            self.is_mended |= not each.is_kept
            if each.is_kept:
                for row, line in zip(each.rows, each.lines, strict=False):
                    self.count(line, has_ticket=row.refusal is None)
                rest = each.lines[len(each.rows) :]
        return chain(rest, lines)

    def compared(self, lines: Iterator[Line], *, list_name: str) -> Iterator[LineRows]:
        """Yield the lines and the rows together, up to the last complete row.

        Raises:
            CommandStopped: as `take_up` says.
        """
        ahead: Sequence[Line] = ()
        groups = (tuple(rows) for _, rows in groupby(self._rows(), key=_number_of))
        for rows, following in pairwise(chain(groups, [()])):
            number = rows[0].number
            ahead = ahead or _next_line(lines)
            while ahead and ahead[0].number < number:
                yield LineRows(ahead, (), is_kept=False)
                ahead = _next_line(lines)
            of_row: Sequence[Line] = ()
            if ahead and ahead[0].number == number:
                of_row, ahead = ahead, ()
            # Only the last line may lack rows: its run was killed before it wrote them.
            is_kept = len(rows) == len(of_row) or (not following and len(rows) < len(of_row))
            is_kept = is_kept and all(row.fits(line) for row, line in zip(rows, of_row, strict=False))
            if not is_kept:
                self._refuse_to_lose_tickets(rows, of_row, list_name)
            yield LineRows(of_row, rows, is_kept)
        if ahead:
            yield LineRows(ahead, (), is_kept=False)

    def lacking(self, lines: Iterator[Line], *, list_name: str) -> Iterator[Line]:
        """Yield the lines that will get new rows: those that have changed, and those that have no row.

        Raises:
            CommandStopped: as `take_up` says.
        """
        for each in self.compared(lines, list_name=list_name):
            yield from each.lines[len(each.rows) if each.is_kept else 0 :]
        yield from lines

    @contextmanager
    def append(self) -> Iterator["TicketWriter"]:
        """Give a writer that resumes after the last complete row; half a row is cut off.

        Success is safe only after its `sync`.
        """
        with self._naming_itself(), open_of_run(self.path, "ab") as file:
            file.truncate(self._whole_bytes)
            if not self._whole_bytes:
                file.write(HEADER.encode())
            yield TicketWriter(self, file)

    @contextmanager
    def rewrite(self) -> Iterator["TicketWriter"]:
        """Give a writer of all rows; they replace the output at the end, and without success it stays as it is."""
        # Of runs that were killed here. They may hold codes, and no other run is at work.
        for left in self.path.parent.glob(f"{escape(self.path.name)}.*"):
            if _PARTIAL.fullmatch(left.name, len(self.path.name)):
                left.unlink()
        with self._naming_itself(), partial_file(self.path) as partial:
            with partial.open("wb") as file:
                file.write(HEADER.encode())
                yield TicketWriter(self, file)
                sync(file, partial)
            partial.replace(self.path)
            sync_name(self.path)

    def count(self, line: Line, *, has_ticket: bool) -> None:
        """Count a line's row."""
        if has_ticket:
            self.tickets += 1
            self._got_ticket(line)
        else:
            self.refused += 1
            self.last_refused = line.number
        if line.nth == line.tickets and not self.is_mended:
            self.last_line = line.number

    def _rows(self) -> Iterator[Row]:
        try:
            file = open_of_run(self.path, "rb")
        except FileNotFoundError:
            return
        with file:
            header = file.readline(_ROW_BYTES)
            if header != HEADER.encode():
                if HEADER.encode().startswith(header):
                    return
                # Of this raffle's run, so even if the file is something else, nothing is lost.
                raise self._stopped(
                    "is not as the run wrote it: another program has saved it in its own format. Move the file away "
                    f"and {_WRITTEN_AGAIN}"
                )
            self._whole_bytes = len(header)
            for position in count(2):
                written = file.readline(_ROW_BYTES)
                if not written.endswith(b"\n"):
                    if file.read(1):
                        raise self._damaged(position)
                    return
                found = _ROW.fullmatch(written)
                if found is None:
                    raise self._damaged(position)
                self._whole_bytes += len(written)
                yield Row(position, int(found["number"]), found["beginning"], found["refusal"], written)

    @contextmanager
    def _naming_itself(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # A full disk does not say which file it has no room for.
            if error.filename is None:
                error.filename = str(self.path)
            raise

    def _refuse_to_lose_tickets(self, rows: Sequence[Row], lines: Sequence[Line], list_name: str) -> None:
        with_ticket = next((row for row in rows if row.refusal is None), None)
        if with_ticket is None:
            return
        if self._list_only_grew:
            raise self._stopped(
                f"is not as the run wrote it: line {with_ticket.position} does not match line {with_ticket.number} of "
                f"{list_name}, which has not changed. Move the file away and {_WRITTEN_AGAIN}"
            )
        here = f"line {with_ticket.position} of {self.path.name}"
        raise list_changed(
            f"Line {with_ticket.number} of {list_name} does not match {here}, which has a ticket"
            if lines
            else f"Line {with_ticket.number} is missing in {list_name}, and {here} has its ticket",
            f"Restore {list_name}: lines with tickets must stay as they are and where they are. Only refused lines may "
            f"change, and new lines go to the end{_advice_if_in_column(with_ticket, lines)}",
        )

    def _damaged(self, position: int) -> CommandStopped:
        return self._stopped(f"is damaged in line {position}. Delete that line and all after it, and {_WRITTEN_AGAIN}")

    def _stopped(self, problem: str) -> CommandStopped:
        return CommandStopped(f"{self.path} {problem}.", status=WRONG_USAGE)


class TicketWriter:
    """Writes rows of a ticket file."""

    def __init__(self, tickets: TicketFile, file: BinaryIO) -> None:
        self.tickets = tickets
        self._file = file

    def write(self, line: Line, outcome: Ticket | str) -> None:
        """Add the row of a line: its ticket, or the reason why it got none."""
        self._file.write(row(line, outcome).encode())
        self.tickets.count(line, has_ticket=isinstance(outcome, Ticket))

    def copy(self, line_rows: LineRows) -> None:
        """Add rows that are kept, byte for byte."""
        self._file.writelines(row.written for row in line_rows.rows)

    def flush(self) -> None:
        """Hand the rows to the operating system, so that they outlive the process."""
        self._file.flush()

    def sync(self) -> None:
        """Return when the rows are on the disk, where they outlive a power cut."""
        sync(self._file, self.tickets.path)


def open_of_run(path: Path, mode: Literal["rb", "ab", "a+b", "x+b"]) -> BinaryIO:
    """Open a private file of a run, or make it.

    Raises:
        CommandStopped: we have no right to read or to write it.
        OSError: as `private` says.
    """
    try:
        return open(path, mode, opener=private)
    except NotPrivate:
        raise
    except PermissionError as error:
        raise CommandStopped(
            f"{path} cannot be opened: {error.strerror}. Give yourself the right to read and write it, and rerun the "
            "command.",
            status=IO_FAILED,
        ) from error


def list_changed(what: str, way_out: str) -> CommandStopped:
    """Return the error for a list that is not the one with which its run began."""
    return CommandStopped(f"{what}. {way_out}. A new list needs another --out.", status=WRONG_USAGE)


def _advice_if_in_column(row: Row, lines: Sequence[Line]) -> str:
    """Return what to do if the list seems to have got further columns; the row's text is in one of them."""
    # A line with too many columns is refused by itself.
    for line in (line for line in lines if line.refusal is None):
        for cell in _BETWEEN_CELLS.split(line.participant):
            if _beginning(line._replace(participant=cell)).encode() == row.beginning:
                return ". If the list has got other columns or another separator, give --column or --separator"
    return ""


def _number_of(row: Row) -> int:
    return row.number


def _next_line(lines: Iterator[Line]) -> Sequence[Line]:
    """Return the next line of a list, once for each of its tickets; nothing at the end."""
    first = next(lines, None)
    return () if first is None else (first, *islice(lines, first.tickets - 1))


def _beginning(line: Line) -> str:
    return f"{line.number},{_cell(shown(line.participant))},"


def _cell(text: str) -> str:
    if not _NEEDS_QUOTES.search(text) and text == text.strip():
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _refusal_by_itself(cell: bytes | None) -> bytes | None:
    """Return a cell with a refusal that the line itself showed, or None."""
    return cell if cell is not None and cell.lstrip(b'"').startswith(REFUSED_BY_ITSELF.encode()) else None
