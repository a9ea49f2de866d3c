"""`verify_draw.py` as a program: its arguments, its files and what it prints."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rafflekit.cli import main
from tests.tamper.test_tampering import BASES
from tests.vectors.examples import signer
from tests.verifiers.test_standalone import FILE
from tests.waiting import LIMIT_S


def run(
    *arguments: object, python: tuple[str, ...] = (sys.executable,), typed: str = "", **environment: str
) -> tuple[int, str, str]:
    """Run the file as a program, with `typed` as its input; return its exit status and both outputs."""
    found = subprocess.run(
        [*python, str(FILE), *map(str, arguments)],
        input=typed.encode(),
        capture_output=True,
        check=False,
        timeout=LIMIT_S,
        env={"PATH": os.defpath} | environment,
    )
    return found.returncode, found.stdout.decode(), found.stderr.decode()


def written(folder: Path, base: dict[str, Any]) -> list[str]:
    """Write the documents of an audit to files; return the arguments that name them."""
    (folder / "proof.json").write_text(base["proof"], encoding="utf-8")
    (folder / "leaves.jsonl").write_text("".join(f"{line}\n" for line in base["leaves"]), encoding="utf-8")
    (folder / "receipt.json").write_text(base["receipt"], encoding="utf-8")
    witnesses = [f"--witness={key}" for key in base["witnesses"]]
    known = [f"--key={base['key']}", f"--raffle={base['raffle']}", f"--code={base['code']}", *witnesses]
    files = [f"--leaves={folder / 'leaves.jsonl'}", f"--receipt={folder / 'receipt.json'}"]
    return [str(folder / "proof.json"), *known, *files]


@pytest.mark.parametrize("base", BASES)
def test_a_bare_python_verifies_and_says_what_it_skipped(tmp_path: Path, base: str) -> None:
    status, out, err = run(*written(tmp_path, BASES[base]), python=(sys.executable, "-I", "-S"))

    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 12
    assert [line.split()[0] for line in lines].count("✗") == 0
    skipped = [line for line in lines if "skipped" in line]
    assert [line.split(": ")[1] for line in skipped] == (["code"] if base == "secrets" else ["entropy", "code"])
    assert all("py-arkworks-bls12381" in line or "argon2-cffi" in line for line in skipped)


def test_a_wrong_step_is_marked_and_ends_with_status_1(tmp_path: Path) -> None:
    arguments = written(tmp_path, BASES["drand"] | {"key": str(signer("stranger").verifier)})

    status, out, _ = run(*arguments, PYTHONIOENCODING="ascii")

    assert status == 1
    assert [line[:2] for line in out.splitlines()] == ["✓ ", "✓ ", "✗ "]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("proof.json", b""),
        ("proof.json", b"\xff\xfe"),
        ("proof.json", b"[" * 100_000),
        ("proof.json", b"1" * 5_000_000),
        ("leaves.jsonl", b"{" * 100_000),
        ("receipt.json", b'"\\ud800"'),
    ],
    ids=range(6),
)
def test_a_malformed_file_is_wrong_and_makes_no_traceback(tmp_path: Path, name: str, content: bytes) -> None:
    arguments = written(tmp_path, BASES["drand"])
    (tmp_path / name).write_bytes(content)

    status, out, err = run(*arguments)

    assert (status, err) == (1, "")
    assert out.count("✗") == 1


@pytest.mark.parametrize(
    "arguments",
    [["."], ["/nowhere"], [FILE, "--witness=x"], [FILE, "--leaves=/nowhere"], [FILE, "--code=0"], []],
)
def test_wrong_arguments_end_with_one_error_line(arguments: list[object]) -> None:
    status, out, err = run(*arguments)

    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith("verify_draw.py: error: ")


@pytest.mark.parametrize("option", ["key", "witness"])
def test_an_argument_that_is_not_a_key_accuses_no_one(option: str) -> None:
    whose = {"key": "an operator's", "witness": "a witness's"}[option]

    status, out, err = run(FILE, f"--{option}=foo")

    assert (status, out) == (2, "")
    assert err.endswith(f"error: argument --{option}: this is not {whose} public key; copy the whole line\n")


def test_a_file_that_cannot_be_read_is_named_in_words() -> None:
    assert run("/nowhere")[2].endswith("error: /nowhere cannot be read: No such file or directory\n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"root:x:0:0\n", "the document is not JSON (line 1, column 1)"),
        (b"\x7fELF\xd0", "the document is not text in UTF-8"),
        (b"{}", "a key is missing, unknown, or has a value of another form"),
    ],
    ids=["text", "program", "JSON"],
)
def test_a_file_that_is_not_a_proof_is_called_so(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "file").write_bytes(content)

    assert run(tmp_path / "file") == (1, f"✗ form: this is not a proof: {reason}\n", "")


def test_a_file_of_nested_lists_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"[" * 200_000)

    assert run(tmp_path / "file")[1] == "✗ form: this is not a proof: the document is nested too deeply\n"


@pytest.mark.parametrize(("typed", "outcome"), [("", "✗"), ("ABCD\n", "✗"), (f"{BASES['secrets']['code']}\n", "✓")])
def test_a_code_can_come_from_the_standard_input(tmp_path: Path, typed: str, outcome: str) -> None:
    _, out, _ = run(*written(tmp_path, BASES["secrets"]), "--code=-", typed=typed)

    assert out.splitlines()[-1].startswith(f"{outcome} code: ")


def test_output_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, FILE, *written(tmp_path, BASES["secrets"])],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    assert done.returncode == 74
    assert done.stderr == "verify_draw.py: the output could not be written: No space left on device\n"


def test_ctrl_c_ends_quietly(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "proof")
    program = subprocess.Popen([sys.executable, FILE, tmp_path / "proof"], stderr=subprocess.PIPE)
    # It opens when the program reads the proof.
    with (tmp_path / "proof").open("wb"):
        program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=LIMIT_S)

    assert (program.returncode, err) == (130, b"")


def test_a_real_draw_is_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAFFLEKIT_DATABASE_URL", f"sqlite:///{tmp_path / 'raffles.db'}")

    def rafflekit(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    raffle = json.loads(rafflekit("create", "Small", "--tickets", "2", "--prize", "gold", "--json"))["id"]
    tickets = [json.loads(rafflekit("participate", raffle, name, "--json")) for name in ("ada", "bob")]
    rafflekit("draw", raffle, "--yes")
    (tmp_path / "proof.json").write_text(rafflekit("proof", raffle), encoding="utf-8")
    (tmp_path / "receipt.json").write_text(json.dumps(tickets[1]["receipt"]), encoding="utf-8")
    leaves = [json.dumps(ticket["receipt"]["leaf"]) for ticket in tickets]
    (tmp_path / "leaves.jsonl").write_text("\n".join(leaves), encoding="utf-8")
    key = json.loads(rafflekit("key", "show", "--json"))["verifier_key"]

    status, out, _ = run(
        *(tmp_path / "proof.json", "--raffle", raffle, "--key", key, "--leaves", tmp_path / "leaves.jsonl"),
        *("--receipt", tmp_path / "receipt.json", "--code", tickets[1]["verification_code"]),
    )

    assert status == 0
    unproven = {line.split(": ")[1] for line in out.splitlines() if "not proven" in line}
    assert unproven == {"witnesses", "entropy", "witnessed"}
    assert out.count("✓") == 9
