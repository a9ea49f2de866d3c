"""The contract's JSON shapes of the engine's values, as plain typed dicts (pure).

Both faces print these, so a raffle looks the same on the terminal (`--json`) and over HTTP. A shape lists its fields,
so a new field of a value does not reach an answer by accident. A raffle's terms are public: their fields are listed
once, in `Terms.announced`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NotRequired, TypedDict, cast

from rafflekit.core.lifecycle import draw_possible_at
from rafflekit.core.models import Page, Raffle, Ticket, Verification
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.dates import write_time
from rafflekit.core.protocol.document_shapes import ReceiptShape
from rafflekit.core.protocol.terms import AnnouncedShape


class RaffleShape(AnnouncedShape):
    """A raffle, its terms first: the answer of create and detail, and the item of the list."""

    available_tickets: int
    winners_drawn: bool
    state: str
    closed_at: NotRequired[str]
    draw_possible_at: NotRequired[str]
    drawn_at: NotRequired[str]
    cancelled_at: NotRequired[str]
    reason: NotRequired[str]
    more_prizes: NotRequired[int]


class TicketShape(TypedDict):
    """A ticket, with the code that is shown only here."""

    raffle_id: str
    ticket_number: int
    verification_code: str
    receipt: ReceiptShape | None


class WinShape(TypedDict):
    """One win; in the queue, the ticket that may win, without a prize."""

    ticket_number: int
    prize: str | None
    redeemed_at: NotRequired[str]
    forfeited_at: NotRequired[str]
    why: NotRequired[str]
    reason: NotRequired[str]
    in_place_of: NotRequired[int]


class VerificationShape(TypedDict):
    """What a genuine ticket won."""

    has_won: bool
    prize: str | None
    redeemed_at: NotRequired[str]
    redeem_until: NotRequired[str]
    forfeited_prize: NotRequired[str]
    forfeited_at: NotRequired[str]
    reason: NotRequired[str]


class RafflePageShape(TypedDict):
    """A page of raffles; `next` and `previous` are URLs or null."""

    count: int
    next: str | None
    previous: str | None
    results: list[RaffleShape]


class WinPageShape(TypedDict):
    """A page of wins in draw order; `next` and `previous` are URLs or null."""

    count: int
    next: str | None
    previous: str | None
    results: list[WinShape]


class LiveShape(TypedDict):
    """Where a raffle stands, for those who watch it."""

    state: str
    total_tickets: int
    available_tickets: int
    handed_out: int
    wins: int
    forfeits: int
    poll_s: int
    opens_at: NotRequired[str]
    closes_at: NotRequired[str]
    draw_at: NotRequired[str]
    closed_at: NotRequired[str]
    draw_possible_at: NotRequired[str]
    drawn_at: NotRequired[str]
    cancelled_at: NotRequired[str]
    words: NotRequired[list[str]]


_WATCHED = ("opens_at", "closes_at", "draw_at", "closed_at", "draw_possible_at", "drawn_at", "cancelled_at")


def raffle_shape(raffle: Raffle) -> RaffleShape:
    """Return the shape of a raffle; times as RFC 3339 in UTC, each once there is something to say."""
    cancellation = raffle.cancellation
    standing: dict[str, object] = {
        "available_tickets": raffle.available_tickets,
        "winners_drawn": raffle.winners_drawn,
        "state": raffle.state.value,
    }
    possible_at = draw_possible_at(raffle)
    for name, moment in (
        ("closed_at", None if raffle.end is None else datetime.fromtimestamp(raffle.end.closed, UTC)),
        ("draw_possible_at", possible_at),
        ("drawn_at", raffle.drawn_at),
        ("cancelled_at", None if cancellation is None else datetime.fromtimestamp(cancellation.time, UTC)),
    ):
        if moment is not None:
            standing[name] = write_time(moment)
    if cancellation is not None:
        standing["reason"] = cancellation.reason
    if raffle.more_prizes:
        standing["more_prizes"] = raffle.more_prizes
    # mypy wants every optional key spelled out next to `**`.
    return cast("RaffleShape", {**raffle.terms.announced(), **standing})


def live_shape(raffle: Raffle, *, wins: int, forfeits: int, words: Sequence[str] | None, poll_s: int) -> LiveShape:
    """Return where a raffle stands: what `raffle_shape` has of that, and what only those who watch it need."""
    shape = raffle_shape(raffle)
    state: dict[str, object] = {
        "state": shape["state"],
        "total_tickets": shape["total_tickets"],
        "available_tickets": shape["available_tickets"],
        "handed_out": raffle.issued,
        "wins": wins,
        "forfeits": forfeits,
        "poll_s": poll_s,
        **{name: moment for name, moment in shape.items() if name in _WATCHED},
    }
    if words is not None:
        state["words"] = list(words)
    return cast("LiveShape", state)


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
    shape: WinShape = {"ticket_number": win.ticket_number, "prize": win.prize}
    if win.redeemed_at is not None:
        shape["redeemed_at"] = write_time(win.redeemed_at)
    if win.forfeited_at is not None:
        shape["forfeited_at"] = write_time(win.forfeited_at)
    if win.why is not None:
        shape["why"] = win.why
    if win.reason is not None:
        shape["reason"] = win.reason
    if win.in_place_of is not None:
        shape["in_place_of"] = win.in_place_of
    return shape


def verification_shape(verification: Verification) -> VerificationShape:
    """Return the shape of a verification."""
    shape: VerificationShape = {"has_won": verification.has_won, "prize": verification.prize}
    if verification.redeemed_at is not None:
        shape["redeemed_at"] = write_time(verification.redeemed_at)
    elif verification.redeem_until is not None:
        shape["redeem_until"] = write_time(verification.redeem_until)
    if verification.forfeited_prize is not None:
        shape["forfeited_prize"] = verification.forfeited_prize
    if verification.forfeited_at is not None:
        shape["forfeited_at"] = write_time(verification.forfeited_at)
    if verification.reason is not None:
        shape["reason"] = verification.reason
    return shape


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


def queue_page_shape(page: Page[int], *, next_url: str | None = None, previous_url: str | None = None) -> WinPageShape:
    """Return the shape of a page of the queue; a face without URLs omits both."""
    results: list[WinShape] = [{"ticket_number": number, "prize": None} for number in page.items]
    return {"count": page.count, "next": next_url, "previous": previous_url, "results": results}
