"""`rafflekit participate` and `verify`: a ticket is handed out, and proves itself later."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import render
from rafflekit.cli.failures import IO_FAILED, REFUSED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import AsJson, DatabaseUrl, RaffleId, open_engine

if TYPE_CHECKING:
    from rafflekit.core.models import Ticket
    from rafflekit.core.protocol.notes import VerifierKey


def participate(
    raffle: RaffleId,
    who: Annotated[
        str | None,
        typer.Argument(
            metavar="WHO", show_default=False, help="The participant: an IP address, or any text that stays the same."
        ),
    ] = None,
    *,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="A secret of yours, 16 characters or more: repeated, it gives the same ticket."
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="LIST", help="Instead of WHO, a CSV file with a participant a line."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="TICKETS", help="With --from, the CSV file for the tickets; a run that was interrupted goes on."
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With --from, the column to read; line 1 of the list names the columns."),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file for the ticket's receipt: the proof that it is in the draw."),
    ] = None,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Hand a ticket to a participant, or to everybody in a list.

    Its verification code is shown this once, or written to a file that only its owner may read.
    """
    if source is not None:
        _refuse_beside_from(who=who, idempotency_key=idempotency_key, receipt=receipt)
        if out is None:
            raise CommandStopped("--from needs --out, the file that the tickets are written to.", status=WRONG_USAGE)
        from rafflekit.cli.lists.handing_out import participate_from

        participate_from(raffle, source, out, column=column, as_json=as_json, database_url=database_url)
        return
    if out is not None or column is not None:
        option = "--column" if out is None else "--out"
        raise CommandStopped(f"{option} needs --from, the list of participants.", status=WRONG_USAGE)
    if who is None:
        raise CommandStopped("WHO takes part? Name a participant, or a list with --from.", status=WRONG_USAGE)
    if sys.stdout is None:
        # As after `>&-`. Printing there is no error, and the code, which is shown this once, would be lost.
        raise CommandStopped("There is no standard output to show the code on; nothing was done.", status=IO_FAILED)
    if receipt is not None:
        _check_place_of_receipt(receipt)
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        key = engine.proofs.verifier_key() if receipt is not None else None
        ticket = engine.participate(found.id, who, idempotency_key=idempotency_key)
    # The code first: it is shown this once, whatever becomes of the file.
    render.show_ticket(ticket, found, as_json=as_json)
    if receipt is not None and key is not None:
        _keep_receipt(ticket, key, receipt)


def verify(
    raffle: RaffleId,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The ticket's number.")],
    code: Annotated[str, typer.Argument(metavar="CODE", help="Its verification code, in any case, dashes or none.")],
    *,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Tell whether a ticket is genuine and what it won."""
    with open_engine(database_url) as engine:
        verification = engine.verify(engine.find(raffle).id, number, code)
    render.show_verification(verification, number, as_json=as_json)


def _check_place_of_receipt(file: Path) -> None:
    if os.path.lexists(file):
        raise CommandStopped(f"--receipt: {file} is there already; name a new file.", status=WRONG_USAGE)
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise CommandStopped(
            f"--receipt: no file can be made in {file.parent}; name one in another folder.", status=WRONG_USAGE
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
            f"--receipt: {file} cannot be written: {error.strerror}. The ticket stays, and 'rafflekit receipt' gives "
            "its receipt.",
            status=IO_FAILED,
        ) from error


def _refuse_beside_from(*, who: str | None, idempotency_key: str | None, receipt: Path | None) -> None:
    if who is not None:
        raise CommandStopped("WHO and --from exclude each other: one participant, or a list.", status=WRONG_USAGE)
    if receipt is not None:
        raise CommandStopped(
            "--receipt and --from exclude each other: 'rafflekit receipt' gives the receipt of any ticket.",
            status=WRONG_USAGE,
        )
    if idempotency_key is not None:
        raise CommandStopped(
            "--idempotency-key and --from exclude each other: a run makes a key for each line.", status=WRONG_USAGE
        )
