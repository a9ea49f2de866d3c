"""Every statement that reads all of a raffle for its operator, page by page, each page found by its key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, and_, bindparam, func, null, select, text

from rafflekit.core.models import ClaimEvent, ExportedClaim
from rafflekit.core.storage.schema import FORGOTTEN, RaffleKey, forfeits, prizes, redemptions, tickets, wins
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


def holders_of(
    connection: Connection, raffle: UUID, lost: Mapping[int, int], progress: Progress, *, heirs: int
) -> dict[int, int]:
    """Return the number of the ticket that has the prize of each lost win now, by the win's ordinal.

    `lost` has the number of each win's forfeit. Of all forfeits, the first `heirs` passed their prize on; a prize that
    lapsed has no holder. Prizes that passed on again and again take a query each time, for all of them together.
    """
    next_of: dict[int, int] = {}
    new = {number for number in lost.values() if number <= heirs}
    while new:
        again = select(forfeits.c.ordinal, forfeits.c.number).where(
            forfeits.c.raffle == raffle,
            forfeits.c.ordinal.in_([progress.wins + number for number in new]),
            forfeits.c.number <= progress.forfeits,
        )
        found = {row.ordinal - progress.wins: row.number for row in connection.execute(again)}
        next_of |= found
        new = {number for number in found.values() if number <= heirs}
    ends = {ordinal: _end(next_of, number) for ordinal, number in lost.items()}
    heir_of = dict(
        connection.execute(
            select(forfeits.c.number, tickets.c.number)
            .join(tickets, and_(tickets.c.raffle == forfeits.c.raffle, tickets.c.serial == forfeits.c.serial))
            .where(forfeits.c.raffle == raffle, forfeits.c.number.in_(set(ends.values())))
        ).all()
    )
    return {ordinal: heir_of[end] for ordinal, end in ends.items() if end in heir_of}


def _end(next_of: Mapping[int, int], number: int) -> int:
    """Return the last forfeit of the prize that a forfeit passed on."""
    while number in next_of:
        number = next_of[number]
    return number


def events_after(connection: Connection, *, raffle: UUID, after: EventPlace, most: int) -> list[PlacedEvent]:
    """Return at most `most` events of a raffle after a place, in the order of time."""
    rows = connection.execute(_EVENTS, {"raffle": raffle, "most": most, **after._asdict(), "last": _LAST})
    return [_event(row) for row in rows]


def code_hashes(connection: Connection, *, raffle: UUID, numbers: Sequence[int]) -> dict[int, str]:
    """Return the hashes of these tickets' codes, by number; a number that no ticket has is omitted."""
    of_these = select(tickets.c.number, tickets.c.code_hash).where(
        tickets.c.raffle == raffle, tickets.c.number.in_(numbers)
    )
    return dict(connection.execute(of_these).all())


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
    return _span(prizes.c.name, redemptions.c.redeemed_at, loss.c.number).select_from(
        tickets.outerjoin(wins, and_(wins.c.raffle == of_raffle, wins.c.serial == tickets.c.serial))
        .outerjoin(
            taken,
            and_(taken.c.raffle == of_raffle, taken.c.serial == tickets.c.serial, taken.c.number <= until),
        )
        .outerjoin(prizes, and_(prizes.c.raffle == of_raffle, prizes.c.position == position))
        .outerjoin(
            redemptions,
            and_(
                redemptions.c.raffle == of_raffle,
                redemptions.c.ordinal == ordinal,
                redemptions.c.undone_at.is_(None),
            ),
        )
        .outerjoin(loss, and_(loss.c.raffle == of_raffle, loss.c.ordinal == ordinal, loss.c.number <= until))
    )


_UNDRAWN = _span(null(), null(), null())
_DRAWN = _drawn()

# A prize that was forfeited is never redeemed later: so a win's forfeit follows all its redemptions.
_LAST = 2**62

_EVENTS = text("""
    SELECT event.*, tickets.number AS ticket, prizes.name AS prize, heirs.number AS heir
    FROM (
        SELECT * FROM (
            SELECT redeemed_at AS at, ordinal, number, 0 AS step, redeemed_by AS by, CAST(NULL AS TEXT) AS why,
                CAST(NULL AS TEXT) AS reason, CAST(NULL AS BIGINT) AS heir_serial
            FROM redemptions WHERE raffle = :raffle
            UNION ALL
            SELECT undone_at, ordinal, number, 1, undone_by, NULL, NULL, NULL
            FROM redemptions WHERE raffle = :raffle AND undone_at IS NOT NULL
            UNION ALL
            SELECT forfeited_at, ordinal, CAST(:last AS BIGINT), 0, forfeited_by, why, reason, serial
            FROM forfeits WHERE raffle = :raffle
        ) AS every_event
        WHERE (at, ordinal, number, step) > (:at, :ordinal, :number, :step)
        ORDER BY at, ordinal, number, step LIMIT :most
    ) AS event
    JOIN draws ON draws.raffle = :raffle
    LEFT JOIN wins ON wins.raffle = :raffle AND wins.ordinal = event.ordinal
    LEFT JOIN forfeits AS taken ON taken.raffle = :raffle AND taken.number = event.ordinal - draws.wins
    JOIN tickets ON tickets.raffle = :raffle AND tickets.serial = coalesce(wins.serial, taken.serial)
    JOIN prizes ON prizes.raffle = :raffle AND prizes.position = coalesce(wins.prize, taken.prize)
    LEFT JOIN tickets AS heirs ON heirs.raffle = :raffle AND heirs.serial = event.heir_serial
    ORDER BY event.at, event.ordinal, event.number, event.step""").bindparams(bindparam("raffle", type_=RaffleKey))
