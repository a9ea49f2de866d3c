"""The draw, which happens once: the closing and the entropy make the seed, and the seed makes the winners."""

from array import array
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from rafflekit.core import lifecycle
from rafflekit.core.beacons import BeaconSource, fetched_beacon, given_beacon
from rafflekit.core.errors import BeaconNotPublished, InvalidValue, RaffleNotFound, StorageUnavailable
from rafflekit.core.ledger.keeping import Ledgers, closing_of
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import Wins, count_wins, prizes_of_wins
from rafflekit.core.protocol import winners
from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.entropy import SOURCES, Source
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import draws, raffles, tickets
from rafflekit.core.storage.statements.draws import DrawRecord
from rafflekit.core.storage.statements.ledgers import LedgerRecord

_PURGED_AT_ONCE = 10_000


class Draws:
    """The draws of one database's raffles. `beacons` gives beacons; by default, drand's relays do."""

    def __init__(
        self,
        database: Database,
        ledgers: Ledgers,
        *,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        beacons: BeaconSource | None = None,
    ) -> None:
        self._database = database
        self._ledgers = ledgers
        self._clock = clock
        self._random_bytes = random_bytes
        self._beacons = beacons

    def possible_at(self, raffle: Raffle) -> datetime | None:
        """Return when a raffle that is not drawn can be drawn, or None if no date is known.

        Raises:
            StorageUnavailable: it is closed, and the database names a source of entropy that does not exist.
        """
        return None if lifecycle.is_drawn(raffle) else _possible_at(raffle, self._ledgers.record(raffle))

    def check(self, raffle: Raffle, *, has_beacon: bool) -> LedgerRecord:
        """Check that a raffle can be drawn now, before a beacon is fetched or looked at; return its ledger's record.

        Raises:
            TicketsRemaining, AlreadyDrawn: the raffle is not sold out, or already drawn.
            SigningKeyUnavailable: the key that signs its proof is missing here.
            BeaconNotPublished: its beacon is published later, and none is given.
        """
        lifecycle.check_drawable(raffle)
        record = self._ledgers.record(raffle)
        # A draw is final, and without the key no one could prove it.
        self._ledgers.require_key(raffle, record)
        published_at, now = _possible_at(raffle, record), self._clock()
        if published_at is not None and published_at > now and not has_beacon:
            wait_s = int(published_at.timestamp()) - int(now.timestamp())
            raise BeaconNotPublished(published_at, retry_after_s=wait_s)
        return record

    def draw(self, raffle: Raffle, beacon: str | None) -> Wins:
        """Draw the winners of a raffle; `beacon` is the text of its round's beacon, if it is given.

        Raises:
            TicketsRemaining, AlreadyDrawn, SigningKeyUnavailable, BeaconNotPublished: see `check`.
            BeaconUnavailable, InvalidValue: see `RaffleEngine.draw`.
        """
        record = self.check(raffle, has_beacon=beacon is not None)
        closing = closing_of(raffle, record, self._ledgers.tree_of(raffle))
        assert closing.end is not None
        count = count_wins(raffle.prizes)
        evidence, entropy = self._evidence(raffle, closing.end, beacon)
        seed = winners.seed_of(closing.closing_hash(), entropy)
        # Before the lock, because it takes time: a sold-out raffle does not change, and of two draws one is refused.
        serials = array("q", winners.winning_serials(seed, tickets=raffle.total_tickets, wins=count))

        prizes = array("H", prizes_of_wins(prize.amount for prize in raffle.prizes))

        def store(connection: Connection) -> "array[int]":
            raffles.lock_counter(connection, raffle.id)
            found = raffles.load_raffle(connection, raffle.id)
            if found is None:
                raise RaffleNotFound
            lifecycle.check_drawable(found)
            draws.insert_wins(connection, raffle.id, serials, prizes)
            numbers = draws.winning_numbers(connection, raffle.id, count)
            digest = winners.winners_digest(zip(serials, numbers, prizes, strict=True))
            draws.insert_draw(connection, raffle.id, DrawRecord(evidence, digest, count))
            draws.mark_drawn(connection, raffle.id, seed=seed, drawn_at=self._clock())
            draws.delete_keys(connection, raffle.id)
            return numbers

        return Wins(self._database.write(store), raffle.prizes)

    def purge(self, raffle: Raffle) -> int:
        """Delete the hashes of a drawn raffle's participants and idempotency keys; return how many tickets had one.

        Every `_PURGED_AT_ONCE` tickets get a separate transaction, so that others can write in between.

        Raises:
            NotDrawnYet: the winners have not been drawn.
        """
        lifecycle.check_drawn(raffle)
        purged = 0
        for first in range(0, raffle.total_tickets, _PURGED_AT_ONCE):
            last = first + _PURGED_AT_ONCE - 1
            purged += self._database.write(
                partial(tickets.forget_participants, raffle=raffle.id, first=first, last=last)
            )
        # Even if nothing was left to delete: an earlier purge may have been interrupted before this.
        self._database.write(tickets.rebuild_indexes)
        return purged

    def _evidence(self, raffle: Raffle, end: End, beacon: str | None) -> tuple[bytes, bytes]:
        """Return the evidence, which is stored, and the 32 bytes that decide, which come from it."""
        source = _source_of(raffle)
        if end.round is not None:
            found = fetched_beacon(end.round, self._beacons) if beacon is None else given_beacon(beacon, end.round)
            evidence = found.signature
        elif beacon is not None:
            raise InvalidValue("beacon", "does not belong to this raffle: this machine's secrets decide who wins.")
        else:
            evidence = self._random_bytes(source.evidence_bytes)
        return evidence, source.entropy_of(evidence)


def _possible_at(raffle: Raffle, record: LedgerRecord) -> datetime | None:
    known_s = None if record.end is None else _source_of(raffle).known_from(record.end)
    return None if known_s is None else datetime.fromtimestamp(known_s, UTC)


def _source_of(raffle: Raffle) -> Source:
    source = SOURCES.get(raffle.terms.entropy)
    if source is None:
        raise StorageUnavailable(
            f"The raffle {raffle.id} has an unknown source of entropy; 'rafflekit doctor' says more."
        )
    return source
