"""`rafflekit key …`, `receipt`, `checkpoint`, `proof`: what signs the ledgers, and what a draw is checked by."""

from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.options import AsJsonLine, DatabaseUrl, RaffleId, open_engine
from rafflekit.core.settings import KEY_NAME


def make_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; nothing is overwritten.")],
    *,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What the key is called in signatures, e.g. raffles.example.org.")
    ] = KEY_NAME,
    witness: Annotated[
        bool, typer.Option("--witness", help="A key to cosign other people's raffles with, as a witness.")
    ] = False,
    as_json: AsJsonLine = False,
) -> None:
    """Make a key to sign ledgers with, in a file for its owner alone. Keep a copy in a safe place."""
    from rafflekit.core.ledger.keys import make_signing_key
    from rafflekit.core.protocol.notes import OPERATOR, WITNESS

    key = make_signing_key(file, name=name, kind=WITNESS if witness else OPERATOR)
    render.show_verifier_key(key.verifier, as_json=as_json)


def show_key(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="A key's file, an operator's or a witness's; no database is opened.",
        ),
    ] = None,
    *,
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the verifier key by which everybody can check what this database's servers sign, or the key in FILE."""
    if file is not None:
        if database_url is not None:
            raise CommandStopped("FILE and --database-url exclude each other: one key is shown.", status=WRONG_USAGE)
        from rafflekit.core.ledger.keys import read_any_signing_key

        render.show_verifier_key(read_any_signing_key(file, setting="FILE").verifier, as_json=as_json)
        return
    with open_engine(database_url) as engine:
        key = engine.proofs.verifier_key()
    render.show_verifier_key(key, as_json=as_json)


def receipt(
    raffle: RaffleId,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The ticket's number.")],
    *,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the receipt of a ticket, one line of JSON: the proof that it is in the draw. It shows no code."""
    with open_engine(database_url) as engine:
        found = engine.proofs.receipt(engine.find(raffle).id, number)
    render.print_document(found.shape())


def checkpoint(raffle: RaffleId, *, database_url: DatabaseUrl = None) -> None:
    """Print the latest signed checkpoint of a raffle's ledger; once it is sold out, its closing, for witnesses."""
    with open_engine(database_url) as engine:
        note = engine.proofs.checkpoint(engine.find(raffle).id)
    render.print_note(note)


def proof(raffle: RaffleId, *, database_url: DatabaseUrl = None) -> None:
    """Print the proof of a draw, one line of JSON: rafflekit proof RAFFLE > proof.json."""
    with open_engine(database_url) as engine, terminal.working("Collecting the proof"):
        found = engine.proofs.proof(engine.find(raffle).id)
    render.print_document(found.shape())
