"""`rafflekit participate`: hand out a ticket, several, or tickets to a whole list."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.codes import length_hint, secret_given
from rafflekit.cli.failures import IO_FAILED, REFUSED, WRONG_USAGE, CommandStopped
from rafflekit.cli.lists import options
from rafflekit.cli.options import AsJson, ChangedRaffle, DatabaseUrl, open_engine, refuse_standard_output
from rafflekit.cli.sources import STDIN
from rafflekit.cli.words import counted, duration, local_time, partly_handed_out
from rafflekit.core import limits
from rafflekit.core.errors import InvitationNeeded, NotOpenYet, RaffleError
from rafflekit.core.models import Entry, Ticket
from rafflekit.core.protocol.quoting import quoted

if TYPE_CHECKING:
    from rafflekit.core.protocol.notes import VerifierKey

_ANY_RECEIPT = "'rafflekit receipt' prints the receipt of any ticket."
_FURTHER_KEY_BYTES = 32

_Who = Annotated[
    str | None,
    typer.Argument(
        metavar="WHO",
        show_default=False,
        help="The participant: any text that is always the same for them, such as an email address. Upper and lower "
        "case, extra spaces and invisible characters do not count.",
    ),
]
_Invitation = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        help=f"Instead of WHO: the one who has this invitation code takes part; {STDIN} to be asked for the code.",
    ),
]
_Count = Annotated[
    int | None,
    typer.Option(
        metavar="COUNT",
        min=1,
        max=limits.TICKETS_EACH,
        help="Hand out this number of tickets to the participant; the raffle needs --each.",
    ),
]
_IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        metavar="KEY", help="A secret of 16 to 255 characters. Repeating the command with it returns the same ticket."
    ),
]
_ReceiptFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A new file for the ticket's receipt: proof that it takes part in the draw."),
]


def hand_out_tickets(
    raffle: ChangedRaffle,
    who: _Who = None,
    *,
    invitation: _Invitation = None,
    count: _Count = None,
    idempotency_key: _IdempotencyKey = None,
    source: options.List = None,
    out: options.Output = None,
    column: options.Column = None,
    count_column: options.CountColumn = None,
    header: options.Header = None,
    separator: options.Separator = None,
    encoding: options.Encoding = None,
    sheet: options.SheetName = None,
    yes: options.WithoutAsking = False,
    dry_run: options.DryRun = False,
    receipt: _ReceiptFile = None,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Hand out a ticket, or tickets to a list of people.

    The verification code is shown only once. With --from it goes to a file that only you can read.
    """
    wanted = _Wanted(raffle, who, invitation, count, idempotency_key, receipt)
    listed = options.ListOptions(
        out, column, count_column, header, separator, encoding, sheet, yes=yes, dry_run=dry_run
    )
    if source is not None:
        wanted.refuse_with_list()
        if out is None and not dry_run:
            raise CommandStopped("--from needs --out, the file for the tickets.", status=WRONG_USAGE)
        layout = listed.layout()
        from rafflekit.cli.lists.handing_out import participate_from, show_list

        if out is None:
            show_list(raffle, source, layout=layout, as_json=as_json, database_url=database_url)
            return
        refuse_standard_output("--out", out)
        participate_from(
            raffle, source, out, layout=layout, consent=listed.consent(), as_json=as_json, database_url=database_url
        )
        return
    listed.refuse_without_list()
    wanted.check()
    if invitation is not None:
        wanted = replace(wanted, invitation=secret_given(invitation, "Invitation code:"))
    if count is None:
        _hand_out_one(wanted, as_json=as_json, database_url=database_url)
    else:
        _hand_out_several(wanted, count, as_json=as_json, database_url=database_url)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Tickets for one participant, as the command line asks for them."""

    raffle: str
    who: str | None
    invitation: str | None = field(repr=False)
    count: int | None
    idempotency_key: str | None = field(repr=False)
    receipt: Path | None

    def check(self) -> None:
        """Check that one participant is named, and that the output can be shown."""
        if self.who is None and self.invitation is None:
            raise CommandStopped(
                "WHO is missing: name a participant, or give --invitation or a list with --from.", status=WRONG_USAGE
            )
        if self.who is not None and self.invitation is not None:
            raise CommandStopped("Give either WHO or --invitation: one participant.", status=WRONG_USAGE)
        if self.receipt is not None and self.count is not None:
            raise CommandStopped(f"--receipt does not work with --count; {_ANY_RECEIPT}", status=WRONG_USAGE)
        if sys.stdout is None:
            # Closed by `>&-`. Printing would not fail, and the code, which is shown only once, would be lost.
            raise CommandStopped("There is no standard output to show the code on; nothing was done.", status=IO_FAILED)
        if self.receipt is not None:
            _check_place_of_receipt(self.receipt)

    def refuse_with_list(self) -> None:
        """Check that nothing is given that is for one participant only."""
        if self.who is not None or self.invitation is not None:
            option = "WHO" if self.invitation is None else "--invitation"
            raise CommandStopped(f"Give either {option} or --from: one participant, or a list.", status=WRONG_USAGE)
        if self.count is not None:
            raise CommandStopped(
                "--count does not work with --from; --count-column reads a number from each line.", status=WRONG_USAGE
            )
        if self.receipt is not None:
            raise CommandStopped(f"--receipt does not work with --from; {_ANY_RECEIPT}", status=WRONG_USAGE)
        if self.idempotency_key is not None:
            raise CommandStopped(
                "--idempotency-key does not work with --from; a run makes a key for each line.", status=WRONG_USAGE
            )


def _hand_out_one(wanted: _Wanted, *, as_json: bool, database_url: str | None) -> None:
    with open_engine(database_url) as engine:
        found = engine.find(wanted.raffle, whole_name=True)
        key = engine.proofs.verifier_key() if wanted.receipt is not None else None
        with _refusal_explained(wanted):
            ticket = engine.participate(
                found.id, wanted.who, invitation=wanted.invitation, idempotency_key=wanted.idempotency_key
            )
    # The code comes first: it is shown only once, and writing the receipt may fail.
    with _lost_code_explained(wanted):
        render.print_ticket(ticket, found, as_json=as_json)
    if wanted.receipt is not None and key is not None:
        _keep_receipt(ticket, key, wanted.receipt)
        terminal.remark(f"The receipt is in {wanted.receipt}.")


def _hand_out_several(wanted: _Wanted, count: int, *, as_json: bool, database_url: str | None) -> None:
    with open_engine(database_url) as engine:
        found = engine.find(wanted.raffle, whole_name=True)
        most = found.terms.tickets_each
        if count > most:
            raise CommandStopped(
                f"--count: a participant gets at most {counted(most, 'ticket')} of {quoted(found.name)}.",
                status=REFUSED,
            )
        entries = [Entry(wanted.who, key, invitation=wanted.invitation) for key in _keys(wanted, count)]
        answers = list(engine.participate_many(found.id, entries))
    tickets = [answer for answer in answers if isinstance(answer, Ticket)]
    refusals = [answer for answer in answers if isinstance(answer, RaffleError)]
    if tickets:
        with _lost_code_explained(wanted):
            render.print_tickets(tickets, found, as_json=as_json)
    if tickets and refusals:
        raise CommandStopped(partly_handed_out(len(tickets), count, str(refusals[0])), status=REFUSED)
    if refusals:
        with _refusal_explained(wanted):
            raise refusals[0]


def _keys(wanted: _Wanted, count: int) -> Iterator[str | None]:
    """Yield an idempotency key for each ticket: the given one, and for further tickets, one that follows from it."""
    key = wanted.idempotency_key
    if key is not None:
        limits.check_idempotency_key(key)
    yield key
    for nth in range(2, count + 1):
        yield None if key is None else blake2b(f"{nth} {key}".encode(), digest_size=_FURTHER_KEY_BYTES).hexdigest()


@contextmanager
def _refusal_explained(wanted: _Wanted) -> Iterator[None]:
    try:
        yield
    except NotOpenYet as error:
        opens = f"it opens on {local_time(error.opens_at)}, in {duration(error.retry_after_s)}"
        raise CommandStopped(f"{NotOpenYet.sentence}: {opens}.", status=REFUSED) from error
    except InvitationNeeded as error:
        hint = ": give --invitation" if wanted.invitation is None else length_hint(wanted.invitation)
        raise InvitationNeeded(f"{error}{hint}") from error


@contextmanager
def _lost_code_explained(wanted: _Wanted) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _lost_code(error, has_key=wanted.idempotency_key is not None) from error


def _lost_code(error: OSError, *, has_key: bool) -> CommandStopped:
    advice = (
        "Repeat the command with the same --idempotency-key to get it again."
        if has_key
        else "It cannot be shown again. Next time, give --idempotency-key: then the command can be repeated."
    )
    return CommandStopped(
        f"The ticket is issued, but its code could not be written: {error.strerror}. {advice}", status=IO_FAILED
    )


def _check_place_of_receipt(file: Path) -> None:
    refuse_standard_output("--receipt", file)
    if os.path.lexists(file):
        raise CommandStopped(f"--receipt: {file} already exists; name a new file.", status=WRONG_USAGE)
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise CommandStopped(
            f"--receipt: no file can be created in {file.parent}; name one in another folder.", status=WRONG_USAGE
        )


def _keep_receipt(ticket: Ticket, key: "VerifierKey", file: Path) -> None:
    from rafflekit.core.ledger.proofs import check_ticket
    from rafflekit.core.protocol.receipts import ReceiptWrong

    try:
        receipt = check_ticket(ticket, key)
    except ReceiptWrong as error:
        raise CommandStopped(f"The ticket's receipt proves nothing: {error}.", status=REFUSED) from error
    is_made = False
    try:
        with open(file, "x", encoding="utf-8") as opened:
            is_made = True
            opened.write(f"{json.dumps(receipt.shape())}\n")
    except OSError as error:
        if is_made:
            file.unlink(missing_ok=True)
        raise CommandStopped(
            f"--receipt: {file} cannot be written: {error.strerror}. The ticket is valid, and 'rafflekit receipt' "
            "prints its receipt.",
            status=IO_FAILED,
        ) from error
