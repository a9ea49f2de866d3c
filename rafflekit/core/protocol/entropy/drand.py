"""Beacons of drand's quicknet: which round decides, when it comes, what a real one is (section 6; pure).

BLS12-381 comes from `py_arkworks_bls12381` (the extra `drand`), which is imported when a beacon is checked and not
before. Where beacons come from is `rafflekit.core.relays`' to know.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from rafflekit.core.protocol.hashing import HASH_BYTES
from rafflekit.core.protocol.strict_json import DocumentWrong, read_json

CHAIN_HASH = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
PUBLIC_KEY = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
GENESIS_S = 1_692_803_367
"""When round 1 came, in seconds since 1970."""
PERIOD_S = 3
SIGNATURE_BYTES = 48

ROUNDS = 10**12
"""The last round that a document can name: the protocol has no larger number."""

BEACON_CHARACTERS = 64 * 1024
"""The longest text that is looked at for a beacon; a real one has some 200 characters."""

_HASH_TO_CURVE_TAG = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_HEX = re.compile(r"[0-9a-fA-F]*")


class BeaconWrong(Exception):
    """Say why a beacon is not the one that decides."""


class BlsMissing(Exception):
    """Say that no beacon can be checked here, and what to install."""

    def __init__(self) -> None:
        super().__init__(
            "Checking a drand beacon needs a BLS library. In rafflekit's folder, run: pip install '.[drand]'"
        )


@dataclass(frozen=True, slots=True)
class Beacon:
    """The signature that drand published for a round; `check_beacon` says whether it did."""

    round: int
    signature: bytes


def round_of(closed: int, delay_s: int) -> int:
    """Return the round of a closing: the first that does not come before `closed + delay_s` (seconds since 1970)."""
    since_genesis = closed + delay_s - GENESIS_S
    # Rounds begin with 1, whatever a clock says that stands before the first of them.
    return max(1, -(-since_genesis // PERIOD_S) + 1)


def time_of(round: int) -> int:
    """Return when a round comes, in seconds since 1970."""
    return GENESIS_S + PERIOD_S * (round - 1)


def randomness_of(signature: bytes) -> bytes:
    """Return the entropy of a beacon, 32 bytes: what drand calls its randomness."""
    return sha256(signature).digest()


def require_bls() -> None:
    """Make sure that beacons can be checked here.

    Raises:
        BlsMissing: the extra `drand` is not installed.
    """
    try:
        import py_arkworks_bls12381  # noqa: F401
    except ImportError as error:
        raise BlsMissing from error


def check_beacon(round: int, signature: bytes) -> None:
    """Check that a signature is quicknet's for a round.

    Raises:
        BeaconWrong: it is not.
        BlsMissing: the extra `drand` is not installed.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise BeaconWrong(
            f"a signature of drand's quicknet has {SIGNATURE_BYTES} bytes, this one {len(signature)}: "
            "it is no beacon, or another chain's"
        )
    if not 1 <= round <= ROUNDS:
        raise BeaconWrong(f"a round is a number from 1 to {ROUNDS}")
    require_bls()
    from py_arkworks_bls12381 import GT, G1Point, G2Point

    try:
        # This checks that it is on the curve and in the subgroup.
        point = G1Point.from_compressed_bytes(signature)
    except ValueError as error:
        raise BeaconWrong("the signature is no point of the group G1 of BLS12-381") from error
    # The entropy is a hash of these bytes, so one point in two spellings would be two draws to choose from; the
    # library reads some spellings of the point at infinity besides the one that it writes.
    if point == G1Point.identity() or point.to_compressed_bytes() != signature:
        raise BeaconWrong("the signature is the point at infinity, or not written as points are")
    message = G1Point.hash_to_curve(sha256(round.to_bytes(8, "big")).digest(), _HASH_TO_CURVE_TAG)
    # e(signature, generator) = e(message, key), as one product that is to be 1.
    if not GT.pairing_check([point, -message], [G2Point(), G2Point.from_compressed_bytes(PUBLIC_KEY)]):
        raise BeaconWrong(
            f"the signature is not that of drand's quicknet for round {round}: "
            "it is forged, of another round, or of another chain"
        )


def read_beacon(text: str, *, round: int | None = None) -> Beacon:
    """Read a beacon as relays answer it (JSON of drand's HTTP API, v1 or v2) or as its bare signature in hex.

    `round` is the round that is wanted: a bare signature is taken for it, JSON must name it. Without `round`, JSON may
    name any. Keys that are not known are passed over: drand may add some, and none of them decides anything. Whether
    the beacon is real, `check_beacon` says.

    Raises:
        BeaconWrong: it is no beacon, or of another round.
    """
    if len(text) > BEACON_CHARACTERS:
        raise BeaconWrong(f"it is no beacon: it has more than {BEACON_CHARACTERS:,} characters")
    written = text.strip()
    beacon = _from_json(written) if written.startswith("{") else _bare(written, round)
    if round not in (None, beacon.round):
        raise BeaconWrong(f"it is the beacon of round {beacon.round}, not of round {round}")
    return beacon


def _bare(text: str, round: int | None) -> Beacon:
    if len(text) != 2 * SIGNATURE_BYTES or not _HEX.fullmatch(text):
        raise BeaconWrong(
            "it is neither JSON as drand's relays answer it nor a signature of "
            f"{2 * SIGNATURE_BYTES} hexadecimal digits"
        )
    if round is None:
        raise BeaconWrong("it is a signature alone, which does not say of which round")
    return Beacon(round, bytes.fromhex(text))


def _from_json(text: str) -> Beacon:
    try:
        fields = read_json(text)
    except DocumentWrong as error:
        raise BeaconWrong(str(error)) from error
    round = fields.get("round")
    if type(round) is not int or not 1 <= round <= ROUNDS:
        raise BeaconWrong(f"its round is no whole number from 1 to {ROUNDS}")
    signature = _bytes("signature", fields.get("signature"), SIGNATURE_BYTES)
    # Version 2 of the API leaves it out.
    if "randomness" in fields and _bytes("randomness", fields["randomness"], HASH_BYTES) != randomness_of(signature):
        raise BeaconWrong("its randomness is not the SHA-256 of its signature: one of the two was changed")
    return Beacon(round, signature)


def _bytes(name: str, value: Any, length: int) -> bytes:
    if not isinstance(value, str) or len(value) != 2 * length or not _HEX.fullmatch(value):
        raise BeaconWrong(f"its {name} is not {2 * length} hexadecimal digits, as those of drand's quicknet are")
    return bytes.fromhex(value)
