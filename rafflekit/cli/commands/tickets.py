"""`rafflekit participate` and `verify`: hand out a ticket, and check it after the draw."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import IO_FAILED, REFUSED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import AsJson, DatabaseUrl, RaffleId, open_engine
from rafflekit.core.errors import InvalidVerificationCode

if TYPE_CHECKING:
    from rafflekit.core.models import Raffle, Ticket
    from rafflekit.core.protocol.notes import VerifierKey

_Who = Annotated[
    str | None,
    typer.Argument(
        metavar="WHO",
        show_default=False,
        help="The participant: any text that is always the same for them, such as an email address.",
    ),
]
_IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        metavar="KEY", help="A secret of 16 to 255 characters. Repeating the command with it returns the same ticket."
    ),
]
_List = Annotated[
    Path | None, typer.Option("--from", metavar="LIST", help="Instead of WHO: a CSV file, one participant per line.")
]
_Output = Annotated[
    Path | None,
    typer.Option(
        metavar="TICKETS",
        help="With --from: the CSV file for the tickets. Rerun the same command to resume an interrupted run.",
    ),
]
_Column = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="With --from: the column to read. Line 1 of the list has the column names."),
]
_ReceiptFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A new file for the ticket's receipt: proof that it takes part in the draw."),
]


def hand_out_tickets(
    raffle: RaffleId,
    who: _Who = None,
    *,
    idempotency_key: _IdempotencyKey = None,
    source: _List = None,
    out: _Output = None,
    column: _Column = None,
    receipt: _ReceiptFile = None,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Hand out a ticket, or tickets to a list of people.

    The verification code is shown only once. With --from it goes to a file that only you can read.
    """
    if source is not None:
        _refuse_with_list(who=who, idempotency_key=idempotency_key, receipt=receipt)
        if out is None:
            raise CommandStopped("--from needs --out, the file for the tickets.", status=WRONG_USAGE)
        from rafflekit.cli.lists.handing_out import participate_from

        participate_from(raffle, source, out, column=column, as_json=as_json, database_url=database_url)
        return
    if out is not None or column is not None:
        option = "--column" if out is None else "--out"
        raise CommandStopped(f"{option} needs --from, the list of participants.", status=WRONG_USAGE)
    if who is None:
        raise CommandStopped("WHO is missing: name a participant, or a list with --from.", status=WRONG_USAGE)
    _hand_out_one(_OneTicket(raffle, who, idempotency_key, receipt), as_json=as_json, database_url=database_url)


def verify_ticket(
    raffle: RaffleId,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The ticket's number.")],
    code: Annotated[
        str,
        typer.Argument(metavar="CODE", help="The ticket's code, in upper or lower case, with or without dashes."),
    ],
    *,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Check a ticket's code and show what the ticket won."""
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        try:
            verification = engine.verify(found.id, number, code)
        except InvalidVerificationCode as error:
            raise InvalidVerificationCode(f"{error}{_hint(found, number, code)}") from error
    render.print_verification(verification, number, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _OneTicket:
    """A ticket for one participant, as the command line asks for it."""

    raffle: str
    who: str
    idempotency_key: str | None
    receipt: Path | None


def _hand_out_one(wanted: _OneTicket, *, as_json: bool, database_url: str | None) -> None:
    if sys.stdout is None:
        # Closed by `>&-`. Printing would not fail, and the code, which is shown only once, would be lost.
        raise CommandStopped("There is no standard output to show the code on; nothing was done.", status=IO_FAILED)
    if wanted.receipt is not None:
        _check_place_of_receipt(wanted.receipt)
    with open_engine(database_url) as engine:
        found = engine.find(wanted.raffle)
        key = engine.proofs.verifier_key() if wanted.receipt is not None else None
        ticket = engine.participate(found.id, wanted.who, idempotency_key=wanted.idempotency_key)
    # The code comes first: it is shown only once, and writing the receipt may fail.
    try:
        render.print_ticket(ticket, found, as_json=as_json)
    except OSError as error:
        raise _lost_code(error, has_key=wanted.idempotency_key is not None) from error
    if wanted.receipt is not None and key is not None:
        _keep_receipt(ticket, key, wanted.receipt)
        terminal.remark(f"The receipt is in {wanted.receipt}.")


def _lost_code(error: OSError, *, has_key: bool) -> CommandStopped:
    advice = (
        "Repeat the command with the same --idempotency-key to get it again."
        if has_key
        else "It cannot be shown again. Next time, give --idempotency-key: then the command can be repeated."
    )
    return CommandStopped(
        f"The ticket is issued, but its code could not be written: {error.strerror}. {advice}", status=IO_FAILED
    )


def _hint(raffle: "Raffle", number: int, code: str) -> str:
    """Return what is wrong with the number or the code by itself, without looking at a ticket."""
    from rafflekit.core.protocol.codes import CHARACTERS, length_of

    if not 1 <= number <= raffle.total_tickets:
        return f": this raffle's tickets are numbered from 1 to {raffle.total_tickets:,}."
    length = length_of(code)
    if length != CHARACTERS:
        return f": a code has {CHARACTERS} letters and digits, and this one has {length}."
    return ""


def _check_place_of_receipt(file: Path) -> None:
    if os.path.lexists(file):
        raise CommandStopped(f"--receipt: {file} already exists; name a new file.", status=WRONG_USAGE)
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise CommandStopped(
            f"--receipt: no file can be created in {file.parent}; name one in another folder.", status=WRONG_USAGE
        )


def _keep_receipt(ticket: "Ticket", key: "VerifierKey", file: Path) -> None:
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


def _refuse_with_list(*, who: str | None, idempotency_key: str | None, receipt: Path | None) -> None:
    if who is not None:
        raise CommandStopped("Give either WHO or --from: one participant, or a list.", status=WRONG_USAGE)
    if receipt is not None:
        raise CommandStopped(
            "--receipt does not work with --from; 'rafflekit receipt' prints the receipt of any ticket.",
            status=WRONG_USAGE,
        )
    if idempotency_key is not None:
        raise CommandStopped(
            "--idempotency-key does not work with --from; a run makes a key for each line.", status=WRONG_USAGE
        )
