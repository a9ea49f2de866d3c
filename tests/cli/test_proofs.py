"""`rafflekit receipt`, `checkpoint`, `proof` and `participate --receipt`, and an audit of what they print."""

import json
import re
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from rafflekit import Prize, Raffle, RaffleEngine, Ticket
from rafflekit.cli import render
from rafflekit.cli.verdicts import VALUE_NAMES
from rafflekit.core.protocol.documents import leaf_line, read_proof, read_receipt
from rafflekit.core.protocol.notes import Note
from rafflekit.core.protocol.receipts import check_receipt
from tests.cli.conftest import Process, Session, Terminal
from tests.programs import run
from tests.verifiers.standalone import FILE as VERIFY_DRAW

KEY = "an idempotency key"


@pytest.mark.usefixtures("folder")
def test_a_whole_draw_is_followed_from_the_receipt_to_the_audit(terminal: Terminal, engine: RaffleEngine) -> None:
    key = terminal("key show").out.strip()
    raffle = engine.create("Foobar", total_tickets=3, prizes=[Prize("hug")]).id
    ticket = json.loads(terminal(f"participate {raffle} ann --receipt receipt.json --json").out)
    for person in ("bob", "cy"):
        terminal(f"participate {raffle} {person}")
    witness = terminal("key make witness.key --name gazette.example --witness").out.strip()
    Path("closing.txt").write_text(terminal(f"checkpoint {raffle}").out)
    signed = terminal(f"witness sign closing.txt --key witness.key --operator {key} --state seen.json")
    Path("cosigned.txt").write_text(signed.out)
    added = terminal(f"witness add {raffle} cosigned.txt --key {witness}")
    assert added == Session(0, "", "The signature of gazette.example is now on the closing of “Foobar”.\n")
    terminal(f"draw {raffle} --yes")
    Path("proof.json").write_text(terminal(f"proof {raffle}").out)

    audited = terminal(
        f"audit proof.json --key {key} --witness {witness} --receipt receipt.json --code {ticket['verification_code']} "
        "--json"
    )

    assert audited.status == 0
    said = {step["name"]: step["outcome"] for step in json.loads(audited.out)["steps"]}
    assert "wrong" not in said.values()
    assert {said[step] for step in ("key", "closing", "witnesses", "seed", "winners", "code")} == {"ok"}
    assert json.loads(Path("receipt.json").read_text()) == ticket["receipt"]


@pytest.mark.usefixtures("folder")
def test_a_receipt_that_proves_nothing_is_not_saved(
    terminal: Terminal, raffle: Raffle, monkeypatch: pytest.MonkeyPatch
) -> None:
    participate = RaffleEngine.participate

    def of_another_number(engine: RaffleEngine, *what: Any, **how: Any) -> Ticket:
        ticket = participate(engine, *what, **how)
        return replace(ticket, number=ticket.number + 1)

    monkeypatch.setattr(RaffleEngine, "participate", of_another_number)
    refused = terminal(f"participate {raffle.id} ann --receipt receipt.json")

    assert refused.status == 1
    assert "The ticket's receipt proves nothing: it belongs to ticket" in refused.err
    assert "-" in refused.out
    assert not Path("receipt.json").exists()


def test_a_receipt_is_printed_for_any_ticket(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    printed = terminal(f"receipt {sold_out.id} 1")
    none = terminal(f"receipt {sold_out.id} 99")

    receipt = read_receipt(printed.out)
    assert check_receipt(receipt, sold_out.id, engine.proofs.verifier_key()).size == sold_out.total_tickets
    assert receipt.leaf.ticket_number == 1
    assert none == Session(1, "", "rafflekit: No ticket with this number has been handed out.\n")


def test_a_proof_is_printed_only_after_the_draw(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    early = terminal(f"proof {sold_out.id}")
    engine.draw(sold_out.id)
    printed = terminal(f"proof {sold_out.id}")

    assert early == Session(1, "", "rafflekit: Winners for the raffle have not been drawn yet\n")
    assert read_proof(printed.out).terms.id == sold_out.id


def test_all_leaves_are_written_next_to_the_proof(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle, tmp_path: Path
) -> None:
    proof, leaves = tmp_path / "proof.json", tmp_path / "leaves.jsonl"
    engine.draw(sold_out.id)

    written = terminal(f"proof {sold_out.id} --leaves {leaves}")
    proof.write_text(written.out)
    by_audit = terminal(f"audit {proof} --leaves {leaves} --json").out
    by_one_file = run([sys.executable, VERIFY_DRAW, proof, "--leaves", leaves, "--json"]).stdout

    assert written.err == f"The list of all tickets is in {leaves}.\n"
    # As a server sends them, too.
    assert leaves.read_text() == "".join(f"{leaf_line(leaf)}\n" for leaf in engine.proofs.leaves(sold_out.id))
    for report in (by_audit, by_one_file):
        outcomes = {step["name"]: step["outcome"] for step in json.loads(report)["steps"]}
        assert (outcomes["leaves"], outcomes["winners"]) == ("ok", "ok")


def test_leaves_are_never_written_over_a_file_or_to_the_screen(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle, tmp_path: Path
) -> None:
    engine.draw(sold_out.id)
    file = tmp_path / "leaves.jsonl"
    file.write_text("mine")

    refused = terminal(f"proof {sold_out.id} --leaves {file}")
    to_the_screen = terminal(f"proof {sold_out.id} --leaves -")

    isnt = "already exists and is not the list of this raffle's tickets; name a new file."
    assert refused == Session(2, "", f"rafflekit: --leaves: {file} {isnt}\n")
    assert (to_the_screen.status, to_the_screen.out) == (2, "")
    assert file.read_text() == "mine"


@pytest.mark.usefixtures("folder")
def test_a_proof_is_published_again_by_the_same_command(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle
) -> None:
    publish = f"proof {sold_out.id} --out proof.json --leaves leaves.jsonl"
    engine.draw(sold_out.id)
    first = terminal(publish)
    leaves = Path("leaves.jsonl").stat()
    engine.forfeit(sold_out.id, engine.winners(sold_out.id).items[0].ticket_number, why="disqualified", reason="x")

    again = terminal(publish)

    assert (
        first == again == Session(0, "", "The proof is in proof.json.\nThe list of all tickets is in leaves.jsonl.\n")
    )
    assert len(read_proof(Path("proof.json").read_bytes()).forfeits or ()) == 1
    assert Path("proof.json").read_text() == terminal(f"proof {sold_out.id}").out
    assert Path("leaves.jsonl").stat() == leaves
    assert sorted(each.name for each in Path().iterdir()) == ["leaves.jsonl", "proof.json"]


@pytest.mark.usefixtures("folder")
def test_only_an_older_proof_of_the_raffle_is_replaced(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle
) -> None:
    other = engine.create("Other", total_tickets=1, prizes=[Prize("hug")]).id
    engine.participate(other, "ann")
    for raffle in (sold_out.id, other):
        engine.draw(raffle)
    Path("empty.json").touch()
    Path("link.json").symlink_to("mine.json")
    for file, raffle in (("mine", sold_out.id), ("other", other)):
        terminal(f"proof {raffle} --out {file}.json --leaves {file}.jsonl")
    before = {each: each.read_bytes() for each in Path().iterdir()}

    for file in ("other", "empty", "link"):
        refused = terminal(f"proof {sold_out.id} --out {file}.json")
        isnt = f"{file}.json already exists and is not an older proof of this draw; keep it, and name a new file."
        assert refused == Session(2, "", f"rafflekit: --out: {isnt}\n")
    assert terminal(f"proof {sold_out.id} --out new --leaves new").err.endswith("are the same file; name two.\n")
    # The leaves are compared before the proof is written.
    for leaves in ("other.jsonl", "empty.json", "mine.json"):
        assert terminal(f"proof {sold_out.id} --out new.json --leaves {leaves}").status == 2
    assert {each: each.read_bytes() for each in Path().iterdir()} == before


@pytest.mark.usefixtures("folder")
def test_a_proof_that_contradicts_a_database_is_kept(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle, database: Path
) -> None:
    publish = f"proof {sold_out.id} --out proof.json"
    key = Path(f"{database}.key").read_bytes()
    for name in ("undrawn", "drawn"):
        if name == "drawn":
            engine.draw(sold_out.id)
        assert terminal(f"backup {name}.db").status == 0
        Path(f"{name}.db.key").touch(0o600)
        Path(f"{name}.db.key").write_bytes(key)
    terminal(publish)
    first = Path("proof.json").read_bytes()
    engine.forfeit(sold_out.id, engine.winners(sold_out.id).items[0].ticket_number, why="disqualified", reason="x")
    terminal(publish)
    second = Path("proof.json").read_bytes()

    with_fewer = terminal(f"{publish} --database-url sqlite:///drawn.db")
    terminal(f"draw {sold_out.id} --database-url sqlite:///undrawn.db --yes")
    of_another_draw = terminal(f"{publish} --database-url sqlite:///undrawn.db")

    kept = "proof.json already exists and is not an older proof of this draw; keep it, and name a new file."
    assert first != second == Path("proof.json").read_bytes()
    assert with_fewer == of_another_draw == Session(2, "", f"rafflekit: --out: {kept}\n")


def test_leaves_that_cannot_be_written_whole_are_not_written(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle, tmp_path: Path
) -> None:
    engine.draw(sold_out.id)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)

    # No file can be so long, except the database's, which is not written.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, most))
    try:
        done = terminal(f"proof {sold_out.id} --leaves {tmp_path}/leaves.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    assert (done.status, done.out) == (74, "")
    assert done.err == f"rafflekit: --leaves: {tmp_path}/leaves.jsonl cannot be written: File too large.\n"
    assert list(tmp_path.glob("leaves*")) == []


@pytest.mark.usefixtures("folder")
def test_what_a_certificate_shows_can_be_compared(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    closing = terminal(f"checkpoint {sold_out.id}")
    engine.draw(sold_out.id)
    Path("proof.json").write_text(terminal(f"proof {sold_out.id}").out)
    terminal(f"print certificate {sold_out.id} -o certificate.html")
    by_audit = terminal("audit proof.json").out.splitlines()
    by_one_file = run([sys.executable, VERIFY_DRAW, "proof.json"]).stdout.decode().splitlines()

    html = unescape(re.sub("</?(?:bdi|code)[^>]*>", "", Path("certificate.html").read_text()))
    shown = [f"  {name}: {value}" for name, value in re.findall("<dt>([^<]*)</dt><dd[^>]*>([^<]*)</dd>", html)]
    values = [line for line in by_audit if line.partition(":")[0].strip() in VALUE_NAMES.values()]
    words = f"  {VALUE_NAMES['six_words']}: {' '.join(engine.proofs.words(sold_out) or ())}"

    assert len(values) == len(VALUE_NAMES)
    assert set(values) <= set(shown)
    assert words in values
    assert set(values) - {words} <= set(by_one_file)
    # What was published when the list was closed, is in both.
    assert {f"  {line}" for line in closing.out.partition("\n\n")[0].splitlines()} <= set(by_audit) & set(by_one_file)
    assert {f"  {line}" for line in closing.err.splitlines()} == {words, values[0]}


def test_there_is_no_list_of_leaves_without_a_proof(terminal: Terminal, sold_out: Raffle, tmp_path: Path) -> None:
    early = terminal(f"proof {sold_out.id} --leaves {tmp_path}/leaves.jsonl")

    assert early == Session(1, "", "rafflekit: Winners for the raffle have not been drawn yet\n")
    assert list(tmp_path.glob("leaves*")) == []


def test_the_file_of_a_receipt_is_named(terminal: Terminal, raffle: Raffle, tmp_path: Path) -> None:
    done = terminal(f"participate {raffle.id} ann --receipt {tmp_path}/receipt.json")

    assert done.err.splitlines()[-1] == f"The receipt is in {tmp_path}/receipt.json."


def test_a_receipt_overwrites_no_file_and_takes_no_ticket(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    file.write_text("mine")

    refused = terminal(f"participate {raffle.id} ann --receipt {file}")

    assert refused.status == 2
    assert "already exists; name a new file" in refused.err
    assert file.read_text() == "mine"
    assert engine.get(raffle.id).available_tickets == raffle.total_tickets


def test_a_receipt_in_a_missing_folder_takes_no_ticket(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle, tmp_path: Path
) -> None:
    refused = terminal(f"participate {raffle.id} ann --receipt {tmp_path}/nowhere/receipt.json")

    assert refused.status == 2
    assert f"--receipt: no file can be created in {tmp_path}/nowhere; name one in another folder" in refused.err
    assert engine.get(raffle.id).available_tickets == raffle.total_tickets


@pytest.fixture
def when_the_ticket_is_shown(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen between the ticket and its receipt's file."""

    def happens(event: Callable[[], object]) -> None:
        def print_ticket(*what: Any, **how: Any) -> None:
            shown(*what, **how)
            event()

        shown = render.print_ticket
        monkeypatch.setattr(render, "print_ticket", print_ticket)

    return happens


def test_an_incomplete_receipt_is_deleted(
    terminal: Terminal, raffle: Raffle, tmp_path: Path, when_the_ticket_is_shown: Callable[[Callable[[], object]], None]
) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    when_the_ticket_is_shown(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, most)))

    try:
        done = terminal(f"participate {raffle.id} ann --receipt {tmp_path / 'receipt.json'} --json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    assert done.status == 74
    assert "receipt.json cannot be written: File too large. The ticket is valid" in done.err
    assert "verification_code" in done.out
    assert not (tmp_path / "receipt.json").exists()


def test_a_file_created_before_the_receipt_stays(
    terminal: Terminal, raffle: Raffle, tmp_path: Path, when_the_ticket_is_shown: Callable[[Callable[[], object]], None]
) -> None:
    file = tmp_path / "receipt.json"
    when_the_ticket_is_shown(lambda: file.write_text("mine"))

    done = terminal(f"participate {raffle.id} ann --receipt {file}")

    assert (done.status, file.read_text()) == (74, "mine")


@pytest.mark.parametrize("options", ["", "--json"])
def test_a_receipt_that_cannot_be_written_does_not_cost_the_code(
    process: Process, engine: RaffleEngine, raffle: Raffle, tmp_path: Path, options: str
) -> None:
    file = tmp_path / f"{'x' * 300}.json"

    done = process(f"participate {raffle.id} ann --idempotency-key '{KEY}' --receipt {file} {options}")

    assert done.status == 74
    assert done.err.endswith(
        f"rafflekit: --receipt: {file} cannot be written: File name too long. The ticket is valid, and "
        "'rafflekit receipt' prints its receipt.\n"
    )
    assert engine.participate(raffle.id, "ann", idempotency_key=KEY).verification_code in done.out


def test_a_checkpoint_is_a_signed_note(terminal: Terminal, engine: RaffleEngine, raffle: Raffle) -> None:
    engine.participate(raffle.id, "ann")

    note = Note.read(terminal(f"checkpoint {raffle.id}").out)

    assert note.check(engine.proofs.verifier_key()) == [0]
    assert len(note.signatures) == 1


def test_a_raffle_without_tickets_has_no_checkpoint(terminal: Terminal, raffle: Raffle) -> None:
    sentence = "This raffle has no tickets yet, so its terms can change and nothing is signed."
    assert terminal(f"checkpoint {raffle.id}") == Session(1, "", f"rafflekit: {sentence}\n")
