"""Two verifiers, one protocol: both agree on random raffles that are falsified at random."""

import copy
import json
import re
from dataclasses import replace
from datetime import UTC
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.audit import audit
from rafflekit.core.protocol.documents import Consistency, leaf_line
from rafflekit.core.protocol.entropy.drand import time_of
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.strict_json import DocumentWrong, read_json
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.protocol.tree import consistency_proof
from rafflekit.core.protocol.winners import winning_serials
from tests.vectors.examples import BEACON_ROUND, CLOSED, Example, example, signer, witness
from tests.verifiers.node import Javascript
from tests.verifiers.test_javascript import NEVER_PROVEN

ORDER = 2**252 + 27742317777372353535851937790883648493
FEWER = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=12)


@st.composite
def raffles(draw: st.DrawFn) -> Example:
    """Sold-out raffles with any names, sizes, prizes and both kinds of entropy; their code hashes match no code."""
    tickets = draw(st.integers(1, 24))
    prizes, left = [], tickets
    while left and (not prizes or draw(st.booleans())):
        amount = draw(st.integers(1, left))
        prizes.append(Prize(draw(names), amount))
        left -= amount
    drand = draw(st.booleans())
    terms = Terms(
        id=draw(st.uuids(version=4)),
        name=draw(names),
        created_at=draw(st.datetimes()).replace(year=draw(st.integers(1970, 2022)), day=1, microsecond=0),
        total_tickets=tickets,
        prizes=tuple(prizes),
        entropy="drand-quicknet" if drand else "secrets",
        delay_s=60 if drand else None,
    )
    numbers = winning_serials(draw(st.binary(min_size=32, max_size=32)), tickets=tickets, wins=tickets)
    leaves = [Leaf(serial, number + 1, f"$argon2id${serial}") for serial, number in enumerate(numbers)]
    return Example(terms, leaves, [], signer("operator"))


@st.composite
def audits(draw: st.DrawFn) -> dict[str, Any]:
    """The input of an audit, with at most one value changed in one document."""
    raffle = draw(raffles())
    size = len(raffle.leaves)
    terms = replace(raffle.terms, created_at=raffle.terms.created_at.replace(tzinfo=UTC))
    raffle = replace(raffle, terms=terms)
    cosigned = (
        [(witness(), draw(st.one_of(st.integers(CLOSED - 90, CLOSED + 90), st.integers(0, CLOSED))))]
        if draw(st.booleans())
        else []
    )
    seen = draw(st.integers(1, size))
    receipt = raffle.receipt(draw(st.integers(0, seen - 1)), seen)
    grown = Consistency(seen, size, consistency_proof(raffle.subtree, seen, size))
    proof = raffle.proof(cosigned=cosigned)
    documents = {
        "proof": proof.shape(),
        "receipt": receipt.shape(),
        "consistency": grown.shape(),
        "leaves": [json.loads(leaf_line(leaf)) for leaf in raffle.leaves],
    }
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(documents)))
        documents[name] = draw(changed(documents[name]))
    written = {name: json.dumps(document) for name, document in documents.items()}
    if isinstance(documents["leaves"], list):
        written["leaves"] = [json.dumps(leaf) for leaf in documents["leaves"]]
    else:
        written["leaves"] = [written["leaves"]]
    kept = {"proof", *(name for name in documents if draw(st.booleans()))}
    given = {name: document for name, document in written.items() if name in kept}
    given |= {"key": str(raffle.signer.verifier)} if draw(st.booleans()) else {}
    return given | ({"witnesses": [str(witness().verifier)]} if draw(st.booleans()) else {})


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """The document with one value changed, removed, duplicated or moved."""
    changed = copy.deepcopy(document)
    place: Any = changed
    while True:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        if not keys:
            return changed
        key = draw(st.sampled_from(keys))
        value = place[key]
        if not isinstance(value, dict | list) or not value or draw(st.integers(0, 9)) == 0:
            break
        place = value
    if draw(st.integers(0, 5)) == 0:
        place.pop(key)
    elif isinstance(place, list) and draw(st.booleans()):
        place.insert(draw(st.integers(0, len(place))), place[key])
    else:
        place[key] = draw(_other(value))
    return changed


def _other(value: Any) -> st.SearchStrategy[Any]:
    anything = st.one_of(st.none(), st.booleans(), st.text(max_size=3), st.integers(0, 10**12 + 1), st.just([]))
    if isinstance(value, int):
        return st.one_of(st.sampled_from([value + 1, max(0, value - 1), 0]), anything)
    if isinstance(value, str) and value:
        places = st.integers(0, len(value) - 1)
        replaced = st.tuples(places, st.sampled_from("0aA=/+\n —\u202e")).map(
            lambda change: value[: change[0]] + change[1] + value[change[0] + 1 :]
        )
        return st.one_of(replaced, places.map(lambda place: value[:place] + value[place + 1 :]), anything)
    return anything


@FEWER
@given(case=audits())
def test_both_verifiers_agree_on_every_audit(javascript: Javascript, case: dict[str, Any]) -> None:
    report = audit(**case)

    found = javascript.audit(case)

    expected = {step.name: step.outcome for step in report.steps}
    for name in NEVER_PROVEN:
        # JavaScript cannot check drand's signature; only then may the library find this step worse.
        if expected.get(name) == "ok" or (found.get(name) == "not proven" and expected.get(name) == "wrong"):
            expected[name] = "not proven"
    assert found == expected


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
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

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


def test_a_cosignature_older_than_the_raffle_does_not_count(javascript: Javascript) -> None:
    drand = example("drand")
    vouched = [str(witness().verifier)]
    created = int(drand.terms.created_at.timestamp())

    ends = [
        javascript.audit({"proof": json.dumps(drand.proof(cosigned=[(witness(), time)]).shape()), "witnesses": vouched})
        for time in (created - 1, created)
    ]

    assert [each["witnessed"] for each in ends] == ["not proven", "ok"]


def test_a_copy_from_the_time_of_its_beacon_is_too_late(javascript: Javascript) -> None:
    proof = example("drand").proof()
    beacon = time_of(BEACON_ROUND)

    ends = [
        javascript.audit({"proof": json.dumps(proof.shape()), "witnessed": {"note": proof.closing, "at": time}})
        for time in (beacon - 1, beacon)
    ]

    assert [each["witnessed"] for each in ends] == ["ok", "not proven"]


def test_both_verifiers_refuse_keys_that_sign_every_text(javascript: Javascript) -> None:
    key = SignerKey.make("example.test/x").verifier
    zeros = replace(key, public=bytes(32))

    assert javascript.call("readKey", str(key), 1, "key")["publicKey"] == key.public
    assert "one signature would match every text" in javascript.call("readKey", str(zeros), 1, "key")["wrong"]
