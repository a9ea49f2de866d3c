"""`rafflekit receipt`, `checkpoint` and `proof`: the documents that let anyone check a draw."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.new_files import check_new, new_file
from rafflekit.cli.options import DatabaseUrl, ShownRaffle, open_engine
from rafflekit.cli.verdicts import VALUE_NAMES

if TYPE_CHECKING:
    from rafflekit.core.protocol.leaves import Leaf


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

    Once the raffle is closed, this is its closing, which witnesses sign. Its hash and its six words are shown, too, for
    people to compare with the certificate of the draw. Before the first ticket, there is no checkpoint.
    """
    with open_engine(database_url) as engine:
        note = engine.proofs.checkpoint(engine.find(raffle).id)
    render.print_note(note)
    _remark_on_closing(note)


def _remark_on_closing(note: str) -> None:
    """Show what people recognise a closing by; a checkpoint from before it has nothing like that."""
    from rafflekit.core.protocol.checkpoints import Checkpoint
    from rafflekit.core.protocol.notes import Note, base64_of
    from rafflekit.core.protocol.words import words_of

    checkpoint = Checkpoint.read(Note.read(note).text)
    if checkpoint.end is None:
        return
    closing_hash = checkpoint.closing_hash()
    terminal.remark(f"{VALUE_NAMES['closed_list']}: {base64_of(closing_hash)}")
    terminal.remark(f"{VALUE_NAMES['six_words']}: {' '.join(words_of(closing_hash))}")


def show_proof(
    raffle: ShownRaffle,
    *,
    leaves: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the leaves of all tickets into this new file, for 'audit --leaves' and verify_draw.py. "
            "It has no names and no codes.",
        ),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the proof of a draw, for anyone to check.

    The proof is one line of JSON. To save it: rafflekit proof RAFFLE > proof.json
    """
    if leaves is not None:
        check_new(leaves, option="--leaves")
    with open_engine(database_url) as engine, terminal.working("Collecting the proof"):
        proofs, found = engine.proofs, engine.find(raffle)
        proof = proofs.proof(found.id)
        if leaves is not None:
            _write_leaves(leaves, proofs.leaves(found.id))
    render.print_document(proof.shape())
    if leaves is not None:
        terminal.remark(f"The list of all tickets is in {leaves}.")


def _write_leaves(path: Path, leaves: "Iterable[Leaf]") -> None:
    from rafflekit.core.protocol.documents import leaf_line

    with new_file(path, is_private=False, option="--leaves") as file:
        file.writelines(f"{leaf_line(leaf)}\n".encode() for leaf in leaves)
