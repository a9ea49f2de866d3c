"""Desk passes: who works at a raffle's desk, what they may do there, and until when.

A pass is a token that a person or a program shows. Only its hash is stored, so a copy of the database opens no desk.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.models import DeskPass, NewPass, Right
from rafflekit.core.protocol.quoting import quoted
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import passes as statements

TOKEN_PREFIX = "rkp_"  # noqa: S105 - by which people and programs recognise a token
"""The beginning of every token."""

_TOKEN_BYTES = 16
_NAMES_SHOWN = 20
_TOKEN = re.compile(rf"{TOKEN_PREFIX}[0-9a-f]{{{2 * _TOKEN_BYTES}}}")


class Passes:
    """The desk passes of one database: `engine.passes`."""

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime], random_bytes: Callable[[int], bytes]
    ) -> None:
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes

    def make(self, name: str, *, may: Iterable[Right | str], lasts: timedelta) -> NewPass:
        """Make a pass for the person or the program `name`, which is valid for `lasts`: a minute to 400 days.

        Return it with its token, of 128 random bits. The token is not stored, so this is the only time to read it.

        Raises:
            InvalidValue: a value breaks a limit, a valid pass has this name, or there are too many valid passes.
        """
        checked, rights = limits.given_pass_name("name", name), _checked_rights(may)
        limits.check_pass_lasts(lasts)
        token = TOKEN_PREFIX + self._random_bytes(_TOKEN_BYTES).hex()
        now = self._now()
        new = DeskPass(checked, rights, now, (now + lasts).replace(microsecond=0))

        def store(connection: Connection) -> None:
            statements.lock_passes(connection)
            valid = statements.valid_passes(connection, now)
            if any(each.name == new.name for each in valid):
                raise InvalidValue("name", "a valid pass has this name; revoke that pass, or give another name.")
            if len(valid) >= limits.PASSES:
                raise InvalidValue("name", f"there are {limits.PASSES:,} valid passes, the most possible; revoke some.")
            statements.insert_pass(connection, _hash_of(token), new)

        self._database.write(store)
        return NewPass(new, token)

    def list(self) -> list[DeskPass]:
        """List the valid passes in the order of their names, then those that ended, at most `ENDED_PASSES_LISTED`."""
        now = self._now()

        def look(connection: Connection) -> list[DeskPass]:
            ended = statements.ended_passes(connection, now, most=limits.ENDED_PASSES_LISTED)
            return statements.valid_passes(connection, now) + ended

        return self._database.read(look)

    def revoke(self, name: str) -> DeskPass:
        """End the valid pass with this name at once; return it as it is then.

        Raises:
            InvalidValue: no valid pass has this name; the reason lists those that there are.
        """
        checked, now = limits.given_pass_name("name", name), self._now()

        def store(connection: Connection) -> DeskPass:
            statements.lock_passes(connection)
            valid = {each.name: each for each in statements.valid_passes(connection, now)}
            if checked not in valid:
                raise InvalidValue("name", f"no valid pass has this name. {_listed(valid)}")
            statements.revoke_pass(connection, checked, now)
            return valid[checked]

        return replace(self._database.write(store), revoked_at=now)

    def find(self, token: str) -> DeskPass | None:
        """Return the valid pass with this token; None if it is unknown, or has expired or been revoked."""
        # A text of another form is not looked up.
        if not _TOKEN.fullmatch(token):
            return None
        found = self._database.query(lambda connection: statements.pass_of_token(connection, _hash_of(token)))
        return found if found is not None and found.is_valid_at(self._clock()) else None

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC).replace(microsecond=0)


def _hash_of(token: str) -> bytes:
    # A token has too many random bits to be guessed, so that a slow hash would protect nothing.
    return hashlib.sha256(token.encode()).digest()


def _checked_rights(may: Iterable[Right | str]) -> frozenset[Right]:
    wrong = InvalidValue("may", f"must be one or more of {', '.join(Right)}.")
    try:
        rights = frozenset(map(Right, [may] if isinstance(may, str) else may))
    except ValueError as error:
        raise wrong from error
    if not rights:
        raise wrong
    return rights


def _listed(valid: Iterable[str]) -> str:
    names = [quoted(name) for name in valid]
    shown, others = names[:_NAMES_SHOWN], len(names) - _NAMES_SHOWN
    if not names:
        return "There are no valid passes."
    return f"Valid: {', '.join(shown)}{f' and {others:,} more' if others > 0 else ''}."
