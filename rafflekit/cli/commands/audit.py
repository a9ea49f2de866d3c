"""`rafflekit audit`: what the documents of a draw prove, checked without a database and without believing a server."""

import getpass
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from rafflekit.cli import terminal
from rafflekit.cli.failures import REFUSED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import AsJsonLine
from rafflekit.cli.sources import SERVER, STDIN, ProofAddress, fetch, lines_of_file, read_file, read_key

if TYPE_CHECKING:
    from rafflekit.core.protocol.audit import AuditReport, Step, Witnessed

# What to look at again if a step is wrong for what was given beside the proof. None of them may calm whoever gave the
# right thing.
_TO_CHECK = {
    "terms": "compare --raffle with the id of the raffle that you mean; if it is that one, this is another one's proof",
    "key": "compare --key with the key that the operator published; if it is that one, the proof is by another key",
    "receipt": "--receipt must be the whole receipt of a ticket of this raffle; if it is, it does not fit the proof",
    "code": "--code must be the code of the ticket whose receipt this is; if it is, the receipt is for another code",
}
_MARKS = {"ok": ("✓", "green"), "wrong": ("✗", "red"), "not proven": ("–", "yellow")}


def audit(
    proof: Annotated[
        str | None,
        typer.Argument(
            metavar="PROOF",
            show_default=False,
            help=f"The proof of the draw: a file, {STDIN} for standard input, or its address, …/raffles/<id>/proof/.",
        ),
    ] = None,
    *,
    raffle: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The raffle's id as you know it; without it, the address's."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The operator's key, as you got it from elsewhere.")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="The key of a witness whom you trust; may be repeated.")
    ] = None,
    witnessed: Annotated[
        str | None, typer.Option(metavar="FILE", help="A copy of the closing that was kept apart from the operator.")
    ] = None,
    witnessed_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When that copy was published, for which you vouch: 2026-11-24T12:00:00Z."),
    ] = None,
    leaves: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"All leaves: a file, {STDIN}, or '{SERVER}' to fetch them from PROOF's."),
    ] = None,
    receipt: Annotated[str | None, typer.Option(metavar="FILE", help="The receipt of your ticket.")] = None,
    code: Annotated[
        str | None,
        typer.Option(metavar="CODE", help=f"Your ticket's code, or {STDIN} to be asked for it; it is never printed."),
    ] = None,
    consistency: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help=f"That the closing goes on from your receipt: a file, or '{SERVER}' to fetch it from PROOF's; from an "
            "address it is fetched, too, if neither this nor the leaves are given.",
        ),
    ] = None,
    selftest: Annotated[
        bool, typer.Option("--selftest", help="Instead of a proof, try falsified documents: each must be refused.")
    ] = False,
    as_json: AsJsonLine = False,
) -> None:
    """Check the proof of a draw, step by step; no database is opened, and no server believed.

    Each step is right (✓), wrong (✗) or not proven (–), which means that it rests on somebody's word. The exit status
    is 0 if none is wrong, else 1. docs/draw-protocol.md says what the steps are.
    """
    if selftest:
        if proof is not None:
            raise CommandStopped("--selftest brings its own proofs; leave PROOF away.", status=WRONG_USAGE)
        _run_selftest(as_json=as_json)
        return
    if proof is None:
        raise CommandStopped("PROOF is missing: a file, - for standard input, or an address.", status=WRONG_USAGE)
    _refuse_what_needs_more(receipt=receipt, code=code, consistency=consistency, witnessed=witnessed, at=witnessed_at)
    if [proof, leaves, receipt, code, consistency, witnessed].count(STDIN) > 1:
        raise CommandStopped(f"Only one document can come from standard input ({STDIN}).", status=WRONG_USAGE)
    from rafflekit.core.protocol.audit import audit as take_steps
    from rafflekit.core.protocol.documents import PROOF_BYTES, RECEIPT_BYTES
    from rafflekit.core.protocol.notes import OPERATOR, WITNESS

    operator_key = None if key is None else str(read_key(key, OPERATOR, "--key"))
    witness_keys = [str(read_key(each, WITNESS, "--witness")) for each in witness or ()]
    raffle_id = None if raffle is None else _checked_id(raffle)
    address = ProofAddress.read(proof)
    document = read_file(proof, PROOF_BYTES, parameter="PROOF") if address is None else fetch(address.url, PROOF_BYTES)
    own = None if receipt is None else read_file(receipt, RECEIPT_BYTES, parameter="--receipt")
    if own is not None and leaves is None and consistency is None and address is not None and address.raffle:
        # Without it a receipt would hold for the tickets before it alone, and a rewritten list pass for an honest one.
        consistency = SERVER
    copy = None if witnessed is None else _read_copy(witnessed, witnessed_at)
    goes_on = None if consistency is None else _read_consistency(consistency, address, document, own)
    lines = None if leaves is None else _lines_of_leaves(leaves, address)
    secret = _asked_for(code)
    with terminal.working("Checking"):
        report = take_steps(
            document,
            raffle=raffle_id if raffle_id is not None or address is None else address.id,
            key=operator_key,
            witnesses=witness_keys,
            witnessed=copy,
            leaves=lines,
            receipt=own,
            consistency=goes_on,
            code=secret,
            now=int(time.time()),
        )
    # What a server answers under another raffle's address is no mistake of whoever asked it.
    is_raffle_given = raffle_id is not None and (address is None or address.id != raffle_id)
    _show(report, is_raffle_given=is_raffle_given, as_json=as_json)
    if not report.good:
        raise typer.Exit(REFUSED)


def _refuse_what_needs_more(
    *, receipt: str | None, code: str | None, consistency: str | None, witnessed: str | None, at: str | None
) -> None:
    for name, given, needed, other in (
        ("--code", code, receipt, "--receipt"),
        ("--consistency", consistency, receipt, "--receipt"),
        ("--witnessed-at", at, witnessed, "--witnessed"),
    ):
        if given is not None and needed is None:
            raise CommandStopped(f"{name} needs {other}.", status=WRONG_USAGE)


def _checked_id(text: str) -> str:
    # A beginning of an id, as other commands take it, would look like another raffle's proof.
    try:
        return str(UUID(text))
    except ValueError as error:
        raise CommandStopped("--raffle: a raffle's whole id is needed here.", status=WRONG_USAGE) from error


def _read_copy(file: str, at: str | None) -> "Witnessed":
    from rafflekit.core.protocol.audit import Witnessed
    from rafflekit.core.protocol.notes import NOTE_BYTES

    # What is no UTF-8 is no note; the audit says so.
    note = read_file(file, NOTE_BYTES, parameter="--witnessed").decode(errors="surrogateescape")
    if at is None:
        return Witnessed(note)
    try:
        published = datetime.fromisoformat(at)
    except ValueError:
        published = None
    if published is None or published.tzinfo is None:
        raise CommandStopped("--witnessed-at: a time with its zone, like 2026-11-24T12:00:00Z.", status=WRONG_USAGE)
    return Witnessed(note, int(published.timestamp()))


def _lines_of_leaves(leaves: str, address: ProofAddress | None) -> Iterator[bytes]:
    from rafflekit.core.protocol.documents import LEAF_LINE_BYTES

    if leaves == SERVER:
        from rafflekit.cli.fetching import lines_fetched

        return lines_fetched(_on_server(address, "--leaves").of_raffle("ledger/leaves/"), LEAF_LINE_BYTES)
    return lines_of_file(leaves, LEAF_LINE_BYTES, parameter="--leaves")


def _read_consistency(file: str, address: ProofAddress | None, document: bytes, receipt: bytes | None) -> bytes | None:
    from rafflekit.core.protocol.audit import sizes_of
    from rafflekit.core.protocol.documents import RECEIPT_BYTES

    if file != SERVER:
        return read_file(file, RECEIPT_BYTES, parameter="--consistency")
    server = _on_server(address, "--consistency")
    sizes = sizes_of(document, receipt or b"")
    # Of documents that tell no sizes, the audit says what is wrong; a receipt of the closing needs no such proof.
    if sizes is None or sizes[0] >= sizes[1]:
        return None
    return fetch(server.of_raffle(f"ledger/consistency/?from={sizes[0]}&to={sizes[1]}"), RECEIPT_BYTES)


def _on_server(address: ProofAddress | None, option: str) -> ProofAddress:
    if address is None:
        raise CommandStopped(f"{option} {SERVER} needs the address of a proof as PROOF.", status=WRONG_USAGE)
    return address


def _asked_for(code: str | None) -> str | None:
    if code != STDIN:
        return code
    if terminal.can_ask():
        return getpass.getpass("Verification code: ")
    return read_file(STDIN, 1_000, parameter="--code").decode(errors="replace").strip()


def _show(report: "AuditReport", *, is_raffle_given: bool, as_json: bool) -> None:
    if as_json:
        terminal.say(json.dumps(report.shape()))
        return
    for step in report.steps:
        mark, style = _MARKS[step.outcome]
        terminal.say(f"{mark} {step.name}{', not proven' if mark == '–' else ''}: {step.sentence}", style=style)
    if report.first_wrong is not None:
        terminal.say(_why_not_good(report.first_wrong, is_raffle_given=is_raffle_given), style="bold red")
    elif report.unproven:
        terminal.say(f"Nothing is wrong. Somebody's word is needed for: {', '.join(report.unproven)}.", style="bold")
    else:
        terminal.say("Everything is proven.", style="bold green")


def _why_not_good(wrong: "Step", *, is_raffle_given: bool) -> str:
    if wrong.name == "form":
        return (
            "This is no proof of a draw that can be read, and proves nothing. PROOF is what 'rafflekit proof' prints, "
            "or an address that ends with /raffles/<id>/proof/."
        )
    if wrong.is_mistaken and (wrong.name != "terms" or is_raffle_given):
        # The steps that look at the draw come between these.
        goes_on = wrong.name in {"receipt", "code"}
        shown = (
            "What the other steps show of the draw stands" if goes_on else "Nothing is shown, for or against the draw"
        )
        return f"This does not belong together: {_TO_CHECK[wrong.name]}. {shown}."
    return "The documents are not those of an honest draw, or were changed on their way."


def _run_selftest(*, as_json: bool) -> None:
    from rafflekit.core.protocol.audit.selftest import run_selftest
    from rafflekit.core.protocol.entropy.drand import BlsMissing, require_bls

    try:
        require_bls()
        missing, why = None, ""
    except BlsMissing as error:
        missing, why = "bls", str(error)
    failures: list[str] = []
    refused: Counter[str] = Counter()
    untried = []
    with terminal.working("Trying falsified documents"):
        for trial in run_selftest(missing=missing):
            if trial.is_right is None:
                untried.append(trial.name)
            elif not trial.is_right:
                failures.append(f"{trial.step or 'honest documents'}: {trial.name}")
            elif trial.step is not None:
                refused[trial.step] += 1
    if as_json:
        outcome = {"good": not failures, "refused": refused.total(), "untried": untried, "failures": failures}
        terminal.say(json.dumps(outcome))
    else:
        for step, count in refused.items():
            terminal.say(f"✓ {step}: {count:,} falsified documents were refused.", style="green")
        if untried:
            terminal.say(f"– {len(untried):,} could not be tried. {why}", style="yellow")
        for failure in failures:
            terminal.say(f"✗ {failure}: not judged as it must be.", style="red")
    if failures:
        raise typer.Exit(REFUSED)
