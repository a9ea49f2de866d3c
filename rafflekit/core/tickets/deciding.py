"""Who gets a ticket: wishes, the tickets already held and the counters go in, answers come out (pure).

The database is not asked here. `issuing` reads what is decided on under the raffles' locks, calls `decide`, and writes
what it returns.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from rafflekit.core.errors import Cancelled, RaffleError, RaffleNotFound, SoldOut
from rafflekit.core.lifecycle import is_over, is_sold_out, is_upcoming, not_open_yet
from rafflekit.core.limits import IPV6_PREFIX
from rafflekit.core.models import Entry, Ticket
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.records import Asked, Counter, Held, Holder, NewTicket, RaffleKeys
from rafflekit.core.tickets import entry as entries
from rafflekit.core.tickets import participants
from rafflekit.core.tickets.numbering import Numbering

RANDOM_BYTES = codes.CODE_BYTES + participants.HASH_BYTES
"""The randomness of a wish without an idempotency key: its code, and by what it is recognised if it is served again."""


@dataclass(slots=True)
class Wish:
    """One wish for a ticket: the entry, its code, and the hashes by which the database may know both.

    What is derived from the entry, the code and the code's hash are empty until they are made; then they never change,
    so a wish that is served a second time recognises the ticket that it got the first time.
    """

    raffle: UUID
    terms: Terms
    keys: RaffleKeys
    permutation: Numbering = field(repr=False)
    entry: Entry = field(repr=False)
    participant: bytes = b""
    repeat_hash: bytes = b""
    code: str = field(default="", repr=False)
    code_hash: str = ""
    refusal: RaffleError | None = None
    """Why the entry rule does not let the participant in."""

    @property
    def holder(self) -> Holder:
        """The raffle and the participant's hash, by which a held ticket is found."""
        return self.raffle, self.participant

    @property
    def asked(self) -> Asked:
        """What the database is asked, after `identify`."""
        return Asked(self.raffle, self.participant, self.repeat_hash)

    def identify(self, ipv6_prefix: int = IPV6_PREFIX) -> None:
        """Derive the entry's hashes and, with an idempotency key, the code; a second call does nothing."""
        if self.participant:
            return
        keys, key = self.keys, self.entry.idempotency_key
        guest = entries.guest_of(self.entry, self.terms, keys)
        participant = participants.participant_hash(keys.participant_key, guest.text, ipv6_prefix)
        if key is not None:
            self.repeat_hash = participants.repeat_hash(keys.participant_key, participant, key)
            self.code = codes.spell(codes.derive_code(keys.code_key, participant, key))
        self.refusal = guest.refusal
        # Last, so that after an interruption everything is derived again.
        self.participant = participant

    def take_random(self, drawn: bytes) -> None:
        """Take a random code and, in place of a repeat's hash, a random value; `drawn` has `RANDOM_BYTES` bytes."""
        self.repeat_hash = drawn[codes.CODE_BYTES :]
        self.code = codes.spell(drawn[: codes.CODE_BYTES])

    def ticket(self, given: "Given", receipt: Receipt | None = None) -> Ticket:
        """Return the ticket that this wish was given."""
        return Ticket(self.raffle, given.number, self.code, receipt)


@dataclass(frozen=True, slots=True)
class Given:
    """The ticket that a wish gets: its number and, if it is new, its serial."""

    number: int
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a group gets: an answer for each wish in its order, the new tickets, and the counters after them.

    `closed` are the raffles that can hand out no more tickets, now or after these.
    """

    answers: Sequence[Given | RaffleError]
    new: Sequence[NewTicket]
    issued: Mapping[UUID, int]
    closed: Collection[UUID]


def decide(
    wishes: Sequence[Wish], held: Mapping[Holder, Held], counters: Mapping[UUID, Counter], *, now: datetime
) -> Decision:
    """Decide what each wish of a group gets; earlier wishes take precedence.

    `held` is what the wishes' participants hold already. A raffle without a counter no longer exists.
    """
    held, issued_at = dict(held), int(now.timestamp())
    issued = {raffle: counter.issued for raffle, counter in counters.items()}
    answers: list[Given | RaffleError] = []
    new: list[NewTicket] = []
    for wish in wishes:
        counter = counters.get(wish.raffle)
        if counter is None:
            answers.append(RaffleNotFound())
            continue
        holder, serial = wish.holder, issued[wish.raffle]
        mine = held.get(holder)
        answer = settle(wish, mine, counter, issued=serial, now=now)
        if answer is None:
            ticket = _new_ticket(wish, serial, 1 if mine is None else mine.count + 1, issued_at)
            new.append(ticket)
            issued[wish.raffle] = serial + 1
            # A participant who is in the group twice holds this ticket from here on.
            before = {} if mine is None else mine.numbers
            held[holder] = Held(ticket.nth, {**before, ticket.repeat_hash: ticket.number})
            answer = Given(ticket.number, serial)
        answers.append(answer)
    sizes = {wish.raffle: wish.terms.total_tickets for wish in wishes}
    closed = {
        raffle
        for raffle, counter in counters.items()
        if counter.is_closed or is_sold_out(issued=issued[raffle], total_tickets=sizes[raffle])
    }
    return Decision(answers, new, issued, closed)


def settle(
    wish: Wish, held: Held | None, counter: Counter, *, issued: int, now: datetime
) -> Given | RaffleError | None:
    """Return the ticket that this wish got earlier, or its refusal; None if it gets a new ticket.

    `issued` are the tickets handed out so far, those of the wish's group included.
    The order is the contract's: a repeat gets its ticket again until the draw, whether the raffle is open or not.
    """
    if held is not None and not held.is_finished and wish.repeat_hash in held.numbers:
        return Given(held.numbers[wish.repeat_hash])
    refusal = _why_shut(wish.terms, counter, issued=issued, now=now) or wish.refusal
    if refusal is not None:
        return refusal
    if held is not None and held.count >= wish.terms.tickets_each:
        return entries.already_participated(wish.entry, wish.terms)
    return None


def _why_shut(terms: Terms, counter: Counter, *, issued: int, now: datetime) -> RaffleError | None:
    if counter.is_cancelled:
        return Cancelled()
    if counter.is_closed or is_sold_out(issued=issued, total_tickets=terms.total_tickets) or is_over(terms, now):
        return SoldOut()
    return not_open_yet(terms, now) if is_upcoming(terms, now) else None


def _new_ticket(wish: Wish, serial: int, nth: int, issued_at: int) -> NewTicket:
    return NewTicket(
        wish.raffle,
        serial,
        wish.permutation.number(serial),
        wish.participant,
        nth,
        wish.code_hash,
        wish.repeat_hash,
        issued_at,
    )
