"""What raffles, tickets and wins look like on the terminal.

The rules of the output, for every command:

- Standard output holds what was asked for; remarks, questions, progress and errors go to standard error.
- With --json: exactly one line, the JSON of the HTTP contract (`next` and `previous` are null: no URLs here).
- On a terminal: Rich tables and panels. NO_COLOR takes the colours away.
- Elsewhere, or with TERM=dumb: plain text that no width cuts or wraps. A list is a line an item, columns
  separated by tabs, no headings; a single thing is a `name: value` line a field, named as in the JSON.
- Text that people gave is never markup, and shows control characters and bidi overrides as escapes.
- A verification code is printed by `participate` alone (with --from, into the output file), and by no error.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rafflekit.cli import terminal
from rafflekit.cli.prizes import write_prize
from rafflekit.core import limits, shapes
from rafflekit.core.models import (
    DatabaseBackup,
    DatabaseReport,
    DatabaseState,
    DatabaseStatus,
    Item,
    Page,
    Raffle,
    Ticket,
    Verification,
)
from rafflekit.core.prizes import Win

if TYPE_CHECKING:
    from rich.panel import Panel
    from rich.table import Table

    from rafflekit.core.protocol.notes import VerifierKey

KEEP_THE_CODE = "The code is shown this once. Keep it: it proves the ticket."

_NEXT_STEPS: dict[DatabaseState, str] = {
    "missing": "'rafflekit db upgrade' makes it, and so does the first command that uses it.",
    "empty": "'rafflekit db upgrade' makes the tables, and so does the first command that uses it.",
    "older": "Stop the programs that use it, make a backup, and run 'rafflekit db upgrade'.",
    "newer": "Use the version of rafflekit that wrote it, or a newer one.",
}


def show_raffle(raffle: Raffle, *, as_json: bool) -> None:
    """Print one raffle."""
    if as_json:
        _print_json(shapes.raffle_shape(raffle))
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        _print_rich(panels.raffle_panel(raffle))
    else:
        shape = shapes.raffle_shape(raffle)
        _print_fields(
            ("id", shape["id"]),
            ("name", shape["name"]),
            ("created_at", shape["created_at"]),
            ("total_tickets", shape["total_tickets"]),
            ("available_tickets", shape["available_tickets"]),
            ("winners_drawn", _yes_or_no(raffle.winners_drawn)),
            *(("prize", write_prize(prize)) for prize in raffle.prizes),
            ("entropy", raffle.entropy),
            *([] if raffle.delay_s is None else [("delay_s", raffle.delay_s)]),
        )


def show_raffles(page: Page[Raffle], *, is_filtered: bool, as_json: bool) -> None:
    """Print a page of raffles: of all, or of those that fit what was asked for."""
    if as_json:
        _print_json(shapes.raffle_page_shape(page))
        return
    if not page.items and is_filtered:
        terminal.remark("No raffle fits; 'rafflekit list' without --name, --drawn and --not-drawn shows all.")
    elif not page.items:
        terminal.remark("No raffles here; 'rafflekit create' makes one.")
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        _print_rich(panels.raffles_table(page.items))
    else:
        for raffle in page.items:
            shape = shapes.raffle_shape(raffle)
            _print_row(
                shape["id"],
                shape["created_at"],
                shape["available_tickets"],
                shape["total_tickets"],
                "drawn" if raffle.winners_drawn else "not drawn",
                shape["name"],
            )
    _remark_on_pages(page, "raffle", "raffles")


def show_ticket(ticket: Ticket, raffle: Raffle, *, as_json: bool) -> None:
    """Print a ticket with its code, and that the code is shown once."""
    if as_json:
        _print_json(shapes.ticket_shape(ticket))
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        _print_rich(panels.ticket_panel(ticket, raffle, advice=KEEP_THE_CODE))
    else:
        shape = shapes.ticket_shape(ticket)
        _print_fields(
            ("raffle_id", shape["raffle_id"]),
            ("ticket_number", shape["ticket_number"]),
            ("verification_code", shape["verification_code"]),
        )
        terminal.remark(KEEP_THE_CODE)


def show_draw(wins: Sequence[Win], raffle: Raffle, *, as_json: bool) -> None:
    """Print every win of a draw; on a terminal the first page of them."""
    if as_json:
        _print_json([shapes.win_shape(win) for win in wins])
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        first = Page(wins[: limits.WINNERS_PAGE_SIZE], count=len(wins), number=1, size=limits.WINNERS_PAGE_SIZE)
        _print_rich(panels.wins_table(first, raffle))
        if first.has_next:
            terminal.remark(
                f"{len(first.items):,} of {len(wins):,} winners; 'rafflekit winners {raffle.id} --page 2' goes on."
            )
    else:
        _print_wins(wins)


def show_winners(page: Page[Win], raffle: Raffle, *, as_json: bool) -> None:
    """Print a page of wins."""
    if as_json:
        _print_json(shapes.win_page_shape(page))
        return
    if not raffle.winners_drawn:
        terminal.remark("The winners have not been drawn yet.")
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        _print_rich(panels.wins_table(page, raffle))
    else:
        _print_wins(page.items)
    _remark_on_pages(page, "winner", "winners")


def show_verification(verification: Verification, ticket_number: int, *, as_json: bool) -> None:
    """Print what a genuine ticket won."""
    if as_json:
        _print_json(shapes.verification_shape(verification))
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        _print_rich(panels.verification_panel(verification, ticket_number))
    elif verification.prize is None:
        _print_fields(("has_won", "no"))
    else:
        _print_fields(("has_won", "yes"), ("prize", verification.prize))


def show_database_status(status: DatabaseStatus, *, as_json: bool) -> None:
    """Print which layout a database has, and what is to be done if it is not today's."""
    fields = {
        "url": status.url,
        "layout": status.layout,
        "newest_layout": status.newest_layout,
        "state": status.state,
    }
    if as_json:
        _print_json(fields)
        return
    if terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        _print_rich(panels.database_panel(status))
    else:
        _print_fields(*((name, "none" if value is None else value) for name, value in fields.items()))
    if status.state in _NEXT_STEPS:
        terminal.remark(_NEXT_STEPS[status.state])


def show_check_up(report: DatabaseReport, *, as_json: bool) -> None:
    """Print what a check-up looked at and what it found."""
    if as_json:
        _print_json(asdict(report))
        return
    _print_fields(
        ("url", report.url),
        ("raffles", report.raffles),
        ("tickets", report.tickets),
        ("draws", report.draws),
        ("secrets of drawn raffles", len(report.remains) or "gone"),
        ("participants of drawn raffles", report.hashed_participants or "gone"),
        ("missing keys", "see below" if report.missing_keys else "none"),
        ("state", _state(report)),
    )
    for sentence in (*report.problems, *report.missing_keys, *report.remains):
        terminal.say(sentence)


def show_backup(backup: DatabaseBackup, *, named_key: Path | None, as_json: bool) -> None:
    """Print where the copy of a database is, how large it is, and where its keys are; a named one is not copied."""
    size = backup.file.stat().st_size
    if as_json:
        _print_json({"file": str(backup.file), "bytes": size, "key": backup.key and str(backup.key)})
        return
    keys = [] if backup.key is None else [str(backup.key)]
    if named_key is not None:
        keys.append(f"{named_key}, which is not copied; keep a copy of it, too")
    where = " and ".join(keys) or "not with the database; keep a copy of it, too"
    _print_fields(("file", str(backup.file)), ("bytes", size), ("signing key", where))


def show_purge(tickets: int, raffle: Raffle, *, as_json: bool) -> None:
    """Print of how many tickets the participants were dropped."""
    if as_json:
        _print_json({"raffle_id": str(raffle.id), "purged": tickets})
    else:
        _print_fields(("id", raffle.id), ("purged", tickets))


def show_verifier_key(key: "VerifierKey", *, as_json: bool) -> None:
    """Print a public key in the form in which it is passed on."""
    if as_json:
        _print_json({"verifier_key": str(key)})
    else:
        terminal.say(str(key))


def print_document(shape: Mapping[str, object]) -> None:
    """Print a document of the protocol as one line of JSON."""
    _print_json(shape)


def print_note(note: str) -> None:
    """Print a signed note, every byte as it is signed."""
    for line in note.removesuffix("\n").split("\n"):
        terminal.say(line)


def show_run(*, tickets: int, refused: int, out: str, as_json: bool) -> None:
    """Print what came of a whole list of participants; the tickets themselves are in the file `out`."""
    if as_json:
        _print_json({"tickets": tickets, "refused": refused, "out": out})
    else:
        terminal.say(f"{counted(tickets, 'ticket')}, {refused:,} refused; {out}")


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    >>> counted(1, "ticket"), counted(1_000, "ticket")
    ('1 ticket', '1,000 tickets')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _print_json(shape: object) -> None:
    text = json.dumps(shape, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        # A terminal without UTF-8 still gets the same JSON, spelled in ASCII.
        text = json.dumps(shape)
    # At once: what comes after it may fail, and this may be a code that is shown this once.
    print(text, flush=True)  # noqa: T201


def _print_fields(*fields: tuple[str, object]) -> None:
    for name, value in fields:
        terminal.say(f"{name}: {value}")


def _print_row(*columns: object) -> None:
    print("\t".join(terminal.visible(str(column)) for column in columns))  # noqa: T201


def _print_wins(wins: Iterable[Win]) -> None:
    for win in wins:
        _print_row(win.ticket_number, win.prize)


def _print_rich(thing: "Panel | Table") -> None:
    terminal.console(sys.stdout).print(thing)


def _remark_on_pages(page: Page[Item], one: str, many: str) -> None:
    if not page.has_next and not page.has_previous:
        return
    last = -(-page.count // page.size)
    goes_on = f"; --page {page.number + 1} goes on" if page.has_next else ""
    terminal.remark(f"page {page.number:,} of {last:,}, {page.count:,} {one if page.count == 1 else many}{goes_on}")


def _state(report: DatabaseReport) -> str:
    if report.problems:
        return "wrong"
    if report.missing_keys:
        return "without its key"
    return "not clean" if report.remains else "ok"


def _yes_or_no(answer: bool) -> str:
    return "yes" if answer else "no"
