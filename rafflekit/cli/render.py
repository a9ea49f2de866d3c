"""The output of commands: raffles, tickets, documents and databases. `outcomes` prints what comes after the draw.

The rules for every command:

- Standard output is for what was asked for; remarks, questions, progress and errors go to standard error.
- With --json: exactly one line, the JSON of the HTTP contract (`next` and `previous` are null: no URLs here).
- On a terminal: Rich tables and panels. NO_COLOR removes the colours. On a narrow terminal: plain text, broken between
  words, so that codes and ids stay whole.
- Elsewhere, or with TERM=dumb: plain text that is never cut or wrapped. A list has one line per item, with columns
  separated by tabs and no headings; a single thing has one `name: value` line per field, named as in the JSON.
- Times for people are local, with their offset; in JSON and in plain text they are in UTC.
- Text from people is never markup, and its control and invisible characters are shown as escapes. In names, check marks
  are too, and runs of blanks are one, except in JSON.
- Only `participate` prints a verification code (with --from, into the output file), and only `pass make` the token of a
  desk pass. `export` writes invitation codes into a file. No error contains any of these.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rafflekit.cli import terminal
from rafflekit.cli.printing import print_fields, print_json, print_rich, print_row, remark_on_pages, yes_or_no
from rafflekit.cli.qr import show_qr_code
from rafflekit.cli.words import counted, pass_sentence, pass_state
from rafflekit.core import shapes
from rafflekit.core.models import (
    DatabaseBackup,
    DatabaseReport,
    DatabaseState,
    DatabaseStatus,
    DeskPass,
    NewPass,
    Page,
    Raffle,
    Ticket,
)
from rafflekit.core.protocol.dates import write_time
from rafflekit.core.protocol.entropy import SECRETS
from rafflekit.core.protocol.entropy.drand import DrandQuicknet
from rafflekit.core.protocol.quoting import harmless
from rafflekit.core.written_prizes import write_prize

if TYPE_CHECKING:
    from rafflekit.core.protocol.notes import VerifierKey

DRAWN_HERE = "The winners are drawn on this machine: people must trust you not to have drawn twice."

_NOTHING_STORED = "This is how the raffle would be. Nothing was stored."
_NOTHING_TO_DELETE = "No participant data is stored, so there was nothing to delete."
_KEEP_THE_CODE = "The code is shown only once. Keep it: it proves that the ticket is yours."
_KEEP_THE_CODES = "The codes are shown only once. Keep them: each proves that its ticket is yours."
_NEXT_STEPS: dict[DatabaseState, str] = {
    "missing": "The first command that uses it creates it, and so does 'rafflekit db upgrade'.",
    "empty": "The first command that uses it creates the tables, and so does 'rafflekit db upgrade'.",
    "older": "Stop the programs that use it, make a backup, and run 'rafflekit db upgrade'.",
    "newer": "Use the version of rafflekit that wrote it, or a newer one.",
}


def print_raffle(raffle: Raffle, *, is_draft: bool = False, as_json: bool) -> None:
    """Print one raffle, and when it can be drawn, if that is known. A draft was not stored, so it has no id."""
    shape = dict(shapes.raffle_shape(raffle))
    if is_draft:
        del shape["id"]
    if as_json:
        print_json(shape)
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        print_rich(panels.raffle_panel(raffle, is_draft=is_draft))
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        for line in panels.raffle_facts(raffle, is_draft=is_draft):
            terminal.say(line, wraps=True)
    else:
        for name, value in shape.items():
            if name == "prizes":
                print_fields(*(("prize", harmless(write_prize(prize))) for prize in raffle.prizes))
            else:
                print_fields((name, yes_or_no(value) if isinstance(value, bool) else harmless(str(value))))


def print_new_raffle(raffle: Raffle, *, is_draft: bool, as_json: bool) -> None:
    """Print a raffle that was just created, and what its source of randomness means for people."""
    print_raffle(raffle, is_draft=is_draft, as_json=as_json)
    if as_json:
        return
    if raffle.terms.entropy == SECRETS:
        terminal.remark(DRAWN_HERE)
        terminal.remark(f"With --entropy {DrandQuicknet.name}, no one has to trust you on this.")
    if is_draft:
        terminal.remark(_NOTHING_STORED)


def print_changed_raffle(raffle: Raffle, *, is_draft: bool, as_json: bool) -> None:
    """Print a raffle whose terms have just changed, or would change."""
    print_raffle(raffle, as_json=as_json)
    if is_draft and not as_json:
        terminal.remark(_NOTHING_STORED)


def print_raffles(page: Page[Raffle], *, is_filtered: bool, as_json: bool) -> None:
    """Print a page of raffles: of all, or of those that match what was asked for."""
    if as_json:
        print_json(shapes.raffle_page_shape(page))
        return
    if not page.items and is_filtered:
        terminal.remark("No raffle matches; 'rafflekit list' without a filter shows all.")
    elif not page.items:
        terminal.remark("There are no raffles yet; 'rafflekit create' creates one.")
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        print_rich(panels.raffles_table(page.items))
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        for line in panels.raffle_lines(page.items):
            terminal.say(line, wraps=True)
    else:
        for raffle in page.items:
            shape = shapes.raffle_shape(raffle)
            print_row(
                shape["id"],
                shape["created_at"],
                shape["available_tickets"],
                shape["total_tickets"],
                shape["state"],
                shape["name"],
            )
    remark_on_pages(page, "raffle", "raffles")


def print_ticket(ticket: Ticket, raffle: Raffle, *, as_json: bool) -> None:
    """Print a ticket with its code, and that the code is shown only once."""
    if as_json:
        print_json(shapes.ticket_shape(ticket))
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        print_rich(panels.ticket_panel(ticket, raffle, advice=_KEEP_THE_CODE))
    else:
        shape = shapes.ticket_shape(ticket)
        print_fields(
            ("raffle_id", shape["raffle_id"]),
            ("ticket_number", shape["ticket_number"]),
            ("verification_code", shape["verification_code"]),
        )
        terminal.remark(_KEEP_THE_CODE)


def print_tickets(tickets: Sequence[Ticket], raffle: Raffle, *, as_json: bool) -> None:
    """Print several tickets of one participant with their codes."""
    if as_json:
        print_json([shapes.ticket_shape(ticket) for ticket in tickets])
        return
    if terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        print_rich(panels.tickets_table(tickets, raffle))
    elif terminal.is_terminal(sys.stdout):
        for ticket in tickets:
            print_fields((f"ticket {ticket.number}", ticket.verification_code))
    else:
        for ticket in tickets:
            print_row(ticket.number, ticket.verification_code)
    terminal.remark(_KEEP_THE_CODES)


def print_new_pass(new: NewPass, *, link: str, as_json: bool) -> None:
    """Print a desk pass that was just made with its link, on a terminal also as a QR code."""
    shape = _pass_shape(new.desk_pass)
    if as_json:
        print_json({**shape, "token": new.token, "link": link})
        return
    if terminal.is_terminal(sys.stdout):
        terminal.say(link)
        show_qr_code(link)
    else:
        print_fields(*((field, harmless(str(value))) for field, value in _plain(shape).items()), ("link", link))
    terminal.remark(f"{pass_sentence(new.desk_pass)} The link is shown only once. Anyone who has it can use it.")


def print_passes(passes: Sequence[DeskPass], *, as_json: bool) -> None:
    """Print desk passes, each with its state."""
    if as_json:
        print_json([_pass_shape(each) for each in passes])
    elif not passes:
        terminal.remark("There are no desk passes yet; 'rafflekit pass make' makes one.")
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        print_rich(panels.passes_table(passes))
    elif terminal.is_terminal(sys.stdout):
        for each in passes:
            terminal.say(pass_sentence(each), wraps=True)
    else:
        for each in passes:
            print_row(*_plain(_pass_shape(each)).values())


def print_revoked_pass(revoked: DeskPass, *, as_json: bool) -> None:
    """Print a desk pass that was just revoked."""
    if as_json:
        print_json(_pass_shape(revoked))
    else:
        terminal.say(pass_sentence(revoked), wraps=True)


def print_layout(status: DatabaseStatus, *, as_json: bool) -> None:
    """Print which layout a database has, and what to do if it is not the current one."""
    fields = {
        "url": status.url,
        "layout": status.layout,
        "newest_layout": status.newest_layout,
        "state": status.state,
    }
    if as_json:
        print_json(fields)
        return
    if terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        print_rich(panels.database_panel(status))
    else:
        print_fields(*((name, "none" if value is None else value) for name, value in fields.items()))
    if status.state in _NEXT_STEPS:
        terminal.remark(_NEXT_STEPS[status.state])


def print_check_up(report: DatabaseReport, *, as_json: bool) -> None:
    """Print what a check-up looked at and what it found."""
    if as_json:
        print_json(asdict(report))
        return
    print_fields(
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
    if report.unopened:
        terminal.say(
            f"The ticket numbers of {counted(report.unopened, 'raffle')} were not checked, because that needs the key."
        )


def print_backup(backup: DatabaseBackup, *, named_key: Path | None, as_json: bool) -> None:
    """Print where the copy of a database is, its size, and where its keys are; a named key is not copied."""
    size = backup.file.stat().st_size
    if as_json:
        print_json({"file": str(backup.file), "bytes": size, "key": backup.key and str(backup.key)})
        return
    keys = [] if backup.key is None else [str(backup.key)]
    if named_key is not None:
        keys.append(f"{named_key}, which is not copied; keep a copy of it too")
    where = " and ".join(keys) or "not next to the database; keep a copy of it too"
    print_fields(("file", str(backup.file)), ("bytes", size), ("signing key", where))


def print_purge(tickets: int, raffle: Raffle, *, as_json: bool) -> None:
    """Print for how many tickets the participant data was deleted."""
    if as_json:
        print_json({"raffle_id": str(raffle.id), "purged": tickets})
    elif terminal.is_terminal(sys.stdout):
        deleted = f"The participant data of {counted(tickets, 'ticket')} was deleted."
        terminal.say(deleted if tickets else _NOTHING_TO_DELETE)
    else:
        print_fields(("id", raffle.id), ("purged", tickets))


def print_verifier_key(key: "VerifierKey", *, as_json: bool) -> None:
    """Print a public key in the form in which people pass it on."""
    if as_json:
        print_json({"verifier_key": str(key)})
    else:
        terminal.say(str(key))


def print_document(shape: Mapping[str, object]) -> None:
    """Print a document of the protocol as one line of JSON."""
    print_json(shape)


def print_note(note: str) -> None:
    """Print a signed note, byte for byte."""
    for line in note.removesuffix("\n").split("\n"):
        terminal.say(line)


def print_run(*, tickets: int, refused: int, out: str, as_json: bool) -> None:
    """Print the outcome for a whole list of participants; the tickets are in the file `out`."""
    if as_json:
        print_json({"tickets": tickets, "refused": refused, "out": out})
    else:
        terminal.say(f"{counted(tickets, 'ticket')}, {refused:,} refused; {out}")


def print_paper(out: str, *, as_json: bool, without_qr_code: str | None = None) -> None:
    """Print that paper is in the file `out`; if it could have a QR code and has none, `without_qr_code` names it."""
    if as_json:
        print_json({"out": out})
        return
    terminal.say(out)
    if without_qr_code is not None:
        terminal.remark(f"The {without_qr_code} has no QR code: give the address of your server as --url.")


def print_slips(
    out: str, what: str, count: int, *, sheets: int, has_qr_code: bool, as_json: bool, tickets_each: int = 1
) -> None:
    """Print that `count` tickets or invitations are in the file `out`, and what to know about them.

    `tickets_each` is the number of tickets that an invitation gives.
    """
    if as_json:
        print_json({f"{what}s": count, "sheets": sheets, "out": out})
        return
    terminal.say(f"{counted(count, what)} on {counted(sheets, 'sheet')}; {out}")
    if not has_qr_code:
        terminal.remark(f"No {what} has a QR code: give the address of your server as --url.")
    if tickets_each > 1:
        terminal.remark(f"Each gives {counted(tickets_each, 'ticket')}.")
    terminal.remark("Open the file in a browser: it says how to print and cut. Delete it afterwards: it has the codes.")


def print_export(name: str, rows: int, out: str, *, as_json: bool) -> None:
    """Print what is in the file `out`: the number of its rows, and what they are (winners, tickets, claims)."""
    if as_json:
        print_json({name: rows, "out": out})
    else:
        terminal.say(f"{counted(rows, name.removesuffix('s'))}; {out}")


def print_invitations(*, first: int, count: int, raffle: Raffle, out: str, as_json: bool) -> None:
    """Print which invitations are in the file `out`, and what to know about them."""
    last = first + count - 1
    if as_json:
        print_json({"invitations": count, "first": first, "last": last, "out": out})
        return
    terminal.say(f"{counted(count, 'invitation')}, numbers {first:,} to {last:,}; {out}")
    terminal.remark(f"Each gives {counted(raffle.terms.tickets_each, 'ticket')}. Keep the file secret.")
    terminal.remark(f"The same numbers always have the same codes: for more, give --from-number {last + 1}.")


def _pass_shape(desk_pass: DeskPass) -> dict[str, object]:
    shape: dict[str, object] = {
        "name": desk_pass.name,
        "may": sorted(desk_pass.may),
        "made_at": write_time(desk_pass.made_at),
        "expires_at": write_time(desk_pass.expires_at),
        "state": pass_state(desk_pass),
    }
    return shape if desk_pass.revoked_at is None else {**shape, "revoked_at": write_time(desk_pass.revoked_at)}


def _plain(shape: Mapping[str, object]) -> dict[str, object]:
    return {**shape, "may": " ".join(cast("list[str]", shape["may"]))}


def _state(report: DatabaseReport) -> str:
    if report.problems:
        return "wrong"
    if report.missing_keys:
        return "without its key"
    if report.remains:
        return "not clean"
    return "ok, as far as it was checked" if report.unopened else "ok"


def _stored_participants(report: DatabaseReport) -> object:
    if report.hashed_participants:
        return f"{report.hashed_participants:,} stored; 'rafflekit purge' deletes them"
    return _left(report, 0)


def _left(report: DatabaseReport, count: int) -> object:
    if count:
        return count
    return "gone" if report.draws else "none drawn yet"
