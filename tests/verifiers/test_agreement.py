"""Three verifiers, one protocol: they agree on random raffles that are falsified at random."""

import json
import os
import re
from collections import Counter
from dataclasses import replace
from types import ModuleType
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rafflekit.core.protocol import codes
from rafflekit.core.protocol.audit import NOT_PROVEN, OK, STEPS, WRONG
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.strict_json import DocumentWrong, read_json
from rafflekit.core.protocol.winners import winning_serials
from rafflekit.core.written_numbers import read_whole_number
from tests.verifiers.mutants import mutant
from tests.verifiers.node import Javascript
from tests.verifiers.standalone import (
    checked,
    loaded,
    report_of_the_library,
    without_consistency,
)
from tests.verifiers.test_javascript import NEVER_PROVEN

MUTANTS = int(os.environ.get("RAFFLEKIT_TEST_MUTANTS", "350"))
"""How many falsified raffles the three verifiers compare; `make soak` says 100,000."""

ORDER = 2**252 + 27742317777372353535851937790883648493
FEWER = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

IMPOSSIBLE = {("form", NOT_PROVEN), ("seed", NOT_PROVEN)}
"""These steps are ok or wrong."""


def fast_signature(public: bytes, signature: bytes, text: str) -> bool:
    """`verify_draw.py`'s own check takes 20 ms; that it finds the same is tested elsewhere."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def seen_by_javascript(expected: dict[str, str], found: dict[str, str]) -> dict[str, str]:
    """What JavaScript has to find: it can check neither drand's signature nor the hash of a code."""
    unseen = {name for name in NEVER_PROVEN if name in expected and found.get(name) == NOT_PROVEN}
    return {name: NOT_PROVEN if name in unseen else outcome for name, outcome in expected.items()}


def test_three_verifiers_agree_on_random_mutants(javascript: Javascript) -> None:
    module = loaded(fast_signature)
    ends: Counter[tuple[str, str]] = Counter()
    for number in range(MUTANTS):
        case = mutant(number)
        shorter = without_consistency(case)

        report, steps = report_of_the_library(case), javascript.steps(case)
        by_module = checked(module, shorter)
        of_module = report if shorter == case else report_of_the_library(shorter)

        expected = {step.name: str(step.outcome) for step in report.steps}
        found = {step["name"]: step["outcome"] for step in steps}
        assert found == seen_by_javascript(expected, found), number
        ends_of_module = {step: outcome for step, (outcome, _) in by_module.outcomes.items()}
        assert ends_of_module == {step.name: step.outcome for step in of_module.steps}, number
        assert by_module.values() == _without_words(of_module.shape()["values"]), number
        mistaken = {step.name for step in report.steps if step.is_mistaken and found[step.name] == WRONG}
        assert {step["name"] for step in steps if step["isMistaken"]} == mistaken, number
        ends.update(expected.items())

    possible = {(step, outcome) for step in STEPS for outcome in (OK, WRONG, NOT_PROVEN)} - IMPOSSIBLE
    assert set(ends) == possible


def _without_words(values: dict[str, str | None] | None) -> dict[str, str | None] | None:
    """What `verify_draw.py` shows, which has no list of words."""
    return values and {name: value for name, value in values.items() if name != "six_words"}


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.from_regex(r"[ 01]?[0-9]{1,4}([ \t,.'’\u00a0\u2007\u2009\u202f_-][0-9]{2,3}){0,2}[ x]?", fullmatch=True)
    | st.text(st.sampled_from("0123٣,. "), max_size=7)
)
@example("0012")
@example("1,1")
def test_the_page_reads_numbers_as_the_commands_do(javascript: Javascript, text: str) -> None:
    assert javascript.call("readWholeNumber", text) == read_whole_number(text)


around_codes = st.text(
    st.sampled_from(" \t\x1c\x85\u00a0\u2009\u3000-–—\u2212\u00ad\u200b\ufeff\u202e'\"`“”„‘’‚«»‹›_."), max_size=3
)
letters_of_codes = st.text(st.sampled_from("0123456789abcdefghijklmnopqrstuvwxyzABCİıſK"), min_size=4, max_size=4)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.tuples(around_codes, letters_of_codes), min_size=5, max_size=7), end=around_codes)
def test_three_verifiers_read_the_same_codes(
    javascript: Javascript, verifier: ModuleType, pieces: list[tuple[str, str]], end: str
) -> None:
    text = "".join(around + letters for around, letters in pieces) + end

    letters = verifier.spelled_code(text)
    found = letters.upper() if re.fullmatch(verifier.CODE_PATTERN, letters) else None

    assert javascript.call("readCode", text) == found == codes.read(text)


json_like = st.one_of(
    st.text(st.sampled_from('{}[]":,0123456789.eE+ \t\n\\u00aftrulsn\x01é\ufeff'), max_size=24),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(0, 10**31), st.text(max_size=5)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
        max_leaves=8,
    ).map(json.dumps),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=json_like)
def test_both_verifiers_read_and_refuse_the_same_json(javascript: Javascript, text: str) -> None:
    try:
        expected = read_json(text)
    except DocumentWrong:
        expected = DocumentWrong

    found = javascript.call(f"((text) => [JSON.stringify({_PLAIN}(readJson(text, 1e6)))])", text)

    if expected is DocumentWrong:
        assert "wrong" in found
    elif len(re.findall(r"[\[{]", text)) <= 10:
        assert json.loads(found[0], parse_int=float) == _rounded(expected)


_PLAIN = (
    "(function plain(value) { return Array.isArray(value) ? value.map(plain) : !(value instanceof Map) ? value"
    " : Object.fromEntries([...value].map(([name, each]) => [name, plain(each)])); })"
)


def _rounded(value: Any) -> Any:
    # The protocol has no numbers above 2⁵³, and JavaScript has no exact ones.
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(value) if type(value) is int else value


@FEWER
@given(
    key=st.binary(min_size=32, max_size=32),
    message=st.binary(max_size=300),
    bit=st.integers(0, 511),
    part=st.sampled_from(["signature", "message", "key", "S", "nothing"]),
)
def test_both_verifiers_accept_the_same_signatures(
    javascript: Javascript, key: bytes, message: bytes, bit: int, part: str
) -> None:
    private = Ed25519PrivateKey.from_private_bytes(key)
    public, signature = bytearray(private.public_key().public_bytes_raw()), bytearray(private.sign(message))
    if part == "signature":
        signature[bit // 8] ^= 1 << bit % 8
    elif part == "key":
        public[bit % 256 // 8] ^= 1 << bit % 8
    elif part == "message":
        message += b"."
    elif part == "S":
        # The same number modulo the order of the group: RFC 8032 refuses it.
        signature[32:] = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    try:
        Ed25519PublicKey.from_public_bytes(bytes(public)).verify(bytes(signature), message)
        expected = True
    except InvalidSignature:
        expected = False

    assert expected is (part == "nothing")
    assert javascript.call("isSignature", bytes(public), bytes(signature), message) is expected


@FEWER
@given(seed=st.binary(min_size=32, max_size=32), tickets=st.integers(1, 10**12), wins=st.integers(1, 40))
def test_both_verifiers_draw_the_same_winners(javascript: Javascript, seed: bytes, tickets: int, wins: int) -> None:
    wins = min(wins, tickets)

    found = javascript.call("winningSerials", seed, tickets, wins)

    assert found == list(winning_serials(seed, tickets=tickets, wins=wins))


def test_a_block_above_the_last_whole_multiple_is_skipped(javascript: Javascript) -> None:
    # Three does not divide 2²⁵⁶: only the last value is rejected, so rarely that no such seed is known.
    drawn = "((blocks, n) => uniform(BigInt(n), () => BigInt(blocks.shift())))"
    highest, last_good = str(2**256 - 1), str(2**256 - 2)

    assert javascript.call(drawn, [highest, highest, "7"], 3) == 7 % 3
    assert javascript.call(drawn, [last_good, "7"], 3) == (2**256 - 2) % 3


def test_both_verifiers_refuse_keys_that_sign_every_text(javascript: Javascript) -> None:
    key = SignerKey.make("example.test/x").verifier
    zeros = replace(key, public=bytes(32))

    assert javascript.call("readKey", str(key), 1, "key")["publicKey"] == key.public
    assert "one signature would match every text" in javascript.call("readKey", str(zeros), 1, "key")["wrong"]
