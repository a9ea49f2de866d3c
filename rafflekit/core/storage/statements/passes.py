"""Every statement about desk passes: they are stored, found by the hash of their token, listed and revoked."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, and_, bindparam, insert, select, update

from rafflekit.core.models import DeskPass, Right
from rafflekit.core.storage.schema import passes


def lock_passes(connection: Connection) -> None:
    """Lock the passes against other writers; call it first in a transaction. On SQLite, a writer has locked all."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE passes IN SHARE ROW EXCLUSIVE MODE")


def insert_pass(connection: Connection, token_hash: bytes, new: DeskPass) -> None:
    """Store a new pass; the passes are locked."""
    connection.execute(
        insert(passes).values(
            token_hash=token_hash,
            name=new.name,
            may=" ".join(sorted(new.may)),
            made_at=_seconds(new.made_at),
            expires_at=_seconds(new.expires_at),
        )
    )


def pass_of_token(connection: Connection, token_hash: bytes) -> DeskPass | None:
    """Return the pass whose token has this hash, valid or not, or None if there is none."""
    row = connection.execute(_OF_TOKEN, {"token_hash": token_hash}).one_or_none()
    return None if row is None else _pass(row)


def valid_passes(connection: Connection, now: datetime) -> list[DeskPass]:
    """Return the passes that are valid, in the order of their names."""
    return sorted(map(_pass, connection.execute(_VALID, {"now": _seconds(now)})), key=lambda each: each.name)


def ended_passes(connection: Connection, now: datetime, *, most: int) -> list[DeskPass]:
    """Return at most `most` of the passes that have expired or were revoked, the last to expire first."""
    return [_pass(row) for row in connection.execute(_ENDED, {"now": _seconds(now), "most": most})]


def revoke_pass(connection: Connection, name: str, now: datetime) -> None:
    """Revoke the valid pass with this name; the passes are locked."""
    valid = and_(_IS_VALID, passes.c.name == bindparam("of_name"))
    values = {"now": _seconds(now), "of_name": name, "at": _seconds(now)}
    connection.execute(update(passes).where(valid).values(revoked_at=bindparam("at")), values)


_NOW: BindParameter[int] = bindparam("now")
_IS_VALID: ColumnElement[bool] = and_(passes.c.expires_at > _NOW, passes.c.revoked_at.is_(None))
_PASSES = select(passes.c.name, passes.c.may, passes.c.made_at, passes.c.expires_at, passes.c.revoked_at)
_OF_TOKEN = _PASSES.where(passes.c.token_hash == bindparam("token_hash"))
_VALID = _PASSES.where(_IS_VALID)
_ENDED = _PASSES.where(~_IS_VALID).order_by(passes.c.expires_at.desc(), passes.c.name).limit(bindparam("most"))


def _pass(row: Sequence[Any]) -> DeskPass:
    name, may, made_at, expires_at, revoked_at = row
    revoked = None if revoked_at is None else _date(revoked_at)
    return DeskPass(name, frozenset(map(Right, may.split())), _date(made_at), _date(expires_at), revoked)


def _date(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
