"""`rafflekit witness add` and `witness sign`: someone other than the operator signs and dates a closing."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import render, sources, terminal
from rafflekit.cli.failures import REFUSED, WRONG_USAGE, CommandStopped, arguments_named
from rafflekit.cli.options import ChangedRaffle, DatabaseUrl, open_engine
from rafflekit.core.protocol.quoting import quoted

if TYPE_CHECKING:
    from rafflekit.core.protocol.documents import Consistency


def add_cosignature(
    raffle: ChangedRaffle,
    note: Annotated[
        str, typer.Argument(metavar="NOTE", help="The closing with the witness's signature: a file, or - for stdin.")
    ],
    *,
    key: Annotated[str, typer.Option(metavar="KEY", help="The witness's public key.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Add a witness's signature to the closing of a raffle.

    The proof of the draw will show it.
    """
    from rafflekit.core.protocol.notes import NOTE_BYTES, WITNESS

    witness = sources.read_key(key, WITNESS, "--key")
    text = _text(sources.read_file(note, NOTE_BYTES, parameter="NOTE"), "NOTE")
    with open_engine(database_url) as engine, arguments_named({"key": "--key", "note": "NOTE"}):
        found = engine.find(raffle, whole_name=True)
        engine.proofs.cosign(found.id, text, str(witness))
    terminal.remark(f"The signature of {witness.name} is now on the closing of {quoted(found.name)}.")


def sign_as_witness(
    checkpoint: Annotated[
        str,
        typer.Argument(metavar="CHECKPOINT", help="The checkpoint: a file, -, or the address of a raffle's ledger."),
    ],
    *,
    key: Annotated[Path, typer.Option(metavar="FILE", help="Your key, made with 'rafflekit key make --witness'.")],
    operator: Annotated[str, typer.Option(metavar="KEY", help="The operator's public key.")],
    state: Annotated[Path, typer.Option(metavar="FILE", help="The file that remembers what you signed before.")],
    consistency: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The proof that the ledger only grew since your last signature. It is fetched if CHECKPOINT is an "
            "address.",
        ),
    ] = None,
) -> None:
    """Sign and date another operator's checkpoint.

    The signature is refused if the ledger did not simply grow since the last checkpoint that you signed.
    """
    from rafflekit.core.ledger.keys import read_signing_key
    from rafflekit.core.protocol.notes import OPERATOR, WITNESS
    from rafflekit.core.witness import Witness

    if state.is_dir():
        raise CommandStopped(f"--state: {state} is a folder.", status=WRONG_USAGE)
    signer = read_signing_key(key, setting="--key", kind=WITNESS)
    source = _CheckpointSource.of(checkpoint, consistency)
    content = source.checkpoint()
    known = sources.read_key(operator, OPERATOR, "--operator")
    witness = Witness(signer, state)
    with arguments_named({"checkpoint": "CHECKPOINT", "proof": "--consistency", "state": "--state"}):
        signed = witness.cosign(_text(content, "CHECKPOINT"), known, source.consistency, time=int(time.time()))
    if signed.is_first:
        terminal.remark(
            f"This is the first checkpoint of this raffle in {state}, so it was not compared with an earlier one."
        )
    render.print_note(signed.note)


@dataclass(frozen=True, slots=True)
class _CheckpointSource:
    """The source of a checkpoint and its consistency proof: files, or the address of a ledger."""

    file: str
    address: str | None
    consistency_file: Path | None

    @classmethod
    def of(cls, checkpoint: str, consistency: Path | None) -> "_CheckpointSource":
        return cls(checkpoint, checkpoint.rstrip("/") if "://" in checkpoint else None, consistency)

    def checkpoint(self) -> bytes:
        from rafflekit.core.protocol.notes import NOTE_BYTES

        if self.address is None:
            return sources.read_file(self.file, NOTE_BYTES, parameter="CHECKPOINT")
        # Imported late: it takes longer to import than most commands take to run.
        from rafflekit.cli.fetching import fetch

        return fetch(f"{self.address}/", NOTE_BYTES)

    def consistency(self, old: int, new: int) -> "Consistency":
        from rafflekit.core.protocol.documents import RECEIPT_BYTES, read_consistency
        from rafflekit.core.protocol.strict_json import DocumentWrong

        if self.consistency_file is not None:
            content = sources.read_file(str(self.consistency_file), RECEIPT_BYTES, parameter="--consistency")
        elif self.address is not None:
            from rafflekit.cli.fetching import fetch

            content = fetch(f"{self.address}/consistency/?from={old}&to={new}", RECEIPT_BYTES)
        else:
            raise CommandStopped(
                f"You signed a smaller ledger of this raffle before: give --consistency, the proof from {old} to "
                f"{new}.",
                status=REFUSED,
            )
        try:
            return read_consistency(content)
        except DocumentWrong as error:
            raise CommandStopped(f"This is not a consistency proof: {error}.", status=REFUSED) from error


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CommandStopped(f"{name} is not text in UTF-8.", status=WRONG_USAGE) from error


GROUP = {"add": add_cosignature, "sign": sign_as_witness}
