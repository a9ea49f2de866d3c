"""`verify_draw.py`, a second implementation of the protocol, agrees with the library and needs nothing installed."""

import ast
import importlib.util
import json
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

from rafflekit.core.protocol.audit import audit
from tests.protocol.audit.reports import anything, at_place, places, replaced
from tests.tamper.test_tampering import BASES, CASES
from tests.vectors.make_v1 import VECTORS

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
