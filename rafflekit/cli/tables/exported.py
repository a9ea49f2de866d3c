"""What is exported of a raffle, as tables: the columns of each, and the participants' names from the organiser's list.

A column is named as in the contract's JSON where there is such a field.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rafflekit.cli.lists.owners import owners_of
from rafflekit.cli.tables.table import Table, Value
from rafflekit.html.links import invitation_fragment, raffle_address

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.models import ExportedClaim, ExportedTicket, ExportedWin, Raffle

Exported = TypeVar("Exported")

# The list is read once for each part. Larger parts would only take more memory.
_JOINED_AT_ONCE = 100_000


def exported_winners(engine: "RaffleEngine", raffle: "Raffle", tickets: Path | None) -> Table:
    """Return all wins in draw order, then those of tickets that took a prize over; only names make it private.

    Raises:
        NotDrawnYet: the winners have not been drawn.
    """
    columns = (
        "win",
        "ticket_number",
        "prize",
        "state",
        "redeemed_at",
        "redeem_until",
        "forfeited_at",
        "why",
        "reason",
        "in_place_of",
    )

    def row(each: "ExportedWin") -> tuple[Value, ...]:
        win = each.win
        return (
            each.ordinal,
            win.ticket_number,
            win.prize,
            each.state,
            win.redeemed_at,
            each.redeem_until,
            win.forfeited_at,
            win.why,
            win.reason,
            win.in_place_of,
        )

    names = _Names(tickets, engine, raffle)
    rows = names.joined(engine.exports.wins(raffle.id), row, columns)
    return Table("winners", names.columns(columns), rows, is_private=tickets is not None)


def exported_tickets(engine: "RaffleEngine", raffle: "Raffle", tickets: Path | None) -> Table:
    """Return all tickets in the order of issue; private, since the times of issue are not public."""
    columns = ("ticket_number", "issued_at", "prize", "state")

    def row(each: "ExportedTicket") -> tuple[Value, ...]:
        return each.number, each.issued_at, each.prize, each.state

    names = _Names(tickets, engine, raffle)
    rows = names.joined(engine.exports.tickets(raffle.id), row, columns)
    return Table("tickets", names.columns(columns), rows, is_private=True)


def exported_claims(engine: "RaffleEngine", raffle: "Raffle", tickets: Path | None) -> Table:
    """Return redemptions and forfeits in the order of time; private, since the names of desk passes are not public.

    Raises:
        NotDrawnYet: the winners have not been drawn.
    """
    columns = ("at", "event", "ticket_number", "prize", "by", "why", "reason", "passed_to")

    def row(each: "ExportedClaim") -> tuple[Value, ...]:
        return each.at, each.event, each.ticket_number, each.prize, each.by, each.why, each.reason, each.passed_to

    names = _Names(tickets, engine, raffle)
    rows = names.joined(engine.exports.claims(raffle.id), row, columns)
    return Table("claims", names.columns(columns), rows, is_private=True)


def exported_invitations(raffle: "Raffle", codes: Sequence[str], *, first: int, url: str | None) -> Table:
    """Return invitation codes with their numbers from `first` on and, with the address of a server, their links."""
    numbered = enumerate(codes, start=first)
    page = raffle_address(url, raffle)
    if page is None:
        return Table("invitations", ["number", "invitation"], numbered, is_private=True)
    rows = ((number, code, f"{page}{invitation_fragment(code)}") for number, code in numbered)
    return Table("invitations", ["number", "invitation", "link"], rows, is_private=True)


class _Names:
    """The column of the participants, after that of the ticket numbers, if there is a list of them."""

    def __init__(self, tickets: Path | None, engine: "RaffleEngine", raffle: "Raffle") -> None:
        self._tickets = tickets
        self._engine = engine
        self._raffle = raffle

    def columns(self, columns: Sequence[str]) -> Sequence[str]:
        """Return the columns with that of the participants."""
        if self._tickets is None:
            return columns
        place = columns.index("ticket_number") + 1
        return [*columns[:place], "participant", *columns[place:]]

    def joined(
        self, items: Iterator[Exported], row: Callable[[Exported], tuple[Value, ...]], columns: Sequence[str]
    ) -> Iterator[Sequence[Value]]:
        """Yield the rows of these items, each with its participant, if there is a list of them."""
        rows = map(row, items)
        return rows if self._tickets is None else self._named(self._tickets, rows, columns.index("ticket_number"))

    def _named(self, tickets: Path, rows: Iterator[tuple[Value, ...]], place: int) -> Iterator[Sequence[Value]]:
        while some := list(islice(rows, _JOINED_AT_ONCE)):
            numbers = {number for row in some if isinstance(number := row[place], int)}
            owners = owners_of(tickets, numbers, self._engine, self._raffle)
            for row in some:
                number = row[place]
                name = owners.get(number) if isinstance(number, int) else None
                yield *row[: place + 1], name, *row[place + 1 :]
