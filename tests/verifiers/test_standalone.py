"""`verify_draw.py`, a second implementation of the protocol, agrees with the library and needs nothing installed."""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from hashlib import sha512
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from rafflekit.cli import main
from rafflekit.core.protocol.audit import audit
from tests.protocol.audit.reports import anything, at_place, places, replaced
from tests.tamper.test_tampering import BASES, CASES
from tests.vectors.examples import signer
from tests.vectors.make_v1 import VECTORS
from tests.waiting import LIMIT_S

FILE = Path(__file__).parents[2] / "verify_draw.py"
AUDITS = json.loads((VECTORS / "audits.json").read_text())
NO_CLOCK = 10**13
LIBRARIES = ("py_arkworks_bls12381", "argon2")

# Unlike `rafflekit audit`, it takes no copy of the closing and no consistency proof, because all leaves show more.
NOT_TAKEN = {"witnessed": None, "consistency": None}
UNSEEN = {
    "two closings, with drand",
    "two closings, with secrets",
    "a consistency proof with another bit",
    "a consistency proof that is too short",
    "a consistency proof that is too long",
    "a consistency proof that is empty",
    "a consistency proof from another size",
    "a consistency proof with another size in front",
    "a consistency proof to another size",
    "a consistency proof of another history",
    "a consistency proof with an unknown field",
}
UNSEEN_WITHOUT_LIBRARIES = {
    # BLS signatures:
    "a beacon with another bit",
    "a beacon with another sign",
    "a beacon that is the point at infinity",
    "a beacon of zeros",
    "a beacon of ones",
    # Argon2:
    "another ticket's code",
    "a code with another character",
}


@cache
def loaded() -> ModuleType:
    """Return the file as a module that checks no signature twice, since each takes 20 ms."""
    spec = importlib.util.spec_from_file_location("verify_draw", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.is_signature = cache(module.is_signature)
    return module


@pytest.fixture
def verifier() -> ModuleType:
    """Give the file as a module."""
    return loaded()


@pytest.fixture
def without_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make both optional libraries look as if they were not installed."""
    for name in LIBRARIES:
        monkeypatch.setitem(sys.modules, name, None)


def in_bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode(errors="surrogatepass")


def outcomes(verifier: ModuleType, given: dict[str, Any]) -> dict[str, str]:
    """Return the outcome of each step that the file takes."""
    known = dict.fromkeys(("key", "raffle", "leaves", "receipt", "code", "now")) | given
    taken = verifier.Given(
        proof=in_bytes(known["proof"]),
        raffle=known["raffle"],
        key=known["key"],
        witnesses=tuple(verifier.read_key(key, verifier.WITNESS) for key in known.get("witnesses") or ()),
        leaves=None if known["leaves"] is None else [in_bytes(line) for line in known["leaves"]],
        receipt=in_bytes(known["receipt"]),
        code=known["code"],
        now=NO_CLOCK if known["now"] is None else known["now"],
    )
    report = verifier.Audit(taken).run()
    assert all(sentence for _, sentence in report.values())
    found = {step: outcome for step, (outcome, _) in report.items()}
    assert len(found) <= 4 or "wrong" not in list(found.values())[:4]
    return found


def outcomes_of_the_library(given: dict[str, Any]) -> dict[str, str]:
    return {step.name: step.outcome for step in audit(**given | NOT_TAKEN).steps}


def run(*arguments: object, python: tuple[str, ...] = (sys.executable,), **environment: str) -> tuple[int, str, str]:
    """Run the file as a program; return its exit status and both outputs."""
    found = subprocess.run(
        [*python, str(FILE), *map(str, arguments)],
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


@pytest.mark.parametrize("case", AUDITS, ids=lambda case: f"{case['base']}, {case['what']}")
def test_honest_documents_have_the_outcomes_of_the_vectors(verifier: ModuleType, case: dict[str, Any]) -> None:
    known = {field: BASES[case["base"]][field] for field in case["uses"]}
    known |= {"receipt": case["receipt"]} if "receipt" in case else {}

    found = outcomes(verifier, known)

    assert found == outcomes_of_the_library(known)
    # Without the two documents that it does not take, a step can only become unproven.
    assert found == case["outcomes"] or any(known.get(field) for field in NOT_TAKEN)
    assert all(each in (case["outcomes"][step], "not proven") for step, each in found.items())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_falsified_document_is_wrong_at_the_expected_step(verifier: ModuleType, case: dict[str, Any]) -> None:
    known = BASES[case["base"]] | case["given"]

    found = outcomes(verifier, known)

    assert found == outcomes_of_the_library(known)
    wrong = [step for step, outcome in found.items() if outcome == "wrong"]
    assert wrong[:1] == ([] if case["name"] in UNSEEN else [case["step"]])


@pytest.mark.usefixtures("without_libraries")
def test_without_libraries_only_their_own_cases_go_unseen(verifier: ModuleType) -> None:
    unseen = set()
    for case in CASES:
        found = outcomes(verifier, BASES[case["base"]] | case["given"])
        wrong = [step for step, outcome in found.items() if outcome == "wrong"]
        if wrong[:1] != [case["step"]]:
            unseen.add(case["name"])
            assert found[case["step"]] == "not proven" or case["name"] in UNSEEN
            # Another beacon gives another seed, so these proofs are still wrong, one step later.
            assert wrong[:1] == (["seed"] if case.get("needs") == "bls" else [])

    assert unseen == UNSEEN | UNSEEN_WITHOUT_LIBRARIES
    assert {case["name"] for case in CASES if case.get("needs") == "bls"} < UNSEEN_WITHOUT_LIBRARIES


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


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_both_implementations_agree_on_changed_documents(data: st.DataObject) -> None:
    module = loaded()
    known = BASES[data.draw(st.sampled_from(sorted(BASES)))] | {"witnesses": []}
    field = data.draw(st.sampled_from(("proof", "receipt")))
    document = json.loads(known[field])
    place = data.draw(st.sampled_from(list(places(document))))
    value = at_place(document, place)
    near = st.just(value)
    if isinstance(value, int):
        near = st.sampled_from([value - 1, value + 1, value + 1000, 10**12, 10**12 + 1])
    elif isinstance(value, str) and value:
        cut, new = data.draw(st.integers(0, len(value))), data.draw(st.text(max_size=2))
        near = st.sampled_from([value[:cut] + new + value[cut:], value[:cut] + new + value[cut + 1 :], value + "\n"])
    changed = json.dumps(replaced(document, place, data.draw(near | anything)))

    assert outcomes(module, known | {field: changed}) == outcomes_of_the_library(known | {field: changed})


def encoded(point: tuple[int, int]) -> bytes:
    return (point[1] | point[0] % 2 << 255).to_bytes(32, "little")


def test_both_agree_on_keys_with_a_part_of_small_order(verifier: ModuleType) -> None:
    # The key is A = aB + T. Whether a signature holds depends on k modulo 8, so it matters that k is reduced first.
    torsion = verifier.decode_point(verifier.EIGHTH)
    secret, nonce = 123_456_789, 987_654_321
    public = encoded(
        verifier.add_points(verifier.multiply_point(secret, verifier.decode_point(verifier.BASE)), torsion)
    )
    half = encoded(verifier.multiply_point(nonce, verifier.decode_point(verifier.BASE)))
    seen = set()
    for number in range(400):
        text = f"text {number}"
        k = int.from_bytes(sha512(half + public + text.encode()).digest(), "little")
        reduced = k % verifier.ORDER
        kind = (k % 8 == 0, reduced % 8 == 0)
        if kind in seen:
            continue
        seen.add(kind)
        signature = half + ((nonce + reduced * secret) % verifier.ORDER).to_bytes(32, "little")
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
            holds = True
        except InvalidSignature:
            holds = False

        assert verifier.is_signature(public, signature, text) is holds is kind[1]

    assert len(seen) == 4


def test_a_signature_with_an_unreduced_s_is_refused(verifier: ModuleType) -> None:
    note = verifier.read_checkpoint(json.loads(BASES["drand"]["proof"])["closing"]).note
    key = verifier.read_key(BASES["drand"]["key"], verifier.OPERATOR)
    public, (signature,) = key.public, note.signatures_of(key)
    larger = int.from_bytes(signature[32:], "little") + verifier.ORDER

    assert verifier.is_signature(public, signature, note.text)
    assert not verifier.is_signature(public, signature[:32] + larger.to_bytes(32, "little"), note.text)
    assert not verifier.is_signature(public, signature + b"\0", note.text)


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


def test_python_3_8_can_read_it() -> None:
    ast.parse(FILE.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_only_two_checks_import_more_than_the_standard_library() -> None:
    imported = set()
    for node in ast.walk(ast.parse(FILE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)

    assert {name for name in imported if name not in sys.stdlib_module_names} == set(LIBRARIES)
