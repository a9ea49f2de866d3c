"""The simplest model of a raffle: the right answer to each call, one call after the other."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rafflekit import (
    AlreadyDrawn,
    AlreadyParticipated,
    Cancelled,
    InvalidValue,
    InvalidVerificationCode,
    InvitationNeeded,
    ManagersOnly,
    NoPrize,
    NotDrawnYet,
    NotOpenYet,
    Prize,
    RaffleError,
    SoldOut,
    Ticket,
    TicketNotFound,
    TicketsRemaining,
    TooEarly,
    TooFewTickets,
    TooLate,
    Verification,
    Win,
)

Refusal = type[RaffleError]

BEGINNING = datetime(2026, 12, 5, 18, tzinfo=UTC)
UNDO = timedelta(minutes=15)


@dataclass(frozen=True)
class Terms:
    """What is announced: the arguments of `create` that change what is allowed."""

    total_tickets: int
    prizes: tuple[Prize, ...] = (Prize("hug"),)
    entropy: str = "secrets"
    entry: str = "address"
    tickets_each: int = 1
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    draw_at: datetime | None = None
    claim_days: int | None = None
    promoter: str | None = None
    price: str | None = None

    @property
    def wins(self) -> int:
        return sum(prize.amount for prize in self.prizes)

    @property
    def given(self) -> dict[str, Any]:
        """The keywords of `create` and `change`."""
        source = {"source": "ten dice"} if self.entropy == "announced" else {}
        return {**asdict(self), "prizes": self.prizes, **source}

    def are_possible(self, created_at: datetime) -> bool:
        first = max(created_at, self.opens_at or created_at)
        in_order = all(end is None or end > first for end in (self.closes_at, self.draw_at)) and (
            self.closes_at is None or self.draw_at is None or self.draw_at >= self.closes_at
        )
        is_complete = self.price is None or None not in (self.promoter, self.draw_at)
        return self.wins <= self.total_tickets and in_order and is_complete


@dataclass(frozen=True)
class Asking:
    """One request for a ticket: by a manager for a name, or from an address or with the number of an invitation.

    The invitation 0 is a wrong code.
    """

    name: str | None = None
    address: str | None = None
    invitation: int | None = None
    key: str | None = None

    def person_in(self, terms: Terms) -> object:
        if self.name is not None:
            return self.name.casefold()
        return self.invitation if terms.entry == "invitation" else self.address

    def refusal_in(self, terms: Terms) -> Refusal | None:
        if self.name is not None:
            return None
        if terms.entry == "desk":
            return ManagersOnly
        if terms.entry == "invitation":
            return None if self.invitation else InvitationNeeded
        return None if self.address is not None else InvalidValue


@dataclass(frozen=True)
class Held:
    """A ticket, who holds it, and the idempotency key with which it was asked for."""

    person: object
    key: str | None
    ticket: Ticket


@dataclass(frozen=True)
class RaffleModel:
    """A raffle between two calls. Every `now` is in whole seconds."""

    terms: Terms
    created_at: datetime = BEGINNING
    tickets: tuple[Held, ...] = ()
    closed_at: datetime | None = None
    is_cancelled: bool = False
    drawn_at: datetime | None = None
    wins: tuple[Win, ...] | None = None
    """The wins of the draw, then those of tickets that took a prize over; None before the draw."""
    since: tuple[datetime, ...] = ()
    """When each of the wins was won."""
    queue: tuple[int, ...] = field(default=(), repr=False)
    """The tickets that take over the next prizes, as the engine showed them at the draw."""
    lapsed: tuple[str, ...] = ()
    forfeited_at: datetime | None = None
    is_purged: bool = False

    @property
    def is_finished(self) -> bool:
        return self.is_cancelled or self.wins is not None

    @property
    def hashed_tickets(self) -> int:
        """The number of tickets whose participant's hash is stored."""
        return 0 if self.is_purged or self.is_cancelled else len(self.tickets)

    def is_over(self, now: datetime) -> bool:
        return self.terms.closes_at is not None and now >= self.terms.closes_at

    def state(self, now: datetime) -> str:
        if self.is_finished:
            return "cancelled" if self.is_cancelled else "drawn"
        if self.closed_at is not None or self.is_over(now):
            return "closed"
        return "upcoming" if self.terms.opens_at is not None and now < self.terms.opens_at else "open"

    def available_tickets(self, now: datetime) -> int:
        is_open = self.state(now) in ("upcoming", "open")
        return self.terms.total_tickets - len(self.tickets) if is_open else 0

    # Before the draw

    def answer_to(self, asking: Asking, now: datetime) -> Ticket | Refusal | None:
        """Return the ticket held already, or the refusal; None: a new ticket is due."""
        refusal, person = asking.refusal_in(self.terms), asking.person_in(self.terms)
        held = [each for each in self.tickets if each.person == person] if refusal is None else []
        for each in held:
            if each.key is not None and each.key == asking.key and not self.is_finished:
                return each.ticket
        shut = {"cancelled": Cancelled, "drawn": SoldOut, "closed": SoldOut, "upcoming": NotOpenYet}
        if (state := self.state(now)) in shut:
            return shut[state]
        return refusal or (AlreadyParticipated if len(held) >= self.terms.tickets_each else None)

    def can_issue(self, number: int) -> bool:
        taken = {each.ticket.number for each in self.tickets}
        return 1 <= number <= self.terms.total_tickets and number not in taken

    def with_ticket(self, asking: Asking, ticket: Ticket, now: datetime) -> "RaffleModel":
        more = replace(self, tickets=(*self.tickets, Held(asking.person_in(self.terms), asking.key, ticket)))
        return more.closed(now) if len(more.tickets) == self.terms.total_tickets else more

    def refusal_to_change(self, terms: Terms) -> Refusal | None:
        if self.is_cancelled or self.tickets:
            return TooLate
        return None if terms.are_possible(self.created_at) else InvalidValue

    def refusal_to_close(self) -> Refusal | None:
        if self.is_cancelled:
            return Cancelled
        if self.closed_at is not None:
            return TooLate
        return TooFewTickets if len(self.tickets) < self.terms.wins else None

    def is_due(self, now: datetime) -> bool:
        return self.is_over(now) and self.refusal_to_close() is None

    def closed(self, now: datetime) -> "RaffleModel":
        return replace(self, closed_at=max(now, self.created_at))

    def refusal_to_cancel(self) -> Refusal | None:
        return TooLate if self.is_finished else None

    def refusal_to_draw(self, now: datetime, value: str | None) -> Refusal | None:
        """Return the refusal of a draw, which has closed a raffle that was due."""
        if self.is_cancelled:
            return Cancelled
        if self.wins is not None:
            return AlreadyDrawn
        if self.closed_at is None:
            return TooFewTickets if self.is_over(now) else TicketsRemaining
        return InvalidValue if (value is not None) != (self.terms.entropy == "announced") else None

    def drawn(self, wins: Sequence[Win], queue: Sequence[int], now: datetime) -> "RaffleModel":
        assert self.closed_at is not None
        drawn_at = max(now, self.closed_at)
        return replace(self, drawn_at=drawn_at, wins=tuple(wins), since=(drawn_at,) * len(wins), queue=tuple(queue))

    # After the draw

    def refusal_to_purge(self) -> Refusal | None:
        return None if self.is_finished else NotDrawnYet

    def verification(self, number: int, is_right: bool) -> Verification | Refusal:
        """Return the answer for a ticket, with its own code or with another one."""
        if self.wins is None:
            return NotDrawnYet
        if not is_right:
            return InvalidVerificationCode
        place = self._place(number)
        if place is None:
            return Verification(has_won=False, prize=None)
        win = self.wins[place]
        if win.forfeited_at is not None:
            return Verification(
                has_won=False,
                prize=None,
                forfeited_prize=win.prize,
                forfeited_at=win.forfeited_at,
                reason=win.reason,
            )
        until = self._deadline(place)
        return Verification(has_won=True, prize=win.prize, redeemed_at=win.redeemed_at, redeem_until=until)

    def refusal_to_redeem(self, number: int, is_right: bool, now: datetime, *, undo: bool) -> Refusal | None:
        shown = self.verification(number, is_right)
        if isinstance(shown, type):
            return shown
        place = self._place(number)
        if place is None:
            return NoPrize
        if undo and shown.redeemed_at is None:
            return NoPrize
        if undo:
            assert shown.redeemed_at is not None
            return TooLate if now > shown.redeemed_at + UNDO else None
        is_gone = shown.redeemed_at is not None or shown.forfeited_at is not None
        return TooLate if is_gone or self._is_past_deadline(place, now) else None

    def redeemed(self, number: int, now: datetime | None) -> "RaffleModel":
        """Return the raffle once a prize is handed out, or no longer with None."""
        assert self.drawn_at is not None
        # Not before the draw, even if the clock was set back.
        redeemed_at = None if now is None else max(now, self.drawn_at)
        return self._with_win(number, lambda win: replace(win, redeemed_at=redeemed_at))

    def refusal_to_forfeit(self, number: int, is_right: bool, now: datetime, *, why: str) -> Refusal | None:
        if self.wins is None:
            return NotDrawnYet
        if why == "renounced" and not is_right:
            return InvalidVerificationCode
        if not any(each.ticket.number == number for each in self.tickets):
            return TicketNotFound
        place = self._place(number)
        if place is None:
            return NoPrize
        win = self.wins[place]
        if win.redeemed_at is not None or win.forfeited_at is not None:
            return TooLate
        is_early = why == "unclaimed" and self._deadline(place) is not None and not self._is_past_deadline(place, now)
        return TooEarly if is_early else None

    def forfeited(self, number: int, why: str, reason: str, now: datetime) -> tuple["RaffleModel", Win | None]:
        """Return the raffle once a prize has passed on, and the win that takes its place."""
        assert self.wins is not None
        assert self.drawn_at is not None
        time = max(now, self.forfeited_at or self.drawn_at)
        lost = self._with_win(number, lambda win: replace(win, forfeited_at=time, why=why, reason=reason))
        place = self._place(number)
        assert place is not None
        assert lost.wins is not None
        prize = self.wins[place].prize
        if not self.queue:
            return replace(lost, lapsed=(*self.lapsed, prize), forfeited_at=time), None
        heir = Win(self.queue[0], prize, in_place_of=number)
        passed = replace(
            lost, wins=(*lost.wins, heir), since=(*self.since, time), queue=self.queue[1:], forfeited_at=time
        )
        return passed, heir

    def unclaimed(self, now: datetime) -> list[int]:
        """Return the tickets whose prize was not redeemed before its deadline."""
        return [
            win.ticket_number
            for place, win in enumerate(self.wins or ())
            if win.redeemed_at is None and win.forfeited_at is None and self._is_past_deadline(place, now)
        ]

    def refusal_to_forfeit_unclaimed(self, now: datetime) -> Refusal | None:
        if self.drawn_at is None:
            return NotDrawnYet
        if self.terms.claim_days is None:
            return InvalidValue
        return TooEarly if now < self.drawn_at + timedelta(days=self.terms.claim_days) else None

    def _with_win(self, number: int, change: Callable[[Win], Win]) -> "RaffleModel":
        changed = tuple(change(win) if win.ticket_number == number else win for win in self.wins or ())
        return replace(self, wins=changed)

    def _place(self, number: int) -> int | None:
        return next((place for place, win in enumerate(self.wins or ()) if win.ticket_number == number), None)

    def _deadline(self, place: int) -> datetime | None:
        days = self.terms.claim_days
        return None if days is None else self.since[place] + timedelta(days=days)

    def _is_past_deadline(self, place: int, now: datetime) -> bool:
        deadline = self._deadline(place)
        return deadline is not None and now >= deadline
