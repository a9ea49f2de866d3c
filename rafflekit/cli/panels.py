"""Raffles, tickets and wins as Rich panels and tables, for `render` to print on a terminal.

Every text that people gave goes through `_text`: visible, and never markup.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rafflekit.cli.terminal import visible
from rafflekit.core.lifecycle import State, state_of
from rafflekit.core.models import DatabaseStatus, Page, Raffle, Ticket, Verification
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.dates import time_text

# Of 32 digits. This is enough to distinguish ten thousand raffles; otherwise, commands ask for more.
_ID_DIGITS = 8
_PRIZES_SHOWN = 50


def raffle_panel(raffle: Raffle, *, draw_possible_at: datetime | None) -> Panel:
    """Return a raffle with its prizes, and when it can be drawn, if that is known."""
    prizes = Table.grid(padding=(0, 1))
    prizes.add_column(justify="right", style="cyan")
    for prize in raffle.prizes[:_PRIZES_SHOWN]:
        prizes.add_row(f"{prize.amount:,} ×", _text(prize.name))
    further = len(raffle.prizes) - _PRIZES_SHOWN
    if further > 0:
        prizes.add_row("…", f"and {further:,} more kinds; --json lists them all")
    rows: list[tuple[str, RenderableType]] = [
        ("Name", _text(raffle.name, style="bold")),
        ("Id", _text(str(raffle.id), style="cyan")),
        ("Created", _time(raffle.created_at)),
        ("Tickets", f"{raffle.available_tickets:,} of {raffle.total_tickets:,} left"),
        ("State", _state(raffle)),
        *([] if raffle.drawn_at is None else [("Drawn", _time(raffle.drawn_at))]),
        *([] if draw_possible_at is None else [("Draw from", _time(draw_possible_at))]),
        ("Prizes", prizes),
        ("Randomness", _source(raffle)),
    ]
    return _panel("Raffle", _grid(rows))


def raffles_table(raffles: Iterable[Raffle]) -> Table:
    """Return raffles, one per row; the id is cut to a beginning that commands accept."""
    table = _table()
    table.add_column("Id", style="cyan", no_wrap=True)
    table.add_column("Name", overflow="fold")
    table.add_column("Tickets left", justify="right", overflow="fold")
    table.add_column("State", overflow="fold")
    table.add_column("Created", overflow="fold", style="dim")
    for raffle in raffles:
        table.add_row(
            _short_id(raffle),
            _text(raffle.name),
            f"{raffle.available_tickets:,} of {raffle.total_tickets:,}",
            _state(raffle),
            _day(raffle.created_at),
        )
    return table


def raffle_lines(raffles: Iterable[Raffle]) -> Iterator[str]:
    """Yield what `raffles_table` shows, two lines per raffle, for a terminal that is too narrow for a table."""
    for raffle in raffles:
        yield f"{_short_id(raffle)} {raffle.name}"
        left = f"{raffle.available_tickets:,} of {raffle.total_tickets:,} tickets left"
        yield f"  {left}, {_state(raffle)}, created {_day(raffle.created_at)}"


def ticket_panel(ticket: Ticket, raffle: Raffle, *, advice: str) -> Panel:
    """Return a ticket with its code, and `advice` below."""
    rows: list[tuple[str, RenderableType]] = [
        ("Raffle", _text(raffle.name)),
        ("Number", f"{ticket.number} of {raffle.total_tickets}"),
        ("Code", _text(ticket.verification_code, style="bold green")),
    ]
    return _panel("Ticket", Group(_grid(rows), "", Text(advice, style="yellow")))


def wins_table(page: Page[Win], raffle: Raffle) -> Table:
    """Return a page of wins in draw order, numbered from the first win of the raffle."""
    table = _table(title=f"Winners of {visible(raffle.name)}")
    table.add_column("Draw", justify="right", style="dim", no_wrap=True)
    table.add_column("Ticket", justify="right", style="bold cyan", no_wrap=True)
    table.add_column("Prize", overflow="fold")
    for ordinal, win in _numbered(page):
        table.add_row(f"{ordinal:,}", str(win.ticket_number), _text(win.prize))
    return table


def win_lines(page: Page[Win], raffle: Raffle) -> Iterator[str]:
    """Yield what `wins_table` shows, one line per win, for a terminal that is too narrow for a table."""
    yield f"Winners of {raffle.name}"
    for ordinal, win in _numbered(page):
        yield f"{ordinal:,}. ticket {win.ticket_number}: {win.prize}"


def verification_panel(verification: Verification, ticket_number: int) -> Panel:
    """Return what a genuine ticket won."""
    return _panel(f"Ticket {ticket_number}", verification_sentence(verification))


def verification_sentence(verification: Verification) -> Text:
    """Return in words what a genuine ticket won."""
    if verification.prize is None:
        return Text("The ticket is genuine; it won nothing.")
    return Text.assemble("The ticket is genuine and won: ", (visible(verification.prize), "bold green"))


def database_panel(status: DatabaseStatus) -> Panel:
    """Return which layout a database has, and which one this version needs."""
    rows: list[tuple[str, RenderableType]] = [
        ("Database", _text(status.url)),
        ("Layout", _text("none" if status.layout is None else status.layout)),
        ("Newest", status.newest_layout),
        ("State", Text(status.state, style="green" if status.state == "current" else "yellow")),
    ]
    return _panel("Database", _grid(rows))


def _numbered(page: Page[Win]) -> Iterator[tuple[int, Win]]:
    return enumerate(page.items, start=(page.number - 1) * page.size + 1)


def _text(text: str, *, style: str = "") -> Text:
    return Text(visible(text), style=style, overflow="fold")


def _panel(title: str, content: RenderableType) -> Panel:
    # What people gave is in the content, where a long name folds; a title would be cut.
    return Panel.fit(content, title=title, title_align="left", padding=(0, 1))


def _grid(rows: Sequence[tuple[str, RenderableType]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, value)
    return grid


def _table(*, title: str | None = None) -> Table:
    return Table(
        title=title,
        title_style="bold",
        title_justify="left",
        box=box.ROUNDED,
        header_style="dim",
        border_style="dim",
    )


def _state(raffle: Raffle) -> Text:
    return {
        State.OPEN: Text("open"),
        State.CLOSED: Text("sold out", style="yellow"),
        State.DRAWN: Text("drawn", style="green"),
    }[state_of(raffle)]


def _source(raffle: Raffle) -> str:
    terms = raffle.terms
    return terms.entropy if terms.delay_s is None else f"{terms.entropy}, {terms.delay_s:,} s after the last ticket"


def _short_id(raffle: Raffle) -> str:
    return raffle.id.hex[:_ID_DIGITS]


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _time(moment: datetime) -> str:
    return time_text(int(moment.timestamp()))
