"""The contract's JSON shapes of the engine's values, as plain typed dicts (pure).

Both faces print these, so a raffle looks the same on the terminal (`--json`) and over HTTP. A shape lists its fields,
so a new field of a value does not reach an answer by accident. A raffle's terms are public: their fields are listed
once, in `Terms.announced`, except `delay_s`, which is null in an answer about a raffle without a delay.
"""

from typing import NotRequired, TypedDict, cast

from rafflekit.core.models import Page, Raffle, Ticket, Verification
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.dates import write_time
from rafflekit.core.protocol.document_shapes import ReceiptShape
from rafflekit.core.protocol.terms import AnnouncedShape


class RaffleShape(AnnouncedShape):
    """A raffle, its terms first: the answer of create and detail, and the item of the list."""

    delay_s: int | None
    available_tickets: int
    winners_drawn: bool
    drawn_at: NotRequired[str]


class TicketShape(TypedDict):
    """A ticket, with the code that is shown only here."""

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
    """Return the shape of a raffle; times as RFC 3339 in UTC, `drawn_at` once it is drawn."""
    standing = {
        "delay_s": raffle.terms.delay_s,
        "available_tickets": raffle.available_tickets,
        "winners_drawn": raffle.winners_drawn,
    }
    # mypy wants every optional key spelled out next to `**`.
    shape = cast("RaffleShape", {**raffle.terms.announced(), **standing})
    if raffle.drawn_at is not None:
        shape["drawn_at"] = write_time(raffle.drawn_at)
    return shape


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
    """Return the shape of a page of raffles; a face without URLs omits both."""
    results = [raffle_shape(raffle) for raffle in page.items]
    return {"count": page.count, "next": next_url, "previous": previous_url, "results": results}


def win_page_shape(page: Page[Win], *, next_url: str | None = None, previous_url: str | None = None) -> WinPageShape:
    """Return the shape of a page of wins; a face without URLs omits both."""
    results = [win_shape(win) for win in page.items]
    return {"count": page.count, "next": next_url, "previous": previous_url, "results": results}
