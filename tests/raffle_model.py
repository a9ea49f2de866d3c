"""The simplest model of a raffle: the right answer to each call, one call after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rafflekit import (
    AlreadyDrawn,
    AlreadyParticipated,
    InvalidVerificationCode,
    NotDrawnYet,
    RaffleError,
    SoldOut,
    Ticket,
    TicketsRemaining,
    Verification,
    Win,
)

Refusal = type[RaffleError]


@dataclass(frozen=True)
class RaffleModel:
    """A raffle between two calls: who holds which ticket, asked for with which key, and its wins, if it is drawn."""

    total_tickets: int
    tickets: Mapping[str, tuple[str | None, Ticket]] = field(default_factory=dict)
    wins: tuple[Win, ...] | None = None

    @property
    def available_tickets(self) -> int:
        return self.total_tickets - len(self.tickets)

    def answer_to_participant(self, person: str, key: str | None) -> Ticket | Refusal | None:
        """Return the ticket held already, or the refusal; None: a new ticket is due."""
        held_key, ticket = self.tickets.get(person, (None, None))
        if ticket is not None and key is not None and held_key == key and self.wins is None:
            return ticket
        if not self.available_tickets:
            return SoldOut
        return AlreadyParticipated if ticket is not None else None

    def can_issue(self, number: int) -> bool:
        taken = {ticket.number for _, ticket in self.tickets.values()}
        return 1 <= number <= self.total_tickets and number not in taken

    def with_ticket(self, person: str, key: str | None, ticket: Ticket) -> "RaffleModel":
        return RaffleModel(self.total_tickets, {**self.tickets, person: (key, ticket)}, self.wins)

    def refusal_of_draw(self) -> Refusal | None:
        if self.wins is not None:
            return AlreadyDrawn
        return TicketsRemaining if self.available_tickets else None

    def with_wins(self, wins: tuple[Win, ...]) -> "RaffleModel":
        return RaffleModel(self.total_tickets, self.tickets, wins)

    def verification(self, person: str, code_of: str) -> Verification | Refusal:
        """Return the answer for one participant's number with another's code, or the same one's; both hold tickets."""
        if self.wins is None:
            return NotDrawnYet
        if person != code_of:
            return InvalidVerificationCode
        prize = {win.ticket_number: win.prize for win in self.wins}.get(self.tickets[person][1].number)
        return Verification(has_won=prize is not None, prize=prize)
