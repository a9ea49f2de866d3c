"""The run file next to the output of `participate --from`: it holds the key of the run.

Every line's idempotency key is derived from the run's key, so a ticket whose row was never written is issued again with
the same number and code. The run file is on the disk before the first ticket is issued, and is locked during a run. Its
first line of JSON holds the key, the raffle and the list's layout. Each state of the list that gets tickets adds a
line, and so does the end of a run, with the number of tickets in the output.

While a run has not ended, a line may have a ticket that is not in the output, so its list must stay as it is. After
that, only lines with a ticket in the output must. A line's key depends on its number and text alone: if a run over
changed lines is killed before their rows are written, the next run gets the same tickets.

The list's file is read several times, and anyone may save it meanwhile. Every reading after the first gives only lines
whose hash is the same, so that no one gets a ticket whom the preview did not count.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import UUID

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.output import TicketFile, list_changed
from rafflekit.cli.lists.people import Line, ParticipantList
from rafflekit.cli.lists.preview import Preview
from rafflekit.cli.lists.reading.layout import Layout
from rafflekit.core.private_files import lock, private, require_folder, sync

KEY_BYTES = 32

_MARK = b'{"rafflekit_run": 1, '
_LINE_TAG = b"rafflekit line"
# 128 bits cannot be guessed. Longer keys would cost time: the engine looks at every character of a key.
_LINE_KEY_BYTES = 16
_RUN_FILE_BYTES = 1024 * 1024
_LINES_AT_ONCE = 10_000


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

    `read` and `check` its list, then `begin` gives the keys of the lines; `end` it when each line has its rows. After
    `read`, use only the lines that `unchanged` gives.

    `layout` is that of the list: as given, and after `read` or in a resumed run, as decided. In a resumed run, the list
    may also have the layout `saved_anew`: with any separator and encoding.
    """

    def __init__(self, out: Path, *, raffle_id: UUID, layout: Layout) -> None:
        self._out = out
        self._path = Path(f"{out}.run")
        self._raffle_id = raffle_id
        self.layout = layout
        self.saved_anew: Layout | None = None
        self._file: BinaryIO | None = None
        self._contents: _Contents | None = None
        self._state = _ListState(0, "")
        self._written_state: _ListState | None = None
        self._whole_bytes = 0
        self._list_only_grew = True
        # Of the lines so far, after each `_LINES_AT_ONCE` and at the end.
        self._hashes: list[bytes] = []

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
        elif not self.layout.agrees_with(known.layout):
            raise _stopped(
                self._path, f"belongs to a run {_described(known.layout)}; rerun it that way, or give another --out"
            )
        else:
            given, bound = self.layout, known.layout
            self.saved_anew = replace(bound, separator=given.separator, encoding=given.encoding)
            self.layout = replace(
                bound, separator=given.separator or bound.separator, encoding=given.encoding or bound.encoding
            )

    def read(self, people: Preview) -> int:
        """Read the list to its end, and return the number of lines."""
        self.layout = people.layout
        known = self._contents.state if self._contents else None
        hashed = _hash_of_lines()
        lines = 0
        for lines, line in enumerate(people, start=1):
            hashed.update(_hashed(line))
            if known is not None and lines == known.lines:
                self._list_only_grew = hashed.hexdigest() == known.hash
            if lines % _LINES_AT_ONCE == 0:
                self._hashes.append(hashed.digest())
        if known is not None and lines < known.lines:
            self._list_only_grew = False
        self._state = _ListState(lines, hashed.hexdigest())
        self._hashes.append(hashed.digest())
        return lines

    def unchanged(self, people: ParticipantList) -> Iterator[Line]:
        """Yield the lines again that `read` saw. Lines that were added to the list since then wait for the next run.

        Raises:
            CommandStopped: the list has changed since then. No line that has changed was yielded.
        """
        lines = islice(people, self._state.lines)
        hashed = _hash_of_lines()
        for hash_so_far in self._hashes:
            some = list(islice(lines, _LINES_AT_ONCE))
            for line in some:
                hashed.update(_hashed(line))
            if hashed.digest() != hash_so_far:
                raise CommandStopped(
                    f"{people.name} was changed while the command ran. Rerun the command: it reads the list anew.",
                    status=WRONG_USAGE,
                )
            yield from some

    @property
    def has_news(self) -> bool:
        """Whether the list that was read is new to this run, or has changed since it was read last."""
        known = self._contents
        return known is None or (known.state.lines, known.state.hash) != (self._state.lines, self._state.hash)

    def check(self, tickets: TicketFile, *, list_name: str) -> None:
        """Check that the list may be as it is; the rows of the output have been compared with it.

        Raises:
            CommandStopped: the list has changed, and lines may have tickets that are not in the output.
        """
        known = self._contents
        if known is not None and not self._list_only_grew and known.state.tickets != tickets.tickets:
            raise list_changed(
                f"{list_name} has changed after line {tickets.last_line} since the last run began, and tickets of that "
                f"run may be missing in {self._out.name}",
                f"Restore {list_name} as it was then and rerun the command. After that, refused lines may change",
            )

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


def _hash_of_lines() -> blake2b:
    return blake2b(digest_size=32)


def _hashed(line: Line) -> bytes:
    """Return all of a line that decides who gets a ticket."""
    text = line.participant
    return f"{line.number},{line.refusal is None:d},{len(text)}:{text}".encode()


def _locked(path: Path, mode: Literal["a+b", "x+b"], out: Path) -> BinaryIO:
    """Open a file and lock it until it is closed. Systems without such locks only open it."""
    busy = _stopped(out, "is being written by another run")
    try:
        file = open(path, mode, opener=private)  # noqa: SIM115 - closing it unlocks it: the run does
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


def _described(layout: Layout) -> str:
    options = f"with {' '.join(layout.options())}"
    return options if layout.columns.participant else f"without --column, {options}"


def _key_line(raffle_id: UUID, layout: Layout, run_key: bytes) -> bytes:
    line = {"rafflekit_run": 1, "raffle": str(raffle_id), "layout": layout.shape(), "key": run_key.hex()}
    return json.dumps(line).encode() + b"\n"


def _state_line(state: _ListState) -> bytes:
    return json.dumps({"lines": state.lines, "blake2b": state.hash, "tickets": state.tickets}).encode() + b"\n"


def _stopped(path: Path, problem: str) -> CommandStopped:
    return CommandStopped(f"{path} {problem}.", status=WRONG_USAGE)
