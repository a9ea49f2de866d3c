"""`rafflekit participate` and `verify`: a ticket is handed out, and proves itself later."""

from typing import Annotated

import typer

from rafflekit.cli import render
from rafflekit.cli.options import AsJson, DatabaseUrl, RaffleId, open_engine


def participate(
    raffle: RaffleId,
    who: Annotated[
        str, typer.Argument(metavar="WHO", help="The participant: an IP address, or any text that stays the same.")
    ],
    *,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="A secret of yours, 16 characters or more: repeated, it gives the same ticket."
        ),
    ] = None,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Hand a ticket to a participant.

    Its verification code is shown this once.
    """
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        ticket = engine.participate(found.id, who, idempotency_key=idempotency_key)
    render.show_ticket(ticket, found, as_json=as_json)


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
