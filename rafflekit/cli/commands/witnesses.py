"""`rafflekit witness …`: somebody else than the operator puts a name and a time on a closing."""

import time
from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import render, sources, terminal
from rafflekit.cli.failures import REFUSED, WRONG_USAGE, CommandStopped, arguments_named
from rafflekit.cli.options import DatabaseUrl, RaffleId, open_engine


def add(
    raffle: RaffleId,
    note: Annotated[str, typer.Argument(metavar="NOTE", help="The closing with the cosignature: a file, or -.")],
    *,
    key: Annotated[str, typer.Option(metavar="KEY", help="The witness's verifier key.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Keep a witness's cosignature on the closing of a sold-out raffle; the proof of the draw shows it."""
    from rafflekit.core.protocol.notes import NOTE_BYTES

    text = _text(sources.read_file(note, NOTE_BYTES, parameter="NOTE"), "NOTE")
    with open_engine(database_url) as engine, arguments_named({"key": "--key", "note": "NOTE"}):
        engine.proofs.cosign(engine.find(raffle).id, text, key)


def sign(
    checkpoint: Annotated[
        str, typer.Argument(metavar="CHECKPOINT", help="A file, -, or the address of a raffle's ledger.")
    ],
    *,
    key: Annotated[Path, typer.Option(metavar="FILE", help="The witness's key: 'rafflekit key make --witness'.")],
    operator: Annotated[str, typer.Option(metavar="KEY", help="The operator's verifier key.")],
    state: Annotated[Path, typer.Option(metavar="FILE", help="Where the witness keeps what it saw.")],
    consistency: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The proof that it goes on from what was seen; from an address it is fetched."
        ),
    ] = None,
) -> None:
    """Cosign a checkpoint, if it goes on from the last one seen of that raffle, and print it with the cosignature."""
    from rafflekit.core.ledger.keys import read_signing_key
    from rafflekit.core.protocol.documents import RECEIPT_BYTES, Consistency, read_consistency
    from rafflekit.core.protocol.notes import NOTE_BYTES, OPERATOR, WITNESS
    from rafflekit.core.protocol.strict_json import DocumentWrong
    from rafflekit.core.witness import Witness

    signer = read_signing_key(key, setting="--key", kind=WITNESS)
    address = checkpoint.rstrip("/") if "://" in checkpoint else None

    def proof(old: int, new: int) -> Consistency:
        if consistency is not None:
            content = sources.read_file(str(consistency), RECEIPT_BYTES, parameter="--consistency")
        elif address is not None:
            content = sources.fetch(f"{address}/consistency/?from={old}&to={new}", RECEIPT_BYTES)
        else:
            raise CommandStopped(
                f"A smaller tree of this raffle was seen: --consistency, the proof from {old} to {new}, is needed.",
                status=REFUSED,
            )
        try:
            return read_consistency(content)
        except DocumentWrong as error:
            raise CommandStopped(f"The consistency proof is none: {error}.", status=REFUSED) from error

    content = (
        sources.read_file(checkpoint, NOTE_BYTES, parameter="CHECKPOINT")
        if address is None
        else sources.fetch(f"{address}/", NOTE_BYTES)
    )
    known = sources.read_key(operator, OPERATOR, "--operator")
    signed = Witness(signer, state).cosign(_text(content, "CHECKPOINT"), known, proof, time=int(time.time()))
    if signed.is_first:
        terminal.remark(f"The first checkpoint of this raffle that {state} knows: it was compared with nothing.")
    render.print_note(signed.note)


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CommandStopped(f"{name} is no text in UTF-8.", status=WRONG_USAGE) from error
