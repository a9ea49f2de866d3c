"""Every statement that reads all of a raffle for its operator, page by page, each page found by its key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    null,
    select,
    text,
)

from rafflekit.core.models import ClaimEvent, ExportedClaim
from rafflekit.core.storage import driver
from rafflekit.core.storage.schema import FORGOTTEN, RaffleKey, forfeits, prizes, raffle_key, redemptions, tickets, wins
from rafflekit.core.storage.statements.claims import Progress


class ListedTicket(NamedTuple):
    """A ticket with its prize, if it has won, and the number of the forfeit by which it lost the prize.

    Times are in seconds since 1970. `is_forgotten` says that a purge has replaced the time of issue.
    """

    number: int
    issued_at: int
    is_forgotten: bool
    prize: str | None
    redeemed_at: int | None
    forfeit: int | None


class EventPlace(NamedTuple):
    """The place of an event in the order of time; a win's events of one second follow each other as they happened."""

    at: int
    ordinal: int
    number: int
    step: int


BEFORE_ALL = EventPlace(-1, 0, 0, 0)
"""The place before the first event."""


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event with its place in the list of a raffle's events."""

    place: EventPlace
    claim: ExportedClaim


def tickets_between(
    connection: Connection, *, raffle: UUID, first: int, last: int, progress: Progress | None
) -> list[ListedTicket]:
    """Return the tickets with the serials from `first` to `last`, in their order.

    Forfeits count up to those of `progress`; without it, before the draw, no ticket has won.
    """
    span = {"raffle": raffle, "first": first, "last": last}
    if progress is None:
        return [ListedTicket(*row) for row in connection.execute(_UNDRAWN, span)]
    known = {**span, "wins": progress.wins, "forfeits": progress.forfeits}
    return [ListedTicket(*row) for row in connection.execute(_DRAWN, known)]


def events_after(
    connection: Connection, *, raffle: UUID, after: EventPlace, progress: Progress, wins: int, most: int
) -> list[PlacedEvent]:
    """Return at most `most` events of a raffle after a place, in the order of time.

    Only the forfeits of `progress` count, and what happened to the first `wins` wins.
    """
    bounds = {"wins": wins, "drawn": progress.wins, "forfeits": progress.forfeits, "most": most, "last": _LAST}
    rows = connection.execute(_EVENTS, {"raffle": raffle, **after._asdict(), **bounds})
    return [_event(row) for row in rows]


def code_hashes(connection: Connection, *, raffle: UUID, numbers: Sequence[int]) -> dict[int, str]:
    """Return the hashes of these tickets' codes, by number; a number that no ticket has is omitted."""
    dialect = connection.dialect.name
    mark = "%s" if dialect == "postgresql" else "?"
    asked = ", ".join([f"({mark})"] * len(numbers))
    # CROSS JOIN: SQLite looks up each number. With IN, it would rather read all tickets of the raffle.
    statement = (
        f"WITH asked (number) AS (VALUES {asked}) SELECT tickets.number, code_hash "  # noqa: S608 - marks only
        f"FROM asked CROSS JOIN tickets WHERE raffle = {mark} AND tickets.number = asked.number"
    )
    return dict(driver.send(connection, statement, (*numbers, raffle_key(raffle, dialect))))


def _event(row: Row[Any]) -> PlacedEvent:
    place = EventPlace(row.at, row.ordinal, row.number, row.step)
    if row.why is None:
        event = ClaimEvent.UNDONE if row.step else ClaimEvent.REDEEMED
    else:
        event = ClaimEvent.LAPSED if row.heir is None else ClaimEvent.PASSED_ON
    at = datetime.fromtimestamp(row.at, UTC)
    return PlacedEvent(place, ExportedClaim(at, event, row.ticket, row.prize, row.by, row.why, row.reason, row.heir))


def _span(*columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(tickets.c.number, tickets.c.issued_at, tickets.c.participant == FORGOTTEN, *columns)
        .where(tickets.c.raffle == bindparam("raffle"), tickets.c.serial.between(bindparam("first"), bindparam("last")))
        .order_by(tickets.c.serial)
    )


def _drawn() -> Select[Any]:
    taken, loss = forfeits.alias("taken"), forfeits.alias("loss")
    ordinal = func.coalesce(wins.c.ordinal, bindparam("wins") + taken.c.number)
    position = func.coalesce(wins.c.prize, taken.c.prize)
    until: BindParameter[int] = bindparam("forfeits")
    of_raffle = tickets.c.raffle

    def of_ticket(table: FromClause) -> ColumnElement[bool]:
        serial = table.c.serial
        return and_(
            table.c.raffle == of_raffle,
            serial == tickets.c.serial,
            serial.between(bindparam("first"), bindparam("last")),
        )

    # PostgreSQL, as long as it has no statistics, would read all of a raffle's redemptions to join them. So they are
    # looked up for each ticket.
    prize = select(prizes.c.name).where(prizes.c.raffle == of_raffle, prizes.c.position == position)
    redeemed_at = select(redemptions.c.redeemed_at).where(
        redemptions.c.raffle == of_raffle, redemptions.c.ordinal == ordinal, redemptions.c.undone_at.is_(None)
    )
    # As a condition, the bound would make PostgreSQL look through all forfeits up to it.
    lost = select(case((loss.c.number <= until, loss.c.number))).where(
        loss.c.raffle == of_raffle, loss.c.ordinal == ordinal
    )
    looked_up = (
        each.correlate_except(table).scalar_subquery()
        for each, table in ((prize, prizes), (redeemed_at, redemptions), (lost, loss))
    )
    return _span(*looked_up).select_from(
        tickets.outerjoin(wins, of_ticket(wins)).outerjoin(taken, and_(of_ticket(taken), taken.c.number <= until))
    )


_UNDRAWN = _span(null(), null(), null())
_DRAWN = _drawn()

# A prize that was forfeited is never redeemed later: so a win's forfeit follows all its redemptions.
_LAST = 2**62

# As above, nothing is joined. Each part finds the page by its own index, so that a page costs the same wherever it is.
_NO_FORFEIT = "CAST(NULL AS TEXT) AS why, CAST(NULL AS TEXT) AS reason, CAST(NULL AS BIGINT) AS heir_serial"
_AFTER = "(:at, :ordinal, :number, :step)"
_EVENTS = text(f"""
    SELECT event.*,
        (SELECT number FROM tickets WHERE raffle = :raffle AND serial = coalesce(
            (SELECT serial FROM wins WHERE raffle = :raffle AND ordinal = event.ordinal),
            (SELECT serial FROM forfeits WHERE raffle = :raffle AND number = event.ordinal - :drawn))) AS ticket,
        (SELECT name FROM prizes WHERE raffle = :raffle AND position = coalesce(
            (SELECT prize FROM wins WHERE raffle = :raffle AND ordinal = event.ordinal),
            (SELECT prize FROM forfeits WHERE raffle = :raffle AND number = event.ordinal - :drawn))) AS prize,
        (SELECT number FROM tickets WHERE raffle = :raffle AND serial = event.heir_serial) AS heir
    FROM (
        SELECT * FROM (
            SELECT redeemed_at AS at, ordinal, number, 0 AS step, redeemed_by AS by, {_NO_FORFEIT}
            FROM redemptions
            WHERE raffle = :raffle AND ordinal <= :wins AND (redeemed_at, ordinal, number, 0) > {_AFTER}
            ORDER BY redeemed_at, ordinal, number LIMIT :most
        ) AS redeemed
        UNION ALL
        SELECT * FROM (
            SELECT undone_at, ordinal, number, 1, undone_by, {_NO_FORFEIT}
            FROM redemptions
            WHERE raffle = :raffle AND ordinal <= :wins AND undone_at IS NOT NULL
                AND (undone_at, ordinal, number, 1) > {_AFTER}
            ORDER BY undone_at, ordinal, number LIMIT :most
        ) AS undone
        UNION ALL
        SELECT * FROM (
            SELECT forfeited_at, ordinal, CAST(:last AS BIGINT), 0, forfeited_by, why, reason, serial
            FROM forfeits
            WHERE raffle = :raffle AND number <= :forfeits
                AND (forfeited_at, ordinal, CAST(:last AS BIGINT), 0) > {_AFTER}
            ORDER BY forfeited_at, ordinal LIMIT :most
        ) AS forfeited
        ORDER BY at, ordinal, number, step LIMIT :most
    ) AS event
    ORDER BY event.at, event.ordinal, event.number, event.step""").bindparams(bindparam("raffle", type_=RaffleKey))  # noqa: S608 - ours
