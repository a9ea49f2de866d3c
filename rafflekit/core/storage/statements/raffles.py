"""Every statement about a raffle itself: its terms, its place in the list, its lock."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, insert, select, update

from rafflekit.core.errors import StorageUnavailable
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.storage.schema import counters, ledgers, prizes, raffles
from rafflekit.core.storage.statements.ledgers import OPTIONS


def insert_raffle(connection: Connection, terms: Terms, *, folded_name: str) -> None:
    """Store a new raffle with its prizes, and no ticket issued yet, after all others; call it first in a transaction.

    On PostgreSQL, it locks the raffles against other creations; this also waits for a draw that is about to commit.
    Unlike an advisory lock, that is taken before the transaction reads anything, at every isolation level.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE raffles IN SHARE ROW EXCLUSIVE MODE")
    last = connection.scalar(select(func.max(raffles.c.sequence))) or 0
    connection.execute(
        insert(raffles).values(
            id=terms.id,
            sequence=last + 1,
            name=terms.name,
            folded_name=folded_name,
            created_at=int(terms.created_at.timestamp()),
            total_tickets=terms.total_tickets,
        )
    )
    connection.execute(insert(counters).values(raffle=terms.id, issued=0))
    rows = [
        {"raffle": terms.id, "position": position, "name": prize.name, "amount": prize.amount}
        for position, prize in enumerate(terms.prizes)
    ]
    connection.execute(insert(prizes), rows)


_OPTION_NAMES = [column.name for column in OPTIONS]

# One row per prize. It is one statement, so that it shows one state of the raffle without a transaction.
_RAFFLES = (
    select(
        raffles.c.id,
        raffles.c.name,
        raffles.c.created_at,
        raffles.c.total_tickets,
        *OPTIONS,
        counters.c.issued,
        raffles.c.drawn_at,
        prizes.c.name.label("prize"),
        prizes.c.amount,
    )
    .join(counters, counters.c.raffle == raffles.c.id)
    .join(ledgers, ledgers.c.raffle == raffles.c.id)
    .join(prizes, prizes.c.raffle == raffles.c.id)
)


RAFFLE = _RAFFLES.where(raffles.c.id == bindparam("raffle")).order_by(prizes.c.position)
"""The rows of one raffle, for `raffle_of`."""


def raffle_of(rows: Sequence[Sequence[Any]]) -> Raffle | None:
    """Return the raffle that these rows describe, or None if there are no rows.

    Raises:
        StorageUnavailable: it has an impossible date, or a value of a wrong type.
    """
    if not rows:
        return None
    id, name, created_at, total_tickets, *options, issued, drawn_at, _, _ = rows[0]
    try:
        terms = Terms(
            id=id if isinstance(id, UUID) else UUID(bytes=id),
            name=name,
            created_at=datetime.fromtimestamp(created_at, UTC),
            total_tickets=int(total_tickets),
            prizes=tuple([Prize(row[-2], row[-1]) for row in rows]),
            **dict(zip(_OPTION_NAMES, options, strict=True)),
        )
        return Raffle(
            terms,
            issued=int(issued),
            drawn_at=None if drawn_at is None else datetime.fromtimestamp(drawn_at, UTC),
        )
    # The system's calendar ends somewhere, Python's in the year 9999; and SQLite stores any type of value.
    except (OverflowError, OSError, TypeError, ValueError) as error:
        raise StorageUnavailable(
            "A raffle in the database has a value of a wrong type; 'rafflekit doctor' says which."
        ) from error


def load_raffle(connection: Connection, raffle: UUID) -> Raffle | None:
    """Return a raffle, or None."""
    return raffle_of(connection.execute(RAFFLE, {"raffle": raffle}).all())


def ids_between(connection: Connection, first: UUID, last: UUID, *, most: int) -> list[UUID]:
    """Return at most `most` ids of raffles from `first` to `last`, in order."""
    between = select(raffles.c.id).where(raffles.c.id.between(first, last)).order_by(raffles.c.id).limit(most)
    return list(connection.scalars(between))


def count_raffles(connection: Connection) -> int:
    """Return the number of raffles; the cost does not depend on their number."""
    return connection.scalar(select(func.max(raffles.c.sequence))) or 0


def newest_raffles(connection: Connection, *, newest: int, most: int) -> list[Raffle]:
    """Return raffles from the `newest`-th backwards; the sequence is dense, so every page costs the same."""
    span = raffles.c.sequence.between(newest - most + 1, newest)
    return _with_prizes(connection.execute(_newest_first(_RAFFLES.where(span))).all())


def count_matching(connection: Connection, *, folded_name: str | None, drawn: bool | None) -> int:
    """Return how many raffles match a part of the folded name, and are drawn or not; None matches all."""
    return (
        connection.scalar(select(func.count()).select_from(raffles).where(_matching(connection, folded_name, drawn)))
        or 0
    )


def newest_matching(
    connection: Connection,
    *,
    folded_name: str | None,
    drawn: bool | None,
    skip: int,
    most: int,
    is_whole: bool = False,
) -> list[Raffle]:
    """Return matching raffles, the newest first. A search by a name, or by a part of it, reads every name."""
    matching = select(raffles.c.id).where(_matching(connection, folded_name, drawn, is_whole=is_whole))
    page = matching.order_by(raffles.c.sequence.desc()).offset(skip).limit(most).subquery()
    return _with_prizes(connection.execute(_newest_first(_RAFFLES.join(page, page.c.id == raffles.c.id))).all())


def _newest_first(chosen: Select[Any]) -> Select[Any]:
    return chosen.order_by(raffles.c.sequence.desc(), prizes.c.position)


def lock_counter(connection: Connection, raffle: UUID) -> None:
    """Lock a raffle against other writers until the transaction ends; on SQLite, a writer has locked all of them.

    On PostgreSQL the row is written unchanged, not just locked: under REPEATABLE READ, a transaction that waited for a
    mere lock continues with what was true before the wait; one that waited for a write must run again.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(update(counters).where(counters.c.raffle == raffle).values(issued=counters.c.issued))


def _matching(
    connection: Connection, folded_name: str | None, drawn: bool | None, *, is_whole: bool = False
) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if folded_name is not None and is_whole:
        conditions.append(raffles.c.folded_name == folded_name)
    elif folded_name is not None:
        # The same function, under two names.
        place_of = func.strpos if connection.dialect.name == "postgresql" else func.instr
        conditions.append(place_of(raffles.c.folded_name, folded_name) > 0)
    if drawn is not None:
        conditions.append(raffles.c.drawn_at.is_not(None) if drawn else raffles.c.drawn_at.is_(None))
    return and_(True, *conditions)


def _with_prizes(rows: Iterable[Sequence[Any]]) -> list[Raffle]:
    grouped = (raffle_of(list(of_one)) for _, of_one in groupby(rows, key=itemgetter(0)))
    return [raffle for raffle in grouped if raffle is not None]
