"""Who gets a ticket: wishes, the tickets already held and the counters go in, answers come out (pure).

The database is not asked here. `issuing` reads what is decided on under the raffles' locks, calls `decide`, and writes
what it returns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from rafflekit.core.errors import AlreadyParticipated, RaffleError, RaffleNotFound, SoldOut
from rafflekit.core.lifecycle import is_sold_out
from rafflekit.core.models import Entry, Ticket
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.records import HeldTicket, Holder, NewTicket, RaffleKeys
from rafflekit.core.tickets import participants
from rafflekit.core.tickets.numbering import Numbering


@dataclass(slots=True)
class Wish:
    """One wish for a ticket: the entry, its code, and the hashes by which the database may know both.

    What is derived from the entry, the code and the code's hash are empty until they are made; then they never change,
    so a wish that is served a second time recognises the ticket that it got the first time.
    """

    raffle: UUID
    keys: RaffleKeys
    permutation: Numbering = field(repr=False)
    entry: Entry = field(repr=False)
    participant: bytes = b""
    repeat_hash: bytes | None = None
    code: str = field(default="", repr=False)
    code_hash: str = ""

    @property
    def holder(self) -> Holder:
        """The raffle and the participant's hash, by which a held ticket is found."""
        return self.raffle, self.participant

    def identify(self) -> None:
        """Derive the entry's hashes and, with an idempotency key, the code; a second call does nothing."""
        if self.participant:
            return
        keys, key = self.keys, self.entry.idempotency_key
        participant = participants.participant_hash(keys.participant_key, self.entry.participant)
        if key is not None:
            self.repeat_hash = participants.repeat_hash(keys.participant_key, participant, key)
            self.code = codes.spell(codes.derive_code(keys.code_key, participant, key))
        # Last, so that after an interruption everything is derived again.
        self.participant = participant

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
    """What a group gets: an answer for each wish in its order, the new tickets, and the counters after them."""

    answers: Sequence[Given | RaffleError]
    new: Sequence[NewTicket]
    issued: Mapping[UUID, int]


def decide(
    wishes: Sequence[Wish], held: Mapping[Holder, HeldTicket], issued: Mapping[UUID, int], *, now: int
) -> Decision:
    """Decide what each wish of a group gets; earlier wishes take precedence.

    `held` are the tickets that the wishes' participants hold already, `issued` how many tickets each raffle has handed
    out; a raffle without a count no longer exists. `now` is in whole seconds since 1970.
    """
    held, issued = dict(held), dict(issued)
    answers: list[Given | RaffleError] = []
    new: list[NewTicket] = []
    for wish in wishes:
        serial = issued.get(wish.raffle)
        if serial is None:
            answers.append(RaffleNotFound())
            continue
        sold_out = is_sold_out(issued=serial, total_tickets=wish.permutation.size)
        answer = settle(wish, held.get(wish.holder), is_sold_out=sold_out)
        if answer is None:
            ticket = _new_ticket(wish, serial, now)
            new.append(ticket)
            issued[wish.raffle] = serial + 1
            # A participant who is in the group twice holds this ticket from here on.
            held[wish.holder] = HeldTicket(ticket.number, ticket.repeat_hash, ticket.code_hash, is_drawn=False)
            answer = Given(ticket.number, serial)
        answers.append(answer)
    return Decision(answers, new, issued)


def settle(wish: Wish, held: HeldTicket | None, *, is_sold_out: bool) -> Given | RaffleError | None:
    """Return the ticket that is already this wish's, or why it gets none; None if a new ticket is due.

    The order is the contract's: a repeat gets its ticket again until the draw, also where the raffle is sold out.
    """
    if held is not None and not held.is_drawn and _is_repeat(wish, held):
        return Given(held.number)
    if is_sold_out:
        return SoldOut()
    return None if held is None else AlreadyParticipated()


def _is_repeat(wish: Wish, held: HeldTicket) -> bool:
    return held.code_hash == wish.code_hash or (held.repeat_hash is not None and held.repeat_hash == wish.repeat_hash)


def _new_ticket(wish: Wish, serial: int, now: int) -> NewTicket:
    number = wish.permutation.number(serial)
    return NewTicket(wish.raffle, serial, number, wish.participant, wish.code_hash, wish.repeat_hash, now)
