"""Tickets are handed out: what a group prepares, decides and writes together.

Whoever serves the group works for all of it, from the participants' hashes to the new tickets' receipts: a thread that
takes its turn finds the processor's caches full of another's work, and waits for the interpreter's lock, which every
call of C hands on. Codes are made and hashed before the database's lock. After it, the group looks who holds a ticket
already, numbers the new ones in the order of the callers, and stores them in one transaction. A wish knows the ticket
that it got by its own code's hash, so a group that runs again, after whatever happened to it, gives nobody a second
ticket and refuses nobody who got one.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import NamedTuple, Protocol
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import (
    AlreadyParticipated,
    InvalidValue,
    RaffleError,
    RaffleNotFound,
    SoldOut,
    StorageUnavailable,
)
from rafflekit.core.ledger.books import Edge
from rafflekit.core.ledger.keeping import Ledgers
from rafflekit.core.models import Entry, Ticket
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.protocol.leaves import leaf_data
from rafflekit.core.protocol.tree import leaf_hash
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import ledgers as ledger
from rafflekit.core.storage.statements import tickets as statements
from rafflekit.core.storage.statements.tickets import Counter, HeldTicket, Holder, NewTicket
from rafflekit.core.tickets import participants
from rafflekit.core.tickets.groups import Groups
from rafflekit.core.tickets.sales import Sale, Sales

_log = logging.getLogger(__name__)

_GROUP = 64
"""Callers who are served together: above this a group gets no cheaper, and the first of it waits for the last."""

_LIST_GROUP = 1_000
"""Entries of a list that are stored together: with more, others would wait too long for their turn."""


@dataclass(slots=True)
class _Wish:
    """One wish for a ticket, and what the database may know of it: hashes; `code` alone is the caller's to see.

    What is derived from the entry, the code and its hash are empty until they are made, and stay the same ever after.
    """

    raffle: UUID
    sale: Sale
    entry: Entry = field(repr=False)
    participant: bytes = b""
    repeat_hash: bytes | None = None
    code: str = field(default="", repr=False)
    code_hash: str = ""

    @property
    def holder(self) -> Holder:
        return self.raffle, self.participant

    def identify(self) -> None:
        """Derive the hashes that the entry is known by and, with an idempotency key, the code; once is enough."""
        if self.participant:
            return
        keys, key = self.sale.keys, self.entry.idempotency_key
        participant = participants.participant_hash(keys.participant_key, self.entry.participant)
        if key is not None:
            self.repeat_hash = participants.repeat_hash(keys.participant_key, participant, key)
            self.code = codes.spell(codes.derive_code(keys.code_key, participant, key))
        # Last: what is interrupted is derived again.
        self.participant = participant

    def ticket(self, given: "_Given", receipt: Receipt | None = None) -> Ticket:
        return Ticket(self.raffle, given.number, self.code, receipt)


@dataclass(frozen=True, slots=True)
class _Given:
    """The ticket that a wish got: its number and, if it is new, its serial and the ledger after its group."""

    number: int
    serial: int | None = None
    edge: Edge | None = None


class GroupObserver(Protocol):
    """A function that is told of each group that has been stored; it must be quick, and must not raise."""

    def __call__(self, *, callers: int, tickets: int) -> None:
        """Take note: so many callers were served in one transaction, and got so many new tickets."""


class Issuing:
    """Hand out the tickets of a database's raffles, from any number of threads."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        hasher: codes.CodeHasher,
        ledgers: Ledgers,
        on_group: GroupObserver | None = None,
    ) -> None:
        self._database = database
        self._ledgers = ledgers
        self._clock = clock
        self._entropy = entropy
        self._hasher = hasher
        self._on_group = on_group
        self._sales = Sales(database, ledgers)
        self._groups: Groups[_Wish, Ticket] = Groups(self._tickets, most=_GROUP, prepare=self._prepare)

    def issue(self, raffle: UUID, entry: Entry) -> Ticket:
        """Hand out one ticket, together with whoever else asks for one at this moment.

        Raises:
            RaffleNotFound, SoldOut, AlreadyParticipated, InvalidValue, StorageUnavailable: there is none.
        """
        _check(entry)
        sale = self._sales.of(raffle)
        wish = _Wish(raffle, sale, entry)
        ticket = self._ticket_of_sold_out(wish) if sale.is_sold_out else self._groups.submit(wish)
        # Who got the ticket before gets the receipt of today; that takes readings of its own.
        if ticket.receipt is None and sale.book.signer is not None:
            return replace(ticket, receipt=self._ledgers.receipt(raffle, ticket.number))
        return ticket

    def issue_many(self, raffle: UUID, entries: Iterable[Entry]) -> Iterator[Ticket | RaffleError]:
        """Yield for each entry its ticket, or the refusal; a thousand at a time are stored, then yielded.

        Raises:
            RaffleNotFound, StorageUnavailable: at once, or when the database fails.
        """
        sale = self._sales.of(raffle)
        return self._issued(raffle, sale, iter(entries))

    def forget(self, raffle: UUID) -> None:
        """Forget the keys of a raffle that is drawn."""
        self._sales.forget(raffle)

    def _issued(self, raffle: UUID, sale: Sale, entries: Iterator[Entry]) -> Iterator[Ticket | RaffleError]:
        while some := list(islice(entries, _LIST_GROUP)):
            prepared = [self._wish_or_refusal(raffle, sale, entry) for entry in some]
            wishes = [each for each in prepared if isinstance(each, _Wish)]
            answers = iter(self._answers(sale, wishes) if wishes else [])
            for each in prepared:
                if isinstance(each, _Wish):
                    answer = next(answers)
                    yield answer if isinstance(answer, RaffleError) else each.ticket(answer)
                else:
                    yield each

    def _wish_or_refusal(self, raffle: UUID, sale: Sale, entry: Entry) -> _Wish | InvalidValue:
        try:
            _check(entry)
        except InvalidValue as refusal:
            return refusal
        return _Wish(raffle, sale, entry)

    def _answers(self, sale: Sale, wishes: Sequence[_Wish]) -> Sequence[_Given | RaffleError]:
        if sale.is_sold_out:
            return self._settle_sold_out(wishes)
        self._prepare(wishes)
        return self._serve(wishes)

    def _ticket_of_sold_out(self, wish: _Wish) -> Ticket:
        answer = self._settle_sold_out([wish])[0]
        if isinstance(answer, RaffleError):
            raise answer
        return wish.ticket(answer)

    def _settle_sold_out(self, wishes: Sequence[_Wish]) -> list[_Given | RaffleError]:
        self._database.require_open()
        for wish in wishes:
            wish.identify()
        # Nothing can be given any more, so nothing is locked.
        holders = [wish.holder for wish in wishes if wish.repeat_hash is not None]
        held = self._database.query(lambda connection: statements.held_tickets(connection, holders)) if holders else {}
        self._forget_what_is_drawn(held)
        answers = [_settled(wish, held.get(wish.holder), is_sold_out=True) or SoldOut() for wish in wishes]
        if not all(isinstance(answer, RaffleError) for answer in answers):
            # Where nothing is written, nothing has made sure yet that these tickets outlive the primary.
            self._database.confirm()
        return answers

    def _forget_what_is_drawn(self, held: Mapping[Holder, HeldTicket]) -> None:
        # Drawn by another process: the keys are gone from the database, and go from here.
        for (raffle, _), ticket in held.items():
            if ticket.is_drawn:
                self.forget(raffle)

    def _tickets(self, wishes: Sequence[_Wish]) -> list[Ticket | RaffleError]:
        return [
            answer if isinstance(answer, RaffleError) else wish.ticket(answer, _receipt(wish, answer))
            for wish, answer in zip(wishes, self._serve(wishes), strict=True)
        ]

    def _serve(self, wishes: Sequence[_Wish]) -> Sequence[_Given | RaffleError]:
        assert all(wish.participant and wish.code_hash for wish in wishes), "they are prepared"
        try:
            written = self._database.write(lambda connection: self._write(connection, wishes))
        except (AlreadyParticipated, StorageUnavailable) as error:
            broke_a_rule = not isinstance(error, StorageUnavailable) or self._database.broke_a_rule(error)
            if not broke_a_rule or len(wishes) == 1:
                raise
            # The rows of one raffle or one wish are at fault: the others get their tickets.
            return [self._served_alone(wish) for wish in wishes]
        for wish in wishes:
            wish.sale.is_sold_out |= written.issued.get(wish.raffle, 0) >= wish.sale.total_tickets
        for sale, edge in written.edges:
            sale.edge = edge
        self._tell_observer(callers=len(wishes), tickets=written.new)
        return written.answers

    def _tell_observer(self, *, callers: int, tickets: int) -> None:
        if self._on_group is None:
            return
        try:
            self._on_group(callers=callers, tickets=tickets)
        # The outermost edge to somebody else's code: these tickets are stored, and their callers must hear of it.
        except Exception:
            _log.exception("The observer of groups failed; the tickets are stored all the same.")

    def _prepare(self, wishes: Sequence[_Wish]) -> None:
        for wish in wishes:
            wish.identify()
        # What a group that was interrupted has made already stays: its tickets may be stored.
        without_code = [wish for wish in wishes if not wish.code]
        if without_code:
            random = self._entropy(codes.CODE_BYTES * len(without_code))
            for wish, code in zip(without_code, codes.cut(random, codes.CODE_BYTES, len(without_code)), strict=True):
                wish.code = codes.spell(code)
        without_hash = [wish for wish in wishes if not wish.code_hash]
        hashes = self._hasher.hash_all([wish.code for wish in without_hash])
        for wish, code_hash in zip(without_hash, hashes, strict=True):
            wish.code_hash = code_hash

    def _served_alone(self, wish: _Wish) -> _Given | RaffleError:
        try:
            return self._serve([wish])[0]
        except RaffleError as refusal:
            return refusal

    def _write(self, connection: Connection, wishes: Sequence[_Wish]) -> "_Written":
        counters = statements.lock_counters(connection, list({wish.raffle for wish in wishes}))
        held = statements.held_tickets(connection, [wish.holder for wish in wishes])
        self._forget_what_is_drawn(held)
        issued = {raffle: counter.issued for raffle, counter in counters.items()}
        now = int(self._clock().timestamp())
        new: dict[int, NewTicket] = {}
        answers: list[_Given | RaffleError] = []
        for place, wish in enumerate(wishes):
            serial = issued.get(wish.raffle)
            if serial is None:
                self.forget(wish.raffle)
                answers.append(RaffleNotFound())
                continue
            answer = _settled(wish, held.get(wish.holder), is_sold_out=serial >= wish.sale.total_tickets)
            if answer is None:
                ticket = new[place] = _new_ticket(wish, serial, now)
                # Who asks twice in one group holds the ticket by now.
                held[wish.holder] = HeldTicket(ticket.number, ticket.repeat_hash, ticket.code_hash, is_drawn=False)
                issued[wish.raffle] = serial + 1
                answer = _Given(ticket.number)
            answers.append(answer)
        if not new:
            return _Written(answers, issued, 0, [])
        statements.insert_tickets(connection, list(new.values()))
        counted = {raffle: count for raffle, count in issued.items() if count > counters[raffle].issued}
        statements.count_tickets(connection, counted)
        sales = {wish.raffle: wish.sale for wish in wishes}
        edges = self._record(connection, sales, new.values(), counters, now)
        for place, ticket in new.items():
            answers[place] = _Given(ticket.number, ticket.serial, edges[ticket.raffle])
        return _Written(answers, issued, len(new), [(sales[raffle], edge) for raffle, edge in edges.items()])

    def _record(
        self,
        connection: Connection,
        sales: Mapping[UUID, Sale],
        new: Iterable[NewTicket],
        counters: Mapping[UUID, Counter],
        now: int,
    ) -> dict[UUID, Edge]:
        """Append new tickets to their raffles' ledgers; the last ticket closes its raffle's."""
        tickets_of: dict[UUID, list[NewTicket]] = {}
        for ticket in new:
            tickets_of.setdefault(ticket.raffle, []).append(ticket)
        edges = {}
        for raffle, tickets in tickets_of.items():
            sale, counter = sales[raffle], counters[raffle]
            if sale.edge is not None and _ends_at(sale.edge, counter):
                tree = sale.edge.growing
            else:
                tree = self._ledgers.load_edge(connection, raffle, counter.issued)
            tree, whole = tree.grown(
                [leaf_hash(leaf_data(raffle, ticket.serial, ticket.number, ticket.code_hash)) for ticket in tickets]
            )
            if whole:
                ledger.insert_tiles(connection, raffle, whole)
            closing = None
            if tree.size == sale.total_tickets:
                closing = sale.book.closing_at(now)
                ledger.close_ledger(connection, raffle, closing)
            edges[raffle] = Edge(sale.book, tree, closing, tickets[-1].code_hash)
        return edges


class _Written(NamedTuple):
    """What a group's transaction did: each wish's answer, the counters, how many tickets are new, and new edges."""

    answers: list[_Given | RaffleError]
    issued: Mapping[UUID, int]
    new: int
    edges: list[tuple[Sale, Edge]]


def _check(entry: Entry) -> None:
    limits.check_participant(entry.participant)
    if entry.idempotency_key is not None:
        limits.check_idempotency_key(entry.idempotency_key)


def _settled(wish: _Wish, held: HeldTicket | None, *, is_sold_out: bool) -> _Given | RaffleError | None:
    """Return the number of the ticket that is a wish's already, or why it gets none, or None: a ticket is due."""
    if held is not None and not held.is_drawn and _is_of(held, wish):
        return _Given(held.number)
    if is_sold_out:
        return SoldOut()
    return None if held is None else AlreadyParticipated()


def _is_of(held: HeldTicket, wish: _Wish) -> bool:
    return held.code_hash == wish.code_hash or (held.repeat_hash is not None and held.repeat_hash == wish.repeat_hash)


def _receipt(wish: _Wish, given: _Given) -> Receipt | None:
    """Return the receipt of a new ticket, if there is a key to sign with."""
    if given.edge is None or given.serial is None:
        return None
    try:
        return given.edge.receipt(given.serial, given.number, wish.code_hash)
    # These tickets are stored, so the others of the group must get theirs; this caller asks for the receipt again,
    # alone, and hears what is wrong.
    except Exception:
        _log.exception("A receipt could not be made with its group; its caller makes it again.")
        return None


def _ends_at(edge: Edge, counter: Counter) -> bool:
    # A database that was set back, by a backup or a failover without a synchronous standby, may have sold as many
    # tickets again: then its last one is another.
    return edge.growing.size == counter.issued and edge.last_code_hash == counter.last_code_hash


def _new_ticket(wish: _Wish, serial: int, now: int) -> NewTicket:
    number = wish.sale.permutation.number(serial)
    return NewTicket(wish.raffle, serial, number, wish.participant, wish.code_hash, wish.repeat_hash, now)
