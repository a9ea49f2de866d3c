"""Handing out tickets: what a group of callers prepares, reads, writes and gets together.

The caller who serves a group does all of its work, from the participants' hashes to the receipts of the new tickets. A
thread that takes its turn finds the processor's caches full of another thread's work and waits for the interpreter's
lock, which every call into C passes on. Codes are made and hashed before the database is locked. Under the lock,
`deciding` says who gets what, and the new tickets are stored in one transaction. A wish recognises its own ticket by
its code's hash, so a group that runs again, whatever happened to it, gives no one a second ticket and refuses no one
who got one.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Protocol
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import AlreadyParticipated, InvalidValue, RaffleError, SoldOut, StorageUnavailable
from rafflekit.core.ledger.books import Edge
from rafflekit.core.ledger.keeping import Ledgers
from rafflekit.core.ledger.proofs import Proofs
from rafflekit.core.lifecycle import is_sold_out
from rafflekit.core.models import Entry, Raffle, Ticket
from rafflekit.core.protocol import codes, tree
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.protocol.leaves import leaf_data
from rafflekit.core.protocol.tiles import GrowingTree
from rafflekit.core.protocol.tree import leaf_hash
from rafflekit.core.records import HeldTicket, Holder, NewTicket
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import ledgers as ledger
from rafflekit.core.storage.statements import tickets as statements
from rafflekit.core.storage.statements.tickets import Counter
from rafflekit.core.tickets.deciding import Decision, Given, Wish, decide, settle
from rafflekit.core.tickets.groups import Groups
from rafflekit.core.tickets.sales import Sale, Sales

_log = logging.getLogger(__name__)

_GROUP = 64
"""Callers in a group: a larger group is no cheaper per ticket, and its first caller waits for the last."""

_LIST_GROUP = 1_000
"""Entries of a list that are stored together: with more, other callers would wait too long."""


_Answer = tuple[Given | RaffleError, Edge | None]
"""What a wish gets and, where it gets a new ticket, the raffle's ledger just after its group."""


class SaleWish(Wish):
    """A wish, and the sale that it is for."""

    __slots__ = ("sale",)

    def __init__(self, raffle: UUID, sale: Sale, entry: Entry) -> None:
        super().__init__(raffle, sale.keys, sale.permutation, entry)
        self.sale = sale


class GroupObserver(Protocol):
    """A function that is called after each stored group; it must be quick and must not raise."""

    def __call__(self, *, callers: int, tickets: int) -> None:
        """Note how many callers one transaction served, and how many new tickets they got."""


class Issuing:
    """Hand out the tickets of a database's raffles, from any number of threads."""

    def __init__(
        self,
        database: Database,
        get: Callable[[UUID], Raffle],
        *,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        hasher: codes.CodeHasher,
        ledgers: Ledgers,
        proofs: Proofs,
        on_group: GroupObserver | None = None,
    ) -> None:
        self._database = database
        self._proofs = proofs
        self._clock = clock
        self._random_bytes = random_bytes
        self._hasher = hasher
        self._on_group = on_group
        self._sales = Sales(database, get, ledgers)
        self._groups: Groups[SaleWish, Ticket] = Groups(self._tickets, most=_GROUP, prepare=self._prepare)

    def issue(self, raffle: UUID, entry: Entry) -> Ticket:
        """Hand out one ticket, together with the tickets of all who ask at this moment.

        Raises:
            RaffleNotFound, SoldOut, AlreadyParticipated, InvalidValue, StorageUnavailable: no ticket is handed out.
        """
        _check(entry)
        sale = self._sales.of(raffle)
        wish = SaleWish(raffle, sale, entry)
        ticket = self._ticket_of_sold_out(wish) if sale.is_sold_out else self._groups.submit(wish)
        # A repeated request gets a receipt from today's ledger, which has to be read.
        if ticket.receipt is None and sale.book.signer is not None:
            return replace(ticket, receipt=self._proofs.receipt(raffle, ticket.number))
        return ticket

    def issue_many(self, raffle: UUID, entries: Iterable[Entry]) -> Iterator[Ticket | RaffleError]:
        """Yield for each entry its ticket, or the refusal; a thousand at a time are stored, then yielded.

        Raises:
            RaffleNotFound, StorageUnavailable: at once, or when the database fails.
        """
        sale = self._sales.of(raffle)
        return self._issued(raffle, sale, iter(entries))

    def forget(self, raffle: UUID) -> None:
        """Forget the keys of a drawn raffle."""
        self._sales.forget(raffle)

    def _issued(self, raffle: UUID, sale: Sale, entries: Iterator[Entry]) -> Iterator[Ticket | RaffleError]:
        while some := list(islice(entries, _LIST_GROUP)):
            prepared = [self._wish_or_refusal(raffle, sale, entry) for entry in some]
            wishes = [each for each in prepared if isinstance(each, SaleWish)]
            answers = iter(self._answers(sale, wishes) if wishes else [])
            for each in prepared:
                if isinstance(each, SaleWish):
                    answer = next(answers)
                    yield answer if isinstance(answer, RaffleError) else each.ticket(answer)
                else:
                    yield each

    def _wish_or_refusal(self, raffle: UUID, sale: Sale, entry: Entry) -> SaleWish | InvalidValue:
        try:
            _check(entry)
        except InvalidValue as refusal:
            return refusal
        return SaleWish(raffle, sale, entry)

    def _answers(self, sale: Sale, wishes: Sequence[SaleWish]) -> list[Given | RaffleError]:
        if sale.is_sold_out:
            return self._settle_sold_out(wishes)
        self._prepare(wishes)
        return [answer for answer, _ in self._serve(wishes)]

    def _ticket_of_sold_out(self, wish: SaleWish) -> Ticket:
        answer = self._settle_sold_out([wish])[0]
        if isinstance(answer, RaffleError):
            raise answer
        return wish.ticket(answer)

    def _settle_sold_out(self, wishes: Sequence[SaleWish]) -> list[Given | RaffleError]:
        self._database.require_open()
        for wish in wishes:
            wish.identify()
        # There is nothing left to hand out, so nothing is locked.
        holders = [wish.holder for wish in wishes if wish.repeat_hash is not None]
        held = self._database.query(lambda connection: statements.held_tickets(connection, holders)) if holders else {}
        self._forget_what_is_drawn(held)
        answers = [settle(wish, held.get(wish.holder), is_sold_out=True) or SoldOut() for wish in wishes]
        if not all(isinstance(answer, RaffleError) for answer in answers):
            # A write would have waited for the standby; without one, these tickets might be lost with the primary.
            self._database.confirm()
        return answers

    def _forget_what_is_drawn(self, held: Mapping[Holder, HeldTicket]) -> None:
        # Another process drew it and deleted its keys; they must not stay in this process either.
        for (raffle, _), ticket in held.items():
            if ticket.is_drawn:
                self.forget(raffle)

    def _tickets(self, wishes: Sequence[SaleWish]) -> list[Ticket | RaffleError]:
        return [
            answer if isinstance(answer, RaffleError) else wish.ticket(answer, _receipt(wish, answer, edge))
            for wish, (answer, edge) in zip(wishes, self._serve(wishes), strict=True)
        ]

    def _serve(self, wishes: Sequence[SaleWish]) -> list[_Answer]:
        assert all(wish.participant and wish.code_hash for wish in wishes), "they are prepared"
        try:
            decision, edges = self._database.write(lambda connection: self._write(connection, wishes))
        except (AlreadyParticipated, StorageUnavailable) as error:
            broke_a_rule = not isinstance(error, StorageUnavailable) or self._database.broke_a_rule(error)
            if not broke_a_rule or len(wishes) == 1:
                raise
            # The rows of one raffle or one wish are at fault: the others get their tickets.
            return [self._served_alone(wish) for wish in wishes]
        for wish in wishes:
            issued = decision.issued.get(wish.raffle, 0)
            wish.sale.is_sold_out |= is_sold_out(issued=issued, total_tickets=wish.sale.total_tickets)
            wish.sale.edge = edges.get(wish.raffle, wish.sale.edge)
        self._notify_observer(callers=len(wishes), tickets=len(decision.new))
        return [
            (answer, edges[wish.raffle] if isinstance(answer, Given) and answer.serial is not None else None)
            for wish, answer in zip(wishes, decision.answers, strict=True)
        ]

    def _served_alone(self, wish: SaleWish) -> _Answer:
        try:
            return self._serve([wish])[0]
        except RaffleError as refusal:
            return refusal, None

    def _notify_observer(self, *, callers: int, tickets: int) -> None:
        if self._on_group is None:
            return
        try:
            self._on_group(callers=callers, tickets=tickets)
        # The outermost edge to foreign code: the tickets are stored, and their callers must get them.
        except Exception:
            _log.exception("The observer of groups failed; the tickets are stored.")

    def _prepare(self, wishes: Sequence[SaleWish]) -> None:
        for wish in wishes:
            wish.identify()
        # Codes that an interrupted group made stay, because its tickets may be stored.
        without_code = [wish for wish in wishes if not wish.code]
        if without_code:
            random = self._random_bytes(codes.CODE_BYTES * len(without_code))
            for wish, code in zip(without_code, codes.cut(random, codes.CODE_BYTES, len(without_code)), strict=True):
                wish.code = codes.spell(code)
        without_hash = [wish for wish in wishes if not wish.code_hash]
        hashes = self._hasher.hash_all([wish.code for wish in without_hash])
        for wish, code_hash in zip(without_hash, hashes, strict=True):
            wish.code_hash = code_hash

    def _write(self, connection: Connection, wishes: Sequence[SaleWish]) -> tuple[Decision, Mapping[UUID, Edge]]:
        sales = {wish.raffle: wish.sale for wish in wishes}
        counters = statements.lock_counters(connection, list(sales))
        held = statements.held_tickets(connection, [wish.holder for wish in wishes])
        self._forget_what_is_drawn(held)
        for raffle in sales.keys() - counters.keys():
            self.forget(raffle)
        now = int(self._clock().timestamp())
        issued = {raffle: counter.issued for raffle, counter in counters.items()}
        decision = decide(wishes, held, issued, now=now)
        if not decision.new:
            return decision, {}
        statements.insert_tickets(connection, decision.new)
        statements.set_counters(
            connection, {raffle: count for raffle, count in decision.issued.items() if count > issued[raffle]}
        )
        return decision, self._record(connection, sales, decision.new, counters, now)

    def _record(
        self,
        connection: Connection,
        sales: Mapping[UUID, Sale],
        new: Iterable[NewTicket],
        counters: Mapping[UUID, Counter],
        now: int,
    ) -> dict[UUID, Edge]:
        """Append new tickets to their raffles' ledgers; a raffle's last ticket closes its ledger."""
        tickets_of: dict[UUID, list[NewTicket]] = {}
        for ticket in new:
            tickets_of.setdefault(ticket.raffle, []).append(ticket)
        edges = {}
        for raffle, tickets in tickets_of.items():
            sale, counter = sales[raffle], counters[raffle]
            if sale.edge is not None and _ends_at(sale.edge, counter):
                growing = sale.edge.growing
            else:
                growing = _load_edge(connection, raffle, counter.issued)
            growing, whole = growing.grown(
                [leaf_hash(leaf_data(raffle, ticket.serial, ticket.number, ticket.code_hash)) for ticket in tickets]
            )
            if whole:
                ledger.insert_tiles(connection, raffle, whole)
            end = None
            if is_sold_out(issued=growing.size, total_tickets=sale.total_tickets):
                end = sale.book.end_at(now)
                ledger.close_ledger(connection, raffle, end)
            edges[raffle] = Edge(sale.book, growing, end, tickets[-1].code_hash)
        return edges


def _check(entry: Entry) -> None:
    limits.check_participant(entry.participant)
    if entry.idempotency_key is not None:
        limits.check_idempotency_key(entry.idempotency_key)


def _receipt(wish: Wish, given: Given, edge: Edge | None) -> Receipt | None:
    """Return the receipt of a new ticket, if there is a key to sign with."""
    if edge is None or given.serial is None:
        return None
    try:
        return edge.receipt(given.serial, given.number, wish.code_hash)
    # The tickets are stored, so the rest of the group must get theirs. This caller asks for the receipt again, alone,
    # and gets the error.
    except Exception:
        _log.exception("A receipt could not be made with its group; its caller makes it again.")
        return None


def _load_edge(connection: Connection, raffle: UUID, size: int) -> GrowingTree:
    growing = GrowingTree(size, ledger.edge_entries(connection, raffle, size))
    # Fails if some of the tree is missing, so that nothing is added then.
    tree.root(growing.subtree, size)
    return growing


def _ends_at(edge: Edge, counter: Counter) -> bool:
    # A database that was set back, by a backup or by a failover without a synchronous standby, may have issued the same
    # number of tickets again; then its last ticket is a different one.
    return edge.growing.size == counter.issued and edge.last_code_hash == counter.last_code_hash
