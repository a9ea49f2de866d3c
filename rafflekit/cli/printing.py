"""How a thing is printed: one line of JSON, fields, rows, or Rich's panels and tables. `render` has the rules."""

import json
import sys
from typing import TYPE_CHECKING

from rafflekit.cli import terminal
from rafflekit.core.models import Item, Page
from rafflekit.core.protocol.quoting import harmless

if TYPE_CHECKING:
    from rich.console import RenderableType


def print_json(shape: object) -> None:
    """Print one line of JSON."""
    text = json.dumps(shape, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        # For a terminal without UTF-8: the same JSON in ASCII.
        text = json.dumps(shape)
    # Flushed at once: the next step may fail, and this may be a code that is shown only once.
    print(text, flush=True)  # noqa: T201


def print_fields(*fields: tuple[str, object]) -> None:
    """Print one `name: value` line per field."""
    for name, value in fields:
        terminal.say(f"{name}: {value}", wraps=True)


def print_row(*columns: object) -> None:
    """Print one item of a list, with tabs between its columns."""
    print("\t".join(harmless(str(column)) for column in columns))  # noqa: T201


def print_rich(thing: "RenderableType") -> None:
    """Print a panel, a table, or anything else that Rich can print."""
    terminal.console(sys.stdout).print(thing)


def remark_on_pages(page: Page[Item], one: str, many: str) -> None:
    """Say which page this is, if there are others."""
    if not page.has_next and not page.has_previous:
        return
    last = -(-page.count // page.size)
    next_page = f"; --page {page.number + 1} shows more" if page.has_next else ""
    terminal.remark(f"page {page.number:,} of {last:,}, {page.count:,} {one if page.count == 1 else many}{next_page}")


def yes_or_no(answer: bool) -> str:
    """Return an answer as a field shows it."""
    return "yes" if answer else "no"
