"""Raffles, tickets and wins as Rich panels and tables, for `render` to print on a terminal.

Every text that people gave is `harmless`, and never markup.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rafflekit.cli.words import counted, local_time, pass_state, time_left
from rafflekit.core.lifecycle import draw_possible_at
from rafflekit.core.models import DatabaseStatus, DeskPass, Item, Page, Raffle, State, Ticket, Verification
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.quoting import harmless, quoted
from rafflekit.core.protocol.terms import TEXTS, EntryRule

# Of 32 digits. This is enough to distinguish ten thousand raffles; otherwise, commands ask for more.
_ID_DIGITS = 8
_PRIZES_SHOWN = 50
_ENTRIES = {
    EntryRule.ADDRESS: "any IP address",
    EntryRule.INVITATION: "invitation codes",
    EntryRule.DESK: "only from you",
}


def raffle_panel(raffle: Raffle, *, is_draft: bool) -> Panel:
    """Return the terms of a raffle, and what has happened to it. A draft has no id yet."""
    prizes = Table.grid(padding=(0, 1))
    prizes.add_column(justify="right", style="cyan")
    for amount, name in _prizes(raffle):
        prizes.add_row(amount, Text(name, overflow="fold"))
    rows: list[tuple[str, RenderableType]] = [*_standing(raffle, is_draft=is_draft), ("Prizes", prizes)]
    return _panel("Raffle", _grid([*rows, *_rules(raffle)]))


def raffle_facts(raffle: Raffle, *, is_draft: bool) -> Iterator[str]:
    """Yield what `raffle_panel` shows, one line per fact, for a terminal that is too narrow for a panel."""
    for name, value in _standing(raffle, is_draft=is_draft):
        yield f"{name}: {value}"
    for amount, name in _prizes(raffle):
        yield f"Prize: {amount} {name}"
    for name, value in _rules(raffle):
        yield f"{name}: {value}"


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
        yield f"{_short_id(raffle)} {harmless(raffle.name)}"
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


def tickets_table(tickets: Iterable[Ticket], raffle: Raffle) -> Group:
    """Return several tickets with their codes."""
    table = _table()
    table.add_column("Ticket", justify="right", style="bold cyan", no_wrap=True)
    table.add_column("Code", style="bold green", no_wrap=True)
    for ticket in tickets:
        table.add_row(str(ticket.number), ticket.verification_code)
    return _titled(f"Tickets of {harmless(raffle.name)}", table)


class ListedWins(NamedTuple):
    """A page of wins to be shown, with the participants (by ticket number) if there is a list of them."""

    page: Page[Win]
    raffle: Raffle
    owners: Mapping[int, str] | None
    is_filtered: bool

    @property
    def title(self) -> str:
        """What the list is."""
        return f"{'Unredeemed prizes' if self.is_filtered else 'Winners'} of {harmless(self.raffle.name)}"

    def owner(self, win: Win) -> str:
        """Return the participant of a ticket as people read it; empty if no list was given."""
        if self.owners is None:
            return ""
        return harmless(self.owners.get(win.ticket_number, "not in the list"))


def wins_table(wins: ListedWins) -> Group:
    """Return a page of wins in draw order, numbered from the first win of the raffle."""
    table = _table()
    # A filtered list has other numbers than the draw.
    if not wins.is_filtered:
        table.add_column("Draw", justify="right", style="dim", no_wrap=True)
    table.add_column("Ticket", justify="right", style="bold cyan", no_wrap=True)
    table.add_column("Prize", overflow="fold")
    if wins.owners is not None:
        table.add_column("Participant", overflow="fold")
    has_notes = any(map(_since, wins.page.items))
    if has_notes:
        table.add_column("Since then", overflow="fold", style="dim")
    for ordinal, win in _numbered(wins.page):
        table.add_row(
            *([] if wins.is_filtered else [f"{ordinal:,}"]),
            str(win.ticket_number),
            _text(win.prize),
            *([] if wins.owners is None else [_text(wins.owner(win))]),
            *([_text("; ".join(_since(win)))] if has_notes else []),
        )
    return _titled(wins.title, table)


def win_lines(wins: ListedWins) -> Iterator[str]:
    """Yield what `wins_table` shows, one line per win, for a terminal that is too narrow for a table."""
    yield wins.title
    for ordinal, win in _numbered(wins.page):
        beginning = "" if wins.is_filtered else f"{ordinal:,}. "
        owner = "" if wins.owners is None else f" ({wins.owner(win)})"
        yield "; ".join([f"{beginning}ticket {win.ticket_number}{owner}: {harmless(win.prize)}", *_since(win)])


def queue_table(page: Page[int], raffle: Raffle) -> Group:
    """Return the tickets that take over the next forfeited prizes."""
    table = _table()
    table.add_column("Next", justify="right", style="dim", no_wrap=True)
    table.add_column("Ticket", justify="right", style="bold cyan", no_wrap=True)
    for place, number in _numbered(page):
        table.add_row(f"{place:,}", str(number))
    return _titled(f"Queue of {harmless(raffle.name)}", table)


def queue_lines(page: Page[int], raffle: Raffle) -> Iterator[str]:
    """Yield what `queue_table` shows, for a terminal that is too narrow for a table."""
    yield f"Queue of {harmless(raffle.name)}"
    for place, number in _numbered(page):
        yield f"{place:,}. ticket {number}"


def verification_panel(verification: Verification, ticket_number: int) -> Panel:
    """Return what a genuine ticket won."""
    return _panel(f"Ticket {ticket_number}", verification_sentence(verification))


def verification_sentence(verification: Verification) -> Text:
    """Return in words what a genuine ticket won, and what has happened to the prize."""
    if verification.forfeited_at is not None:
        prize, reason = harmless(verification.forfeited_prize or ""), harmless(verification.reason or "")
        when = local_time(verification.forfeited_at)
        return Text(f"The ticket is genuine; its prize, {prize}, was forfeited on {when}: {reason}")
    if verification.prize is None:
        return Text("The ticket is genuine; it won nothing.")
    won = Text.assemble("The ticket is genuine and won: ", (harmless(verification.prize), "bold green"))
    if verification.redeemed_at is not None:
        return won.append(f"; redeemed on {local_time(verification.redeemed_at)}")
    if verification.redeem_until is not None:
        return won.append(f"; to be redeemed before {local_time(verification.redeem_until)}")
    return won


def passes_table(passes: Iterable[DeskPass]) -> Table:
    """Return desk passes, one per row."""
    table = _table()
    table.add_column("Name", style="cyan", overflow="fold")
    table.add_column("May", overflow="fold")
    table.add_column("Until", overflow="fold")
    table.add_column("State", overflow="fold")
    for each in passes:
        until = each.revoked_at or each.expires_at
        state = pass_state(each)
        style = "green" if state == "valid" else "dim"
        table.add_row(_text(each.name), ", ".join(sorted(each.may)), local_time(until), Text(state, style=style))
    return table


def database_panel(status: DatabaseStatus) -> Panel:
    """Return which layout a database has, and which one this version needs."""
    rows: list[tuple[str, RenderableType]] = [
        ("Database", _text(status.url)),
        ("Layout", _text("none" if status.layout is None else status.layout)),
        ("Newest", status.newest_layout),
        ("State", Text(status.state, style="green" if status.state == "current" else "yellow")),
    ]
    return _panel("Database", _grid(rows))


def _since(win: Win) -> list[str]:
    """Return what has happened to a win since the draw, in words."""
    notes = []
    if win.in_place_of is not None:
        notes.append(f"in place of ticket {win.in_place_of}")
    if win.redeemed_at is not None:
        notes.append(f"redeemed on {local_time(win.redeemed_at)}{_by(win.redeemed_by)}")
    if win.forfeited_at is not None:
        when = f"{local_time(win.forfeited_at)}{_by(win.forfeited_by)}"
        notes.append(f"forfeited on {when} ({win.why}): {harmless(win.reason or '')}")
    return notes


def _by(name: str | None) -> str:
    return "" if name is None else f" by {quoted(name)}"


def _standing(raffle: Raffle, *, is_draft: bool) -> list[tuple[str, Text]]:
    """Return the name of a raffle, its times, its tickets and its state."""
    terms, possible_at, cancellation = raffle.terms, draw_possible_at(raffle), raffle.cancellation
    hands_out = raffle.state in (State.UPCOMING, State.OPEN)
    tickets = (
        f"{raffle.available_tickets:,} of {raffle.total_tickets:,} left"
        if hands_out
        else f"{raffle.issued:,} of {raffle.total_tickets:,} handed out"
    )
    closed_at = None if raffle.end is None else datetime.fromtimestamp(raffle.end.closed, UTC)
    times = [
        ("Created", raffle.created_at),
        ("Opens" if raffle.state is State.UPCOMING else "Opened", terms.opens_at),
        ("Closes", terms.closes_at if hands_out or (raffle.state is State.CLOSED and closed_at is None) else None),
        ("Closed", closed_at),
        ("Drawn", raffle.drawn_at),
        ("Cancelled", None if cancellation is None else datetime.fromtimestamp(cancellation.time, UTC)),
    ]
    return [
        ("Name", _text(raffle.name, style="bold")),
        *([] if is_draft else [("Id", _text(str(raffle.id), style="cyan"))]),
        *((name, Text(local_time(moment))) for name, moment in times if moment is not None),
        *([] if cancellation is None else [("Reason", _text(cancellation.reason))]),
        ("Tickets", Text(tickets)),
        ("State", _state(raffle)),
        *([] if possible_at is None else [("Draw from", Text(f"{local_time(possible_at)}, {time_left(possible_at)}"))]),
    ]


def _prizes(raffle: Raffle) -> Iterator[tuple[str, str]]:
    for prize in raffle.prizes[:_PRIZES_SHOWN]:
        yield f"{prize.amount:,} ×", harmless(prize.name)
    further = len(raffle.prizes) - _PRIZES_SHOWN
    if further > 0:
        yield "…", f"and {further:,} more kinds; --json lists them all"


def _rules(raffle: Raffle) -> list[tuple[str, Text]]:
    """Return the terms of a raffle other than its tickets and prizes."""
    terms = raffle.terms
    randomness = terms.entropy
    if terms.delay_s is not None:
        randomness += f", {terms.delay_s:,} s after the closing"
    if terms.source is not None:
        randomness += f": {harmless(terms.source)}"
    each = counted(terms.tickets_each, "ticket")
    rows = [("Entry", f"{_ENTRIES[EntryRule(terms.entry)]}, {each} each"), ("Randomness", randomness)]
    if terms.draw_at is not None:
        rows.append(("Draw planned", local_time(terms.draw_at)))
    if terms.claim_days is not None:
        rows.append(("To redeem", f"within {counted(terms.claim_days, 'day')} of the draw"))
    rows += [(name.capitalize(), harmless(text)) for name in TEXTS if (text := getattr(terms, name)) is not None]
    return [(name, Text(text, overflow="fold")) for name, text in rows]


def _numbered(page: Page[Item]) -> Iterator[tuple[int, Item]]:
    return enumerate(page.items, start=(page.number - 1) * page.size + 1)


def _text(text: str, *, style: str = "") -> Text:
    return Text(harmless(text), style=style, overflow="fold")


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


def _titled(title: str, table: Table) -> Group:
    # The title of a Rich table is only as wide as the table.
    return Group(Text(title, style="bold", overflow="fold"), table)


def _table() -> Table:
    return Table(box=box.ROUNDED, header_style="dim", border_style="dim")


def _state(raffle: Raffle) -> Text:
    if raffle.state is State.CLOSED and raffle.issued == raffle.total_tickets:
        return Text("sold out", style="yellow")
    styles = {State.CLOSED: "yellow", State.DRAWN: "green", State.CANCELLED: "red"}
    return Text(raffle.state, style=styles.get(raffle.state, ""))


def _short_id(raffle: Raffle) -> str:
    return raffle.id.hex[:_ID_DIGITS]


def _day(moment: datetime) -> str:
    return local_time(moment).partition(" ")[0]
