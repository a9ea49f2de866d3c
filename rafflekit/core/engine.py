"""`RaffleEngine`, the only entry point: one public method per use case, which begins and ends its transactions.

Hashing never happens inside a transaction. A writer locks the raffle and reads its data again; the database's
constraints and triggers hold the same rules a second time.
"""

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Unpack
from uuid import UUID

from rafflekit.core import lifecycle, limits, raffles
from rafflekit.core.beacons import BeaconSource
from rafflekit.core.claims import Claims
from rafflekit.core.draws import Draws
from rafflekit.core.endings import Endings
from rafflekit.core.errors import InvalidValue, RaffleError, StorageUnavailable, TooLate
from rafflekit.core.exports import Exports
from rafflekit.core.holdings import Holding, holdings_of
from rafflekit.core.ledger.keeping import Ledgers
from rafflekit.core.ledger.proofs import Proofs
from rafflekit.core.models import Entry, Page, Raffle, Ticket, Verification, uuid_of
from rafflekit.core.passes import Passes
from rafflekit.core.prizes import Prize, Win
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.terms import Changes, Options, Terms
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.location import url_or_default
from rafflekit.core.tickets.groups import Groups
from rafflekit.core.tickets.issuing import GroupObserver, Issuing
from rafflekit.core.tickets.participants import normalise

_CHECKS_AT_ONCE = 64

_log = logging.getLogger(__name__)


class RaffleEngine:
    """A raffle engine on one database. Use it as a context manager, from any number of threads.

    `database_url` is a SQLAlchemy URL of a SQLite file (`sqlite:///raffles.db`) or of a PostgreSQL database
    (`postgresql://user@host/raffles`); by default, raffles are kept in the user's data folder. `clock` returns the time
    in UTC, `random_bytes` the given number of them; these two and the code hasher are the real ones by default.

    `signing_key` (`ledger.keys.read_signing_key`) signs the ledgers and seals the raffles' secrets. Without it, a key
    is made next to a SQLite file at its first use; on PostgreSQL, raffles cannot be created, drawn or proven, and hand
    out no tickets. `beacons` returns the beacon of a round, by default from drand's relays (`relays.fetch_beacon`).
    `on_group` is called after each group of tickets that was stored, as `on_group(callers=…, tickets=…)`.

    An IPv6 address counts by its network of `ipv6_prefix` bits (48 to 128). Give all engines of a database the same:
    with another one, a participant who has a ticket counts as someone else.

    `proofs` holds what the public can ask about the raffles' ledgers, `exports` the operator's lists of everything in a
    raffle, `passes` the desk passes.

    Raises:
        InvalidValue: `ipv6_prefix` breaks its limits.
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
        ipv6_prefix: int = limits.IPV6_PREFIX,
        on_group: GroupObserver | None = None,
    ) -> None:
        limits.check_ipv6_prefix(ipv6_prefix)
        self._ipv6_prefix = ipv6_prefix
        self._clock = clock
        self._random_bytes = random_bytes
        self._hasher = code_hasher or codes.CodeHasher()
        self._database = Database(url_or_default(database_url))
        self._lookups = raffles.RaffleLookups(self._database, clock)
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
            ipv6_prefix=ipv6_prefix,
            on_group=on_group,
        )
        self._draws = Draws(self._database, self._ledgers, clock=clock, random_bytes=random_bytes, beacons=beacons)
        self._endings = Endings(self._database, clock=clock)
        self._claims = Claims(self._database, self._hasher, clock=clock)
        self.exports = Exports(self._database, self._hasher, self.get)
        self.passes = Passes(self._database, clock=clock, random_bytes=random_bytes)
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

    def now(self) -> datetime:
        """Return the time by which this engine decides, in UTC."""
        return self._clock().astimezone(UTC)

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
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> Raffle:
        """Create a raffle of `total_tickets` tickets, at the same cost for any number of them.

        `limits` holds the longest name and the largest numbers of tickets and prizes. The options:

        - `entropy`: the source that decides who wins. `secrets`, random bytes that this machine makes during the draw;
          `drand-quicknet`, the first public beacon that is published `delay_s` seconds (60 by default) or more after
          the closing; `announced`, a value that everyone sees at `source`, such as lottery numbers.
        - `entry`: who may take a ticket: `address`, `invitation` or `desk`.
        - `tickets_each`: how many tickets one participant may hold, 1 by default.
        - `opens_at`, `closes_at`: times with their zone between which tickets are handed out.
        - `claim_days`: the days after the draw in which a prize must be redeemed.
        - `draw_at`, a time with its zone, and the texts `collection`, `promoter`, `address`, `price` (of a ticket),
          `licence` and `note` are only announced. A raffle with a `price` needs a `promoter` and `draw_at`.

        The same `idempotency_key` (16 to 255 printable ASCII characters) with the same terms gives the same raffle.

        Raises:
            InvalidValue: a value breaks a limit, or there are more prizes than tickets.
            IdempotencyKeyReused: another raffle was created with the key.
            SigningKeyUnavailable: no signing key is available here, or the key next to the database cannot be used.
        """
        created_at, key = self._clock(), None
        if idempotency_key is not None:
            key = raffles.creation_key_of(idempotency_key)
            before = self._database.query(partial(raffles.created_with, key=key))
            # A raffle that closes is created again after it has closed, too.
            created_at = created_at if before is None else before.created_at
        terms = self._terms(name, total_tickets, prizes, created_at, options)
        creation = None if key is None else raffles.creation_of(key, terms)
        signer = self._ledgers.required_key()
        store = partial(
            raffles.store_raffle,
            terms=terms,
            sealed_keys=raffles.new_sealed_keys(terms.id, signer, self._random_bytes),
            verifier_key=str(signer.verifier),
            creation=creation,
        )
        return lifecycle.seen(self._database.write(store), self._clock())

    def check_terms(
        self, name: str, *, total_tickets: int, prizes: Sequence[Prize], **options: Unpack[Options]
    ) -> Raffle:
        """Return the raffle that `create` would create with these terms; nothing is stored.

        Raises:
            InvalidValue: as `create` does.
        """
        return lifecycle.seen(Raffle(self._terms(name, total_tickets, prizes, self._clock(), options)), self._clock())

    def change(self, raffle_id: UUID | str, *, dry_run: bool = False, **changes: Unpack[Changes]) -> Raffle:
        """Change terms of a raffle that has no tickets yet; those not named stay, and None removes an option.

        With `dry_run`, nothing is stored.

        Raises:
            RaffleNotFound: no raffle has this id.
            TooLate: it has tickets, so its terms are final; or it is cancelled.
            InvalidValue: a value breaks a limit, or there are more prizes than tickets.
        """
        raffle, now = self.get(raffle_id), self._clock()
        lifecycle.check_changeable(raffle)
        # Before the transaction, because a source may have to be loaded; it changes what is stored by then.
        terms = raffle.terms.changed(changes, now=now)
        if dry_run:
            return lifecycle.seen(replace(raffle, terms=terms), now)
        changed = self._database.write(partial(raffles.change_terms, raffle=raffle.id, changes=changes, now=now))
        self._issuing.forget(raffle.id)
        return lifecycle.seen(changed, now)

    def list(
        self,
        *,
        page: int = 1,
        page_size: int = limits.RAFFLES_PAGE_SIZE,
        name: str | None = None,
        winners_drawn: bool | None = None,
        state: str | None = None,
        most_prizes: int | None = None,
    ) -> Page[Raffle]:
        """List raffles, newest first: all, or those whose name contains `name` in any letter case, or in a `state`.

        With `most_prizes` (from 1), a raffle has at most this number of its prizes, and `more_prizes` counts the
        others.

        Raises:
            InvalidValue: `page`, `page_size`, `name`, `winners_drawn`, `state` or `most_prizes` breaks a limit.
            PageNotFound: the list ends before this page; page 1 always exists.
        """
        which = raffles.Listing(name, winners_drawn, state)
        return self._database.read(
            partial(
                raffles.load_page,
                which=which,
                page=page,
                page_size=page_size,
                most_prizes=most_prizes,
                now=self._clock(),
            )
        )

    def get(self, raffle_id: UUID | str) -> Raffle:
        """Return a raffle as it is now.

        Raises:
            RaffleNotFound: no raffle has this id.
        """
        return self._lookups.get(raffle_id)

    def find(self, text: str, *, whole_name: bool = False) -> Raffle:
        """Return the one raffle whose id begins with `text` or whose name is `text`, or else contains it.

        The id may be in upper or lower case, with or without dashes; the name is searched as `list` does. With
        `whole_name`, a part of the name is not enough: use it before a raffle is changed.

        Raises:
            RaffleNotFound: no raffle fits.
            InvalidValue: several raffles fit, or only a part of a name, and the reason lists some of them; or `text`
                is empty.
        """
        found = self._database.read(partial(raffles.find_raffle, text=text, whole_name=whole_name))
        return lifecycle.seen(found, self._clock())

    def participate(
        self,
        raffle_id: UUID | str,
        participant: str | None = None,
        *,
        address: str | None = None,
        invitation: str | None = None,
        idempotency_key: str | None = None,
    ) -> Ticket:
        """Hand a ticket to a participant.

        A manager names the `participant` by any stable text, such as an email address; this works under every entry
        rule. For people who ask for themselves, give the IP `address` of the request and the `invitation` code, if
        they sent one: the raffle's entry rule decides which of the two identifies them.

        The same participant with the same `idempotency_key` (16 to 255 printable ASCII characters that no one can
        guess) gets the same ticket and code again, from any process, until the draw.

        Raises:
            RaffleNotFound: no raffle has this id.
            Cancelled: it has been cancelled.
            SoldOut: all tickets have been handed out, or the raffle is closed.
            NotOpenYet: it opens later.
            InvitationNeeded, ManagersOnly: the entry rule does not let the participant in.
            AlreadyParticipated: the participant has all tickets that one can have, and this is not a repeat.
            InvalidValue: a value breaks a limit, or no one is named.
            SigningKeyUnavailable: the raffle's key is missing here or cannot be used.
        """
        entry = Entry(participant, idempotency_key, address, invitation)
        return self._issuing.issue(uuid_of(raffle_id), entry)

    def participate_many(self, raffle_id: UUID | str, entries: Iterable[Entry | str]) -> Iterator[Ticket | RaffleError]:
        """Hand tickets to many participants; for each entry, in order, yield its ticket or its refusal.

        `entries` may be endless: they are read in parts, and each part is stored in one transaction before its answers
        are yielded. A refused entry (`AlreadyParticipated`, `SoldOut`, `InvalidValue`) does not affect the others.

        Raises:
            RaffleNotFound: no raffle has this id.
            InvalidValue: `entries` is a single text.
            SoldOut, Cancelled: the raffle is drawn or cancelled, so repeats can no longer be recognised. If that
                happens in between, each further entry is refused with this error instead.
            StorageUnavailable: the database cannot be used. What was yielded stays stored; entries that were read and
                not answered may have tickets. With idempotency keys it is safe to ask again.
        """
        if isinstance(entries, str):
            raise InvalidValue("entries", "must be a list, not a single text: each letter would get a ticket.")
        return self._issuing.issue_many(
            uuid_of(raffle_id), (entry if isinstance(entry, Entry) else Entry(entry) for entry in entries)
        )

    def canonical(self, participant: str) -> str:
        """Return the one spelling under which a participant counts. Texts with the same one are one participant.

        Raises:
            InvalidValue: the text cannot name a participant.
        """
        limits.check_participant(participant)
        return normalise(participant, self._ipv6_prefix)

    def invitations(self, raffle_id: UUID | str, count: int, *, first: int = 1) -> Sequence[str]:
        """Return the codes of the invitations from number `first` to `first + count − 1`, always the same ones.

        Each code gives `tickets_each` tickets. Nothing is stored: any number of codes can be made at any time, at most
        100,000 in one call.

        Raises:
            RaffleNotFound: no raffle has this id.
            InvalidValue: the raffle has another entry rule, or the numbers go past the last invitation.
            SoldOut, Cancelled: the raffle is drawn or cancelled, so its codes can no longer be made.
        """
        return self._issuing.invitations(uuid_of(raffle_id), first, count)

    def close_raffle(self, raffle_id: UUID | str) -> Raffle:
        """Stop handing out tickets; the draw is over those that were handed out. This is final.

        Raises:
            RaffleNotFound: no raffle has this id.
            TooFewTickets: it has more prizes than tickets handed out.
            TooLate: it is closed or drawn.
            Cancelled: it is cancelled.
        """
        raffle = uuid_of(raffle_id)
        closed = self._endings.close(raffle)
        self._issuing.forget(raffle)
        return closed

    def close_due(self) -> Sequence[UUID]:
        """Close the raffles whose `closes_at` has passed and that have a ticket for each prize; return which.

        A server calls this every few seconds: it costs one light query, and of several servers one closes a raffle.
        """
        closed = self._endings.close_due()
        for raffle in closed:
            self._issuing.forget(raffle)
        return closed

    def cancel(self, raffle_id: UUID | str, reason: str) -> Raffle:
        """Call a raffle off, until its draw; everyone can read the `reason`. This is final.

        Its secrets and its participants' hashes are deleted. It stays in the list, and its ledger ends with a signed
        cancellation.

        Raises:
            RaffleNotFound: no raffle has this id.
            InvalidValue: the reason is not one line of at most 200 characters.
            TooLate: it is cancelled or drawn.
        """
        raffle = uuid_of(raffle_id)
        cancelled = self._endings.cancel(raffle, reason)
        self._issuing.forget(raffle)
        try:
            self.purge(raffle)
        # The raffle is cancelled and its secrets are deleted: the caller must not think that nothing was done.
        except StorageUnavailable as error:
            _log.warning("The participants of the cancelled raffle %s are not deleted; purge it: %s", raffle, error)
            self._database.empty_journal()
        return cancelled

    def check_draw(self, raffle_id: UUID | str, *, has_value: bool = False) -> None:
        """Check that a raffle can be drawn now; nothing is fetched. `has_value` says that `draw` will be given one.

        Raises:
            RaffleNotFound: no raffle has this id.
            Cancelled, TicketsRemaining, TooFewTickets, AlreadyDrawn, BeaconNotPublished, SigningKeyUnavailable: as
                `draw` does.
        """
        self._draws.check(self.get(raffle_id), has_value=has_value)

    def draw(self, raffle_id: UUID | str, *, value: str | None = None) -> Sequence[Win]:
        """Draw the winners of a closed raffle and return the wins in draw order. A draw is final.

        Prizes are drawn in the order in which they were given, among the tickets that were handed out. A raffle whose
        time is over is closed first. The seed is generated here and stored with its evidence; the raffle's secrets are
        destroyed. `value` is what the source gave: with `announced`, the announced value; with drand, the beacon (as
        JSON or as a signature in hex), which is otherwise fetched from the relays.

        Raises:
            RaffleNotFound: no raffle has this id.
            TicketsRemaining: the raffle is not closed.
            TooFewTickets: its time is over, and it has more prizes than tickets.
            Cancelled: it has been cancelled.
            AlreadyDrawn: the winners have already been drawn.
            BeaconNotPublished: the round that decides is published later.
            BeaconUnavailable: no relay gives the beacon, or this machine cannot check it.
            SigningKeyUnavailable: the key that signed its tickets is missing here, so no one could prove the draw.
            StorageUnavailable: the database cannot be used, or the key next to it cannot be made.
            InvalidValue: `value` is missing, is not the one that decides, or is not needed.
        """
        raffle = self.get(raffle_id)
        limits.check_drawn_value(value)
        if lifecycle.is_due(raffle):
            # Before the closing, which is final.
            self._draws.check(raffle, has_value=value is not None)
            self._draws.check_value(raffle, value)
            with suppress(TooLate):
                self._endings.close(raffle.id)
            raffle = self.get(raffle_id)
        wins = self._draws.draw(raffle, value)
        self._issuing.forget(raffle.id)
        self._database.empty_journal()
        return wins

    def winners(
        self,
        raffle_id: UUID | str,
        *,
        page: int = 1,
        page_size: int = limits.WINNERS_PAGE_SIZE,
        unredeemed: bool = False,
    ) -> Page[Win]:
        """List the wins of a raffle in draw order; before the draw, the list is empty.

        After the wins of the draw come those of tickets that took a prize over. With `unredeemed`, only wins are listed
        whose prize has been neither redeemed nor forfeited.

        Raises:
            RaffleNotFound: no raffle has this id.
            InvalidValue: `page` or `page_size` breaks a limit.
            PageNotFound: the list ends before this page; page 1 always exists.
        """
        return self._claims.wins(self.get(raffle_id), page=page, page_size=page_size, unredeemed=unredeemed)

    def holdings(self, raffle_id: UUID | str) -> Sequence[Holding]:
        """Return who has each prize of a drawn raffle now, and who had it before, in draw order.

        All of them are in memory at once; `winners` lists them page by page.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
        """
        return holdings_of(self.get(raffle_id).prizes, self.exports.wins(raffle_id))

    def queue(self, raffle_id: UUID | str, *, page: int = 1, page_size: int = limits.WINNERS_PAGE_SIZE) -> Page[int]:
        """List the numbers of the tickets that take over the next forfeited prizes, in order.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
            InvalidValue: `page` or `page_size` breaks a limit.
            PageNotFound: the list ends before this page; page 1 always exists.
        """
        return self._claims.queue(self.get(raffle_id), page=page, page_size=page_size)

    def count_forfeits(self, raffle_id: UUID | str) -> int:
        """Return the number of prizes that passed on or lapsed; 0 before the draw.

        Raises:
            RaffleNotFound: no raffle has this id.
        """
        return self._claims.count_forfeits(self.get(raffle_id))

    def count_redeemed(self, raffle_id: UUID | str) -> int:
        """Return the number of prizes that are redeemed now; 0 before the draw.

        Raises:
            RaffleNotFound: no raffle has this id.
        """
        return self._claims.count_redeemed(self.get(raffle_id))

    def verify(self, raffle_id: UUID | str, ticket_number: int, verification_code: str) -> Verification:
        """Return what a ticket won, if the code is the ticket's.

        A number that no ticket has takes as long as a wrong code and raises the same error.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
            InvalidVerificationCode: the code does not belong to this number.
            InvalidValue: the number is not a whole number, or the code is not text.
        """
        return self._claims.verify(self.get(raffle_id), ticket_number, verification_code)

    def redeem(
        self,
        raffle_id: UUID | str,
        ticket_number: int,
        verification_code: str,
        *,
        undo: bool = False,
        by: str | None = None,
    ) -> Verification:
        """Mark the prize of a ticket as handed out, once. With `undo`, take that back within 15 minutes.

        `by` is the name of the desk pass with which this is done; it is stored for the operator.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet, InvalidVerificationCode, InvalidValue: as `verify` does.
            NoPrize: the ticket has not won, or there is nothing to undo.
            TooLate: the prize has been redeemed or forfeited, its deadline has passed, or so have the 15 minutes.
        """
        raffle = self.get(raffle_id)
        act = self._claims.undo_redemption if undo else self._claims.redeem
        return act(raffle, ticket_number, verification_code, by=by)

    def check_redeem(
        self, raffle_id: UUID | str, ticket_number: int, verification_code: str, *, undo: bool = False
    ) -> Verification:
        """Check that a prize can be redeemed now or, with `undo`, that this can be undone; nothing is stored.

        Return what `verify` returns now.

        Raises:
            RaffleNotFound, NotDrawnYet, InvalidVerificationCode, InvalidValue, NoPrize, TooLate: as `redeem` does.
        """
        return self._claims.check_redeem(self.get(raffle_id), ticket_number, verification_code, undo=undo)

    def forfeit(
        self,
        raffle_id: UUID | str,
        ticket_number: int,
        *,
        why: str,
        reason: str | None = None,
        verification_code: str | None = None,
        by: str | None = None,
    ) -> Win | None:
        """Pass the prize of a ticket on to the next ticket of the draw's shuffle; this is final and public.

        `why` is `unclaimed`, `renounced` (with the ticket's code) or `disqualified` (with a `reason` in words). Return
        the win that takes its place, or None if every ticket has won, so that the prize lapses. `by` is as in `redeem`,
        and not public.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
            TicketNotFound: no ticket has this number.
            NoPrize: the ticket has not won.
            TooLate: the prize has been redeemed or forfeited.
            TooEarly: it is to be `unclaimed`, and its announced deadline has not passed.
            InvalidVerificationCode: the code does not belong to this number.
            InvalidValue: a value is missing or breaks a limit.
        """
        return self._claims.forfeit(
            self.get(raffle_id), ticket_number, why=why, reason=reason, code=verification_code, by=by
        )

    def check_forfeit(
        self,
        raffle_id: UUID | str,
        ticket_number: int,
        *,
        why: str,
        reason: str | None = None,
        verification_code: str | None = None,
    ) -> Win:
        """Check that the prize of a ticket can pass on now; nothing is stored.

        Return the win that would be lost, with `why` and the `reason` that everyone would read.

        Raises:
            RaffleNotFound, NotDrawnYet, TicketNotFound, NoPrize, TooLate, TooEarly, InvalidVerificationCode,
                InvalidValue: as `forfeit` does.
        """
        return self._claims.check_forfeit(
            self.get(raffle_id), ticket_number, why=why, reason=reason, code=verification_code
        )

    def forfeit_unclaimed(
        self, raffle_id: UUID | str, *, reason: str | None = None, by: str | None = None
    ) -> Sequence[Win | None]:
        """Pass on every prize that was not redeemed before its deadline, in draw order.

        Return the win that takes the place of each, None where a prize lapses. `by` is as in `redeem`.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
            TooEarly: the announced deadline has not passed.
            InvalidValue: no deadline was announced, or the reason breaks a limit.
        """
        return self._claims.forfeit_unclaimed(self.get(raffle_id), reason, by=by)

    def unclaimed(self, raffle_id: UUID | str) -> Sequence[Win]:
        """Return the wins that `forfeit_unclaimed` would pass on now, in draw order; nothing is stored.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet, TooEarly: as `forfeit_unclaimed` does.
            InvalidValue: no deadline was announced.
        """
        return self._claims.unclaimed(self.get(raffle_id))

    def purge(self, raffle_id: UUID | str) -> int:
        """Delete the hashes of the participants of a drawn or cancelled raffle; return how many tickets had one.

        Nothing else changes: the hashes serve no purpose any more. They are deleted in parts, so that others can
        write in between; the next call deletes what an interrupted one left. Finally, SQLite's indexes of all tickets
        are rebuilt, and others wait while that takes.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: it is neither drawn nor cancelled.
        """
        purged = self._endings.purge(self.get(raffle_id))
        self._database.empty_journal()
        return purged

    def check_purge(self, raffle_id: UUID | str) -> bool:
        """Return whether participants' hashes of a drawn or cancelled raffle are left to delete; nothing is changed.

        Raises:
            RaffleNotFound, NotDrawnYet: as `purge` does.
        """
        return self._endings.check_purge(self.get(raffle_id))

    def _terms(
        self, name: str, total_tickets: int, prizes: Sequence[Prize], created_at: datetime, options: Options
    ) -> Terms:
        return Terms(
            # Random, not ordered by time: so a short prefix of an id identifies a raffle.
            id=UUID(bytes=self._random_bytes(16), version=4),
            name=name,
            created_at=created_at.astimezone(UTC).replace(microsecond=0),
            total_tickets=total_tickets,
            prizes=prizes,
            **options,
        ).checked()

    def _check(self, callers: Sequence[None]) -> Sequence[bool]:
        self._database.check_layout()
        return [True] * len(callers)
