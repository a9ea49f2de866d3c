"""The beacon that decides a draw: given as a text, or fetched; checked in either case."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from rafflekit.core.errors import BeaconUnavailable, InvalidValue

if TYPE_CHECKING:
    from rafflekit.core.protocol.entropy.drand import Beacon

BeaconSource = Callable[[int], "Beacon"]
"""Returns the beacon of a round; raises `relays.NoRelayGaveIt`."""


def given_beacon(text: str, round: int) -> "Beacon":
    """Return the beacon that a text holds.

    Raises:
        InvalidValue: the text is not the beacon of this round.
        BeaconUnavailable: no beacon can be checked on this machine.
    """
    from rafflekit.core.protocol.entropy.drand import BeaconWrong, BlsMissing, check_beacon, read_beacon

    try:
        found = read_beacon(text, round=round)
        check_beacon(found.round, found.signature)
    except BeaconWrong as error:
        raise InvalidValue("value", f"is not round {round} of drand's quicknet: {error}.") from error
    except BlsMissing as error:
        raise BeaconUnavailable(str(error)) from error
    return found


def fetched_beacon(round: int, source: BeaconSource | None) -> "Beacon":
    """Return the beacon that a source gives, by default drand's relays.

    Raises:
        BeaconUnavailable: the source does not give the beacon, or it is wrong or cannot be checked on this machine.
    """
    from rafflekit.core import relays
    from rafflekit.core.protocol.entropy.drand import BeaconWrong, BlsMissing, check_beacon

    try:
        found = (source or relays.fetch_beacon)(round)
        # A relay's beacon is checked twice, because a source can be anyone's function.
        check_beacon(round, found.signature)
    except (relays.NoRelayGaveIt, BlsMissing) as error:
        raise BeaconUnavailable(str(error)) from error
    except BeaconWrong as error:
        raise BeaconUnavailable(f"What was fetched is not round {round} of drand's quicknet: {error}.") from error
    return found
