"""`RaffleEngine`, the only entry point: one public method per use case, which begins and ends its transactions.

Hashing never happens inside a transaction. A writer locks the raffle and reads its data again; the database's
constraints and triggers hold the same rules a second time.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from uuid import UUID

from rafflekit.core import lifecycle, limits, raffles
from rafflekit.core.beacons import BeaconSource
from rafflekit.core.draws import Draws
from rafflekit.core.errors import InvalidValue, InvalidVerificationCode, RaffleError
from rafflekit.core.ledger.keeping import Ledgers
from rafflekit.core.ledger.proofs import Proofs
from rafflekit.core.models import Entry, Page, Raffle, Ticket, Verification, uuid_of
from rafflekit.core.paging import items_before, page_of
from rafflekit.core.prizes import Prize, Win, count_wins
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.entropy import SECRETS
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.location import url_or_default
from rafflekit.core.storage.statements import draws, tickets
from rafflekit.core.tickets.groups import Groups
from rafflekit.core.tickets.issuing import GroupObserver, Issuing

_CHECKS_AT_ONCE = 64


class RaffleEngine:
    """A raffle engine on one database. Use it as a context manager, from any number of threads.

    `database_url` is a SQLAlchemy URL of a SQLite file (`sqlite:///raffles.db`) or of a PostgreSQL database
    (`postgresql://user@host/raffles`); by default, raffles are kept in the user's data folder. `clock` returns the time
    in UTC, `random_bytes` the given number of them; these two and the code hasher are the real ones by default.

    `signing_key` (`ledger.keys.read_signing_key`) signs the ledgers. Without it, a key is made next to a SQLite file at
    its first use; on PostgreSQL nothing is signed. `beacons` returns the beacon of a round, by default from drand's
    relays (`relays.fetch_beacon`). `on_group` is called after each group of tickets that was stored, as
    `on_group(callers=…, tickets=…)`.

    `proofs` holds what the public can ask about the raffles' ledgers.

    Raises:
        InvalidSetting: the URL is not valid, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program or another version of rafflekit.
        StorageUnavailable: the database cannot be opened or made. Every method can raise this error; it has then done
            nothing, unless `is_in_doubt`: a PostgreSQL server or a disk failed during the commit.
    """

    def __init__(
        self,
        database_url: str | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        code_hasher: codes.CodeHasher | None = None,
        signing_key: SignerKey | None = None,
        beacons: BeaconSource | None = None,
        on_group: GroupObserver | None = None,
    ) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._hasher = code_hasher or codes.CodeHasher()
        self._database = Database(url_or_default(database_url))
        self._lookups = raffles.RaffleLookups(self._database)
        self._ledgers = Ledgers(self._database, signing_key=signing_key)
        self.proofs = Proofs(self._database, self._ledgers, self.get)
        self._issuing = Issuing(
            self._database,
            self.get,
            clock=clock,
            random_bytes=random_bytes,
            hasher=self._hasher,
            ledgers=self._ledgers,
            proofs=self.proofs,
            on_group=on_group,
        )
        self._draws = Draws(self._database, self._ledgers, clock=clock, random_bytes=random_bytes, beacons=beacons)
        self._checks = Groups(self._check, most=_CHECKS_AT_ONCE)

    @property
    def database_url(self) -> str:
        """The URL of the database, without its password."""
        return self._database.url

    def check(self) -> None:
        """Check that the database answers and still has this version's layout, with one light query.

        Callers who ask at the same time share a query, so asking often costs the database little.

        Raises:
            SchemaMismatch: the database has another layout.
            StorageUnavailable: it does not answer.
        """
        self._checks.submit(None)

    def close(self) -> None:
        """Close the database; a second call does nothing."""
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

        `limits` holds the longest name and the largest numbers of tickets and prizes. `entropy` names the source that
        decides who wins: `secrets`, random bytes that this machine makes during the draw; or `drand-quicknet`, the
        first public beacon that is published `delay_s` seconds (60 by default) or more after the last ticket.

        Raises:
            InvalidValue: a value breaks a limit, or there are more prizes than tickets.
            SigningKeyUnavailable: the key next to the database is missing or cannot be used.
        """
        terms = Terms(
            # Random, not ordered by time: so a short prefix of an id identifies a raffle.
            id=UUID(bytes=self._random_bytes(16), version=4),
            name=name,
            created_at=self._clock().astimezone(UTC).replace(microsecond=0),
            total_tickets=total_tickets,
            prizes=prizes,
            entropy=entropy,
            delay_s=delay_s,
        ).checked()
        keys = raffles.new_keys(self._random_bytes)
        signer = self._ledgers.signing_key()
        self._database.write(partial(raffles.store_raffle, terms=terms, keys=keys, signer=signer))
        return Raffle(terms)

    def list(
        self,
        *,
        page: int = 1,
        page_size: int = limits.RAFFLES_PAGE_SIZE,
        name: str | None = None,
        winners_drawn: bool | None = None,
    ) -> Page[Raffle]:
        """List raffles, newest first: all, or those whose name contains `name` in any letter case, drawn or not.

        Raises:
            InvalidValue: `page`, `page_size`, `name` or `winners_drawn` breaks a limit.
            PageNotFound: the list ends before this page; page 1 always exists.
        """
        return self._database.read(
            partial(raffles.load_page, page=page, page_size=page_size, name=name, winners_drawn=winners_drawn)
        )

    def get(self, raffle_id: UUID | str) -> Raffle:
        """Return a raffle as it is now.

        Raises:
            RaffleNotFound: no raffle has this id.
        """
        return self._lookups.get(raffle_id)

    def find(self, text: str) -> Raffle:
        """Return the one raffle whose id begins with `text` or whose name is `text`, or else contains it.

        The id may be in upper or lower case, with or without dashes; the name is searched as `list` does.

        Raises:
            RaffleNotFound: no raffle fits.
            InvalidValue: several raffles fit, and the reason lists some of them; or `text` is empty.
        """
        return self._database.read(partial(raffles.find_raffle, text=text))

    def participate(self, raffle_id: UUID | str, participant: str, *, idempotency_key: str | None = None) -> Ticket:
        """Hand a ticket to a participant, who is named by any stable text, such as an email address.

        The same participant with the same `idempotency_key` (16 to 255 printable ASCII characters that no one can
        guess) gets the same ticket and code again, from any process, until the draw.

        Raises:
            RaffleNotFound: no raffle has this id.
            SoldOut: all tickets have been handed out.
            AlreadyParticipated: the participant already has a ticket, and this is not a repeat of the request for it.
            InvalidValue: `participant` or `idempotency_key` breaks a limit.
            SigningKeyUnavailable: the raffle's ledger has another key, or the key next to the database is missing or
                cannot be used.
        """
        return self._issuing.issue(uuid_of(raffle_id), Entry(participant, idempotency_key))

    def participate_many(self, raffle_id: UUID | str, entries: Iterable[Entry | str]) -> Iterator[Ticket | RaffleError]:
        """Hand tickets to many participants; for each entry, in order, yield its ticket or its refusal.

        `entries` may be endless: they are read in parts, and each part is stored in one transaction before its answers
        are yielded. A refused entry (`AlreadyParticipated`, `SoldOut`, `InvalidValue`) does not affect the others.

        Raises:
            RaffleNotFound: no raffle has this id.
            InvalidValue: `entries` is a single text.
            SoldOut: the raffle is drawn, so repeats can no longer be recognised. If the draw comes in between, each
                further entry is refused with this error instead.
            StorageUnavailable: the database cannot be used. What was yielded stays stored; entries that were read and
                not answered may have tickets. With idempotency keys it is safe to ask again.
        """
        if isinstance(entries, str):
            raise InvalidValue("entries", "must be a list, not a single text: each letter would get a ticket.")
        return self._issuing.issue_many(
            uuid_of(raffle_id), (entry if isinstance(entry, Entry) else Entry(entry) for entry in entries)
        )

    def draw_possible_at(self, raffle_id: UUID | str) -> datetime | None:
        """Return when the beacon that decides a raffle is published, in UTC.

        None if no beacon decides it, if it is drawn, or if it is not sold out, so that the beacon is not known yet.

        Raises:
            RaffleNotFound: no raffle has this id.
        """
        return self._draws.possible_at(self.get(raffle_id))

    def check_draw(self, raffle_id: UUID | str, *, has_beacon: bool = False) -> None:
        """Check that a raffle can be drawn now; nothing is fetched. `has_beacon` says that `draw` will be given one.

        Raises:
            RaffleNotFound: no raffle has this id.
            TicketsRemaining, AlreadyDrawn, BeaconNotPublished, SigningKeyUnavailable: as `draw` does.
        """
        self._draws.check(self.get(raffle_id), has_beacon=has_beacon)

    def draw(self, raffle_id: UUID | str, *, beacon: str | None = None) -> Sequence[Win]:
        """Draw the winners of a sold-out raffle and return the wins in draw order. A draw is final.

        Prizes are drawn in the order in which they were given. The seed is generated here and stored with its evidence;
        the raffle's secrets are destroyed. If drand decides, the beacon is fetched from its relays, unless `beacon`
        holds it (as JSON or as a signature in hex).

        Raises:
            RaffleNotFound: no raffle has this id.
            TicketsRemaining: the raffle is not sold out.
            AlreadyDrawn: the winners have already been drawn.
            BeaconNotPublished: the round that decides is published later.
            BeaconUnavailable: no relay gives the beacon, or this machine cannot check it.
            SigningKeyUnavailable: the key that signed its tickets is missing here, so no one could prove the draw.
            StorageUnavailable: the database cannot be used, or the key next to it cannot be made.
            InvalidValue: `beacon` is not the one that decides, or this raffle needs none.
        """
        raffle = self.get(raffle_id)
        wins = self._draws.draw(raffle, beacon)
        self._issuing.forget(raffle.id)
        self._database.empty_journal()
        return wins

    def winners(self, raffle_id: UUID | str, *, page: int = 1, page_size: int = limits.WINNERS_PAGE_SIZE) -> Page[Win]:
        """List the wins of a raffle in draw order; before the draw there are none.

        Raises:
            RaffleNotFound: no raffle has this id.
            InvalidValue: `page` or `page_size` breaks a limit.
            PageNotFound: the list ends before this page; page 1 always exists.
        """
        skip = items_before(page, page_size)
        raffle = self.get(raffle_id)
        if not lifecycle.is_drawn(raffle):
            return page_of((), 0, page, page_size)
        # A draw is final, so the two statements need no common transaction.
        wins = self._database.query(
            lambda connection: draws.wins_between(connection, raffle.id, skip + 1, skip + page_size)
        )
        return page_of(wins, count_wins(raffle.prizes), page, page_size)

    def verify(self, raffle_id: UUID | str, ticket_number: int, verification_code: str) -> Verification:
        """Return what a ticket won, if the code is the ticket's.

        A number that no ticket has takes as long as a wrong code and raises the same error.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
            InvalidVerificationCode: the code does not belong to this number.
            InvalidValue: the number is not a whole number, or the code is not text.
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
        """Delete the hashes of a drawn raffle's participants and idempotency keys; return how many tickets had one.

        Nothing else changes: after the draw the hashes serve no purpose. They are deleted in parts, so that others can
        write in between; the next call deletes what an interrupted one left. Finally, SQLite's indexes of all tickets
        are rebuilt, and others wait while that takes.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
        """
        purged = self._draws.purge(self.get(raffle_id))
        self._database.empty_journal()
        return purged

    def _check(self, callers: Sequence[None]) -> Sequence[bool]:
        self._database.check_layout()
        return [True] * len(callers)
