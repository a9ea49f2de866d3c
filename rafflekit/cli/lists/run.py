"""The run file next to the output of `participate --from`: it holds the key of the run.

Every line's idempotency key is derived from the run's key, so a ticket whose row was never written is issued again with
the same number and code. The run file is on the disk before the first ticket is issued, and is locked during a run. Its
first line of JSON holds the key, the raffle and the list's layout. Each state of the list that gets tickets adds a
line, and so does the end of a run, with the number of tickets in the output.

While a run has not ended, a line may have a ticket that is not in the output, so its list must stay as it is. After
that, only lines with a ticket in the output must. A line's key depends on its number and text alone: if a run over
changed lines is killed before their rows are written, the next run gets the same tickets.
"""

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import UUID

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.output import TicketFile, list_changed, open_of_run
from rafflekit.cli.lists.people import Line
from rafflekit.cli.lists.preview import Preview
from rafflekit.cli.lists.reading.columns import is_same_name
from rafflekit.cli.lists.reading.csv_records import NO_SEPARATOR
from rafflekit.cli.lists.reading.headers import is_surely_header
from rafflekit.cli.lists.reading.layout import Columns, Layout
from rafflekit.cli.words import shortened
from rafflekit.core.private_files import lock, require_folder, sync

KEY_BYTES = 32

_MARK = b'{"rafflekit_run": 1, '
_LINE_TAG = b"rafflekit line"
# 128 bits cannot be guessed. Longer keys would cost time: the engine looks at every character of a key.
_LINE_KEY_BYTES = 16
_RUN_FILE_BYTES = 1024 * 1024


class LineKeys:
    """The idempotency keys of a run's lines: always the same for the same line and text, and impossible to guess."""

    def __init__(self, run_key: bytes, raffle_id: UUID) -> None:
        self._hash = blake2b(raffle_id.bytes, digest_size=_LINE_KEY_BYTES, key=run_key, person=_LINE_TAG)

    def key_of(self, line: Line) -> str:
        """Return a line's key. A line that repeats another line's text has a different key, so it gets no ticket."""
        keyed = self._hash.copy()
        nth = "" if line.nth == 1 else f".{line.nth}"
        keyed.update(f"{line.number}{nth}:{line.participant}".encode())
        return keyed.hexdigest()


@dataclass(frozen=True, slots=True)
class _ListState:
    """The list that a run issues tickets to: its number of lines, and the hash of their content.

    `tickets` are those in the output, if the run has ended: there are no others then.
    """

    lines: int
    hash: str
    tickets: int | None = None


@dataclass(frozen=True, slots=True)
class _Contents:
    """The content of a run file; `whole_bytes` is where its last complete line ends."""

    raffle: str
    layout: Layout
    run_key: bytes = field(repr=False)
    state: _ListState
    whole_bytes: int


class TicketRun:
    """A run, new or resumed: see `open_run`.

    `read` and `check` its list, then `begin` gives the keys of the lines; `end` it when each line has its rows.

    `layout` is that of the list: as given, and after `read` or in a resumed run, as decided. In a resumed run, the list
    may also have the layout `saved_anew`: with any separator and encoding that the options do not exclude.

    `list_only_grew` says, after `read`, that the list begins with all lines of the list with which the run began last.
    """

    def __init__(self, out: Path, *, raffle_id: UUID, layout: Layout) -> None:
        self._out = out
        self._path = Path(f"{out}.run")
        self._raffle_id = raffle_id
        self._given = layout
        self.layout = layout
        self.saved_anew: Layout | None = None
        self._file: BinaryIO | None = None
        self._contents: _Contents | None = None
        self._state = _ListState(0, "")
        self._first: Line | None = None
        self._written_state: _ListState | None = None
        self._whole_bytes = 0
        self.list_only_grew = True

    def resume(self) -> None:
        """Lock and read the run file, if there is one.

        Raises:
            CommandStopped, InvalidValue: see `open_run`.
        """
        require_folder(self._out, field="--out")
        if self._out.exists() and not self._out.is_file():
            raise CommandStopped(f"--out: {self._out} is not a regular file.", status=WRONG_USAGE)
        if os.path.lexists(self._path):
            self._file = _locked(self._path, "a+b", self._out)
            self._file.seek(0)
            self._contents = _read(self._file.read(_RUN_FILE_BYTES), self._path)
            if self._contents is not None:
                self._written_state = self._contents.state
                self._whole_bytes = self._contents.whole_bytes
        known = self._contents
        if known is None:
            if self._out.exists():
                raise _stopped(
                    self._out,
                    f"already exists, but {self._path.name} is missing or incomplete; give another --out",
                )
        elif known.raffle != str(self._raffle_id):
            raise _stopped(self._path, f"belongs to raffle {known.raffle}; give this raffle's list another --out")
        elif contradicted := " and ".join(_contradicted(known.layout, self.layout)):
            raise _stopped(self._path, f"belongs to a run {contradicted}; rerun it that way, or give another --out")
        else:
            self.layout, self.saved_anew = _resumed(known.layout, self.layout)

    def read(self, preview: Preview) -> int:
        """Read the list to its end, and return the number of lines."""
        self.layout = preview.layout
        known = self._contents.state if self._contents else None
        hashed = blake2b(digest_size=32)
        lines = 0
        for lines, line in enumerate(preview, start=1):
            self._first = self._first or line
            hashed.update(_hashed(line))
            if known is not None and lines == known.lines:
                self.list_only_grew = hashed.hexdigest() == known.hash
        if known is not None and lines < known.lines:
            self.list_only_grew = False
        self._state = _ListState(lines, hashed.hexdigest())
        return lines

    @property
    def has_news(self) -> bool:
        """Whether the list that was read is new to this run, or has changed since it was read last."""
        known = self._contents
        return known is None or (known.state.lines, known.state.hash) != (self._state.lines, self._state.hash)

    def check(self, tickets: TicketFile, *, list_name: str) -> None:
        """Check that the list may be as it is; the rows of the output have been compared with it.

        Raises:
            CommandStopped: the list has changed, and lines may have tickets that are not in the output; or its first
                line has become a header.
        """
        known = self._contents
        if known is not None and not self.list_only_grew and known.state.tickets != tickets.tickets:
            after = f" after line {tickets.last_line}" if tickets.last_line else ""
            raise list_changed(
                f"{list_name} has changed{after} since the last run began, and tickets of that run may be missing in "
                f"{self._out.name}",
                f"Restore {list_name} as it was then and rerun the command. After that, refused lines may change",
            )
        first = self._first
        is_changed = tickets.is_mended and not tickets.last_line
        if first and is_changed and not self.layout.header and self._given.header is None:
            _refuse_header(first, list_name)

    def begin(self, tickets: TicketFile, *, is_complete: bool) -> LineKeys:
        """Write the state of the checked list to the run file, unless it is there, and return the keys of its lines.

        `is_complete` says that the output has all rows.
        """
        known = self._contents
        if self._file is None:
            self._file = _locked(self._path, "x+b", self._out)
        if known is None:
            run_key = secrets.token_bytes(KEY_BYTES)
            self._write(self._file, _key_line(self._raffle_id, self.layout, run_key), self._state)
        else:
            run_key = known.run_key
            if not is_complete or known.state != self._ended(tickets):
                self._write(self._file, b"", self._state)
        return LineKeys(run_key, self._raffle_id)

    def end(self, tickets: TicketFile) -> None:
        """Write to the run file that the output, which is on the disk, has all rows."""
        assert self._file is not None, "it has begun"
        self._write(self._file, b"", self._ended(tickets))

    def _ended(self, tickets: TicketFile) -> _ListState:
        return replace(self._state, tickets=tickets.tickets)

    def _write(self, file: BinaryIO, key_line: bytes, state: _ListState) -> None:
        if state == self._written_state:
            return
        lines = key_line + _state_line(state)
        # Half a line may follow.
        file.truncate(self._whole_bytes)
        file.seek(self._whole_bytes)
        file.write(lines)
        sync(file, self._path)
        self._whole_bytes += len(lines)
        self._written_state = state

    def close(self) -> None:
        """Unlock the run file."""
        if self._file is not None:
            self._file.close()


@contextmanager
def open_run(out: Path, *, raffle_id: UUID, layout: Layout) -> Iterator[TicketRun]:
    """Give the run of an output file, new or resumed; no other process can open it meanwhile.

    Raises:
        CommandStopped: the output was not made by a run of this raffle and layout, or another run is writing it.
        InvalidValue: the folder of the output does not exist.
    """
    with closing(TicketRun(out, raffle_id=raffle_id, layout=layout)) as run:
        run.resume()
        yield run


def _refuse_header(first: Line, list_name: str) -> None:
    """Check a first line that was refused and has changed: the run has decided that it is not a header."""
    if is_surely_header(first.participant):
        found = f"{shortened(first.participant)!r}, looks like a header, but the run began without one"
        raise CommandStopped(
            f"Line {first.number} of {list_name}, {found}. Empty the line, or give --no-header if it is a participant.",
            status=WRONG_USAGE,
        )


def _hashed(line: Line) -> bytes:
    """Return all of a line that decides who gets a ticket."""
    text = line.participant
    return f"{line.number},{line.refusal is None:d},{len(text)}:{text}".encode()


def _locked(path: Path, mode: Literal["a+b", "x+b"], out: Path) -> BinaryIO:
    """Open a file and lock it until it is closed, which the run does. Systems without such locks only open it."""
    busy = _stopped(out, "is being written by another run")
    try:
        file = open_of_run(path, mode)
    except FileExistsError as error:
        raise busy from error
    try:
        lock(file, waits=False)
    except OSError as error:
        file.close()
        if isinstance(error, BlockingIOError):
            raise busy from error
        raise
    return file


def _read(written: bytes, path: Path) -> _Contents | None:
    """Return the content of a run file, or None if its first two lines are incomplete. They are written together."""
    if not written.startswith(_MARK[: len(written)]):
        raise _stopped(path, "was not made by rafflekit; give another --out")
    whole_bytes = written.rfind(b"\n") + 1
    lines = written[:whole_bytes].splitlines()
    if len(lines) < 2:
        return None
    try:
        bound, state = json.loads(lines[0]), json.loads(lines[-1])
        return _Contents(
            raffle=bound["raffle"],
            layout=Layout.from_shape(bound["layout"]),
            run_key=bytes.fromhex(bound["key"]),
            state=_ListState(int(state["lines"]), str(state["blake2b"]), state["tickets"]),
            whole_bytes=whole_bytes,
        )
    except (ValueError, KeyError, TypeError):
        # Not "from": the cause could show the key.
        raise _stopped(path, "is damaged; give another --out") from None


def _resumed(bound: Layout, given: Layout) -> tuple[Layout, Layout]:
    """Return the layout of a resumed run, and the one that its list has if another program has saved it."""
    # The names of two columns may differ in case only, so those that are given count.
    participant = given.columns.participant or bound.columns.participant
    cells = replace(
        bound,
        columns=Columns(participant, given.columns.quantity or bound.columns.quantity),
        sheet=given.sheet or bound.sheet,
    )
    # An option that only repeats what the run knows says nothing of a list that was saved since.
    separator = None if given.separator == bound.separator else given.separator
    encoding = None if given.encoding == bound.encoding else given.encoding
    saved_anew = replace(cells, separator=separator, encoding=encoding)
    if bound.columns.participant or bound.separator == NO_SEPARATOR:
        separator = separator or bound.separator
    else:
        # One column had no separator, and lines that are new may have one.
        separator = given.separator
    return replace(cells, separator=separator, encoding=encoding or bound.encoding), saved_anew


def _contradicted(bound: Layout, given: Layout) -> Iterator[str]:
    """Yield the parts of a run's layout that the options contradict, as options.

    A list that had one column may have got others, of which one is given. A sheet may have another name now.
    """
    columns, wanted = bound.columns, given.columns
    if columns.participant and wanted.participant and not _same_names(columns.participant, wanted.participant):
        yield f"with {' '.join(f'--column {column!r}' for column in columns.participant)}"
    if wanted.quantity is not None and not _same_names([columns.quantity or ""], [wanted.quantity]):
        yield "without --count-column" if columns.quantity is None else f"with --count-column {columns.quantity!r}"
    if given.header not in (None, bound.header):
        yield "with --header" if bound.header else "with --no-header"
    if given.sheet is not None and bound.sheet is None:
        yield "over a CSV file"


def _same_names(some: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether these are the names of the same columns, as far as that can be known without the list."""
    return len(some) == len(others) and all(map(is_same_name, some, others))


def _key_line(raffle_id: UUID, layout: Layout, run_key: bytes) -> bytes:
    line = {"rafflekit_run": 1, "raffle": str(raffle_id), "layout": layout.shape(), "key": run_key.hex()}
    return json.dumps(line).encode() + b"\n"


def _state_line(state: _ListState) -> bytes:
    line = {"lines": state.lines, "blake2b": state.hash, "tickets": state.tickets}
    return json.dumps(line).encode() + b"\n"


def _stopped(path: Path, problem: str) -> CommandStopped:
    return CommandStopped(f"{path} {problem}.", status=WRONG_USAGE)
