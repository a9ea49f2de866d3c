"""Every statement about a raffle itself: its terms, its place in the list, its lock, its end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from rafflekit.core.errors import RaffleNotFound, StorageUnavailable
from rafflekit.core.models import Raffle, State
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.checkpoints import Cancellation, End
from rafflekit.core.protocol.entropy import SOURCES
from rafflekit.core.protocol.terms import TIMES, Terms
from rafflekit.core.storage.schema import counters, prizes, raffles


@dataclass(frozen=True, slots=True)
class Creation:
    """By which a repeated creation is recognised: the hash of its idempotency key, and of what was asked for."""

    key: bytes
    request: bytes


def insert_raffle(
    connection: Connection, terms: Terms, *, folded_name: str, verifier_key: str, creation: Creation | None
) -> None:
    """Store a new raffle with its prizes, and no ticket issued yet, after all others; call it after `lock_list`."""
    last = connection.scalar(select(func.max(raffles.c.sequence))) or 0
    connection.execute(
        insert(raffles).values(
            id=terms.id,
            sequence=last + 1,
            created_at=int(terms.created_at.timestamp()),
            verifier_key=verifier_key,
            creation_key=None if creation is None else creation.key,
            creation_hash=None if creation is None else creation.request,
            **_changeable(terms, folded_name),
        )
    )
    connection.execute(insert(counters).values(raffle=terms.id, issued=0))
    _insert_prizes(connection, terms)


def lock_list(connection: Connection) -> None:
    """Lock the list of raffles against other creations; call it first in a transaction.

    On PostgreSQL, this also waits for a draw that is about to commit. Unlike an advisory lock, it is taken before the
    transaction reads anything, at every isolation level.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE raffles IN SHARE ROW EXCLUSIVE MODE")


def creation_with(connection: Connection, key: bytes) -> tuple[UUID, bytes] | None:
    """Return the raffle that was created with an idempotency key, and the hash of what was asked for then."""
    created = select(raffles.c.id, raffles.c.creation_hash).where(raffles.c.creation_key == key)
    row = connection.execute(created).one_or_none()
    return None if row is None else (row.id, row.creation_hash)


def replace_terms(connection: Connection, terms: Terms, *, folded_name: str) -> None:
    """Store other terms of a raffle that is locked and has no tickets."""
    connection.execute(update(raffles).where(raffles.c.id == terms.id).values(**_changeable(terms, folded_name)))
    connection.execute(delete(prizes).where(prizes.c.raffle == terms.id))
    _insert_prizes(connection, terms)


def _changeable(terms: Terms, folded_name: str) -> dict[str, Any]:
    values = {name: _stored(getattr(terms, name)) for name in _TERMS if name not in ("id", "created_at")}
    return {**values, "folded_name": folded_name}


def _stored(value: Any) -> Any:
    return int(value.timestamp()) if isinstance(value, datetime) else value


def _insert_prizes(connection: Connection, terms: Terms) -> None:
    rows = [
        {"raffle": terms.id, "position": position, "name": prize.name, "amount": prize.amount}
        for position, prize in enumerate(terms.prizes)
    ]
    connection.execute(insert(prizes), rows)


def any_verifier_key(connection: Connection) -> str | None:
    """Return one of the keys that sign the ledgers here, or None if there is no raffle yet."""
    return connection.scalar(select(raffles.c.verifier_key).limit(1))


def count_of_other_keys(connection: Connection, verifier_key: str) -> int:
    """Return the number of raffles, neither drawn nor cancelled, that need another signing key."""
    wanted = select(func.count()).where(_UNFINISHED, raffles.c.verifier_key != verifier_key)
    return connection.scalar(wanted) or 0


def close_raffle(connection: Connection, raffle: UUID, end: End) -> None:
    """Store the end of a raffle's ledger, which is final."""
    connection.execute(update(raffles).where(raffles.c.id == raffle).values(closed_at=end.closed, round=end.round))


def mark_cancelled(connection: Connection, raffle: UUID, cancellation: Cancellation) -> None:
    """Store that a raffle is cancelled, which is final."""
    cancelled = {"cancelled_at": cancellation.time, "reason": cancellation.reason}
    connection.execute(update(raffles).where(raffles.c.id == raffle).values(cancelled))


def due_raffles(connection: Connection, now: int, *, most: int) -> list[UUID]:
    """Return raffles whose time is over, that are not closed, and that have a ticket for each prize."""
    prizes_in_all = select(func.sum(prizes.c.amount)).where(prizes.c.raffle == raffles.c.id).scalar_subquery()
    due = (
        select(raffles.c.id)
        .join(counters, counters.c.raffle == raffles.c.id)
        .where(
            raffles.c.closes_at <= now,
            raffles.c.closed_at.is_(None),
            raffles.c.cancelled_at.is_(None),
            counters.c.issued >= prizes_in_all,
        )
        .order_by(raffles.c.closes_at)
        .limit(most)
    )
    return list(connection.scalars(due))


_UNFINISHED = and_(raffles.c.drawn_at.is_(None), raffles.c.cancelled_at.is_(None))

# The terms as they are stored, in the order of `Terms`; the prizes are rows of another table.
_TERMS = [field.name for field in fields(Terms) if field.name in raffles.c]
_TIMES = [_TERMS.index(name) - _TERMS.index("entropy") - 1 for name in TIMES]
_PROGRESS = ("closed_at", "round", "cancelled_at", "reason", "drawn_at", "verifier_key")

# One row per prize. It is one statement, so that it shows one state of the raffle without a transaction.
_RAFFLES = (
    select(
        *(raffles.c[name] for name in _TERMS),
        *(raffles.c[name] for name in _PROGRESS),
        counters.c.issued,
        prizes.c.name.label("prize"),
        prizes.c.amount,
    )
    .join(counters, counters.c.raffle == raffles.c.id)
    .join(prizes, prizes.c.raffle == raffles.c.id)
)


RAFFLE = _RAFFLES.where(raffles.c.id == bindparam("raffle")).order_by(prizes.c.position)
"""The rows of one raffle, for `raffle_of`."""


def raffle_of(rows: Sequence[Sequence[Any]]) -> Raffle | None:
    """Return the raffle that these rows describe, or None if there are no rows.

    Raises:
        StorageUnavailable: it has an impossible date, an unknown source of entropy, or a value of a wrong type.
    """
    if not rows:
        return None
    row = rows[0]
    # In the order of `Terms`, whose other fields follow the prizes.
    id, name, created_at, total_tickets, entropy, *options = row[: len(_TERMS)]
    closed_at, round, cancelled_at, reason, drawn_at, verifier_key, issued, _, _ = row[len(_TERMS) :]
    if entropy not in SOURCES:
        raise StorageUnavailable(
            "A raffle in the database has an unknown source of entropy; 'rafflekit doctor' says which."
        )
    try:
        for place in _TIMES:
            options[place] = _date(options[place])
        terms = Terms(
            id if isinstance(id, UUID) else UUID(bytes=id),
            name,
            datetime.fromtimestamp(created_at, UTC),
            int(total_tickets),
            tuple([Prize(each[-2], each[-1]) for each in rows]),
            entropy,
            *options,
        )
        return Raffle(
            terms,
            issued=int(issued),
            end=None if closed_at is None else End(closed_at, round),
            cancellation=None if cancelled_at is None else Cancellation(cancelled_at, reason),
            drawn_at=_date(drawn_at),
            verifier_key=verifier_key,
        )
    # The system's calendar ends somewhere, Python's in the year 9999; and SQLite stores any type of value.
    except (OverflowError, OSError, TypeError, ValueError) as error:
        raise StorageUnavailable(
            "A raffle in the database has a value of a wrong type; 'rafflekit doctor' says which."
        ) from error


def _date(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


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


def newest_raffles(connection: Connection, *, newest: int, most: int, most_prizes: int | None = None) -> list[Raffle]:
    """Return raffles from the `newest`-th backwards; the sequence is dense, so every page costs the same."""
    span = raffles.c.sequence.between(newest - most + 1, newest)
    return _newest_first(connection, _RAFFLES.where(span), most_prizes)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which raffles are listed; None matches all. `is_whole` compares the whole folded name, not a part of it."""

    folded_name: str | None = None
    is_whole: bool = False
    drawn: bool | None = None
    state: State | None = None
    now: int = 0


def count_matching(connection: Connection, which: Filter) -> int:
    """Return how many raffles match."""
    counted = select(func.count()).select_from(raffles).where(_matching(connection, which))
    return connection.scalar(counted) or 0


def newest_matching(
    connection: Connection, which: Filter, *, skip: int, most: int, most_prizes: int | None = None
) -> list[Raffle]:
    """Return matching raffles, the newest first. A search by a name, or by a part of it, reads every name."""
    matching = select(raffles.c.id).where(_matching(connection, which))
    page = matching.order_by(raffles.c.sequence.desc()).offset(skip).limit(most).subquery()
    return _newest_first(connection, _RAFFLES.join(page, page.c.id == raffles.c.id), most_prizes)


def _newest_first(connection: Connection, chosen: Select[Any], most_prizes: int | None) -> list[Raffle]:
    """Return these raffles, each with at most this number of its prizes; None for all."""
    chosen = chosen.order_by(raffles.c.sequence.desc(), prizes.c.position)
    if most_prizes is None:
        return _with_prizes(connection.execute(chosen).all())
    found = _with_prizes(connection.execute(chosen.where(prizes.c.position < most_prizes)).all())
    full = [raffle.id for raffle in found if len(raffle.prizes) == most_prizes]
    # A raffle's positions are dense, so its prizes are counted by their last one.
    last = select(func.max(prizes.c.position)).where(prizes.c.raffle == raffles.c.id).scalar_subquery()
    counted = select(raffles.c.id, last + 1 - most_prizes).where(raffles.c.id.in_(full))
    more = dict(connection.execute(counted).all())
    return [replace(each, more_prizes=more.get(each.id, 0)) for each in found]


def lock_raffle(connection: Connection, raffle: UUID) -> Raffle:
    """Lock a raffle against other writers until the transaction ends, and return it.

    On SQLite, a writer has locked all raffles. On PostgreSQL the row is written unchanged, not just locked: under
    REPEATABLE READ, a transaction that waited for a mere lock continues with what was true before the wait; one that
    waited for a write must run again.

    Raises:
        RaffleNotFound: no raffle has this id.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(update(counters).where(counters.c.raffle == raffle).values(issued=counters.c.issued))
    found = load_raffle(connection, raffle)
    if found is None:
        raise RaffleNotFound
    return found


def _matching(connection: Connection, which: Filter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if which.folded_name is not None and which.is_whole:
        conditions.append(raffles.c.folded_name == which.folded_name)
    elif which.folded_name is not None:
        # The same function, under two names.
        place_of = func.strpos if connection.dialect.name == "postgresql" else func.instr
        conditions.append(place_of(raffles.c.folded_name, which.folded_name) > 0)
    if which.drawn is not None:
        conditions.append(raffles.c.drawn_at.is_not(None) if which.drawn else raffles.c.drawn_at.is_(None))
    if which.state is not None:
        conditions.append(_in_state(which.state, which.now))
    return and_(True, *conditions)


def _in_state(state: State, now: int) -> ColumnElement[bool]:
    """Return the condition of a state, as `lifecycle.state_of` has it."""
    ended = or_(raffles.c.closed_at.is_not(None), func.coalesce(raffles.c.closes_at <= now, false()))
    upcoming = func.coalesce(raffles.c.opens_at > now, false())
    return {
        State.CANCELLED: raffles.c.cancelled_at.is_not(None),
        State.DRAWN: raffles.c.drawn_at.is_not(None),
        State.CLOSED: and_(_UNFINISHED, ended),
        State.UPCOMING: and_(_UNFINISHED, not_(ended), upcoming),
        State.OPEN: and_(_UNFINISHED, not_(ended), not_(upcoming)),
    }[state]


def _with_prizes(rows: Iterable[Sequence[Any]]) -> list[Raffle]:
    grouped = (raffle_of(list(of_one)) for _, of_one in groupby(rows, key=itemgetter(0)))
    return [raffle for raffle in grouped if raffle is not None]
