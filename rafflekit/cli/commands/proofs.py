"""`rafflekit receipt`, `checkpoint` and `proof`: the documents that let anyone check a draw."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.new_files import check_new, new_file
from rafflekit.cli.options import DatabaseUrl, ShownRaffle, open_engine
from rafflekit.cli.verdicts import VALUE_NAMES

if TYPE_CHECKING:
    from rafflekit.core.protocol.documents import Proof
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
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write the proof into this file, whole or not at all. An older proof of the draw is replaced.",
        ),
    ] = None,
    leaves: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the leaves of all tickets into this file, for 'audit --leaves' and verify_draw.py, or "
            "compare them if the file exists. It has no names and no codes.",
        ),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the proof of a draw, for anyone to check.

    The proof is one line of JSON. To publish it, run rafflekit proof RAFFLE --out proof.json --leaves leaves.jsonl. Run
    the same again when a prize has passed on.
    """
    for file, option in ((out, "--out"), (leaves, "--leaves")):
        if file is not None:
            check_new(file, option=option, may_exist=True)
    if out is not None and out == leaves:
        raise CommandStopped("--out and --leaves are the same file; name two.", status=WRONG_USAGE)
    with open_engine(database_url) as engine, terminal.working("Collecting the proof"):
        proofs, found = engine.proofs, engine.find(raffle)
        proof = proofs.proof(found.id)
        is_replaced = out is not None and _has_older(proof, out)
        if leaves is not None:
            _keep_leaves(leaves, proofs.leaves(found.id))
    if out is None:
        render.print_document(proof.shape())
    else:
        with new_file(out, is_private=False, is_replaced=is_replaced) as written:
            written.write(f"{json.dumps(proof.shape(), ensure_ascii=False)}\n".encode())
        terminal.remark(f"The proof is in {out}.")
    if leaves is not None:
        terminal.remark(f"The list of all tickets is in {leaves}.")


def _has_older(proof: "Proof", path: Path) -> bool:
    """Return whether a file has this proof, or had it before more prizes passed on; False if there is no such file.

    Raises:
        CommandStopped: it holds something else. A proof of another draw may be the only evidence of that draw.
    """
    from rafflekit.core.protocol.documents import PROOF_BYTES, read_proof
    from rafflekit.core.protocol.strict_json import DocumentWrong

    if not os.path.lexists(path):
        return False
    with suppress(OSError, DocumentWrong):
        if _is_plain_file(path) and path.stat().st_size <= PROOF_BYTES:
            before = read_proof(path.read_bytes())
            has_all = proof.forfeits is None or (
                before.forfeits is not None and [*before.forfeits] == [*proof.forfeits][: len(before.forfeits)]
            )
            # The draw's note has the closing's hash, the seed and the winners.
            if before.draw == proof.draw and has_all:
                return True
    raise CommandStopped(
        f"--out: {path} already exists and is not an older proof of this draw; keep it, and name a new file.",
        status=WRONG_USAGE,
    )


def _keep_leaves(path: Path, leaves: "Iterable[Leaf]") -> None:
    from rafflekit.core.protocol.documents import leaf_line

    lines = (f"{leaf_line(leaf)}\n".encode() for leaf in leaves)
    if not os.path.lexists(path):
        with new_file(path, is_private=False, option="--leaves") as file:
            file.writelines(lines)
    elif not _has_lines(path, lines):
        raise CommandStopped(
            f"--leaves: {path} already exists and is not the list of this raffle's tickets; name a new file.",
            status=WRONG_USAGE,
        )


def _has_lines(path: Path, lines: Iterable[bytes]) -> bool:
    with suppress(OSError):
        if _is_plain_file(path):
            with path.open("rb") as file:
                return all(found == line for found, line in zip_longest(file, lines))
    return False


def _is_plain_file(path: Path) -> bool:
    # A pipe would never end, and behind a link may be a file of another name.
    return path.is_file() and not path.is_symlink()
