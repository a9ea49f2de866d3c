"""The contract's JSON shapes of the engine's values, as plain typed dicts (pure).

Both faces print these, so that a raffle looks the same on the terminal (`--json`) and over HTTP. A shape
lists its fields one by one: nothing that a value may carry one day slips into an answer by itself.
"""

from datetime import UTC
from typing import TypedDict

from rafflekit.core.models import Page, Raffle, Ticket, Verification
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.shapes import ReceiptShape


class PrizeShape(TypedDict):
    """A prize of a raffle."""

    name: str
    amount: int


class RaffleShape(TypedDict):
    """A raffle: the answer of create and detail, and the item of the list."""

    id: str
    name: str
    created_at: str
    total_tickets: int
    available_tickets: int
    winners_drawn: bool
    prizes: list[PrizeShape]
    entropy: str
    delay_s: int | None


class TicketShape(TypedDict):
    """A ticket, with the code that is shown this once."""

    raffle_id: str
    ticket_number: int
    verification_code: str
    receipt: ReceiptShape | None


class WinShape(TypedDict):
    """One win."""

    ticket_number: int
    prize: str


class VerificationShape(TypedDict):
    """What a genuine ticket won."""

    has_won: bool
    prize: str | None


class RafflePageShape(TypedDict):
    """A page of raffles; `next` and `previous` are whole URLs or null."""

    count: int
    next: str | None
    previous: str | None
    results: list[RaffleShape]


class WinPageShape(TypedDict):
    """A page of wins in draw order; `next` and `previous` are whole URLs or null."""

    count: int
    next: str | None
    previous: str | None
    results: list[WinShape]


def raffle_shape(raffle: Raffle) -> RaffleShape:
    """Return the shape of a raffle; `created_at` as RFC 3339 in UTC."""
    return {
        "id": str(raffle.id),
        "name": raffle.name,
        "created_at": raffle.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "total_tickets": raffle.total_tickets,
        "available_tickets": raffle.available_tickets,
        "winners_drawn": raffle.winners_drawn,
        "prizes": [{"name": prize.name, "amount": prize.amount} for prize in raffle.prizes],
        "entropy": raffle.entropy,
        "delay_s": raffle.delay_s,
    }


def ticket_shape(ticket: Ticket) -> TicketShape:
    """Return the shape of a ticket."""
    return {
        "raffle_id": str(ticket.raffle_id),
        "ticket_number": ticket.number,
        "verification_code": ticket.verification_code,
        "receipt": None if ticket.receipt is None else ticket.receipt.shape(),
    }


def win_shape(win: Win) -> WinShape:
    """Return the shape of one win."""
    return {"ticket_number": win.ticket_number, "prize": win.prize}


def verification_shape(verification: Verification) -> VerificationShape:
    """Return the shape of a verification."""
    return {"has_won": verification.has_won, "prize": verification.prize}


def raffle_page_shape(
    page: Page[Raffle], *, next_url: str | None = None, previous_url: str | None = None
) -> RafflePageShape:
    """Return the shape of a page of raffles; a face without URLs leaves the two out."""
    results = [raffle_shape(raffle) for raffle in page.items]
    return {"count": page.count, "next": next_url, "previous": previous_url, "results": results}


def win_page_shape(page: Page[Win], *, next_url: str | None = None, previous_url: str | None = None) -> WinPageShape:
    """Return the shape of a page of wins; a face without URLs leaves the two out."""
    results = [win_shape(win) for win in page.items]
    return {"count": page.count, "next": next_url, "previous": previous_url, "results": results}
