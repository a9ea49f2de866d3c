"""How `rafflekit audit` takes its documents, and how it refuses a wrong command line."""

import io
import json
import sys
from pathlib import Path

import pytest

from rafflekit.cli import main
from tests.cli.audit.honest import CODE, DRAND, KEY, WITNESS
from tests.cli.audit.operators import outcomes
from tests.cli.conftest import OnScreen, Terminal


def test_a_proof_comes_from_standard_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / "proof").read_bytes())))

    assert main(["audit", "-", "--json", "--leaves", "leaves"]) == 0
    assert json.loads(capsys.readouterr().out)["good"] is True


@pytest.mark.usefixtures("folder")
def test_a_code_comes_from_standard_input_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{CODE}\n".encode())))

    assert main(["audit", "proof", "--receipt", "receipt", "--code", "-"]) == 0
    printed = capsys.readouterr()
    assert "✓ code: " in printed.out
    assert CODE not in printed.out + printed.err


@pytest.mark.usefixtures("folder")
def test_a_code_that_is_typed_does_not_appear_on_the_screen(screen: OnScreen) -> None:
    status, text = screen("audit proof --receipt receipt --code -", answers={"Verification code:": f"{CODE}\n"})

    assert status == 0
    assert "code: The code matches the receipt's ticket." in " ".join(text.split())
    assert CODE not in text


@pytest.mark.parametrize("code", ["-", ""])
@pytest.mark.usefixtures("folder")
def test_no_code_is_not_a_wrong_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))

    assert main(["audit", "proof", "--receipt", "receipt", "--code", code]) == 2
    assert capsys.readouterr() == ("", "rafflekit: No code was given.\n")


@pytest.mark.usefixtures("folder")
def test_ctrl_d_at_the_question_for_a_code_is_no_code(screen: OnScreen) -> None:
    status, text = screen("audit proof --receipt receipt --code -", answers={"Verification code:": "\x04"})

    assert status == 2
    assert "No code was given." in text


@pytest.mark.usefixtures("folder")
def test_no_database_is_made_or_needed(terminal: Terminal, database: Path) -> None:
    assert terminal("audit proof --leaves leaves").status == 0
    assert not database.exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("audit", "PROOF is missing"),
        ("audit proof --selftest", "omit PROOF"),
        (f"audit proof --code {CODE}", "--code needs --receipt"),
        ("audit proof --consistency consistency", "--consistency needs --receipt"),
        ("audit proof --witnessed copy@yesterday", "--witnessed: give a time with its zone after the '@'"),
        ("audit proof --witnessed copy@2026-11-24T12:00", "--witnessed: give a time with its zone after the '@'"),
        ("audit - --leaves -", "Only one document can come from standard input"),
        ("audit proof --witnessed - --witnessed -", "Only one document can come from standard input"),
        ("audit proof --key nonsense", "--key: this is not a public key"),
        (f"audit proof --key {WITNESS}", "--key: this is not an operator's key"),
        (f"audit proof --witness {KEY}", "--witness: this is not a witness's key"),
        ("audit proof --leaves server", "--leaves server needs the address of a proof"),
        ("audit proof --receipt receipt --consistency server", "--consistency server needs the address of a proof"),
        (
            "audit proof --receipt receipt --consistency leaves",
            "--consistency: leaves is not a consistency proof: it is not JSON (line 2, column 1).",
        ),
        ("audit file:///etc/passwd", "this address cannot be fetched"),
        ("audit ftp://127.0.0.1/proof/", "this address cannot be fetched"),
        ("audit http:///proof/", "this address cannot be fetched"),
        ("audit http://me:secret@127.0.0.1/proof/", "this address cannot be fetched"),
        ("audit http://[::1/proof/", "this address cannot be fetched"),
        ("audit 'http://127.0.0.1/a b/'", "this address cannot be fetched"),
        ("audit http://127.0.0.1:99999/proof/", "have a port up to 65535."),
        ("audit localhost:8080/raffles/1/proof/", "PROOF: begin an address with http:// or https://."),
        ("audit ''", "PROOF: must not be empty."),
        ("audit proof --receipt ''", "--receipt: must not be empty."),
        ("audit /dev/null", "PROOF: the file /dev/null is empty."),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_wrong_command_line_is_explained(terminal: Terminal, line: str, message: str) -> None:
    status, out, err = terminal(line)

    assert (status, out) == (2, "")
    assert message in err
    assert "secret" not in err


@pytest.mark.parametrize("option", ["", "proof --leaves ", "proof --receipt ", "proof --witnessed "])
@pytest.mark.usefixtures("folder")
def test_a_file_that_is_not_there_is_named_with_its_option(terminal: Terminal, option: str) -> None:
    status, out, err = terminal(f"audit {option}missing")

    named = option.removeprefix("proof ").strip() or "PROOF"
    assert (status, out, err) == (2, "", f"rafflekit: {named}: missing cannot be read: No such file or directory.\n")


@pytest.mark.usefixtures("folder")
def test_a_copy_may_have_an_at_sign_in_its_name(terminal: Terminal) -> None:
    Path("copy@home").write_bytes(Path("copy").read_bytes())
    options = f"--key {KEY} --raffle {DRAND.given.raffle} --json"

    dated = terminal(f"audit proof --witnessed copy@home@2023-08-23T17:58:44+02:00 {options}")
    undated = terminal(f"audit proof --witnessed copy@home {options}")

    assert (outcomes(dated)["witnessed"], outcomes(undated)["witnessed"]) == ("ok", "not proven")


@pytest.mark.parametrize("raffle", ["90b6f672", "no id", ""])
@pytest.mark.usefixtures("folder")
def test_a_part_of_an_id_is_not_another_raffle(terminal: Terminal, raffle: str) -> None:
    session = terminal(f"audit proof --raffle '{raffle}'")

    assert (session.status, session.out) == (2, "")
    assert "--raffle: the raffle's whole id is needed" in session.err
