"""Every statement about a raffle's wins after the draw: who has which prize, redemptions, forfeits.

A win is a row of `wins`, or that of a forfeit whose prize passed on: forfeit j makes win W + j.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause, and_, bindparam, func, insert, select, text, update

from rafflekit.core.prizes import Win
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.storage.schema import RaffleKey, forfeits, redemptions


@dataclass(frozen=True, slots=True)
class Claim:
    """A ticket's win as it is now: its ordinal, its prize (from 0) and that prize's name, and what happened to it.

    `taken_over_at` is when it came from another ticket. Times are in UTC.
    """

    ordinal: int
    prize: int
    name: str
    taken_over_at: datetime | None = None
    redeemed_at: datetime | None = None
    forfeited_at: datetime | None = None
    reason: str | None = None
    redeemed_by: str | None = None


@dataclass(frozen=True, slots=True)
class GenuineTicket:
    """What a ticket is verified with: its serial, its code's hash, and its win, if it has one."""

    serial: int
    code_hash: str
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a drawn raffle is: its wins at the draw, and its forfeits."""

    wins: int
    forfeits: int
    last_forfeit_at: int | None
    """When the last forfeit was, in seconds since 1970."""

    def passed_on(self, issued: int) -> int:
        """Return how many forfeited prizes passed on, of `issued` tickets; the others lapsed: every ticket had won."""
        return min(self.forfeits, issued - self.wins)


@dataclass(frozen=True, slots=True)
class StandingWin:
    """A win with its ordinal, when its prize came from another ticket, and the number of the forfeit that took it."""

    ordinal: int
    win: Win
    taken_over_at: datetime | None
    forfeit: int | None


@dataclass(frozen=True, slots=True)
class Forfeit:
    """A stored forfeit, with the leaf of the ticket that took the prize over, None if the prize lapsed."""

    ordinal: int
    number: int
    forfeited_at: int
    why: str
    reason: str
    heir: Leaf | None


def progress_of(connection: Connection, raffle: UUID) -> Progress:
    """Return how far a drawn raffle is."""
    return Progress(*connection.execute(_PROGRESS, {"raffle": raffle}).one())


def count_redeemed(connection: Connection, raffle: UUID) -> int:
    """Count the prizes that are redeemed now, row by row."""
    live = and_(redemptions.c.raffle == raffle, redemptions.c.undone_at.is_(None))
    return connection.scalar(select(func.count()).where(live)) or 0


def wins_between(connection: Connection, raffle: UUID, first: int, last: int) -> list[Win]:
    """Return the wins of a raffle with the ordinals from `first` to `last` (from 1), in their order."""
    rows = connection.execute(_WINS, {"raffle": raffle, "first": first, "last": last})
    return [_win(row) for row in rows]


def standing_wins(connection: Connection, *, raffle: UUID, first: int, last: int) -> list[StandingWin]:
    """Return the wins with the ordinals from `first` to `last` (from 1), in their order, each with its place."""
    rows = connection.execute(_WINS, {"raffle": raffle, "first": first, "last": last})
    return [StandingWin(row.ordinal, _win(row), _date(row.since), row.forfeit) for row in rows]


def unredeemed_wins(connection: Connection, raffle: UUID, *, skip: int, most: int) -> list[Win]:
    """Return wins whose prize is neither redeemed nor forfeited, in the order of their ordinals."""
    rows = connection.execute(_UNREDEEMED, {"raffle": raffle, "skip": skip, "most": most})
    return [_win(row) for row in rows]


def genuine_ticket(connection: Connection, raffle: UUID, number: int) -> GenuineTicket | None:
    """Return what the ticket `number` of a raffle is verified with, or None if there is no such ticket."""
    row = connection.execute(_GENUINE, {"raffle": raffle, "number": number}).one_or_none()
    if row is None:
        return None
    serial, code_hash, ordinal, prize, name, taken_over_at, redeemed_at, forfeited_at, reason, redeemed_by = row
    if ordinal is None:
        return GenuineTicket(serial, code_hash, None)
    dates = _date(taken_over_at), _date(redeemed_at), _date(forfeited_at)
    return GenuineTicket(serial, code_hash, Claim(ordinal, prize, name, *dates, reason, redeemed_by))


def insert_redemption(
    connection: Connection, raffle: UUID, ordinal: int, redeemed_at: datetime, *, by: str | None
) -> None:
    """Store that the prize of a win was handed out, and with which pass; the raffle is locked."""
    number = select(func.coalesce(func.max(redemptions.c.number), 0) + 1).where(
        redemptions.c.raffle == raffle, redemptions.c.ordinal == ordinal
    )
    values = {"raffle": raffle, "ordinal": ordinal, "redeemed_at": int(redeemed_at.timestamp()), "redeemed_by": by}
    connection.execute(insert(redemptions).values(**values, number=number.scalar_subquery()))


def undo_redemption(connection: Connection, raffle: UUID, ordinal: int, undone_at: datetime, *, by: str | None) -> None:
    """Store that the redemption of a win was a mistake, and with which pass that was said; the raffle is locked."""
    live = and_(redemptions.c.raffle == raffle, redemptions.c.ordinal == ordinal, redemptions.c.undone_at.is_(None))
    connection.execute(update(redemptions).where(live).values(undone_at=int(undone_at.timestamp()), undone_by=by))


def insert_forfeit(connection: Connection, raffle: UUID, forfeit: Forfeit, *, prize: int, by: str | None) -> None:
    """Store a forfeit, and with which pass it was done; the raffle is locked."""
    connection.execute(
        insert(forfeits).values(
            raffle=raffle,
            ordinal=forfeit.ordinal,
            number=forfeit.number,
            forfeited_at=forfeit.forfeited_at,
            why=forfeit.why,
            reason=forfeit.reason,
            prize=prize,
            serial=None if forfeit.heir is None else forfeit.heir.serial,
            forfeited_by=by,
        )
    )


def stored_forfeits(connection: Connection, raffle: UUID, *, most: int) -> list[Forfeit]:
    """Return at most `most` forfeits of a raffle in the order of their numbers."""
    rows = connection.execute(_FORFEITS, {"raffle": raffle, "most": most})
    return [
        Forfeit(ordinal, number, at, why, reason, None if leaf[0] is None else Leaf(*leaf))
        for ordinal, number, at, why, reason, *leaf in rows
    ]


def unclaimed_wins(connection: Connection, raffle: UUID, *, drawn_at: int, until: int) -> list[Win]:
    """Return the wins whose prize is neither redeemed nor forfeited, and was won at a time up to `until`."""
    rows = connection.execute(_UNCLAIMED, {"raffle": raffle})
    return [_win(row) for row in rows if (drawn_at if row.since is None else row.since) <= until]


def _date(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _win(row: Sequence[Any]) -> Win:
    number, prize, redeemed_at, redeemed_by, forfeited_at, forfeited_by, reason, why, lost, *_ = row
    return Win(number, prize, _date(redeemed_at), _date(forfeited_at), reason, lost, why, redeemed_by, forfeited_by)


def _sql(written: str) -> TextClause:
    return text(written).bindparams(bindparam("raffle", type_=RaffleKey))


# Written out, since both databases know it, and it is read more often than it changes. Of each win: its ordinal, serial
# and prize, the ordinal of the win that was lost for it, and when.
_DRAWN = """
    SELECT ordinal, serial, prize, CAST(NULL AS BIGINT) AS lost, CAST(NULL AS BIGINT) AS since
    FROM wins WHERE raffle = :raffle"""
_TAKEN_OVER = """
    SELECT draws.wins + number, serial, prize, ordinal, forfeited_at
    FROM forfeits JOIN draws ON draws.raffle = forfeits.raffle
    WHERE forfeits.raffle = :raffle AND serial IS NOT NULL"""
_LOST_SERIAL = """
    coalesce(
        (SELECT serial FROM wins WHERE raffle = :raffle AND ordinal = win.lost),
        (SELECT serial FROM forfeits JOIN draws ON draws.raffle = forfeits.raffle
         WHERE forfeits.raffle = :raffle AND number = win.lost - draws.wins))"""
_WIN = f"""
    SELECT tickets.number, prizes.name, redemptions.redeemed_at, redemptions.redeemed_by, loss.forfeited_at,
        loss.forfeited_by, loss.reason, loss.why,
        (SELECT number FROM tickets WHERE raffle = :raffle AND serial = {_LOST_SERIAL}), win.since, win.ordinal,
        loss.number AS forfeit
    FROM ({{standing}}) AS win
    JOIN tickets ON tickets.raffle = :raffle AND tickets.serial = win.serial
    JOIN prizes ON prizes.raffle = :raffle AND prizes.position = win.prize
    LEFT JOIN redemptions ON redemptions.raffle = :raffle AND redemptions.ordinal = win.ordinal
        AND NOT redemptions.ordinal {{outside}} AND redemptions.undone_at IS NULL
    LEFT JOIN forfeits AS loss ON loss.raffle = :raffle AND loss.ordinal = win.ordinal
        AND NOT loss.ordinal {{outside}}"""  # noqa: S608 - ours
_BETWEEN = (
    f"{_DRAWN} AND ordinal BETWEEN :first AND :last UNION ALL "
    f"{_TAKEN_OVER} AND number BETWEEN :first - draws.wins AND :last - draws.wins"
)
# Said of each table: PostgreSQL, as long as it has no statistics, may read all of a raffle's redemptions and forfeits.
# Said as what is outside: SQLite would look through the whole page for each win, if it could search between the two.
_OF_THE_PAGE = _WIN.format(standing=_BETWEEN, outside="NOT BETWEEN :first AND :last")
_WINS = _sql(f"{_OF_THE_PAGE} ORDER BY win.ordinal")
_EVERY_UNREDEEMED = f"""{_WIN.format(standing=f"{_DRAWN} UNION ALL {_TAKEN_OVER}", outside="< 1")}
    WHERE redemptions.redeemed_at IS NULL AND loss.forfeited_at IS NULL ORDER BY win.ordinal"""
_UNREDEEMED = _sql(f"{_EVERY_UNREDEEMED} LIMIT :most OFFSET :skip")
_UNCLAIMED = _sql(_EVERY_UNREDEEMED)

_GENUINE = _sql("""
    SELECT ticket.serial, ticket.code_hash, ticket.ordinal, prizes.position, prizes.name, ticket.since,
        redemptions.redeemed_at, loss.forfeited_at, loss.reason, redemptions.redeemed_by
    FROM (
        SELECT tickets.serial, code_hash, coalesce(wins.ordinal, draws.wins + taken.number) AS ordinal,
            coalesce(wins.prize, taken.prize) AS prize, taken.forfeited_at AS since
        FROM tickets JOIN draws ON draws.raffle = tickets.raffle
        LEFT JOIN wins ON wins.raffle = tickets.raffle AND wins.serial = tickets.serial
        LEFT JOIN forfeits AS taken ON taken.raffle = tickets.raffle AND taken.serial = tickets.serial
        WHERE tickets.raffle = :raffle AND tickets.number = :number
    ) AS ticket
    LEFT JOIN prizes ON prizes.raffle = :raffle AND prizes.position = ticket.prize
    LEFT JOIN redemptions ON redemptions.raffle = :raffle AND redemptions.ordinal = ticket.ordinal
        AND redemptions.undone_at IS NULL
    LEFT JOIN forfeits AS loss ON loss.raffle = :raffle AND loss.ordinal = ticket.ordinal""")

_FORFEITS = _sql("""
    SELECT ordinal, forfeits.number, forfeited_at, why, reason, tickets.serial, tickets.number, tickets.code_hash
    FROM forfeits LEFT JOIN tickets ON tickets.raffle = forfeits.raffle AND tickets.serial = forfeits.serial
    WHERE forfeits.raffle = :raffle ORDER BY forfeits.number LIMIT :most""")

_PROGRESS = _sql("""
    SELECT wins,
        coalesce((SELECT max(number) FROM forfeits WHERE raffle = :raffle), 0),
        (SELECT forfeited_at FROM forfeits WHERE raffle = :raffle ORDER BY number DESC LIMIT 1)
    FROM draws WHERE raffle = :raffle""")
