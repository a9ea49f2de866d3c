"""`verify_draw.py` as a program: its arguments, its files and what it prints."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rafflekit.cli import main
from tests.tamper.test_tampering import BASES
from tests.vectors.examples import signer, witness
from tests.verifiers.raffles import Written, fair
from tests.verifiers.standalone import FILE
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


def steps(out: str) -> list[str]:
    """Return the lines about steps."""
    return [line for line in out.splitlines() if line[:2] in ("✓ ", "✗ ", "– ")]


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
    lines = steps(out)
    assert len(lines) == 13
    assert [line.split()[0] for line in lines].count("✗") == 0
    skipped = [line for line in lines if "skipped" in line]
    with_drand = json.loads(BASES[base]["proof"])["terms"]["entropy"] == "drand-quicknet"
    assert [line.split(": ")[1] for line in skipped] == (["entropy", "code"] if with_drand else ["code"])
    assert all("py-arkworks-bls12381" in line or "argon2-cffi" in line for line in skipped)


def test_a_wrong_step_is_marked_and_ends_with_status_1(tmp_path: Path) -> None:
    arguments = written(tmp_path, BASES["drand"] | {"key": str(signer("stranger").verifier)})

    status, out, _ = run(*arguments, PYTHONIOENCODING="ascii")

    assert status == 1
    assert [line[:2] for line in steps(out)] == ["✓ ", "✓ ", "✗ "]


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
        (b"\x7fELF\xd0", "the file is not text in UTF-8"),
        ("{}".encode("utf-16"), "the file is text in UTF-16; save it as UTF-8"),
        (b"{}", "a key is missing, unknown, or has a value of another form"),
    ],
    ids=["text", "program", "UTF-16", "JSON"],
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

    assert [line for line in steps(out) if line.startswith(f"{outcome} code: ")]


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
    assert out.count("✓") == 10


@pytest.fixture
def drawn_fair(tmp_path: Path) -> Path:
    """The proof of a raffle that closed early, with two prizes that passed on."""
    proof = tmp_path / "fair.json"
    proof.write_text(json.dumps(Written(fair()).proof()), encoding="utf-8")
    return proof


def in_order(raffle: Written) -> list[int]:
    """Return the numbers of the winners, and of those who took a prize over."""
    return [raffle.leaves[serial].ticket_number for serial in raffle.serials]


def test_raffle_prizes_and_winners_are_printed(drawn_fair: Path) -> None:
    first, second, third, fourth, fifth = in_order(Written(fair()))

    _, out, _ = run(drawn_fair)

    assert out.partition("\nValues to compare")[0] == (
        "Raffle “Village fair”\n"
        "  id 5f0e8a2c-0000-4000-8000-0000000000fa, created 2023-08-20 15:58:24 UTC\n"
        "  14 of 20 tickets were handed out\n"
        "  entropy: announced\n"
        "  source: “dice, rolled on stage”\n"
        "  draw_at: 2023-08-23T16:58:24Z\n"
        "  claim_days: 2\n"
        "  note: “'* free' entry”\n"
        "Prizes\n"
        "  1 × “dinner”\n"
        "  2 × “radio”\n"
        "Winners\n"
        f"  ticket {first} won “dinner” and lost it (unclaimed: “never came”)\n"
        f"  ticket {second} won “radio” and lost it (renounced: “has a radio”)\n"
        f"  ticket {third} won “radio”\n"
        f"  ticket {fourth} took over “radio” from ticket {second}\n"
        f"  ticket {fifth} took over “dinner” from ticket {first}"
    )


def test_json_has_the_winners_as_the_api_has_them(drawn_fair: Path) -> None:
    first, *_, fifth = in_order(Written(fair()))

    status, out, _ = run(drawn_fair, "--json")

    found = json.loads(out)
    assert (status, found["good"]) == (0, True)
    assert {"name": "Village fair", "total_tickets": 20, "claim_days": 2}.items() <= found["raffle"].items()
    assert found["winners"][0] == {
        "ticket_number": first,
        "prize": "dinner",
        "forfeited_at": "2023-08-25T16:58:24Z",
        "why": "unclaimed",
        "reason": "never came",
    }
    assert found["winners"][4] == {"ticket_number": fifth, "prize": "dinner", "in_place_of": first}
    assert [step["name"] for step in found["steps"]][-1] == "forfeits"


def test_a_receipt_says_what_the_ticket_won_in_the_end(drawn_fair: Path, tmp_path: Path) -> None:
    raffle = Written(fair())
    said = []
    loser = next(serial for serial in range(14) if serial not in raffle.serials)
    for serial in (raffle.serials[0], raffle.serials[2], raffle.serials[3], loser):
        receipt = tmp_path / "receipt.json"
        receipt.write_text(json.dumps(raffle.receipt(serial, 14)), encoding="utf-8")
        said += [line for line in steps(run(drawn_fair, "--receipt", receipt)[1]) if " receipt: " in line]

    assert [line.partition("was in the draw")[2] for line in said] == [
        " and won “dinner” and lost it (unclaimed: “never came”)",
        " and won “radio”",
        f" and took over “radio” from ticket {in_order(raffle)[1]}",
        " and won nothing",
    ]


def test_forfeits_rest_on_the_word_of_the_operator(drawn_fair: Path, tmp_path: Path) -> None:
    without_deadline = fair()
    del without_deadline.terms["claim_days"]
    none_lost = replace(fair(), forfeits=[])
    said = [steps(run(drawn_fair)[1])[-1]]
    for raffle in (without_deadline, none_lost):
        (tmp_path / "proof.json").write_text(json.dumps(Written(raffle).proof()), encoding="utf-8")
        said.append(steps(run(tmp_path / "proof.json")[1])[-1])

    passed_on = (
        "– not proven: forfeits: of the prizes that were lost, 2 passed to the next ticket of the shuffle, 0 lapsed; "
        "you have only the operator's word why each was lost, and that no forfeit is missing"
    )
    assert said == [
        passed_on,
        f"{passed_on}; at least one was lost as unclaimed, although no deadline was announced",
        "✓ forfeits: the proof lists no prize that passed on",
    ]


def test_winners_are_not_printed_if_forfeits_are_wrong(tmp_path: Path) -> None:
    raffle = fair(claim_days=3)
    (tmp_path / "proof.json").write_text(json.dumps(Written(raffle).proof()), encoding="utf-8")

    status, out, _ = run(tmp_path / "proof.json")

    assert status == 1
    assert "✗ forfeits: a prize passed on before its deadline" in out
    assert "Winners: the proof does not show them, see below\n" in out


def test_a_name_cannot_look_like_a_line_of_the_report(tmp_path: Path) -> None:
    name = "x”\u3000\u2800   ✓ winners: “all\u202e good"
    (tmp_path / "proof.json").write_text(json.dumps(Written(fair(name=name)).proof()), encoding="utf-8")

    _, out, _ = run(tmp_path / "proof.json")

    assert out.splitlines()[0] == "Raffle “x' * winners: 'all<U+202E> good”"


def test_every_copy_of_the_closing_is_checked(drawn_fair: Path, tmp_path: Path) -> None:
    raffle = Written(fair())
    closing, other = tmp_path / "closing", tmp_path / "other"
    closing.write_text(raffle.signed(raffle.closing), encoding="utf-8-sig")
    cancelled = f"{raffle.checkpoint(14)}cancelled 1700000000\nreason rain\n"
    other.write_text(raffle.signed(cancelled), encoding="utf-8")

    kept, both = run(drawn_fair, "--witnessed", closing), run(drawn_fair, "--witnessed", closing, "--witnessed", other)

    assert (kept[0], both[0]) == (0, 1)
    assert f"✓ terms: this is the raffle {raffle.terms['id']}, created" in kept[1]
    assert "✗ witnessed: the operator cancelled this raffle, as your copy shows: “rain”" in both[1]


def test_witnesses_who_did_not_sign_are_named(tmp_path: Path) -> None:
    raffle = fair()
    raffle.cosigned.append((witness("a"), raffle.closed + 5))
    (tmp_path / "proof.json").write_text(json.dumps(Written(raffle).proof()), encoding="utf-8")
    named = [f"--witness={witness(name).verifier}" for name in "ab"]

    one, two = run(tmp_path / "proof.json", named[0])[1], run(tmp_path / "proof.json", *named)[1]

    assert "✓ witnesses: of the witnesses that you named (1), 1 signed the closing\n" in one
    said = "of the witnesses that you named (2), 1 signed the closing; missing: example.test/b"
    assert f"– not proven: witnesses: {said}; more than half are needed\n" in two


@pytest.mark.parametrize(
    ("time", "outcome"),
    [("", "–"), ("@2023-08-23T15:58:30Z", "✓"), ("@2023-08-23T15:59:24Z", "–"), ("@soon", None)],
)
def test_a_copy_can_have_a_time(tmp_path: Path, time: str, outcome: str | None) -> None:
    base = BASES["drand"] | {"witnesses": []}
    copy = tmp_path / "copy.txt"
    copy.write_text(base["witnessed"][0]["note"], encoding="utf-8")

    status, out, err = run(*written(tmp_path, base), f"--witnessed={copy}{time}")

    found = [line[0] for line in steps(out) if " witnessed: " in line]
    assert found == ([outcome] if outcome else [])
    assert (status == 2) is (outcome is None) is err.endswith("give a time such as 2026-11-24T12:00:00Z\n")
