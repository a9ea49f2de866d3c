"""The run file beside the output of `participate --from`: the key from which every line's idempotency key is derived.

It is on disk before the first ticket is issued, so that a ticket whose row was never written comes out again with the
same number and code. It also says for which raffle, column and list the key is, and is locked during a run. It holds
JSON: a line that binds the key, and one for each state of the list that got tickets. It only grows.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import UUID

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.people import Line, ParticipantList
from rafflekit.core.private_files import lock, private, sync

KEY_BYTES = 32

_MARK = b'{"rafflekit_run": 1, '
_LINE_TAG = b"rafflekit line"
# No one guesses 128 bits, and the engine looks at every character of a key.
_LINE_KEY_BYTES = 16
_RUN_FILE_BYTES = 1024 * 1024


class LineKeys:
    """The idempotency keys of a run's lines: the same for the same line and text, and not to be guessed."""

    def __init__(self, run_key: bytes, raffle_id: UUID) -> None:
        self._hash = blake2b(raffle_id.bytes, digest_size=_LINE_KEY_BYTES, key=run_key, person=_LINE_TAG)

    def key_of(self, line: Line) -> str:
        """Return a line's key; a line that repeats another one's text has a key of its own, and so no ticket."""
        keyed = self._hash.copy()
        keyed.update(f"{line.number}:{line.participant}".encode())
        return keyed.hexdigest()


@dataclass(frozen=True, slots=True)
class _ListState:
    """The list that a run issues tickets to: its number of lines, and the hash of what they say."""

    lines: int
    hash: str


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a run file says; `whole_bytes` is where its last complete line ends."""

    raffle: str
    column: str | None
    run_key: bytes = field(repr=False)
    state: _ListState
    whole_bytes: int


class TicketRun:
    """A run, new or resumed: see `open_run`. `read` its list, then `begin` gives the keys of the lines."""

    def __init__(self, out: Path, *, raffle_id: UUID, column: str | None) -> None:
        self._out = out
        self._path = Path(f"{out}.run")
        self._raffle_id = raffle_id
        self._column = column
        self._file: BinaryIO | None = None
        self._contents: _Contents | None = None
        self._state = _ListState(0, "")
        self._list_goes_on = True

    def go_on(self) -> None:
        """Lock and read the run file, if there is one.

        Raises:
            CommandStopped: see `open_run`.
        """
        if not self._out.parent.is_dir():
            raise CommandStopped(f"--out: there is no folder {self._out.parent}.", status=WRONG_USAGE)
        if self._out.exists() and not self._out.is_file():
            raise CommandStopped(f"--out: {self._out} is no file that tickets could be kept in.", status=WRONG_USAGE)
        if self._path.exists():
            self._file = _locked(self._path, "a+b", self._out)
            self._file.seek(0)
            self._contents = _read(self._file.read(_RUN_FILE_BYTES), self._path)
        known = self._contents
        if known is None:
            if self._out.exists():
                raise _stopped(
                    self._out, f"is there already, but no complete {self._path.name} to go on with; give another --out"
                )
        elif known.raffle != str(self._raffle_id):
            raise _stopped(self._path, f"belongs to raffle {known.raffle}; give this raffle's list another --out")
        elif known.column != self._column:
            before = "without --column" if known.column is None else f"with --column {known.column!r}"
            raise _stopped(self._path, f"belongs to a run {before}; rerun it that way, or give another --out")

    def read(self, people: ParticipantList) -> int:
        """Read the list to its end, and return how many lines it has.

        Raises:
            CommandStopped: it cannot be read to its end, or has no line.
        """
        known = self._contents.state if self._contents else None
        hashed = blake2b(digest_size=32)
        lines = 0
        for lines, line in enumerate(people, start=1):
            text = line.participant
            hashed.update(f"{line.number},{line.refusal is None:d},{len(text)}:{text}".encode())
            if known is not None and lines == known.lines:
                self._list_goes_on = hashed.hexdigest() == known.hash
        if not lines:
            raise CommandStopped(f"{people.name} has no participant in any line.", status=WRONG_USAGE)
        if known is not None and lines < known.lines:
            self._list_goes_on = False
        self._state = _ListState(lines, hashed.hexdigest())
        return lines

    def begin(self, *, list_name: str, last_line: int) -> LineKeys:
        """Return the keys of the lines of the list that was read, when the disk holds what they come from.

        The list is known to be unchanged up to `last_line`.

        Raises:
            CommandStopped: it has changed where tickets may have been issued that have no row yet.
        """
        if not self._list_goes_on:
            raise CommandStopped(
                f"{list_name} has changed after line {last_line} since this run began, where tickets may have been "
                f"handed out that are not written yet. Put {list_name} back as it was (lines may be added at its end), "
                "or give a new list another --out.",
                status=WRONG_USAGE,
            )
        if self._file is None:
            self._file = _locked(self._path, "x+b", self._out)
        known = self._contents
        if known is None:
            run_key = secrets.token_bytes(KEY_BYTES)
            self._write(self._file, 0, _key_line(self._raffle_id, self._column, run_key) + _state_line(self._state))
        else:
            run_key = known.run_key
            if known.state != self._state:
                self._write(self._file, known.whole_bytes, _state_line(self._state))
        return LineKeys(run_key, self._raffle_id)

    def close(self) -> None:
        """Unlock the run file."""
        if self._file is not None:
            self._file.close()

    def _write(self, file: BinaryIO, position: int, lines: bytes) -> None:
        file.truncate(position)
        file.seek(position)
        file.write(lines)
        sync(file, self._path)


@contextmanager
def open_run(out: Path, *, raffle_id: UUID, column: str | None) -> Iterator[TicketRun]:
    """Give the run of an output file, new or resumed, for this process alone.

    Raises:
        CommandStopped: the output was made by no run, or by that of another raffle or column, or another run is active.
    """
    with closing(TicketRun(out, raffle_id=raffle_id, column=column)) as run:
        run.go_on()
        yield run


def _locked(path: Path, mode: Literal["a+b", "x+b"], out: Path) -> BinaryIO:
    """Open a file, locked until it is closed; where the system has no such locks, it is only opened."""
    busy = _stopped(out, "is being written by another run at this moment")
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
    """Return what a run file says, or None where its first two lines, which are written at once, are not complete."""
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
            column=bound["column"],
            run_key=bytes.fromhex(bound["key"]),
            state=_ListState(int(state["lines"]), str(state["blake2b"])),
            whole_bytes=whole_bytes,
        )
    except (ValueError, KeyError, TypeError):
        # Not "from": the cause could show the key.
        raise _stopped(path, "is damaged; give another --out") from None


def _key_line(raffle_id: UUID, column: str | None, run_key: bytes) -> bytes:
    line = {"rafflekit_run": 1, "raffle": str(raffle_id), "column": column, "key": run_key.hex()}
    return json.dumps(line).encode() + b"\n"


def _state_line(state: _ListState) -> bytes:
    return json.dumps({"lines": state.lines, "blake2b": state.hash}).encode() + b"\n"


def _stopped(path: Path, problem: str) -> CommandStopped:
    return CommandStopped(f"{path} {problem}.", status=WRONG_USAGE)
