"""The terms of a raffle: what was announced when it was created, and the hash that binds it (section 2)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NotRequired, TypedDict, cast
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.dates import read_time, write_time
from rafflekit.core.protocol.entropy import SECRETS, SOURCES, SourceMissing
from rafflekit.core.protocol.hashing import PROTOCOL, tagged_hash
from rafflekit.core.protocol.strict_json import DocumentWrong, fields_of, list_of, number_of, text_of


class PrizeShape(TypedDict):
    """A prize of a raffle."""

    name: str
    amount: int


class AnnouncedShape(TypedDict):
    """The terms that every answer about a raffle has in the same form."""

    id: str
    name: str
    created_at: str
    total_tickets: int
    prizes: list[PrizeShape]
    entropy: str


class TermsShape(AnnouncedShape):
    """The terms as they are hashed; an option is present if the raffle has it."""

    protocol: int
    delay_s: NotRequired[int]


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
        """Return the terms without `delay_s`: without a delay, answers have null there, and hashed terms nothing."""
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


def read_terms(value: Any) -> Terms:
    """Read the terms from the JSON of a document.

    Raises:
        DocumentWrong: they have another form, or another protocol version.
    """
    names = ("protocol", "id", "name", "created_at", "total_tickets", "prizes", "entropy")
    has_delay = isinstance(value, dict) and "delay_s" in value
    fields = fields_of(value, "terms", *names, *(["delay_s"] if has_delay else []))
    if number_of(fields, "protocol", 1, PROTOCOL) != PROTOCOL:
        raise DocumentWrong("the terms have another protocol version")
    prizes = [
        Prize(text_of(prize, "name"), number_of(prize, "amount", 1, limits.PRIZES))
        for prize in (
            fields_of(each, "terms.prizes", "name", "amount") for each in list_of(fields["prizes"], "terms.prizes")
        )
    ]
    total_tickets = number_of(fields, "total_tickets", 1, limits.TICKETS)
    source = SOURCES.get(text_of(fields, "entropy"))
    if source is None or has_delay != (source.delay is not None):
        raise DocumentWrong(
            f"terms.entropy is not one of {', '.join(SOURCES)}, or delay_s does not belong to it or is missing"
        )
    try:
        limits.check_raffle(text_of(fields, "name"), total_tickets, prizes)
    except InvalidValue as error:
        raise DocumentWrong(f"terms.{error.field}: {error.reason.rstrip('.')}") from error
    return Terms(
        id=_uuid(text_of(fields, "id")),
        name=fields["name"],
        created_at=_time(text_of(fields, "created_at")),
        total_tickets=total_tickets,
        prizes=prizes,
        entropy=source.name,
        delay_s=None if source.delay is None else number_of(fields, "delay_s", source.delay.least, source.delay.most),
    )


def _uuid(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError as error:
        raise DocumentWrong("terms.id is not the id of a raffle") from error
    if str(found) != text:
        raise DocumentWrong("terms.id is not in the form of an id")
    return found


def _time(text: str) -> datetime:
    found = read_time(text)
    if found is None:
        raise DocumentWrong("terms.created_at is not a time YYYY-MM-DDThh:mm:ssZ from 1970 on")
    return found


def canonical_json(value: Any) -> bytes:
    r"""Return the canonical JSON (RFC 8785) of dicts with ASCII keys, lists, texts and whole numbers.

    For these, Python's own form is the canonical one: numbers below 2⁵³ in digits, texts with the shortest escapes.

    >>> canonical_json({"b": [1, "é\n"], "a": 10**12})
    b'{"a":1000000000000,"b":[1,"\xc3\xa9\\n"]}'
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
