"""`RaffleEngine`, the one door to a raffle: one public method a use case, each of which writes in one transaction.

Hashing never happens inside a transaction. What a writer decides on is read again after the raffle is
locked, and the database's constraints and triggers hold the same rules a second time.
"""

import secrets
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from uuid import UUID

from rafflekit.core import codes, drawing, limits, numbering, participants
from rafflekit.core.errors import (
    AlreadyDrawn,
    AlreadyParticipated,
    InvalidValue,
    InvalidVerificationCode,
    NotDrawnYet,
    PageNotFound,
    RaffleError,
    RaffleNotFound,
    SchemaMismatch,
    SoldOut,
    StorageUnavailable,
    TicketsRemaining,
)
from rafflekit.core.models import Entry, Item, Page, Prize, Raffle, Ticket, Verification, Win
from rafflekit.core.storage import queries
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.location import default_database_url


class RaffleEngine:
    """A raffle engine on one database; use it as a context manager, from any number of threads.

    `database_url` is a SQLAlchemy URL of a SQLite file (`sqlite:///raffles.db`); without one the raffles are
    kept in the user's data folder. Clock, entropy and code hasher are the real ones unless given: `clock`
    returns the time in UTC, `entropy` so many random bytes.

    Raises:
        InvalidSetting: the URL is none, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program or another version of rafflekit.
        StorageUnavailable: it cannot be opened or made. So may every method raise, having done nothing.
    """

    def __init__(
        self,
        database_url: str | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        entropy: Callable[[int], bytes] = secrets.token_bytes,
        code_hasher: codes.CodeHasher | None = None,
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self._hasher = code_hasher or codes.CodeHasher()
        self._database = Database(default_database_url() if database_url is None else database_url)

    @property
    def database_url(self) -> str:
        """The URL of the database, as it may be shown."""
        return self._database.url

    def close(self) -> None:
        """Close the database; a second time does nothing."""
        self._database.close()

    def __enter__(self) -> "RaffleEngine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def create(self, name: str, *, total_tickets: int, prizes: Sequence[Prize]) -> Raffle:
        """Create a raffle of `total_tickets` tickets, at the same cost for any number of them.

        `limits` says how long a name may be and how many tickets and prizes are possible.

        Raises:
            InvalidValue: a value breaks a limit, or there are more prizes than tickets.
        """
        limits.check_raffle(name, total_tickets, prizes)
        raffle = Raffle(
            # Random, not time-ordered: then a short beginning of an id tells raffles apart.
            id=UUID(bytes=self._entropy(16), version=4),
            name=name,
            created_at=self._clock().astimezone(UTC).replace(microsecond=0),
            total_tickets=total_tickets,
            available_tickets=total_tickets,
            winners_drawn=False,
            prizes=tuple(prizes),
        )
        keys = queries.Secrets(
            numbering_key=self._entropy(numbering.KEY_BYTES),
            participant_key=self._entropy(participants.KEY_BYTES),
            code_key=self._entropy(codes.KEY_BYTES),
        )
        with self._database.write() as connection:
            queries.insert_raffle(
                connection,
                id=raffle.id,
                name=name,
                folded_name=_folded(name),
                created_at=raffle.created_at,
                total_tickets=total_tickets,
            )
            queries.insert_secrets(connection, raffle.id, keys)
            queries.insert_prizes(connection, raffle.id, raffle.prizes)
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
        skip = _items_before(page, page_size)
        if name is not None:
            limits.check_searched_name(name)
        if winners_drawn is not None:
            limits.check_winners_drawn(winners_drawn)
        with self._database.read() as connection:
            if name is None and winners_drawn is None:
                count = queries.count_raffles(connection)
                found = queries.newest_raffles(connection, newest=count - skip, most=page_size)
            else:
                folded = None if name is None else _folded(name)
                count = queries.count_matching(connection, folded_name=folded, drawn=winners_drawn)
                found = queries.newest_matching(
                    connection, folded_name=folded, drawn=winners_drawn, skip=skip, most=page_size
                )
        return _page(found, count, page, page_size)

    def get(self, raffle_id: UUID | str) -> Raffle:
        """Return a raffle as it stands now.

        Raises:
            RaffleNotFound: no raffle has this id.
        """
        raffle = _uuid(raffle_id)
        with self._database.read() as connection:
            return _found(queries.load_raffle(connection, raffle))

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
        with self._database.read() as connection:
            ids = queries.ids_between(connection, first, last, most=2)
            if len(ids) > 1:
                raise InvalidValue("raffle", f"the ids of several raffles begin with {beginning!r}; give more of it.")
            if not ids:
                raise _not_found(beginning)
            return _found(queries.load_raffle(connection, ids[0]))

    def participate(self, raffle_id: UUID | str, participant: str, *, idempotency_key: str | None = None) -> Ticket:
        """Hand a ticket to a participant: any stable text, an IP address or not (`participants`).

        The same participant repeating the same `idempotency_key` (16 to 255 characters, not to be guessed)
        gets the same ticket and code, on any process, until the draw.

        Raises:
            RaffleNotFound: no raffle has this id.
            SoldOut: every ticket has been handed out.
            AlreadyParticipated: the participant has a ticket, and this is no repeat of the request for it.
            InvalidValue: `participant` or `idempotency_key` breaks a limit.
        """
        raffle = _uuid(raffle_id)
        limits.check_participant(participant)
        if idempotency_key is not None:
            limits.check_idempotency_key(idempotency_key)
        with self._database.read() as connection:
            sale = _found(queries.load_sale(connection, raffle))
            if sale.secrets is None:
                raise SoldOut
            request = _Request(sale.secrets, participant, idempotency_key)
            held = queries.held_ticket(connection, raffle, request.participant)
        # Decided here, too, so that who is refused or repeats waits for no hash and no lock.
        number = _settled(request, held, sold_out=sale.issued >= sale.total_tickets)
        code = request.derived_code or self._entropy(codes.CODE_BYTES)
        if number is None:
            number = self._issue(raffle, sale, request, self._hasher.hash(code))
        return Ticket(raffle, number, codes.spell(code))

    def participate_many(self, raffle_id: UUID | str, entries: Iterable[Entry | str]) -> Iterator[Ticket | RaffleError]:
        """Hand tickets to many participants; for each entry, in order, yield its ticket or why it gets none.

        A refused entry (`AlreadyParticipated`, `SoldOut`, `InvalidValue`) spoils nothing for the others. What is
        yielded is stored for good.

        Raises:
            RaffleNotFound: no raffle has this id.
            StorageUnavailable: the database cannot be used; what was yielded before stays done.
        """
        for entry in entries:
            wish = Entry(entry) if isinstance(entry, str) else entry
            try:
                yield self.participate(raffle_id, wish.participant, idempotency_key=wish.idempotency_key)
            except (RaffleNotFound, StorageUnavailable, SchemaMismatch):
                raise
            except RaffleError as refusal:
                yield refusal

    def draw(self, raffle_id: UUID | str) -> Sequence[Win]:
        """Draw the winners of a sold-out raffle, once and for ever; return the wins in draw order.

        Prizes are drawn in the order in which they were given. The seed comes into being here and is kept;
        the raffle's secrets are destroyed.

        Raises:
            RaffleNotFound: no raffle has this id.
            TicketsRemaining: the raffle is not sold out.
            AlreadyDrawn: the winners have been drawn.
        """
        raffle_id = _uuid(raffle_id)
        with self._database.write() as connection:
            queries.lock_counter(connection, raffle_id)
            raffle = _found(queries.load_raffle(connection, raffle_id))
            if raffle.winners_drawn:
                raise AlreadyDrawn
            if raffle.available_tickets:
                raise TicketsRemaining
            seed = self._entropy(drawing.SEED_BYTES)
            count = _wins_of(raffle)
            serials = drawing.winning_serials(seed, tickets=raffle.total_tickets, wins=count)
            queries.insert_wins(connection, raffle_id, raffle.prizes, serials)
            queries.mark_drawn(connection, raffle_id, seed=seed, drawn_at=self._clock())
            queries.delete_secrets(connection, raffle_id)
            wins = tuple(queries.wins_between(connection, raffle_id, 1, count))
        self._database.empty_journal()
        return wins

    def winners(self, raffle_id: UUID | str, *, page: int = 1, page_size: int = limits.WINNERS_PAGE_SIZE) -> Page[Win]:
        """List the wins of a raffle in draw order; before the draw, none.

        Raises:
            RaffleNotFound: no raffle has this id.
            InvalidValue: `page` or `page_size` breaks a limit.
            PageNotFound: the list ends before this page; page 1 always exists.
        """
        raffle_id = _uuid(raffle_id)
        skip = _items_before(page, page_size)
        with self._database.read() as connection:
            raffle = _found(queries.load_raffle(connection, raffle_id))
            count = _wins_of(raffle) if raffle.winners_drawn else 0
            wins = queries.wins_between(connection, raffle_id, skip + 1, skip + page_size) if count else []
        return _page(wins, count, page, page_size)

    def verify(self, raffle_id: UUID | str, ticket_number: int, verification_code: str) -> Verification:
        """Tell what a ticket won, to whoever has its code.

        A number that no ticket has takes as long as a wrong code and gives the same error.

        Raises:
            RaffleNotFound: no raffle has this id.
            NotDrawnYet: the winners have not been drawn.
            InvalidVerificationCode: code and number do not belong together.
            InvalidValue: the number is no whole number, or the code no text.
        """
        raffle_id = _uuid(raffle_id)
        limits.check_ticket_number(ticket_number)
        limits.check_verification_code(verification_code)
        with self._database.read() as connection:
            raffle = _found(queries.load_raffle(connection, raffle_id))
            if not raffle.winners_drawn:
                raise NotDrawnYet
            # A number outside the raffle may not fit a 64-bit column; 0 is nobody's.
            number = ticket_number if 1 <= ticket_number <= raffle.total_tickets else 0
            ticket = queries.drawn_ticket(connection, raffle_id, number)
        if not self._hasher.check(ticket.code_hash if ticket else None, verification_code) or ticket is None:
            raise InvalidVerificationCode
        return Verification(has_won=ticket.prize is not None, prize=ticket.prize)

    def _issue(self, raffle: UUID, sale: queries.Sale, request: "_Request", code_hash: str) -> int:
        assert sale.secrets is not None
        with self._database.write() as connection:
            serial = queries.lock_counter(connection, raffle)
            assert serial is not None
            held = queries.held_ticket(connection, raffle, request.participant)
            number = _settled(request, held, sold_out=serial >= sale.total_tickets)
            if number is not None:
                return number
            number = numbering.numbering_of(sale.secrets.numbering_key, sale.total_tickets).number(serial)
            ticket = queries.NewTicket(
                serial=serial,
                number=number,
                participant=request.participant,
                code_hash=code_hash,
                repeat_hash=request.repeat_hash,
                issued_at=self._clock(),
            )
            queries.insert_ticket(connection, raffle, ticket)
            return number


class _Request:
    """One wish for a ticket, as the database may know it: hashes, and the code that a key stands for."""

    __slots__ = ("derived_code", "participant", "repeat_hash")

    def __init__(self, keys: queries.Secrets, participant: str, idempotency_key: str | None) -> None:
        self.participant = participants.participant_hash(keys.participant_key, participant)
        self.repeat_hash: bytes | None = None
        self.derived_code: bytes | None = None
        if idempotency_key is not None:
            self.repeat_hash = participants.repeat_hash(keys.participant_key, self.participant, idempotency_key)
            self.derived_code = codes.derive_code(keys.code_key, self.participant, idempotency_key)


def _settled(request: _Request, held: queries.HeldTicket | None, *, sold_out: bool) -> int | None:
    """Return the number of the ticket that a request repeats, refuse the request, or None: a ticket is due."""
    if held is not None and held.repeat_hash is not None and held.repeat_hash == request.repeat_hash:
        return held.number
    if sold_out:
        raise SoldOut
    if held is not None:
        raise AlreadyParticipated
    return None


def _wins_of(raffle: Raffle) -> int:
    return sum(prize.amount for prize in raffle.prizes)


def _uuid(raffle_id: UUID | str) -> UUID:
    if isinstance(raffle_id, UUID):
        return raffle_id
    try:
        return UUID(raffle_id)
    except (ValueError, AttributeError, TypeError) as error:
        raise RaffleNotFound from error


def _found(value: Item | None) -> Item:
    if value is None:
        raise RaffleNotFound
    return value


def _not_found(beginning: str) -> RaffleNotFound:
    return RaffleNotFound(f"No raffle's id begins with {beginning!r}; the list of raffles shows those that exist.")


def _items_before(page: int, page_size: int) -> int:
    limits.check_page(page, page_size)
    if page > limits.PAGE_NUMBER:
        raise PageNotFound
    return (page - 1) * page_size


def _page(items: Sequence[Item], count: int, number: int, size: int) -> Page[Item]:
    if not items and number > 1:
        raise PageNotFound
    return Page(tuple(items), count, number, size)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
