"""The terms of a raffle: what was announced when it was created, and the hash that binds it (section 2)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.dates import write_time
from rafflekit.core.protocol.entropy import SECRETS, SOURCES, SourceMissing
from rafflekit.core.protocol.hashing import PROTOCOL, tagged_hash
from rafflekit.core.protocol.shapes import AnnouncedShape, TermsShape


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms, which never change; `entropy` names the source, `delay_s` is None if that source has no delay."""

    id: UUID
    name: str
    created_at: datetime
    total_tickets: int
    prizes: Sequence[Prize]
    entropy: str = SECRETS
    delay_s: int | None = None

    def checked(self) -> "Terms":
        """Return the terms of a new raffle as they will be announced, with the default delay if there is one.

        Raises:
            InvalidValue: for the first of the terms that breaks a limit, also if this machine cannot check the source.
        """
        limits.check_raffle(self.name, self.total_tickets, self.prizes)
        delay_s = _checked_delay(self.entropy, self.delay_s)
        return replace(self, prizes=tuple(self.prizes), delay_s=delay_s)

    def announced(self) -> AnnouncedShape:
        """Return what every answer about the raffle says of the terms."""
        return {
            "id": str(self.id),
            "name": self.name,
            "created_at": write_time(self.created_at),
            "total_tickets": self.total_tickets,
            "prizes": [{"name": prize.name, "amount": prize.amount} for prize in self.prizes],
            "entropy": self.entropy,
        }

    def shape(self) -> TermsShape:
        """Return the terms as JSON has them."""
        # mypy wants every optional key spelled out next to `**`.
        shape = cast("TermsShape", {"protocol": PROTOCOL, **self.announced()})
        if self.delay_s is not None:
            shape["delay_s"] = self.delay_s
        return shape

    def hash(self) -> bytes:
        """Return the terms hash."""
        return tagged_hash("terms", canonical_json(self.shape()))


def _checked_delay(entropy: object, delay_s: object) -> int | None:
    source = SOURCES.get(entropy) if isinstance(entropy, str) else None
    if source is None:
        raise InvalidValue("entropy", f"must be {' or '.join(SOURCES)}.")
    if source.delay is None:
        if delay_s is not None:
            delayed = " or ".join(name for name, each in SOURCES.items() if each.delay is not None)
            raise InvalidValue("delay_s", f"is only for {delayed}; {source.name} has no delay.")
        return None
    bounds = source.delay
    if delay_s is None:
        delay_s = bounds.default
    if isinstance(delay_s, bool) or not isinstance(delay_s, int) or not bounds.least <= delay_s <= bounds.most:
        raise InvalidValue("delay_s", f"must be a whole number of seconds from {bounds.least} to {bounds.most:,}.")
    try:
        source.require()
    except SourceMissing as error:
        raise InvalidValue("entropy", f"cannot be {source.name} here: {error}") from error
    return delay_s


def canonical_json(value: Any) -> bytes:
    r"""Return the canonical JSON (RFC 8785) of dicts with ASCII keys, lists, texts and whole numbers.

    For these, Python's own form is the canonical one: numbers below 2⁵³ in digits, texts with the shortest escapes.

    >>> canonical_json({"b": [1, "é\n"], "a": 10**12})
    b'{"a":1000000000000,"b":[1,"\xc3\xa9\\n"]}'
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
