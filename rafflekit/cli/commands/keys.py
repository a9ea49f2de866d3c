"""`rafflekit key make` and `key show`: the key that signs the ledgers, or that of a witness."""

from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import render
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped, arguments_named
from rafflekit.cli.options import AsJsonLine, DatabaseUrl, open_engine, refuse_standard_output
from rafflekit.core.settings import KEY_NAME


def make_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file. An existing one is never overwritten.")],
    *,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The key's name in signatures, such as raffles.example.org.")
    ] = KEY_NAME,
    witness: Annotated[
        bool, typer.Option("--witness", help="Make a witness's key, for signing other operators' raffles.")
    ] = False,
    as_json: AsJsonLine = False,
) -> None:
    """Make a signing key in a new file that only you can read.

    Keep a copy of the file in a safe place: raffles started with a key need it until they are drawn.
    """
    from rafflekit.core.ledger.keys import make_signing_key
    from rafflekit.core.protocol.notes import OPERATOR, WITNESS

    refuse_standard_output("FILE", file)
    with arguments_named({"name": "--name"}):
        key = make_signing_key(file, name=name, kind=WITNESS if witness else OPERATOR)
    render.print_verifier_key(key.verifier, as_json=as_json)


def show_key(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="The file of an operator's or a witness's key. No database is opened then.",
        ),
    ] = None,
    *,
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the public key that checks what this database signs.

    With FILE, print the public half of the key in that file.
    """
    if file is not None:
        if database_url is not None:
            raise CommandStopped("Give either FILE or --database-url: one key is shown.", status=WRONG_USAGE)
        if not file.exists():
            raise CommandStopped(f"FILE: {file} does not exist.", status=WRONG_USAGE)
        from rafflekit.core.ledger.keys import read_any_signing_key

        render.print_verifier_key(read_any_signing_key(file).verifier, as_json=as_json)
        return
    with open_engine(database_url) as engine:
        key = engine.proofs.verifier_key()
    render.print_verifier_key(key, as_json=as_json)


GROUP = {"make": make_key, "show": show_key}
