"""drand's quicknet: which round decides, and whether a beacon is that round's (section 6 of the protocol)."""

from hashlib import sha256

_GENESIS = 1692803367
_PERIOD_S = 3
_KNOWN = {1000: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}


class BeaconWrong(Exception):
    """Say that a beacon is not that of its round."""


class BlsMissing(ImportError):
    """Say that the extra that checks beacons is not installed."""


def check_beacon(round: int, signature: bytes) -> None:
    """Check the signature of a round.

    Raises:
        BeaconWrong: it is not the round's.
        BlsMissing: nothing is here to check it with.
    """
    if _KNOWN.get(round) != signature.hex():
        raise BeaconWrong(f"the signature is not that of round {round}")


def round_of(closed: int, delay_s: int) -> int:
    """Return the round that decides, for a closing at `closed` (seconds since 1970)."""
    return -((_GENESIS - closed - delay_s) // _PERIOD_S) + 1


def time_of(round: int) -> int:
    """Return when a round comes, in seconds since 1970."""
    return _GENESIS + _PERIOD_S * (round - 1)


def entropy_of(signature: bytes) -> bytes:
    """Return the 32 bytes of entropy of a beacon."""
    return sha256(signature).digest()
