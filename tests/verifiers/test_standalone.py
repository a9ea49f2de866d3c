"""`verify_draw.py`, a second implementation of the protocol, agrees with the library and needs nothing installed."""

import ast
import json
import sys
from hashlib import sha512
from types import ModuleType
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.tamper.test_tampering import BASES, CASES
from tests.vectors.make_v1 import VECTORS
from tests.verifiers.standalone import (
    FILE,
    checked,
    outcomes,
    outcomes_of_the_library,
    report_of_the_library,
    without_consistency,
)

AUDITS = json.loads((VECTORS / "audits.json").read_text())
LIBRARIES = ("py_arkworks_bls12381", "argon2")

WORDS = "six_words"
"""`verify_draw.py` has no list of words."""

UNSEEN = {
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


@pytest.fixture
def without_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make both optional libraries look as if they were not installed."""
    for name in LIBRARIES:
        monkeypatch.setitem(sys.modules, name, None)


def values(module: ModuleType, known: dict[str, Any]) -> dict[str, str | None] | None:
    """Return the values to compare that the file finds."""
    found: dict[str, str | None] | None = checked(module, known).values()
    return found


def values_of_the_library(known: dict[str, Any]) -> dict[str, str | None] | None:
    """Return those that the library finds, without the words."""
    found = report_of_the_library(known).values
    return None if found is None else {name: value for name, value in found.shape().items() if name != WORDS}


@pytest.mark.parametrize("case", AUDITS, ids=lambda case: f"{case['base']}, {case['what']}")
def test_honest_documents_have_the_outcomes_of_the_vectors(verifier: ModuleType, case: dict[str, Any]) -> None:
    given = {field: BASES[case["base"]][field] for field in case["uses"]} | case["given"]
    known = without_consistency(given)

    found = outcomes(verifier, known)

    assert found == outcomes_of_the_library(known)
    assert values(verifier, known) == values_of_the_library(known)
    # Without the document that it does not take, a step can only become unproven.
    assert found == case["outcomes"] or known != given
    assert all(each in (case["outcomes"][step], "not proven") for step, each in found.items())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_falsified_document_is_wrong_at_the_expected_step(verifier: ModuleType, case: dict[str, Any]) -> None:
    known = without_consistency(BASES[case["base"]] | case["given"])

    found = outcomes(verifier, known)

    assert found == outcomes_of_the_library(known)
    assert values(verifier, known) == values_of_the_library(known)
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
            imported.add(str(node.module))

    assert {name for name in imported if name not in sys.stdlib_module_names} == set(LIBRARIES)
