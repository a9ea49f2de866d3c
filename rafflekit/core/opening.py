"""Open an engine with the settings of a process: `engine_of`, or `serving_engine_of` for a server.

Both faces open their engines here.
"""

import logging
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.errors import InvalidSetting
from rafflekit.core.ledger.keys import signing_key_of
from rafflekit.core.settings import SIGNING_KEY, Settings

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from rafflekit.core.beacons import BeaconSource
    from rafflekit.core.tickets.issuing import GroupObserver


def engine_of(settings: Settings, url: str | None, *, on_group: "GroupObserver | None" = None) -> RaffleEngine:
    """Return an engine with the settings on a database, by default on the one in the user's data folder.

    Raises:
        InvalidSetting: the key cannot be read, or the URL is not valid.
        SchemaMismatch, StorageUnavailable: the database cannot be used.
    """
    return RaffleEngine(
        url,
        code_hasher=settings.code_hasher,
        signing_key=signing_key_of(settings),
        beacons=_beacons(settings),
        ipv6_prefix=settings.ipv6_prefix,
        on_group=on_group,
    )


def serving_engine_of(settings: Settings, url: str | None, *, on_group: "GroupObserver | None" = None) -> RaffleEngine:
    """Return an engine as `engine_of` does, and make sure that it has a key to sign every ticket's receipt.

    Raffles that need another key are logged.

    Raises:
        InvalidSetting: there is no key, and it cannot be made next to the database; or as in `engine_of`.
        SigningKeyUnavailable: the key next to the database is missing or cannot be used.
        SchemaMismatch, StorageUnavailable: the database cannot be used, or the key next to it cannot be made.
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
        others = engine.proofs.raffles_of_other_keys()
        if others:
            _log.warning(
                "Unfinished raffles that need another signing key: %d. They can neither hand out tickets nor be drawn; "
                "'rafflekit doctor' names the keys.",
                others,
            )
        unless_opened.pop_all()
    return engine


def _beacons(settings: Settings) -> "BeaconSource | None":
    if not settings.drand_relays:
        return None
    from rafflekit.core.relays import fetch_beacon

    return partial(fetch_beacon, relays=settings.drand_relays)
