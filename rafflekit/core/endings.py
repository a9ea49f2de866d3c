"""How a raffle stops handing out tickets: it is closed, by a manager or by its time, or cancelled."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from rafflekit.core import lifecycle, limits
from rafflekit.core.errors import Cancelled, StorageUnavailable, TooFewTickets, TooLate
from rafflekit.core.ledger.books import book_of
from rafflekit.core.models import Raffle
from rafflekit.core.protocol.checkpoints import Cancellation
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import draws, raffles, tickets

_log = logging.getLogger(__name__)

_PURGED_AT_ONCE = 10_000
_CLOSED_AT_ONCE = 100


class Endings:
    """The endings of one database's raffles."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        # Damaged raffles that the log has named; they are tried again every few seconds.
        self._reported: set[UUID] = set()

    def close(self, raffle: UUID) -> Raffle:
        """Make the list of a raffle's tickets final; return the closed raffle.

        Raises:
            RaffleNotFound, Cancelled, TooLate, TooFewTickets: see `lifecycle.check_closable`.
        """

        def store(connection: Connection) -> Raffle:
            found = raffles.lock_raffle(connection, raffle)
            lifecycle.check_closable(found)
            end = book_of(found.terms).end_at(self._now())
            raffles.close_raffle(connection, raffle, end)
            return replace(found, end=end)

        # Nothing is read afterwards: if that failed, it would look as if the raffle were still open.
        return lifecycle.seen(self._database.write(store), self._clock())

    def close_due(self) -> Sequence[UUID]:
        """Close the raffles whose time is over and that have a ticket for each prize; return those closed here.

        It costs one light query if there are none. Several servers can do this at once; each raffle is closed once.
        """
        due = self._database.query(partial(raffles.due_raffles, now=self._now(), most=_CLOSED_AT_ONCE))
        closed = []
        for raffle in due:
            # Another server was faster, or a manager cancelled it.
            with suppress(TooLate, Cancelled, TooFewTickets):
                try:
                    self.close(raffle)
                # A damaged raffle must not keep the others open.
                except StorageUnavailable as error:
                    if raffle not in self._reported:
                        _log.warning("The raffle %s cannot be closed: %s", raffle, error)
                        self._reported.add(raffle)
                else:
                    closed.append(raffle)
        return closed

    def cancel(self, raffle: UUID, reason: str) -> Raffle:
        """Cancel a raffle and delete its secrets in one transaction; return the cancelled raffle.

        `purge` deletes its participants' hashes.

        Raises:
            InvalidValue: the reason is not one line of text, or is too long.
            RaffleNotFound, TooLate: see `lifecycle.check_cancellable`.
        """
        given = limits.given_reason("reason", reason)

        def store(connection: Connection) -> Raffle:
            found = raffles.lock_raffle(connection, raffle)
            lifecycle.check_cancellable(found)
            # The clock may have been set back since the raffle was created.
            cancellation = Cancellation(max(self._now(), int(found.created_at.timestamp())), given)
            draws.delete_keys(connection, raffle)
            raffles.mark_cancelled(connection, raffle, cancellation)
            return replace(found, cancellation=cancellation)

        # As in `close`.
        return lifecycle.seen(self._database.write(store), self._clock())

    def purge(self, raffle: Raffle) -> int:
        """Delete the hashes of a finished raffle's participants and requests; return how many tickets had one.

        The tickets' times of issue become the time of the raffle's end.

        Every `_PURGED_AT_ONCE` tickets get a separate transaction, so that others can write in between.

        Raises:
            NotDrawnYet: it is neither drawn nor cancelled.
        """
        lifecycle.check_finished(raffle)
        ended_at = lifecycle.ended_s(raffle)
        purged = 0
        for first in range(0, raffle.issued, _PURGED_AT_ONCE):
            last = first + _PURGED_AT_ONCE - 1
            purged += self._database.write(
                partial(tickets.forget_participants, raffle=raffle.id, ended_at=ended_at, first=first, last=last)
            )
        if raffle.issued:
            # Even if nothing was left to delete: an earlier purge may have been interrupted before this.
            self._database.write(tickets.rebuild_indexes)
        return purged

    def check_purge(self, raffle: Raffle) -> bool:
        """Return whether a finished raffle has hashes of participants.

        Raises:
            NotDrawnYet: it is neither drawn nor cancelled.
        """
        lifecycle.check_finished(raffle)
        # The hash of the last ticket is the last one that `purge` deletes.
        return self._database.query(
            lambda connection: tickets.has_participant(connection, raffle=raffle.id, serial=raffle.issued - 1)
        )

    def _now(self) -> int:
        return int(self._clock().timestamp())
