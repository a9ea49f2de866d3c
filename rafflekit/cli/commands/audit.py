"""`rafflekit audit`: reads the documents that the command line names, checks them, and prints the verdict.

No database is opened, and no server is trusted.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from rafflekit.cli import terminal, verdicts
from rafflekit.cli.codes import secret_given
from rafflekit.cli.failures import REFUSED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import AsJsonLine
from rafflekit.cli.sources import SERVER, STDIN, ProofAddress, lines_of_leaves, read_file, read_key

if TYPE_CHECKING:
    from rafflekit.core.protocol.audit import AuditReport, Witnessed

_Proof = Annotated[
    str | None,
    typer.Argument(
        metavar="PROOF",
        show_default=False,
        help=f"The proof of the draw: a file, {STDIN} for standard input, or its address, …/raffles/<id>/proof/.",
    ),
]
_Raffle = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The raffle's id, from a place other than the proof and its address."),
]
_Key = Annotated[
    str | None, typer.Option(metavar="KEY", help="The operator's public key, from a place other than the proof.")
]
_Witnesses = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY", help="The public key of a witness of this raffle. Repeat it for each witness."),
]
_Copies = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE[@TIME]",
        help="A copy of the closing that was kept apart from the operator. Add @TIME if you know when it was "
        "published: copy.txt@2026-11-24T12:00:00Z. Can be repeated.",
    ),
]
_Leaves = Annotated[
    str | None,
    typer.Option(metavar="FILE", help=f"All tickets' leaves: a file, {STDIN}, or '{SERVER}' to fetch them."),
]
_Receipt = Annotated[str | None, typer.Option(metavar="FILE", help="The receipt of your ticket.")]
_Code = Annotated[
    str | None,
    typer.Option(metavar="CODE", help=f"Your ticket's code, or {STDIN} to be asked for it. It is never printed."),
]
_Consistency = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help=f"The proof that the ledger only grew since your receipt: a file, or '{SERVER}' to fetch it. With an "
        "address as PROOF it is fetched anyway, unless the leaves are given.",
    ),
]
_Selftest = Annotated[
    bool, typer.Option("--selftest", help="Try falsified documents instead of a proof. Each must be refused.")
]


def audit_proof(
    proof: _Proof = None,
    *,
    raffle: _Raffle = None,
    key: _Key = None,
    witness: _Witnesses = None,
    witnessed: _Copies = None,
    leaves: _Leaves = None,
    receipt: _Receipt = None,
    code: _Code = None,
    consistency: _Consistency = None,
    selftest: _Selftest = False,
    as_json: AsJsonLine = False,
) -> None:
    """Check the proof of a draw, step by step.

    Each step is right (✓), wrong (✗) or not proven (–). A step that is not proven rests on trust. The exit status is 1
    if a step is wrong, else 0. No database is opened, and no server is trusted. docs/draw-protocol.md explains the
    steps.
    """
    if selftest:
        if proof is not None:
            raise CommandStopped("--selftest has proofs to try; omit PROOF.", status=WRONG_USAGE)
        is_good = verdicts.try_falsified_documents(as_json=as_json)
    else:
        if proof is None:
            raise CommandStopped("PROOF is missing: a file, - for standard input, or an address.", status=WRONG_USAGE)
        given = _AuditOptions(
            proof, raffle, key, tuple(witness or ()), _copies(witnessed or ()), leaves, receipt, code, consistency
        )
        is_good = _check(given, as_json=as_json)
    if not is_good:
        raise typer.Exit(REFUSED)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of the closing: its file, and when it was published (seconds since 1970), if that is known."""

    file: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class _AuditOptions:
    """The arguments of `audit_proof`."""

    proof: str
    raffle: str | None
    key: str | None
    witnesses: tuple[str, ...]
    copies: tuple[_Copy, ...]
    leaves: str | None
    receipt: str | None
    code: str | None = field(repr=False)
    consistency: str | None

    def check(self) -> None:
        """Refuse options that need another one, and two documents from standard input."""
        for name, given, needed, other in (
            ("--code", self.code, self.receipt, "--receipt"),
            ("--consistency", self.consistency, self.receipt, "--receipt"),
        ):
            if given is not None and needed is None:
                raise CommandStopped(f"{name} needs {other}.", status=WRONG_USAGE)
        documents = [self.proof, self.leaves, self.receipt, self.code, self.consistency]
        documents += [copy.file for copy in self.copies]
        if documents.count(STDIN) > 1:
            raise CommandStopped(f"Only one document can come from standard input ({STDIN}).", status=WRONG_USAGE)


def _check(given: _AuditOptions, *, as_json: bool) -> bool:
    given.check()
    raffle = None if given.raffle is None else _checked_id(given.raffle)
    address = ProofAddress.read(given.proof)
    report = _report(given, address, raffle)
    fetched = {"leaves"} if given.leaves == SERVER else set()
    verdicts.print_report(report, fetched=fetched, as_json=as_json)
    return report.good


def _report(given: _AuditOptions, address: ProofAddress | None, raffle: str | None) -> "AuditReport":
    from rafflekit.core.protocol.audit import audit
    from rafflekit.core.protocol.documents import PROOF_BYTES, RECEIPT_BYTES
    from rafflekit.core.protocol.notes import OPERATOR, WITNESS

    key = None if given.key is None else str(read_key(given.key, OPERATOR, "--key"))
    witnesses = [str(read_key(witness, WITNESS, "--witness")) for witness in given.witnesses]
    if address is None:
        document = read_file(given.proof, PROOF_BYTES, parameter="PROOF")
    else:
        # Imported late: it takes longer to import than most commands take to run.
        from rafflekit.cli.fetching import fetch

        document = fetch(address.url, PROOF_BYTES)
    receipt = None if given.receipt is None else read_file(given.receipt, RECEIPT_BYTES, parameter="--receipt")
    copies = [_read_copy(copy) for copy in given.copies]
    consistency = _read_consistency(given, address, document, receipt)
    leaves = None if given.leaves is None else _lines_of_leaves(given.leaves, address)
    code = None if given.code is None else secret_given(given.code, "Verification code:", shows_typing=False)
    with terminal.working("Checking"):
        return audit(
            document,
            raffle=raffle,
            served_id=None if address is None else address.id,
            key=key,
            witnesses=witnesses,
            witnessed=copies,
            leaves=leaves,
            receipt=receipt,
            consistency=consistency,
            code=code,
            now=int(time.time()),
        )


def _checked_id(text: str) -> str:
    # With the beginning of an id, which other commands accept, the proof would look like another raffle's.
    try:
        return str(UUID(text))
    except ValueError as error:
        raise CommandStopped("--raffle: the raffle's whole id is needed here.", status=WRONG_USAGE) from error


def _copies(options: Sequence[str]) -> tuple[_Copy, ...]:
    return tuple(_copy(option) for option in options)


def _copy(option: str) -> _Copy:
    file, at, time = option.rpartition("@")
    if not at or Path(option).exists():
        return _Copy(option)
    try:
        published = datetime.fromisoformat(time)
    except ValueError:
        published = None
    if published is None or published.tzinfo is None:
        raise CommandStopped(
            "--witnessed: give a time with its zone after the '@', such as 2026-11-24T12:00:00Z.", status=WRONG_USAGE
        )
    return _Copy(file, int(published.timestamp()))


def _read_copy(copy: _Copy) -> "Witnessed":
    from rafflekit.core.protocol.audit import Witnessed
    from rafflekit.core.protocol.notes import NOTE_BYTES

    return Witnessed(read_file(copy.file, NOTE_BYTES, parameter="--witnessed"), copy.at)


def _lines_of_leaves(leaves: str, address: ProofAddress | None) -> Iterator[bytes]:
    from rafflekit.core.protocol.documents import LEAF_LINE_BYTES

    if leaves == SERVER:
        from rafflekit.cli.fetching import lines_fetched

        return lines_fetched(_on_server(address, "--leaves").of_raffle("ledger/leaves/"), LEAF_LINE_BYTES)
    return lines_of_leaves(leaves, LEAF_LINE_BYTES)


def _read_consistency(
    given: _AuditOptions, address: ProofAddress | None, document: bytes, receipt: bytes | None
) -> bytes | None:
    from rafflekit.core.protocol.audit import sizes_of
    from rafflekit.core.protocol.documents import RECEIPT_BYTES

    if receipt is None:
        return None
    wanted = given.consistency
    if wanted is None and given.leaves is None and address is not None and address.raffle:
        # Without it, a receipt only proves the tickets before it, and a list that was rewritten later looks honest.
        wanted = SERVER
    if wanted is None:
        return None
    if wanted != SERVER:
        return _read_consistency_file(wanted)
    server = _on_server(address, "--consistency")
    sizes = sizes_of(document, receipt)
    # The audit reports documents without sizes. A receipt of the closing itself needs no such proof.
    if sizes is None or sizes[0] >= sizes[1]:
        return None
    from rafflekit.cli.fetching import fetch

    return fetch(server.of_raffle(f"ledger/consistency/?from={sizes[0]}&to={sizes[1]}"), RECEIPT_BYTES)


def _read_consistency_file(file: str) -> bytes:
    from rafflekit.core.protocol.documents import RECEIPT_BYTES, read_consistency
    from rafflekit.core.protocol.strict_json import DocumentWrong

    content = read_file(file, RECEIPT_BYTES, parameter="--consistency")
    try:
        read_consistency(content)
    except DocumentWrong as error:
        # The audit would accuse the operator, who did not choose this file.
        raise CommandStopped(
            f"--consistency: {file} is not a consistency proof: {error}.", status=WRONG_USAGE
        ) from error
    return content


def _on_server(address: ProofAddress | None, option: str) -> ProofAddress:
    if address is None:
        raise CommandStopped(f"{option} {SERVER} needs the address of a proof as PROOF.", status=WRONG_USAGE)
    return address
