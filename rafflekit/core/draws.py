"""The draw: the closing, and what nobody could know then, make the seed; the seed makes the winners, for ever."""

from array import array
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rafflekit.core import lifecycle
from rafflekit.core.errors import BeaconNotPublished, BeaconUnavailable, InvalidValue, RaffleNotFound
from rafflekit.core.ledger.keeping import Ledgers
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import Wins, count_wins
from rafflekit.core.protocol import winners
from rafflekit.core.protocol.checkpoints import Closing
from rafflekit.core.protocol.entropy import SOURCES, SourceMissing, source_of
from rafflekit.core.protocol.winners import seed_of, winners_digest
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import draws as statements
from rafflekit.core.storage.statements import raffles

if TYPE_CHECKING:
    from rafflekit.core.protocol.entropy.drand import Beacon

BeaconSource = Callable[[int], "Beacon"]
"""Gives the beacon of a round; raises `relays.NoRelayGaveIt`."""


class Draws:
    """The draws of one database's raffles. `beacons` is where beacons come from; by default, drand's relays."""

    def __init__(
        self,
        database: Database,
        ledgers: Ledgers,
        *,
        clock: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        beacons: BeaconSource | None = None,
    ) -> None:
        self._database = database
        self._ledgers = ledgers
        self._clock = clock
        self._entropy = entropy
        self._beacons = beacons

    def draw(self, raffle: Raffle, beacon: str | None) -> Wins:
        """Draw the winners of a raffle; `beacon` is the text of the beacon of its round, if somebody has it.

        Raises:
            TicketsRemaining, AlreadyDrawn: it is not sold out, or drawn.
            SigningKeyUnavailable: the key that its proof would be signed with is not here.
            BeaconNotPublished, BeaconUnavailable, InvalidValue: see `RaffleEngine.draw`.
        """
        lifecycle.check_drawable(raffle)
        # Once drawn it is drawn for ever, and without the key nobody could show how.
        self._ledgers.require_key(raffle)
        closing = self._ledgers.closing_of(raffle)
        assert closing.closing is not None
        count = count_wins(raffle.prizes)
        evidence, entropy = self._decision(raffle, closing.closing, beacon)
        seed = seed_of(closing.closing_hash(), entropy)
        # Before the lock, since it takes its time: a sold-out raffle stays as it is, and of two draws one is refused.
        serials = array("q", winners.winning_serials(seed, tickets=raffle.total_tickets, wins=count))

        def store(connection: Connection) -> "array[int]":
            raffles.lock_counter(connection, raffle.id)
            found = raffles.load_raffle(connection, raffle.id)
            if found is None:
                raise RaffleNotFound
            lifecycle.check_drawable(found)
            with self._database.storing_many_rows(connection):
                statements.insert_wins(connection, raffle.id, raffle.prizes, serials)
            numbers = statements.winning_numbers(connection, raffle.id, count)
            prizes = winners.prizes_of_wins(prize.amount for prize in raffle.prizes)
            digest = winners_digest(zip(serials, numbers, prizes, strict=True))
            statements.insert_draw(connection, raffle.id, statements.DrawRecord(evidence, digest, count))
            statements.mark_drawn(connection, raffle.id, seed=seed, drawn_at=self._clock())
            statements.delete_keys(connection, raffle.id)
            return numbers

        return Wins(self._database.write(store), raffle.prizes)

    def _decision(self, raffle: Raffle, closing: Closing, beacon: str | None) -> tuple[bytes, bytes]:
        """Return what decides, as evidence that is kept, and as the 32 bytes that come from it."""
        source = source_of(raffle.entropy)
        if closing.round is not None:
            found = self._fetched(closing.round) if beacon is None else _given(beacon, closing.round)
            return found.signature, source.entropy_of(found.signature)
        if beacon is not None:
            raise InvalidValue("beacon", "is none of this raffle's: its winners come from secrets of this machine.")
        evidence = self._entropy(source.evidence_bytes)
        return evidence, source.entropy_of(evidence)

    def _fetched(self, round: int) -> "Beacon":
        from rafflekit.core import relays
        from rafflekit.core.protocol.entropy.drand import BeaconWrong, BlsMissing, check_beacon, time_of

        published, now = time_of(round), int(self._clock().timestamp())
        if published > now:
            raise BeaconNotPublished(datetime.fromtimestamp(published, UTC), retry_after_s=published - now)
        try:
            found = (self._beacons or relays.fetch_beacon)(round)
            # Once more, where it was a relay's: a source may be anybody's.
            check_beacon(round, found.signature)
        except (relays.NoRelayGaveIt, BlsMissing) as error:
            raise BeaconUnavailable(str(error)) from error
        except BeaconWrong as error:
            raise BeaconUnavailable(f"What was fetched is not round {round} of drand's quicknet: {error}.") from error
        return found


def check_entropy(entropy: object, delay_s: object) -> tuple[str, int | None]:
    """Check how the winners of a new raffle are to be decided; return it, with the delay that holds.

    Raises:
        InvalidValue: for `entropy` or `delay_s`; also where this machine could not check a beacon.
    """
    source = SOURCES.get(entropy) if isinstance(entropy, str) else None
    if source is None:
        raise InvalidValue("entropy", f"must be {' or '.join(SOURCES)}.")
    if source.delay is None:
        if delay_s is not None:
            waiting = " or ".join(name for name, each in SOURCES.items() if each.delay is not None)
            raise InvalidValue("delay_s", f"belongs to {waiting}; {source.name} wait for nothing.")
        return source.name, None
    bounds = source.delay
    if delay_s is None:
        delay_s = bounds.default
    if isinstance(delay_s, bool) or not isinstance(delay_s, int) or not bounds.least <= delay_s <= bounds.most:
        raise InvalidValue("delay_s", f"must be a whole number of seconds from {bounds.least} to {bounds.most:,}.")
    try:
        source.require()
    except SourceMissing as error:
        raise InvalidValue("entropy", f"cannot be {source.name} here: {error}") from error
    return source.name, delay_s


def _given(text: str, round: int) -> "Beacon":
    from rafflekit.core.protocol.entropy.drand import BeaconWrong, BlsMissing, check_beacon, read_beacon

    try:
        found = read_beacon(text, round=round)
        check_beacon(found.round, found.signature)
    except BeaconWrong as error:
        raise InvalidValue("beacon", f"is not round {round} of drand's quicknet: {error}.") from error
    except BlsMissing as error:
        raise BeaconUnavailable(str(error)) from error
    return found
