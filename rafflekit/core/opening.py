"""Engines as the settings of a process have them: `engine_of`, and `serving_engine_of` for those who serve others.

Both faces open theirs here.
"""

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.errors import InvalidSetting
from rafflekit.core.ledger.keys import signing_key_of
from rafflekit.core.settings import SIGNING_KEY, Settings

if TYPE_CHECKING:
    from rafflekit.core.draws import BeaconSource
    from rafflekit.core.tickets.issuing import GroupObserver


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


def serving_engine_of(settings: Settings, url: str | None, *, on_group: "GroupObserver | None" = None) -> RaffleEngine:
    """Return the same, where every ticket comes with a receipt: there is a key to sign it.

    Raises:
        InvalidSetting: there is no key, and the database has no place for one; or as `engine_of` does.
        SigningKeyUnavailable: the key beside the database is missing or cannot be used.
        SchemaMismatch, StorageUnavailable: the database cannot be used, or the key beside it not be made.
    """
    with ExitStack() as unless_opened:
        engine = unless_opened.enter_context(engine_of(settings, url, on_group=on_group))
        if not engine.proofs.can_sign():
            raise InvalidSetting(
                SIGNING_KEY.name,
                None,
                "it must name the key that signs the receipts, the same for all servers of a shared database; "
                "'rafflekit key make FILE' makes one.",
            )
        unless_opened.pop_all()
    return engine


def _beacons(settings: Settings) -> "BeaconSource | None":
    if not settings.drand_relays:
        return None
    from rafflekit.core.relays import fetch_beacon

    return partial(fetch_beacon, relays=settings.drand_relays)
