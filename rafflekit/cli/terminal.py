"""Lines and Rich consoles: what may be printed where. `render` decides what the raffles look like.

Text that somebody else wrote (a name, an argument, a file's path) reaches a terminal only through `visible`.
"""

import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, Protocol, TextIO

from rafflekit.core import limits

if TYPE_CHECKING:
    from rich.console import Console

# Embeddings, overrides and isolates reorder what stands beside them: https://www.unicode.org/reports/tr9/
_REORDERING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str) -> str:
    r"""Return a text that shows what it holds: control characters, line breaks and bidi overrides as escapes.

    >>> visible("a\x1b[31mb\u202e")
    'a\\x1b[31mb\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def forgive_encodings() -> None:
    """Let standard output show a character that its encoding lacks as an escape, as standard error does anyway."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether colours and boxes have a place there: on a terminal, unless it is a dumb one."""
    return stream is not None and stream.isatty() and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}


def console(stream: TextIO) -> "Console":
    """Return a Rich console that takes no text for markup, an emoji code or a thing to highlight."""
    from rich.console import Console

    return Console(file=stream, markup=False, emoji=False, highlight=False)


def say(line: str, *, style: str = "") -> None:
    """Print a line on standard output, at once; `style` counts on a terminal."""
    _print_line(line, sys.stdout, style=style)


def remark(line: str) -> None:
    """Print a line for people on standard error: standard output is for what was asked for."""
    _print_line(line, sys.stderr, style="dim")


def complain(message: str) -> None:
    """Print why a command failed, on standard error."""
    _print_line(f"rafflekit: {message}", sys.stderr, style="red")


def discard_what_is_stuck() -> None:
    """Let output that cannot be written go nowhere, or Python complains once more when it flushes at its end."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            _discard(stream)


def can_ask() -> bool:
    """Tell whether somebody is there to answer a question."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def confirm(question: str) -> bool:
    """Ask on standard error and return whether the answer on standard input is yes; its end means no.

    The question is printed as it is: what people gave in it has gone through `visible`.
    """
    print(question, end="", file=sys.stderr, flush=True)  # noqa: T201
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


class Advance(Protocol):
    """The function that moves a progress bar on."""

    def __call__(self, steps: int = 1) -> None:
        """Move it by so many steps."""


@contextmanager
def counting(what: str, total: int | None) -> Iterator[Advance]:
    """Show a progress bar on standard error, on a terminal only, and give the function that moves it.

    Without a `total` the bar only shows that something goes on.
    """
    if not is_terminal(sys.stderr):
        yield _advance_nothing
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

    last: ProgressColumn = TimeElapsedColumn() if total is None else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), last)
    with Progress(*columns, console=console(sys.stderr), transient=True) as progress:
        task = progress.add_task(visible(what), total=total)

        def advance(steps: int = 1) -> None:
            progress.advance(task, steps)

        yield advance


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something takes its time."""
    with counting(what, None):
        yield


def _discard(stream: TextIO) -> None:
    # It may be closed, or no file at all when a program calls `main`.
    with suppress(OSError, ValueError, AttributeError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _advance_nothing(steps: int = 1) -> None:
    pass


def _print_line(line: str, stream: TextIO | None, *, style: str) -> None:
    # To `print` no stream means standard output.
    if stream is None:
        return
    if style and is_terminal(stream):
        console(stream).print(visible(line), style=style, soft_wrap=True)
    else:
        print(visible(line), file=stream, flush=True)


def _visible_character(character: str) -> str:
    if character in _REORDERING or unicodedata.category(character) in limits.UNPRINTABLE_CATEGORIES:
        return character.encode("unicode_escape").decode("ascii")
    return character
