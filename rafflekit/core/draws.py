"""The draw, which happens once: the closing and the entropy make the seed, and the seed makes the winners."""

from array import array
from collections.abc import Callable
from datetime import datetime

from rafflekit.core import lifecycle
from rafflekit.core.beacons import BeaconSource, fetched_beacon, given_beacon
from rafflekit.core.errors import BeaconNotPublished, InvalidValue
from rafflekit.core.ledger.keeping import Ledgers, closing_of
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import Wins, count_wins, prizes_of_wins
from rafflekit.core.protocol import winners
from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.entropy.announced import normalised
from rafflekit.core.protocol.hashing import HASH_BYTES
from rafflekit.core.protocol.quoting import quoted
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import draws, raffles
from rafflekit.core.storage.statements.draws import DrawRecord


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

    def check(self, raffle: Raffle, *, has_value: bool) -> None:
        """Check that a raffle can be drawn now, before a beacon is fetched or looked at.

        A raffle that is due, and closed by its draw, passes if it has a ticket for each prize.

        Raises:
            Cancelled, TicketsRemaining, AlreadyDrawn: the raffle is cancelled, not closed, or already drawn.
            TooFewTickets: its time is over, and it has more prizes than tickets.
            SigningKeyUnavailable: the key that signs its proof is missing here.
            BeaconNotPublished: its beacon is published later, and is not given.
        """
        if lifecycle.is_due(raffle):
            lifecycle.check_enough_tickets(raffle)
        else:
            lifecycle.check_drawable(raffle)
        # A draw is final, and without the key no one could prove it.
        self._ledgers.book_to_sign(raffle)
        published_at, now = lifecycle.draw_possible_at(raffle), self._clock()
        if published_at is not None and published_at > now and not has_value:
            wait_s = int(published_at.timestamp()) - int(now.timestamp())
            raise BeaconNotPublished(published_at, retry_after_s=max(1, wait_s))

    def draw(self, raffle: Raffle, value: str | None) -> Wins:
        """Draw the winners of a closed raffle; `value` is what its source gave, if it is given.

        Raises:
            RaffleError: see `RaffleEngine.draw`.
        """
        self.check(raffle, has_value=value is not None)
        self.check_value(raffle, value)
        closing = closing_of(raffle, self._ledgers.tree_of(raffle))
        assert closing.end is not None
        count = count_wins(raffle.prizes)
        evidence, entropy = self._evidence(raffle, closing.end, value)
        seed = winners.seed_of(closing.closing_hash(), entropy)
        # Before the lock, because it takes time: a closed raffle does not change, and of two draws one is refused.
        serials = array("q", winners.winning_serials(seed, tickets=raffle.issued, wins=count))

        prizes = array("H", prizes_of_wins(prize.amount for prize in raffle.prizes))
        closed = closing.end.closed

        def store(connection: Connection) -> "array[int]":
            lifecycle.check_drawable(raffles.lock_raffle(connection, raffle.id))
            draws.insert_wins(connection, raffle.id, serials, prizes)
            numbers = draws.winning_numbers(connection, raffle.id, count)
            digest = winners.winners_digest(zip(serials, numbers, prizes, strict=True))
            draws.insert_draw(connection, raffle.id, DrawRecord(evidence, digest, count))
            # The clock may have been set back since the raffle was closed.
            drawn_at = max(int(self._clock().timestamp()), closed)
            draws.delete_keys(connection, raffle.id)
            draws.mark_drawn(connection, raffle.id, seed=seed, drawn_at=drawn_at)
            return numbers

        return Wins(self._database.write(store), raffle.prizes)

    def check_value(self, raffle: Raffle, value: str | None) -> None:
        """Check what can be checked of a value before its raffle is closed, which is final.

        Raises:
            InvalidValue: it is missing or malformed, or the raffle does not need it.
        """
        source = source_of(raffle.terms.entropy)
        if source.is_announced:
            if value is None:
                where = quoted(raffle.terms.source or "")
                raise InvalidValue("value", f"is missing: give what the source {where} gave.")
            normalised(value)
        elif source.delay is None and value is not None:
            raise InvalidValue("value", "does not belong to this raffle: this machine's secrets decide who wins.")

    def _evidence(self, raffle: Raffle, end: End, value: str | None) -> tuple[bytes, bytes]:
        """Return the evidence, which is stored, and the 32 bytes that decide, which come from it."""
        source = source_of(raffle.terms.entropy)
        if end.round is not None:
            found = fetched_beacon(end.round, self._beacons) if value is None else given_beacon(value, end.round)
            evidence = found.signature
        elif value is not None:
            evidence = normalised(value).encode()
        else:
            evidence = self._random_bytes(HASH_BYTES)
        return evidence, source.entropy_of(evidence)
