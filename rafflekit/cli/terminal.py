"""Lines and Rich consoles: what may be printed where. `render` decides what raffles look like.

Text from other people (an argument, a file's path) reaches a terminal only through `visible`, and the names of raffles
and prizes through `harmless` or `quoted`, so that they cannot imitate a line of ours.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, Protocol, TextIO

from rafflekit.core.protocol.quoting import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

# A raffle's id is shown whole in its panel, and a row of the list keeps room for a name.
_WIDE = 72

_bar: "Progress | None" = None
"""The progress bar that is shown now."""


def forgive_encodings() -> None:
    """Let standard output show characters that its encoding lacks as escapes, as standard error does."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether colours and boxes belong there: on a terminal that is not a dumb one."""
    # TERM describes the terminal and not rafflekit, so it is not one of the `Settings`.
    return stream is not None and stream.isatty() and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}


def console(stream: TextIO) -> "Console":
    """Return a Rich console that reads no markup or emoji codes in a text and highlights nothing."""
    from rich.console import Console

    return Console(file=stream, markup=False, emoji=False, highlight=False)


def has_room_for_boxes() -> bool:
    """Return whether standard output is a terminal that is wide enough for panels and tables."""
    return is_terminal(sys.stdout) and _columns() >= _WIDE


def has_room_for(columns: int, *, of: str) -> bool:
    """Return whether standard output is a terminal that has so many columns and knows the characters `of`."""
    try:
        of.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return is_terminal(sys.stdout) and _columns() >= columns


def say(line: str, *, style: str = "", wraps: bool = False) -> None:
    """Print a line on standard output, at once. `style` is for terminals.

    With `wraps`, a terminal shows it broken between words. Codes, ids and keys are words, so they stay whole.
    """
    _print_line(line, sys.stdout, style=style, wraps=wraps)


def remark(line: str) -> None:
    """Print a line for people on standard error; standard output is for what was asked for."""
    _print_line(line, sys.stderr, style="dim")


def complain(message: str, further: Iterable[str] = ()) -> None:
    """Print why a command failed, on standard error, and the `further` lines below it."""
    for line in (f"rafflekit: {message}", *further):
        _print_line(line, sys.stderr, style="red")


def discard_what_is_stuck() -> None:
    """Discard output that cannot be written. Otherwise Python complains again when it flushes at exit."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            _discard(stream)


def can_ask() -> bool:
    """Return whether a person can be asked a question."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def confirm(question: str) -> bool:
    """Ask on standard error and return whether the answer on standard input is yes. No answer means no.

    The caller makes the texts of other people in the question `harmless`.
    """
    answer = _asked(question)
    return answer.strip().lower() in {"y", "yes"}


def ask_for_text(question: str) -> str:
    """Ask on standard error and return the line that is typed on standard input; no answer is an empty line."""
    return _asked(question).removesuffix("\n")


def _asked(question: str) -> str:
    # The last line keeps the blank at its end, where the answer is typed.
    *lines, last = question.split("\n")
    print(*map(_wrapped, lines), f"{_wrapped(last.rstrip())} ", sep="\n", end="", file=sys.stderr, flush=True)  # noqa: T201
    answer = ""
    try:
        answer = sys.stdin.readline()
    finally:
        # Ctrl-D and Ctrl-C leave the cursor on the line of the question.
        if not answer.endswith("\n"):
            print(file=sys.stderr, flush=True)  # noqa: T201
    return answer


class Advance(Protocol):
    """The function that moves a progress bar."""

    def __call__(self, steps: int = 1) -> None:
        """Move it by a number of steps."""


@contextmanager
def counting(what: str, total: int | None) -> Iterator[Advance]:
    """Show a progress bar on standard error, on a terminal only, and give the function that moves it.

    Without a `total` the bar only shows that something is happening. Lines printed meanwhile appear above the bar.
    """
    if not is_terminal(sys.stderr):
        yield _advance_nothing
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

    last: ProgressColumn = TimeElapsedColumn() if total is None else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), last)
    with Progress(*columns, console=console(sys.stderr), transient=True) as progress, _bar_of(progress):
        task = progress.add_task(visible(what), total=total)

        def advance(steps: int = 1) -> None:
            progress.advance(task, steps)

        yield advance


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something takes a while."""
    with counting(what, None):
        yield


@contextmanager
def _bar_of(bar: "Progress") -> Iterator[None]:
    global _bar  # noqa: PLW0603 - a process has one terminal, and a terminal one bar
    before, _bar = _bar, bar
    try:
        yield
    finally:
        _bar = before


def _discard(stream: TextIO) -> None:
    # It may be closed, or not a file when a program calls `main`.
    with suppress(OSError, ValueError, AttributeError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _advance_nothing(steps: int = 1) -> None:
    pass


def _columns() -> int:
    return shutil.get_terminal_size().columns


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _columns(), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _print_line(line: str, stream: TextIO | None, *, style: str, wraps: bool = False) -> None:
    # For `print`, no stream means standard output.
    if stream is None:
        return
    text = visible(line)
    if wraps and is_terminal(stream):
        text = _wrapped(text)
    if _bar is not None and stream is sys.stderr:
        from rich.text import Text

        # The bar's own console prints above the bar, and then the bar as it last was: first bring it up to date.
        _bar.refresh()
        # A style of `print` would also be the bar's.
        _bar.console.print(Text(text, style=style), soft_wrap=True)
    elif style and is_terminal(stream):
        console(stream).print(text, style=style, soft_wrap=True)
    else:
        print(text, file=stream, flush=True)
