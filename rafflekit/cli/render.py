"""The output of commands: raffles, tickets, wins and documents.

The rules for every command:

- Standard output is for what was asked for; remarks, questions, progress and errors go to standard error.
- With --json: exactly one line, the JSON of the HTTP contract (`next` and `previous` are null: no URLs here).
- On a terminal: Rich tables and panels. NO_COLOR removes the colours. On a narrow terminal: plain text, broken between
  words, so that codes and ids stay whole.
- Elsewhere, or with TERM=dumb: plain text that is never cut or wrapped. A list has one line per item, with columns
  separated by tabs and no headings; a single thing has one `name: value` line per field, named as in the JSON. `show`
  adds `draw_possible_at`, which is not in the JSON.
- Text from people is never markup, and its control characters and bidi overrides are shown as escapes.
- Only `participate` prints a verification code (with --from, into the output file), and no error contains one.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rafflekit.cli import terminal
from rafflekit.cli.prizes import write_prize
from rafflekit.core import limits, shapes
from rafflekit.core.lifecycle import is_drawn
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
from rafflekit.core.protocol.dates import write_time
from rafflekit.core.protocol.entropy import SECRETS
from rafflekit.core.protocol.entropy.drand import DrandQuicknet

if TYPE_CHECKING:
    from rich.panel import Panel
    from rich.table import Table

    from rafflekit.core.protocol.notes import VerifierKey

DRAWN_HERE = "The winners are drawn on this machine: people must trust you not to have drawn twice."

_NOTHING_TO_DELETE = "No participant data is stored, so there was nothing to delete."
_KEEP_THE_CODE = "The code is shown only once. Keep it: it proves that the ticket is yours."
_NEXT_STEPS: dict[DatabaseState, str] = {
    "missing": "The first command that uses it creates it, and so does 'rafflekit db upgrade'.",
    "empty": "The first command that uses it creates the tables, and so does 'rafflekit db upgrade'.",
    "older": "Stop the programs that use it, make a backup, and run 'rafflekit db upgrade'.",
    "newer": "Use the version of rafflekit that wrote it, or a newer one.",
}


def print_raffle(raffle: Raffle, *, draw_possible_at: datetime | None = None, as_json: bool) -> None:
    """Print one raffle, and when it can be drawn, if that is known."""
    if as_json:
        _print_json(shapes.raffle_shape(raffle))
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        _print_rich(panels.raffle_panel(raffle, draw_possible_at=draw_possible_at))
    else:
        possible = None if draw_possible_at is None else write_time(draw_possible_at)
        for name, value in {**shapes.raffle_shape(raffle), "draw_possible_at": possible}.items():
            if name == "prizes":
                _print_fields(*(("prize", write_prize(prize)) for prize in raffle.prizes))
            elif value is not None:
                _print_fields((name, _yes_or_no(value) if isinstance(value, bool) else value))


def print_new_raffle(raffle: Raffle, *, as_json: bool) -> None:
    """Print a raffle that was just created, and what its source of randomness means for people."""
    print_raffle(raffle, as_json=as_json)
    if raffle.terms.entropy == SECRETS and not as_json:
        terminal.remark(DRAWN_HERE)
        terminal.remark(f"With --entropy {DrandQuicknet.name}, no one has to trust you on this.")


def print_raffles(page: Page[Raffle], *, is_filtered: bool, as_json: bool) -> None:
    """Print a page of raffles: of all, or of those that match what was asked for."""
    if as_json:
        _print_json(shapes.raffle_page_shape(page))
        return
    if not page.items and is_filtered:
        terminal.remark("No raffle matches; 'rafflekit list' without --name, --drawn and --not-drawn shows all.")
    elif not page.items:
        terminal.remark("There are no raffles yet; 'rafflekit create' creates one.")
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        _print_rich(panels.raffles_table(page.items))
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        for line in panels.raffle_lines(page.items):
            terminal.say(line, wraps=True)
    else:
        for raffle in page.items:
            shape = shapes.raffle_shape(raffle)
            _print_row(
                shape["id"],
                shape["created_at"],
                shape["available_tickets"],
                shape["total_tickets"],
                "drawn" if is_drawn(raffle) else "not drawn",
                shape["name"],
            )
    _remark_on_pages(page, "raffle", "raffles")


def print_ticket(ticket: Ticket, raffle: Raffle, *, as_json: bool) -> None:
    """Print a ticket with its code, and that the code is shown only once."""
    if as_json:
        _print_json(shapes.ticket_shape(ticket))
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        _print_rich(panels.ticket_panel(ticket, raffle, advice=_KEEP_THE_CODE))
    else:
        shape = shapes.ticket_shape(ticket)
        _print_fields(
            ("raffle_id", shape["raffle_id"]),
            ("ticket_number", shape["ticket_number"]),
            ("verification_code", shape["verification_code"]),
        )
        terminal.remark(_KEEP_THE_CODE)


def print_draw(wins: Sequence[Win], raffle: Raffle, *, as_json: bool) -> None:
    """Print every win of a draw; on a terminal the first page of them."""
    if as_json:
        _print_json([shapes.win_shape(win) for win in wins])
    elif terminal.is_terminal(sys.stdout):
        first = Page(wins[: limits.WINNERS_PAGE_SIZE], count=len(wins), number=1, size=limits.WINNERS_PAGE_SIZE)
        _show_wins(first, raffle)
        if first.has_next:
            terminal.remark(
                f"{len(first.items):,} of {len(wins):,} winners; 'rafflekit winners {raffle.id} --page 2' shows more."
            )
    else:
        _print_wins(wins)


def print_winners(page: Page[Win], raffle: Raffle, *, as_json: bool) -> None:
    """Print a page of wins."""
    if as_json:
        _print_json(shapes.win_page_shape(page))
        return
    if not is_drawn(raffle):
        terminal.remark("The winners have not been drawn yet.")
    elif terminal.is_terminal(sys.stdout):
        _show_wins(page, raffle)
    else:
        _print_wins(page.items)
    _remark_on_pages(page, "winner", "winners")


def print_verification(verification: Verification, ticket_number: int, *, as_json: bool) -> None:
    """Print what a genuine ticket won."""
    if as_json:
        _print_json(shapes.verification_shape(verification))
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        _print_rich(panels.verification_panel(verification, ticket_number))
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        terminal.say(str(panels.verification_sentence(verification)), wraps=True)
    elif verification.prize is None:
        _print_fields(("has_won", "no"))
    else:
        _print_fields(("has_won", "yes"), ("prize", verification.prize))


def print_layout(status: DatabaseStatus, *, as_json: bool) -> None:
    """Print which layout a database has, and what to do if it is not the current one."""
    fields = {
        "url": status.url,
        "layout": status.layout,
        "newest_layout": status.newest_layout,
        "state": status.state,
    }
    if as_json:
        _print_json(fields)
        return
    if terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        _print_rich(panels.database_panel(status))
    else:
        _print_fields(*((name, "none" if value is None else value) for name, value in fields.items()))
    if status.state in _NEXT_STEPS:
        terminal.remark(_NEXT_STEPS[status.state])


def print_check_up(report: DatabaseReport, *, as_json: bool) -> None:
    """Print what a check-up looked at and what it found."""
    if as_json:
        _print_json(asdict(report))
        return
    _print_fields(
        ("url", report.url),
        ("raffles", report.raffles),
        ("tickets", report.tickets),
        ("draws", report.draws),
        ("secrets of drawn raffles", _left(report, len(report.remains))),
        ("participants of drawn raffles", _stored_participants(report)),
        ("missing keys", "see below" if report.missing_keys else "none"),
        ("state", _state(report)),
    )
    for sentence in (*report.problems, *report.missing_keys, *report.remains):
        terminal.say(sentence)


def print_backup(backup: DatabaseBackup, *, named_key: Path | None, as_json: bool) -> None:
    """Print where the copy of a database is, its size, and where its keys are; a named key is not copied."""
    size = backup.file.stat().st_size
    if as_json:
        _print_json({"file": str(backup.file), "bytes": size, "key": backup.key and str(backup.key)})
        return
    keys = [] if backup.key is None else [str(backup.key)]
    if named_key is not None:
        keys.append(f"{named_key}, which is not copied; keep a copy of it too")
    where = " and ".join(keys) or "not next to the database; keep a copy of it too"
    _print_fields(("file", str(backup.file)), ("bytes", size), ("signing key", where))


def print_purge(tickets: int, raffle: Raffle, *, as_json: bool) -> None:
    """Print for how many tickets the participant data was deleted."""
    if as_json:
        _print_json({"raffle_id": str(raffle.id), "purged": tickets})
    elif terminal.is_terminal(sys.stdout):
        terminal.say(f"The data of {counted(tickets, 'participant')} was deleted." if tickets else _NOTHING_TO_DELETE)
    else:
        _print_fields(("id", raffle.id), ("purged", tickets))


def print_verifier_key(key: "VerifierKey", *, as_json: bool) -> None:
    """Print a public key in the form in which people pass it on."""
    if as_json:
        _print_json({"verifier_key": str(key)})
    else:
        terminal.say(str(key))


def print_document(shape: Mapping[str, object]) -> None:
    """Print a document of the protocol as one line of JSON."""
    _print_json(shape)


def print_note(note: str) -> None:
    """Print a signed note, byte for byte."""
    for line in note.removesuffix("\n").split("\n"):
        terminal.say(line)


def print_run(*, tickets: int, refused: int, out: str, as_json: bool) -> None:
    """Print the outcome for a whole list of participants; the tickets are in the file `out`."""
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


def duration(seconds: int) -> str:
    """Return a duration in its two largest units.

    >>> duration(200_000), duration(3_600), duration(61)
    ('2 days 7 hours', '1 hour', '1 minute 1 second')
    """
    parts = []
    for noun, unit_s in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        number, seconds = divmod(seconds, unit_s)
        parts.append(counted(number, noun) if number else "")
    first = next((position for position, part in enumerate(parts) if part), len(parts) - 1)
    return " ".join(filter(None, parts[first : first + 2])) or "0 seconds"


def _print_json(shape: object) -> None:
    text = json.dumps(shape, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        # For a terminal without UTF-8: the same JSON in ASCII.
        text = json.dumps(shape)
    # Flushed at once: the next step may fail, and this may be a code that is shown only once.
    print(text, flush=True)  # noqa: T201


def _print_fields(*fields: tuple[str, object]) -> None:
    for name, value in fields:
        terminal.say(f"{name}: {value}", wraps=True)


def _print_row(*columns: object) -> None:
    print("\t".join(terminal.visible(str(column)) for column in columns))  # noqa: T201


def _print_wins(wins: Iterable[Win]) -> None:
    for win in wins:
        _print_row(win.ticket_number, win.prize)


def _show_wins(page: Page[Win], raffle: Raffle) -> None:
    from rafflekit.cli import panels

    if terminal.has_room_for_boxes():
        _print_rich(panels.wins_table(page, raffle))
    else:
        for line in panels.win_lines(page, raffle):
            terminal.say(line, wraps=True)


def _print_rich(thing: "Panel | Table") -> None:
    terminal.console(sys.stdout).print(thing)


def _remark_on_pages(page: Page[Item], one: str, many: str) -> None:
    if not page.has_next and not page.has_previous:
        return
    last = -(-page.count // page.size)
    next_page = f"; --page {page.number + 1} shows more" if page.has_next else ""
    terminal.remark(f"page {page.number:,} of {last:,}, {page.count:,} {one if page.count == 1 else many}{next_page}")


def _state(report: DatabaseReport) -> str:
    if report.problems:
        return "wrong"
    if report.missing_keys:
        return "without its key"
    return "not clean" if report.remains else "ok"


def _stored_participants(report: DatabaseReport) -> object:
    if report.hashed_participants:
        return f"{report.hashed_participants:,} stored; 'rafflekit purge' deletes them"
    return _left(report, 0)


def _left(report: DatabaseReport, count: int) -> object:
    if count:
        return count
    return "gone" if report.draws else "none drawn yet"


def _yes_or_no(answer: bool) -> str:
    return "yes" if answer else "no"
