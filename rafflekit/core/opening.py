"""`engine_of`: an engine as the settings of a process have it; both faces open theirs here."""

from functools import partial
from typing import TYPE_CHECKING

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.core.signing import signing_key_of

if TYPE_CHECKING:
    from rafflekit.core.draws import BeaconSource
    from rafflekit.core.issuing import GroupObserver


def engine_of(settings: Settings, url: str | None, *, on_group: "GroupObserver | None" = None) -> RaffleEngine:
    """Return an engine on a database, None for the default one, with the settings' cost, key and relays.

    Raises:
        InvalidSetting: the key cannot be read, or the URL is none.
        SchemaMismatch, StorageUnavailable: the database cannot be used.
    """
    return RaffleEngine(
        url,
        code_hasher=settings.code_hasher,
        signing_key=signing_key_of(settings),
        beacons=_beacons(settings),
        on_group=on_group,
    )


def _beacons(settings: Settings) -> "BeaconSource | None":
    if not settings.drand_relays:
        return None
    from rafflekit.core.relays import fetch_beacon

    return partial(fetch_beacon, relays=settings.drand_relays)
