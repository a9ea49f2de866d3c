"""`RaffleEngine`, the one door to a raffle: one public method a use case, each of which writes in one transaction.

Hashing never happens inside a transaction. What a writer decides on is read again after the raffle is
locked, and the database's constraints and triggers hold the same rules a second time.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from uuid import UUID

from rafflekit.core import lifecycle, limits
from rafflekit.core.draws import BeaconSource, Draws, check_entropy
from rafflekit.core.errors import (
    InvalidValue,
    InvalidVerificationCode,
    RaffleError,
    RaffleNotFound,
)
from rafflekit.core.ledger.keeping import Ledgers
from rafflekit.core.ledger.proofs import Proofs
from rafflekit.core.models import Entry, Page, Raffle, Ticket, Verification
from rafflekit.core.paging import folded, items_before, page_of
from rafflekit.core.prizes import Prize, Win, count_wins
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.entropy import SECRETS
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.location import url_or_default
from rafflekit.core.storage.statements import draws, tickets
from rafflekit.core.storage.statements import raffles as queries
from rafflekit.core.tickets import numbering, participants
from rafflekit.core.tickets.groups import Groups
from rafflekit.core.tickets.issuing import GroupObserver, Issuing

# Who looks at the same raffle at the same moment shares one reading of it. Raffles have several queues, so that the
# readings of different ones go on side by side.
_LOOKUP_QUEUES = 64
_LOOKUPS_AT_ONCE = 64

_PURGED_AT_ONCE = 10_000


class RaffleEngine:
    """A raffle engine on one database; use it as a context manager, from any number of threads.

    `database_url` is a SQLAlchemy URL of a SQLite file (`sqlite:///raffles.db`) or of a PostgreSQL database
    (`postgresql://user@host/raffles`); without one the raffles are kept in the user's data folder. Clock, entropy and
    code hasher are the real ones unless given: `clock` returns the time in UTC, `entropy` so many random bytes. The
    `signing_key` (`signing.read_signing_key`) signs the ledgers; without it, beside a SQLite file one is made at its
    first use, and on PostgreSQL nothing is signed. `beacons` gives a round's beacon, by default from drand's relays
    (`relays.fetch_beacon`). `on_group`, if given, is told of every group of tickets that was stored:
    `on_group(callers=…, tickets=…)`.

    Raises:
        InvalidSetting: the URL is none, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program or another version of rafflekit.
        StorageUnavailable: it cannot be opened or made. So may every method raise, having done nothing; only when a
            PostgreSQL server goes or falls silent, or a disk fails, while it commits does nobody know (`is_in_doubt`).
    """

    def __init__(
        self,
        database_url: str | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        entropy: Callable[[int], bytes] = secrets.token_bytes,
        code_hasher: codes.CodeHasher | None = None,
        signing_key: SignerKey | None = None,
        beacons: BeaconSource | None = None,
        on_group: GroupObserver | None = None,
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self._hasher = code_hasher or codes.CodeHasher()
        self._database = Database(url_or_default(database_url))
        self._lookups = tuple(Groups(self._look_up, most=_LOOKUPS_AT_ONCE) for _ in range(_LOOKUP_QUEUES))
        self._ledgers = Ledgers(self._database, self.get, signing_key=signing_key)
        self.proofs = Proofs(self._database, self._ledgers, self.get)
        self._issuing = Issuing(
            self._database,
            clock=clock,
            entropy=entropy,
            hasher=self._hasher,
            ledgers=self._ledgers,
            proofs=self.proofs,
            on_group=on_group,
        )
        self._draws = Draws(self._database, self._ledgers, clock=clock, entropy=entropy, beacons=beacons)
        self._checks = Groups(self._check, most=_LOOKUPS_AT_ONCE)

    @property
    def database_url(self) -> str:
        """The URL of the database, as it may be shown."""
        return self._database.url

    def check(self) -> None:
        """Ask the database whether it answers and still has this version's layout: one light query.

        Who asks while it is being asked shares one query with all who do, so that asking often costs it little.

        Raises:
            SchemaMismatch, StorageUnavailable: it has not, or does not.
        """
        self._checks.submit(None)

    def close(self) -> None:
        """Close the database; a second time does nothing."""
        self._database.close()

    def __enter__(self) -> "RaffleEngine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def create(
        self,
        name: str,
        *,
        total_tickets: int,
        prizes: Sequence[Prize],
        entropy: str = SECRETS,
        delay_s: int | None = None,
    ) -> Raffle:
        """Create a raffle of `total_tickets` tickets, at the same cost for any number of them.

        `limits` says how long a name may be and how many tickets and prizes are possible. Its winners come from secrets
        that this machine makes in the draw, or from the first beacon of `drand-quicknet` that comes `delay_s` seconds
        (60 without it) or more after the last ticket.

        Raises:
            InvalidValue: a value breaks a limit, or there are more prizes than tickets.
            SigningKeyUnavailable: the key beside the database is missing or cannot be used.
        """
        limits.check_raffle(name, total_tickets, prizes)
        decided_by, delay_s = check_entropy(entropy, delay_s)
        raffle = Raffle(
            # Random, not time-ordered: then a short beginning of an id tells raffles apart.
            id=UUID(bytes=self._entropy(16), version=4),
            name=name,
            created_at=self._clock().astimezone(UTC).replace(microsecond=0),
            total_tickets=total_tickets,
            available_tickets=total_tickets,
            winners_drawn=False,
            prizes=tuple(prizes),
            entropy=decided_by,
            delay_s=delay_s,
        )
        keys = tickets.RaffleKeys(
            numbering_key=self._entropy(numbering.KEY_BYTES),
            participant_key=self._entropy(participants.KEY_BYTES),
            code_key=self._entropy(codes.KEY_BYTES),
        )

        self._ledgers.signing_key()

        def store(connection: Connection) -> None:
            self._database.lock_sequence(connection)
            queries.insert_raffle(
                connection,
                id=raffle.id,
                name=name,
                folded_name=folded(name),
                created_at=raffle.created_at,
                total_tickets=total_tickets,
            )
            tickets.insert_keys(connection, raffle.id, keys)
            queries.insert_prizes(connection, raffle.id, raffle.prizes)
            # Last: from here on the database refuses changes to what is announced.
            self._ledgers.begin(connection, raffle.id, entropy=decided_by, delay_s=delay_s)

        self._database.write(store)
        return raffle

    def list(
        self,
        *,
        page: int = 1,
        page_size: int = limits.RAFFLES_PAGE_SIZE,
        name: str | None = None,
        winners_drawn: bool | None = None,
    ) -> Page[Raffle]:
        """List raffles from the newest on, those whose name contains `name` in any letter case, drawn or not.

        Raises:
            InvalidValue: `page`, `page_size`, `name` or `winners_drawn` breaks a limit.
            PageNotFound: the list ends before this page; page 1 always exists.
        """
        skip = items_before(page, page_size)
        if name is not None:
            limits.check_searched_name(name)
        if winners_drawn is not None:
            limits.check_winners_drawn(winners_drawn)
        searched = None if name is None else folded(name)

        def load(connection: Connection) -> Page[Raffle]:
            if searched is None and winners_drawn is None:
                count = queries.count_raffles(connection)
                found = queries.newest_raffles(connection, newest=count - skip, most=page_size)
            else:
                count = queries.count_matching(connection, folded_name=searched, drawn=winners_drawn)
                found = queries.newest_matching(
                    connection, folded_name=searched, drawn=winners_drawn, skip=skip, most=page_size
                )
            return page_of(found, count, page, page_size)

        return self._database.read(load)

    def get(self, raffle_id: UUID | str) -> Raffle:
        """Return a raffle as it stands now.

        Raises:
            RaffleNotFound: no raffle has this id.
        """
        raffle = _uuid(raffle_id)
        return self._lookups[hash(raffle) % _LOOKUP_QUEUES].submit(raffle)

    def find(self, beginning: str) -> Raffle:
        """Return the one raffle whose id begins so: hexadecimal digits in any case, dashes or none.

        Raises:
            RaffleNotFound: no raffle's id begins so.
            InvalidValue: several do.
        """
        digits = beginning.strip().replace("-", "").lower()
        if not 0 < len(digits) <= 32 or not set(digits) <= set("0123456789abcdef"):
            raise _not_found(beginning)
        first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
        ids = self._database.query(lambda connection: queries.ids_between(connection, first, last, most=2))
        if len(ids) > 1:
            raise InvalidValue("raffle", f"the ids of several raffles begin with {beginning!r}; give more of it.")
        if not ids:
            raise _not_found(beginning)
        return self.get(ids[0])

    def participate(self, raffle_id: UUID | str, participant: str, *, idempotency_key: str | None = None) -> Ticket:
        """Hand a ticket to a participant: any stable text, an IP address or not (`participants`).

        The same participant repeating the same `idempotency_key` (16 to 255 printable ASCII characters,
        not to be guessed) gets the same ticket and code, on any process, until the draw.

        Raises:
            RaffleNotFound: no raffle has this id.
            SoldOut: every ticket has been handed out.
            AlreadyParticipated: the participant has a ticket, and this is no repeat of the request for it.
            InvalidValue: `participant` or `idempotency_key` breaks a limit.
            SigningKeyUnavailable: the key here is not that of the raffle's ledger, or the one beside the database is
                missing or cannot be used.
        """
        return self._issuing.issue(_uuid(raffle_id), Entry(participant, idempotency_key))

    def participate_many(self, raffle_id: UUID | str, entries: Iterable[Entry | str]) -> Iterator[Ticket | RaffleError]:
        """Hand tickets to many participants; for each entry, in order, yield its ticket or why it gets none.

        `entries` may be endless: so many at a time are read, stored in one transaction, and only then yielded. A
        refused entry (`AlreadyParticipated`, `SoldOut`, `InvalidValue`) spoils nothing for the others.

        Raises:
            RaffleNotFound: no raffle has this id.
            InvalidValue: `entries` is one text.
            SoldOut: the raffle is drawn, so that no entry can be told from a repeat any more. (Where the draw came
                meanwhile, each entry is refused with it instead.)
            StorageUnavailable: the database cannot be used; what was yielded before stays done. Entries that were
                read and not answered may have tickets: with idempotency keys, ask again.
        """
        if isinstance(entries, str):
            raise InvalidValue("entries", "must be a list; of one text, each letter would get a ticket.")
        return self._issuing.issue_many(
            _uuid(raffle_id), (entry if isinstance(entry, Entry) else Entry(entry) for entry in entries)
        )

    def draw(self, raffle_id: UUID | str, *, beacon: str | None = None) -> Sequence[Win]:
        """Draw the winners of a sold-out raffle, once and for ever; return the wins in draw order.

        Prizes are drawn in the order in which they were given. The seed comes into being here and is kept, with what it
        came from; the raffle's secrets are destroyed. Where drand decides, the beacon is fetched from its relays, or
        comes as a text (`ledger.drand.read_beacon`).

        Raises:
            RaffleNotFound: no raffle has this id.
            TicketsRemaining: the raffle is not sold out.
            AlreadyDrawn: the winners have been drawn.
            BeaconNotPublished: the round that decides is still to come.
            BeaconUnavailable: no relay gives it, or this machine cannot check it.
            SigningKeyUnavailable: the key that signed its tickets is not here, so that nobody could prove the draw.
            StorageUnavailable: the database cannot be used, or a key beside it not be made.
            InvalidValue: `beacon` is not the one that decides, or none does.
        """
        raffle = self.get(raffle_id)
        wins = self._draws.draw(raffle, beacon)
        self._issuing.forget(raffle.id)
        self._database.empty_journal()
        return wins

    def winners(self, raffle_id: UUID | str, *, page: int = 1, page_size: int = limits.WINNERS_PAGE_SIZE) -> Page[Win]:
        """List the wins of a raffle in draw order; before the draw, none.

        Raises:
            RaffleNotFound: no raffle has this id.
            InvalidValue: `page` or `page_size` breaks a limit.
            PageNotFound: the list ends before this page; page 1 always exists.
        """
        skip = items_before(page, page_size)
        raffle = self.get(raffle_id)
        if not raffle.winners_drawn:
            return page_of((), 0, page, page_size)
        # What is drawn is final, so the two statements need no transaction around them.
        wins = self._database.query(
            lambda connection: draws.wins_between(connection, raffle.id, skip + 1, skip + page_size)
        )
        return page_of(wins, count_wins(raffle.prizes), page, page_size)

    def verify(self, raffle_id: UUID | str, ticket_number: int, verification_code: str) -> Verification:
        """Tell what a ticket won, to whoever has its code.

        A number that no ticket has takes as long as a wrong code and gives the same error.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
            InvalidVerificationCode: code and number do not belong together.
            InvalidValue: the number is no whole number, or the code no text.
        """
        limits.check_ticket_number(ticket_number)
        limits.check_verification_code(verification_code)
        raffle = self.get(raffle_id)
        lifecycle.check_drawn(raffle)
        number = limits.possible_number(ticket_number, raffle.total_tickets)
        ticket = self._database.query(lambda connection: tickets.drawn_ticket(connection, raffle.id, number))
        if not self._hasher.check(ticket.code_hash if ticket else None, verification_code) or ticket is None:
            raise InvalidVerificationCode
        return Verification(has_won=ticket.prize is not None, prize=ticket.prize)

    def purge(self, raffle_id: UUID | str) -> int:
        """Drop the hashes of a drawn raffle's participants and idempotency keys; return how many tickets had one.

        Nothing else changes, and nothing needs them any more: they tell only the database that nobody has two tickets.
        It is done in parts of `_PURGED_AT_ONCE` tickets, so that others go on meanwhile; what an interruption leaves,
        the next call drops. At the end, SQLite's indexes of all tickets are written anew: others wait so long.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
        """
        raffle = self.get(raffle_id)
        lifecycle.check_drawn(raffle)
        purged = 0
        for first in range(0, raffle.total_tickets, _PURGED_AT_ONCE):
            forget = partial(
                tickets.forget_participants, raffle=raffle.id, first=first, last=first + _PURGED_AT_ONCE - 1
            )
            purged += self._database.write(forget)
        # Also where nothing was left to drop: whoever dropped it may have been interrupted before this.
        self._database.write(lambda connection: self._database.rebuild_indexes(connection, "tickets"))
        self._database.empty_journal()
        return purged

    def _check(self, callers: Sequence[None]) -> Sequence[bool]:
        self._database.check_layout()
        return [True] * len(callers)

    def _look_up(self, raffles: Sequence[UUID]) -> Sequence[Raffle | RaffleNotFound]:
        """Read each of these raffles once, however many callers ask for it: all of them asked before it is read."""
        found = {
            raffle: queries.raffle_of(self._database.fetch(queries.RAFFLE, {"raffle": raffle}))
            for raffle in set(raffles)
        }
        return [found[raffle] or RaffleNotFound() for raffle in raffles]


def _uuid(raffle_id: UUID | str) -> UUID:
    if isinstance(raffle_id, UUID):
        return raffle_id
    try:
        return UUID(raffle_id)
    except (ValueError, AttributeError, TypeError) as error:
        raise RaffleNotFound from error


def _not_found(beginning: str) -> RaffleNotFound:
    return RaffleNotFound(f"No raffle's id begins with {beginning!r}; the list of raffles shows those that exist.")
