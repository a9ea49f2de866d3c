"""A closing's round is the first one late enough, and only drand's bytes are accepted as its beacon."""

import json
import sys
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point, Scalar

from rafflekit.core.protocol.entropy import drand
from rafflekit.core.protocol.entropy.drand import (
    Beacon,
    BeaconWrong,
    BlsMissing,
    check_beacon,
    read_beacon,
    round_of,
    time_of,
)
from tests.protocol.entropy.beacons import (
    DEFAULT_CHAIN,
    FASTNET,
    OTHER_ROUNDS,
    RANDOMNESS,
    ROUND,
    SIGNATURE,
    relay_json,
)

FIELD = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
"""The prime of BLS12-381's base field."""
COMPRESSED, INFINITY, LARGER_Y = 0x80, 0x40, 0x20


def written(x: int, flags: int) -> bytes:
    """Return 48 bytes with this x and these flags in the three bits above it."""
    return (flags << 376 | x).to_bytes(48, "big")


def point_outside_of_the_subgroup() -> bytes:
    """Return a point on the curve y² = x³ + 4 outside G1; with so small an x, practically no point is in G1."""
    for x in count(1):
        square = (x**3 + 4) % FIELD
        y = pow(square, (FIELD + 1) // 4, FIELD)
        if y * y % FIELD == square:
            return written(x, COMPRESSED | (LARGER_Y if 2 * y > FIELD else 0))
    raise AssertionError


def point_with_room_above_its_x() -> bytes:
    """Return a point of G1 whose x plus the field's prime still fits below the flags."""
    points = (G1Point() * Scalar(factor) for factor in count(2))
    compressed = (point.to_compressed_bytes() for point in points)
    return next(each for each in compressed if x_of(each) + FIELD < 1 << 381)


def x_of(compressed: bytes) -> int:
    """Return the x of a point."""
    return int.from_bytes(compressed, "big") & (1 << 381) - 1


def test_real_beacons_are_accepted() -> None:
    for round, signature in {ROUND: SIGNATURE, **OTHER_ROUNDS}.items():
        check_beacon(round, signature)


def test_the_entropy_is_what_drand_calls_the_randomness() -> None:
    assert drand.randomness_of(SIGNATURE) == RANDOMNESS


def test_key_genesis_and_period_are_those_of_the_chain_hash() -> None:
    # How drand hashes the definition of a chain: period, genesis, key, hash of the first group, and name.
    group = bytes.fromhex("f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e")
    times = drand.PERIOD_S.to_bytes(4, "big") + drand.GENESIS_S.to_bytes(8, "big")
    assert sha256(times + drand.PUBLIC_KEY + group + b"quicknet").hexdigest() == drand.CHAIN_HASH


def test_the_protocol_names_the_chain_that_is_checked() -> None:
    protocol = (Path(__file__).parents[3] / "docs" / "draw-protocol.md").read_text(encoding="utf-8")
    for constant in (
        drand.CHAIN_HASH,
        drand.PUBLIC_KEY.hex(),
        f"| genesis G | {drand.GENESIS_S} |",
        f"| period | {drand.PERIOD_S} s |",
    ):
        assert constant in protocol


@pytest.mark.parametrize("byte", range(48))
def test_a_beacon_with_a_flipped_bit_is_refused(byte: int) -> None:
    for bit in range(8):
        flipped = bytearray(SIGNATURE)
        flipped[byte] ^= 1 << bit
        with pytest.raises(BeaconWrong, match="signature"):
            check_beacon(ROUND, bytes(flipped))


@pytest.mark.parametrize("round", [ROUND - 1, ROUND + 1, *OTHER_ROUNDS, ROUND + 2**32])
def test_a_beacon_is_refused_for_every_other_round(round: int) -> None:
    with pytest.raises(BeaconWrong, match=rf"not that of drand's quicknet for round {round}: "):
        check_beacon(round, SIGNATURE)


@pytest.mark.parametrize("round", [0, -1, 10**12 + 1, 2**64, -(2**64)])
def test_a_round_that_no_document_can_name_is_refused(round: int) -> None:
    with pytest.raises(BeaconWrong, match="from 1 to 1000000000000"):
        check_beacon(round, SIGNATURE)


@pytest.mark.parametrize(("round", "signature"), [FASTNET, DEFAULT_CHAIN], ids=["fastnet", "the default chain"])
def test_another_chains_beacon_is_refused(round: int, signature: bytes) -> None:
    with pytest.raises(BeaconWrong, match="another chain"):
        check_beacon(round, signature)


def test_a_signature_by_another_key_is_refused() -> None:
    message = sha256(ROUND.to_bytes(8, "big")).digest()
    ours = G1Point.hash_to_curve(message, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_") * Scalar(20260101)
    with pytest.raises(BeaconWrong, match="it is forged"):
        check_beacon(ROUND, ours.to_compressed_bytes())


@pytest.mark.parametrize("length", [0, 1, 47, 49, 96])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(BeaconWrong, match=f"has 48 bytes, this one has {length}"):
        check_beacon(ROUND, (SIGNATURE * 2)[:length])


@pytest.mark.parametrize(
    "signature",
    [
        written(0, COMPRESSED | INFINITY),
        written(0, COMPRESSED | INFINITY | LARGER_Y),
        written(1, COMPRESSED | INFINITY),
        written(x_of(SIGNATURE), COMPRESSED | INFINITY | LARGER_Y),
    ],
    ids=["as points are", "with the sign of y", "with an x", "with both"],
)
def test_the_point_at_infinity_is_refused_in_every_spelling(signature: bytes) -> None:
    with pytest.raises(BeaconWrong, match="point at infinity"):
        check_beacon(ROUND, signature)


@pytest.mark.parametrize(
    "signature",
    [
        point_outside_of_the_subgroup(),
        written(x_of(point_with_room_above_its_x()) + FIELD, point_with_room_above_its_x()[0] & 0xE0),
        written(FIELD, COMPRESSED),
        written((1 << 381) - 1, COMPRESSED),
        written(x_of(SIGNATURE), 0),
        written(x_of(SIGNATURE), LARGER_Y),
        written(x_of(SIGNATURE), INFINITY),
        bytes(48),
    ],
    ids=["no subgroup", "x + p", "x = p", "largest x", "not compressed", "not compressed, y", "only infinity", "zeros"],
)
def test_a_point_outside_the_group_is_refused(signature: bytes) -> None:
    with pytest.raises(BeaconWrong, match="not a point of the group G1"):
        check_beacon(ROUND, signature)


def test_the_negative_of_a_signature_is_refused() -> None:
    with pytest.raises(BeaconWrong, match="it is forged"):
        check_beacon(ROUND, written(x_of(SIGNATURE), SIGNATURE[0] & 0xE0 ^ LARGER_Y))


@given(st.binary(min_size=48, max_size=48))
def test_all_other_bytes_are_refused_without_a_crash(signature: bytes) -> None:
    with pytest.raises(BeaconWrong):
        check_beacon(ROUND, signature)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py_arkworks_bls12381", None)
    for ask in (drand.require_bls, lambda: check_beacon(ROUND, SIGNATURE)):
        with pytest.raises(BlsMissing, match=r"pip install '\.\[drand\]'"):
            ask()


@given(st.integers(-(10**13), 10**13), st.integers(1, 604_800))
@example(drand.GENESIS_S - 1, 1)
@example(drand.GENESIS_S, 1)
def test_a_closings_round_is_the_first_after_its_delay(closed: int, delay_s: int) -> None:
    round = round_of(closed, delay_s)
    assert round >= 1
    assert time_of(round) >= closed + delay_s
    assert round == 1 or time_of(round - 1) < closed + delay_s


def test_rounds_are_published_every_three_seconds() -> None:
    genesis = 1_692_803_367
    for closed in range(genesis - 12, genesis + 40):
        by_definition = next(round for round in count(1) if genesis + 3 * (round - 1) >= closed + 5)
        assert round_of(closed, 5) == by_definition
        assert time_of(by_definition) == genesis + 3 * (by_definition - 1)


@pytest.mark.parametrize(
    "text",
    [
        relay_json(),
        json.dumps({"round": ROUND, "signature": SIGNATURE.hex()}),
        json.dumps(json.loads(relay_json()), indent=2) + "\r\n",
        json.dumps({"round": ROUND, "signature": SIGNATURE.hex().upper(), "randomness": RANDOMNESS.hex().upper()}),
        json.dumps({"round": ROUND, "signature": SIGNATURE.hex(), "previous_signature": "", "seen_at": [1, None]}),
    ],
    ids=["version 1", "version 2", "as people save it", "capital letters", "with more keys"],
)
def test_the_answer_of_a_relay_is_read(text: str) -> None:
    assert read_beacon(text) == read_beacon(text, round=ROUND) == Beacon(ROUND, SIGNATURE)


def test_a_bare_signature_is_read_for_the_wanted_round() -> None:
    assert read_beacon(f"{SIGNATURE.hex()}\n", round=7) == Beacon(7, SIGNATURE)


def changed(change: Callable[[dict[str, object]], object]) -> str:
    """Return a relay's JSON after a change of its fields."""
    fields = json.loads(relay_json())
    change(fields)
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither JSON"),
        ("<html>502 Bad Gateway</html>", "neither JSON"),
        ("[]", "neither JSON"),
        (SIGNATURE.hex()[:-1], "neither JSON"),
        (f"{SIGNATURE.hex()[:-2]} 9", "neither JSON"),
        (f"0x{SIGNATURE.hex()[2:]}", "neither JSON"),
        (SIGNATURE.hex().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")), "neither JSON"),
        (SIGNATURE.hex(), "does not name its round"),
        ("{", "not JSON"),
        (relay_json() + relay_json(), "not JSON"),
        ('{"round": 1000, "round": 1000}', "“round” occurs more than once"),
        ('{"' + "r" * 9_000 + '": 1, "' + "r" * 9_000 + '": 1}', "“r{40}” occurs more than once"),
        ("{" * 60_000, "not JSON"),
        ('{"a":' * 12_000, "not JSON"),
        (" " * 65_537, "more than 65,536 characters"),
        (changed(lambda fields: fields.pop("round")), "round is not a whole number"),
        (changed(lambda fields: fields.update(round="1000")), "round is not a whole number"),
        (changed(lambda fields: fields.update(round=True)), "round is not a whole number"),
        (changed(lambda fields: fields.update(round=0)), "round is not a whole number"),
        (changed(lambda fields: fields.update(round=10**12 + 1)), "round is not a whole number"),
        (changed(lambda fields: fields.update(round=1000.0)), "not a whole number"),
        (changed(lambda fields: fields.update(round=10**40)), "not JSON"),
        (changed(lambda fields: fields.pop("signature")), "its signature is not 96 hexadecimal digits"),
        (changed(lambda fields: fields.update(signature=None)), "its signature is not 96 hexadecimal digits"),
        (changed(lambda fields: fields.update(signature="\ud800" * 96)), "its signature is not 96 hexadecimal digits"),
        (changed(lambda fields: fields.update(signature=DEFAULT_CHAIN[1].hex())), "its signature is not 96"),
        (changed(lambda fields: fields.update(randomness=None)), "its randomness is not 64 hexadecimal digits"),
        (changed(lambda fields: fields.update(randomness="")), "its randomness is not 64 hexadecimal digits"),
        (changed(lambda fields: fields.update(randomness="00" * 32)), "not the SHA-256 of its signature"),
        (changed(lambda fields: fields.update(signature="00" * 48)), "not the SHA-256 of its signature"),
    ],
    ids=lambda value: value[:30],
)
def test_text_that_is_not_a_beacon_is_not_read(text: str, reason: str) -> None:
    with pytest.raises(BeaconWrong, match=reason) as caught:
        read_beacon(text)
    assert len(str(caught.value)) < 200


def test_a_beacon_of_another_round_is_not_read() -> None:
    with pytest.raises(BeaconWrong, match="of round 1000, not of round 1001"):
        read_beacon(relay_json(), round=ROUND + 1)


@given(st.text())
def test_any_text_is_read_or_refused_without_a_crash(text: str) -> None:
    for each in (text, "{" + text, '{"round":' + text):
        with pytest.raises(BeaconWrong):
            read_beacon(each)
