"""Handing out tickets: what a group of callers prepares, reads, writes and gets together.

The caller who serves a group does all of its work, from the participants' hashes to the receipts of the new tickets. A
thread that takes its turn finds the processor's caches full of another thread's work and waits for the interpreter's
lock, which every call into C passes on. Codes are made and hashed before the database is locked. Under the lock,
`deciding` says who gets what, and the new tickets are stored in one transaction. A wish recognises its own ticket by
its code's hash, so a group that runs again, whatever happened to it, gives no one a second ticket and refuses no one
who got one.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Protocol
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import AlreadyParticipated, Cancelled, InvalidValue, RaffleError, SoldOut, StorageUnavailable
from rafflekit.core.ledger.books import Edge
from rafflekit.core.ledger.keeping import Ledgers
from rafflekit.core.ledger.proofs import Proofs
from rafflekit.core.lifecycle import check_open, is_finished, is_sold_out, is_upcoming
from rafflekit.core.models import Entry, Raffle, Ticket
from rafflekit.core.protocol import codes, tree
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.protocol.leaves import leaf_data
from rafflekit.core.protocol.terms import EntryRule
from rafflekit.core.protocol.tiles import GrowingTree
from rafflekit.core.protocol.tree import leaf_hash
from rafflekit.core.records import Counter, NewTicket
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import ledgers as ledger
from rafflekit.core.storage.statements import tickets as statements
from rafflekit.core.storage.statements.raffles import close_raffle, load_raffle
from rafflekit.core.tickets.deciding import RANDOM_BYTES, Decision, Given, Wish, decide, settle
from rafflekit.core.tickets.entry import check_entry, refusal_at_once
from rafflekit.core.tickets.groups import Groups
from rafflekit.core.tickets.invitations import invitation_of
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
        super().__init__(raffle, sale.terms, sale.keys, sale.permutation, entry)
        self.sale = sale

    def renew(self, sale: Sale) -> None:
        """Take up the sale of a raffle whose terms have changed, before a ticket was stored for this wish."""
        self.sale, self.terms, self.permutation = sale, sale.terms, sale.permutation
        # Another entry rule may identify another participant, whose idempotency key gives another code.
        self.participant, self.code, self.code_hash = b"", "", ""


class _TermsChanged(Exception):
    """Raffles had other terms when their sales were loaded, and have no tickets yet."""

    def __init__(self, raffles: Collection[UUID]) -> None:
        super().__init__()
        self.raffles = raffles


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
        ipv6_prefix: int = limits.IPV6_PREFIX,
        on_group: GroupObserver | None = None,
    ) -> None:
        self._database = database
        self._get = get
        self._proofs = proofs
        self._clock = clock
        self._random_bytes = random_bytes
        self._hasher = hasher
        self._ipv6_prefix = ipv6_prefix
        self._on_group = on_group
        self._sales = Sales(database, get, ledgers)
        self._groups: Groups[SaleWish, Ticket] = Groups(self._tickets, most=_GROUP, prepare=self._prepare)

    def issue(self, raffle: UUID, entry: Entry) -> Ticket:
        """Hand out one ticket, together with the tickets of all who ask at this moment.

        Raises:
            RaffleError: no ticket is handed out; `RaffleEngine.participate` lists the errors.
        """
        check_entry(entry)
        sale = self._sales.of(raffle)
        wish = SaleWish(raffle, sale, entry)
        if sale.is_closed:
            ticket = self._ticket_of_closed(wish)
        else:
            self._refuse_at_once(wish)
            ticket = self._groups.submit(wish)
        # A repeated request gets a receipt from today's ledger, which has to be read.
        if ticket.receipt is None:
            return replace(ticket, receipt=self._proofs.receipt(raffle, ticket.number))
        return ticket

    def issue_many(self, raffle: UUID, entries: Iterable[Entry]) -> Iterator[Ticket | RaffleError]:
        """Yield for each entry its ticket, or the refusal; a thousand at a time are stored, then yielded.

        Raises:
            RaffleNotFound, StorageUnavailable: at once, or when the database fails.
        """
        sale = self._sales.of(raffle)
        return self._issued(raffle, sale, iter(entries))

    def invitations(self, raffle: UUID, first: int, count: int) -> list[str]:
        """Return the codes of invitations, in the order of their numbers.

        Raises:
            InvalidValue: the raffle has another entry rule, or the numbers go past the last invitation.
            RaffleNotFound, SoldOut, Cancelled: see `Sales.of`.
        """
        limits.check_count("first", first, most=limits.INVITATIONS - 1)
        limits.check_count("count", count, most=min(limits.INVITATIONS_AT_ONCE, limits.INVITATIONS - first))
        sale = self._sales.of(raffle)
        if sale.terms.entry != EntryRule.INVITATION:
            raise InvalidValue("raffle", f"its entry rule is '{sale.terms.entry}', so it has no invitations.")
        return [invitation_of(sale.keys.code_key, number) for number in range(first, first + count)]

    def forget(self, raffle: UUID) -> None:
        """Forget a raffle that is closed, drawn, cancelled or changed."""
        self._sales.forget(raffle)

    def _issued(self, raffle: UUID, sale: Sale, entries: Iterator[Entry]) -> Iterator[Ticket | RaffleError]:
        while some := list(islice(entries, _LIST_GROUP)):
            if not sale.is_announced:
                # Its terms may have changed since.
                sale = self._latest(raffle, sale)
            prepared = [self._wish_or_refusal(raffle, sale, entry) for entry in some]
            wishes = [each for each in prepared if isinstance(each, SaleWish)]
            answers = iter(self._answers(sale, wishes) if wishes else [])
            for each in prepared:
                if isinstance(each, SaleWish):
                    answer = next(answers)
                    yield answer if isinstance(answer, RaffleError) else each.ticket(answer)
                else:
                    yield each

    def _latest(self, raffle: UUID, sale: Sale) -> Sale:
        try:
            return self._sales.of(raffle)
        # It is drawn or cancelled by now: each entry gets its refusal.
        except (SoldOut, Cancelled):
            return sale

    def _wish_or_refusal(self, raffle: UUID, sale: Sale, entry: Entry) -> SaleWish | InvalidValue:
        try:
            check_entry(entry)
        except InvalidValue as refusal:
            return refusal
        return SaleWish(raffle, sale, entry)

    def _answers(self, sale: Sale, wishes: Sequence[SaleWish]) -> list[Given | RaffleError]:
        if sale.is_closed:
            return self._settle_closed(wishes)
        self._prepare(wishes)
        return [answer for answer, _ in self._serve(wishes)]

    def _refuse_at_once(self, wish: SaleWish) -> None:
        """Refuse callers who cannot get a ticket in any case, before a code is made and hashed for them."""
        refusal = refusal_at_once(wish.entry, wish.terms)
        if refusal is None and (wish.terms.opens_at is None or not is_upcoming(wish.terms, self._clock())):
            return
        raffle = self._get(wish.raffle)
        # The clock was set back after the raffle had opened, and this may be a repeat.
        if refusal is None and raffle.issued and wish.entry.idempotency_key is not None:
            return
        check_open(raffle, self._clock())
        if refusal is not None:
            raise refusal

    def _ticket_of_closed(self, wish: SaleWish) -> Ticket:
        answer = self._settle_closed([wish])[0]
        if isinstance(answer, RaffleError):
            raise answer
        return wish.ticket(answer)

    def _settle_closed(self, wishes: Sequence[SaleWish]) -> list[Given | RaffleError]:
        """Return what wishes for one closed raffle get. There is nothing left to hand out, so nothing is locked."""
        raffle = self._get(wishes[0].raffle)
        if is_finished(raffle):
            # Another process finished it and deleted its keys; they must not stay in this process either.
            self.forget(raffle.id)
        counter = Counter(raffle.issued, None, is_closed=True, is_cancelled=raffle.cancellation is not None)
        for wish in wishes:
            wish.identify(self._ipv6_prefix)
        repeats = [wish.asked for wish in wishes if wish.entry.idempotency_key is not None]
        held = self._database.query(lambda connection: statements.held_tickets(connection, repeats)) if repeats else {}
        now = self._clock()
        answers = [
            settle(wish, held.get(wish.holder), counter, issued=raffle.issued, now=now) or SoldOut() for wish in wishes
        ]
        if not all(isinstance(answer, RaffleError) for answer in answers):
            # A write would have waited for the standby; without one, these tickets might be lost with the primary.
            self._database.confirm()
        return answers

    def _tickets(self, wishes: Sequence[SaleWish]) -> list[Ticket | RaffleError]:
        return [
            answer if isinstance(answer, RaffleError) else wish.ticket(answer, _receipt(wish, answer, edge))
            for wish, (answer, edge) in zip(wishes, self._serve(wishes), strict=True)
        ]

    def _serve(self, wishes: Sequence[SaleWish]) -> list[_Answer]:
        assert all(wish.participant and wish.code_hash for wish in wishes), "they are prepared"
        try:
            decision, edges = self._database.write(lambda connection: self._write(connection, wishes))
        except _TermsChanged as changed:
            return [self._served_alone(wish, is_stale=wish.raffle in changed.raffles) for wish in wishes]
        except (AlreadyParticipated, StorageUnavailable) as error:
            broke_a_rule = not isinstance(error, StorageUnavailable) or self._database.broke_a_rule(error)
            if not broke_a_rule or len(wishes) == 1:
                raise
            # The rows of one raffle or one wish are at fault: the others get their tickets.
            return [self._served_alone(wish) for wish in wishes]
        for wish in wishes:
            wish.sale.is_closed |= wish.raffle in decision.closed
            wish.sale.edge = edges.get(wish.raffle, wish.sale.edge)
        self._notify_observer(callers=len(wishes), tickets=len(decision.new))
        return [
            (answer, edges[wish.raffle] if isinstance(answer, Given) and answer.serial is not None else None)
            for wish, answer in zip(wishes, decision.answers, strict=True)
        ]

    def _served_alone(self, wish: SaleWish, *, is_stale: bool = False) -> _Answer:
        try:
            if is_stale:
                self.forget(wish.raffle)
                wish.renew(self._sales.of(wish.raffle))
                self._prepare([wish])
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
            wish.identify(self._ipv6_prefix)
        # Codes that an interrupted group made stay, because its tickets may be stored.
        without_code = [wish for wish in wishes if not wish.code]
        if without_code:
            random = self._random_bytes(RANDOM_BYTES * len(without_code))
            for wish, drawn in zip(without_code, codes.cut(random, RANDOM_BYTES, len(without_code)), strict=True):
                wish.take_random(drawn)
        without_hash = [wish for wish in wishes if not wish.code_hash]
        hashes = self._hasher.hash_all([wish.code for wish in without_hash])
        for wish, code_hash in zip(without_hash, hashes, strict=True):
            wish.code_hash = code_hash

    def _write(self, connection: Connection, wishes: Sequence[SaleWish]) -> tuple[Decision, Mapping[UUID, Edge]]:
        sales = {wish.raffle: wish.sale for wish in wishes}
        counters = statements.lock_counters(connection, list(sales))
        _check_terms(connection, wishes)
        held = statements.held_tickets(connection, [wish.asked for wish in wishes])
        for raffle in sales:
            if raffle not in counters or counters[raffle].is_cancelled:
                self.forget(raffle)
        now = self._clock()
        decision = decide(wishes, held, counters, now=now)
        if not decision.new:
            return decision, {}
        statements.insert_tickets(connection, decision.new)
        statements.set_counters(
            connection, {raffle: count for raffle, count in decision.issued.items() if count > counters[raffle].issued}
        )
        return decision, self._record(connection, sales, decision.new, counters, int(now.timestamp()))

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
            if is_sold_out(issued=growing.size, total_tickets=sale.terms.total_tickets):
                end = sale.book.end_at(now)
                close_raffle(connection, raffle, end)
            edges[raffle] = Edge(sale.book, growing, end, tickets[-1].code_hash)
        return edges


def _check_terms(connection: Connection, wishes: Sequence[SaleWish]) -> None:
    """Check that the terms of sales that were loaded before the first ticket have not changed since.

    Raises:
        _TermsChanged: some have.
    """
    known: dict[UUID, Raffle | None] = {}
    changed = set()
    for wish in wishes:
        if wish.sale.is_announced:
            continue
        if wish.raffle not in known:
            known[wish.raffle] = load_raffle(connection, wish.raffle)
        found = known[wish.raffle]
        if found is not None and found.terms != wish.terms:
            changed.add(wish.raffle)
    if changed:
        raise _TermsChanged(changed)


def _receipt(wish: Wish, given: Given, edge: Edge | None) -> Receipt | None:
    """Return the receipt of a new ticket."""
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
