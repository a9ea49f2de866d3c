"""`rafflekit receipt`, `checkpoint` and `proof`: the documents that let anyone check a draw."""

from typing import Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.options import DatabaseUrl, ShownRaffle, open_engine


def show_receipt(
    raffle: ShownRaffle,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The ticket's number.")],
    *,
    database_url: DatabaseUrl = None,
) -> None:
    """Print a ticket's receipt, the proof that it is in the draw.

    The receipt is one line of JSON. It does not contain the ticket's code.
    """
    with open_engine(database_url) as engine:
        found = engine.proofs.receipt(engine.find(raffle).id, number)
    render.print_document(found.shape())


def show_checkpoint(raffle: ShownRaffle, *, database_url: DatabaseUrl = None) -> None:
    """Print the latest signed checkpoint of a raffle's ledger.

    Once the raffle is closed, this is its closing, which witnesses sign. Before the first ticket, there is none.
    """
    with open_engine(database_url) as engine:
        note = engine.proofs.checkpoint(engine.find(raffle).id)
    render.print_note(note)


def show_proof(raffle: ShownRaffle, *, database_url: DatabaseUrl = None) -> None:
    """Print the proof of a draw, for anyone to check.

    The proof is one line of JSON. To save it: rafflekit proof RAFFLE > proof.json
    """
    with open_engine(database_url) as engine, terminal.working("Collecting the proof"):
        found = engine.proofs.proof(engine.find(raffle).id)
    render.print_document(found.shape())
