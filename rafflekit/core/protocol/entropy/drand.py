"""The source `drand-quicknet`: which round decides, when it is published, and what a genuine beacon is.

BLS12-381 comes from `py_arkworks_bls12381` (the extra `drand`), which is imported only when a beacon is checked.
`rafflekit.core.relays` fetches beacons.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar

from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.entropy.source import (
    DelayBounds,
    EntropyUnproven,
    EntropyWrong,
    Evidence,
    Source,
    SourceMissing,
)
from rafflekit.core.protocol.hashing import HASH_BYTES
from rafflekit.core.protocol.strict_json import DocumentWrong, fields_of, hex_of, number_of, read_json

CHAIN_HASH = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
PUBLIC_KEY = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
GENESIS_S = 1_692_803_367
"""When round 1 was published, in seconds since 1970."""
PERIOD_S = 3
_SIGNATURE_BYTES = 48

_ROUNDS = 10**12
"""The last round that a document can name: the largest number of the protocol."""

BEACON_CHARACTERS = 64 * 1024
"""The longest text that is read as a beacon; a real one has about 200 characters."""

_HASH_TO_CURVE_TAG = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_HEX = re.compile(r"[0-9a-fA-F]*")


class BeaconWrong(Exception):
    """A beacon is not the one that decides; the message says why."""


class BlsMissing(SourceMissing):
    """No beacon can be checked on this machine; the message says what to install."""

    def __init__(self) -> None:
        super().__init__(
            "Checking a drand beacon needs the extra 'drand'. In the clone of rafflekit, run: pip install '.[drand]'"
        )


@dataclass(frozen=True, slots=True)
class Beacon:
    """The signature that drand published for a round; `check_beacon` checks that it did."""

    round: int
    signature: bytes


class DrandQuicknet(Source):
    """The beacon of one round of drand's quicknet, a public service that no operator controls."""

    name: ClassVar = "drand-quicknet"
    delay: ClassVar = DelayBounds(least=1, most=604_800, default=60)

    def require(self) -> None:
        """Make sure that beacons can be checked on this machine.

        Raises:
            BlsMissing: the extra `drand` is not installed.
        """
        require_bls()

    def end_at(self, closed: int, delay_s: int | None) -> End:
        """Return the closing of a raffle, which names the round that decides."""
        assert delay_s is not None
        return End(closed, round_of(closed, delay_s))

    def known_from(self, end: End) -> int | None:
        """Return when the closing's round is published, in seconds since 1970; None if the closing names no round."""
        return None if end.round is None else time_of(end.round)

    def is_whole(self, evidence: bytes) -> bool:
        """Return whether it has the size of a signature."""
        return len(evidence) == _SIGNATURE_BYTES

    def entropy_of(self, evidence: bytes) -> bytes:
        """Return the 32 bytes that decide, from a beacon's signature."""
        return randomness_of(evidence)

    def shape(self, evidence: Evidence) -> dict[str, Any]:
        """Return the evidence as the JSON of a proof has it."""
        return {"kind": self.name, "round": evidence.round, "signature": evidence.value.hex()}

    def read(self, value: Any) -> Evidence:
        """Read the evidence from the JSON of a proof.

        Raises:
            DocumentWrong: it does not have this form.
        """
        fields = fields_of(value, "entropy", "kind", "round", "signature")
        return Evidence(
            self.name, hex_of(fields, "signature", _SIGNATURE_BYTES), number_of(fields, "round", 1, _ROUNDS)
        )

    def check(self, evidence: Evidence, end: End, *, where: str | None) -> str:
        """Check that drand signed the closing's round.

        Raises:
            EntropyWrong: it did not.
            EntropyUnproven: the extra `drand` is not installed.
        """
        beacon = evidence.round
        if beacon is None or beacon != end.round:
            raise EntropyWrong(f"The beacon is for round {beacon}, but the closing names round {end.round}.")
        try:
            check_beacon(beacon, evidence.value)
        except BeaconWrong as error:
            raise EntropyWrong(f"The beacon is not drand's: {error}.") from error
        except BlsMissing as error:
            raise EntropyUnproven(f"drand's signature was not checked. {error}") from error
        return f"drand signed the beacon of round {beacon:,}, which was published at {time_text(time_of(beacon))}."


def round_of(closed: int, delay_s: int) -> int:
    """Return the round of a closing: the first published at `closed + delay_s` (seconds since 1970) or later."""
    since_genesis = closed + delay_s - GENESIS_S
    # Rounds begin with 1, even if a clock is set to a time before the first of them.
    return max(1, -(-since_genesis // PERIOD_S) + 1)


def time_of(round: int) -> int:
    """Return when a round is published, in seconds since 1970."""
    return GENESIS_S + PERIOD_S * (round - 1)


def randomness_of(signature: bytes) -> bytes:
    """Return the entropy of a beacon, 32 bytes: what drand calls its randomness."""
    return sha256(signature).digest()


def require_bls() -> None:
    """Make sure that beacons can be checked on this machine.

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
    if len(signature) != _SIGNATURE_BYTES:
        raise BeaconWrong(
            f"a signature of drand's quicknet has {_SIGNATURE_BYTES} bytes, this one has {len(signature)}: "
            "it is not a beacon, or it belongs to another chain"
        )
    if not 1 <= round <= _ROUNDS:
        raise BeaconWrong(f"a round is a number from 1 to {_ROUNDS}")
    require_bls()
    from py_arkworks_bls12381 import GT, G1Point, G2Point

    try:
        # This also checks that the point is on the curve and in the subgroup.
        point = G1Point.from_compressed_bytes(signature)
    except ValueError as error:
        raise BeaconWrong("the signature is not a point of the group G1 of BLS12-381") from error
    # The entropy is a hash of these bytes, so a point with two spellings would give an operator two draws to choose
    # from; the library reads more spellings of the point at infinity than the one that it writes.
    if point == G1Point.identity() or point.to_compressed_bytes() != signature:
        raise BeaconWrong("the signature is the point at infinity, or is not in the one form that a point has")
    message = G1Point.hash_to_curve(sha256(round.to_bytes(8, "big")).digest(), _HASH_TO_CURVE_TAG)
    # e(signature, generator) = e(message, key), as one product that must be 1.
    if not GT.pairing_check([point, -message], [G2Point(), G2Point.from_compressed_bytes(PUBLIC_KEY)]):
        raise BeaconWrong(
            f"the signature is not that of drand's quicknet for round {round}: "
            "it is forged, or belongs to another round or another chain"
        )


def read_beacon(text: str, *, round: int | None = None) -> Beacon:
    """Read a beacon as relays send it (JSON of drand's HTTP API, v1 or v2) or as its bare signature in hex.

    `round` is the wanted round: JSON must name it, and a bare signature is taken as that round's. Without `round`,
    JSON may name any round. Unknown keys are ignored: drand may add some, and none of them decides anything.
    `check_beacon` checks that the beacon is genuine.

    Raises:
        BeaconWrong: it is not a beacon, or belongs to another round.
    """
    if len(text) > BEACON_CHARACTERS:
        raise BeaconWrong(f"it is not a beacon: it has more than {BEACON_CHARACTERS:,} characters")
    written = text.strip()
    beacon = _from_json(written) if written.startswith("{") else _bare(written, round)
    if round not in (None, beacon.round):
        raise BeaconWrong(f"it is the beacon of round {beacon.round}, not of round {round}")
    return beacon


def _bare(text: str, round: int | None) -> Beacon:
    if len(text) != 2 * _SIGNATURE_BYTES or not _HEX.fullmatch(text):
        raise BeaconWrong(
            f"it is neither JSON as drand's relays send it nor a signature of {2 * _SIGNATURE_BYTES} hexadecimal digits"
        )
    if round is None:
        raise BeaconWrong("it is only a signature, which does not name its round")
    return Beacon(round, bytes.fromhex(text))


def _from_json(text: str) -> Beacon:
    try:
        fields = read_json(text)
    except DocumentWrong as error:
        raise BeaconWrong(str(error)) from error
    round = fields.get("round")
    if type(round) is not int or not 1 <= round <= _ROUNDS:
        raise BeaconWrong(f"its round is not a whole number from 1 to {_ROUNDS}")
    signature = _bytes("signature", fields.get("signature"), _SIGNATURE_BYTES)
    # Version 2 of the API omits it.
    if "randomness" in fields and _bytes("randomness", fields["randomness"], HASH_BYTES) != randomness_of(signature):
        raise BeaconWrong("its randomness is not the SHA-256 of its signature: one of the two was changed")
    return Beacon(round, signature)


def _bytes(name: str, value: Any, length: int) -> bytes:
    if not isinstance(value, str) or len(value) != 2 * length or not _HEX.fullmatch(value):
        raise BeaconWrong(f"its {name} is not {2 * length} hexadecimal digits, as those of drand's quicknet are")
    return bytes.fromhex(value)
