"""The terms of a raffle: what is announced of it, and the hash that binds it (section 2).

An option that a raffle does not have is neither in its JSON nor in its hash.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NotRequired, TypedDict, cast
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.dates import read_time, write_time
from rafflekit.core.protocol.entropy import SECRETS, SOURCES, Source, SourceMissing
from rafflekit.core.protocol.hashing import PROTOCOL, tagged_hash
from rafflekit.core.protocol.strict_json import DocumentWrong, fields_of, list_of, number_of, text_of

TIMES = ("opens_at", "closes_at", "draw_at")
"""The options that are times."""

TEXTS = ("collection", "promoter", "address", "price", "licence", "note")
"""The options that only announce something, in the organiser's words."""


class EntryRule(StrEnum):
    """Who may take a ticket: each address, people with an invitation, or people whom a manager gives a ticket."""

    ADDRESS = "address"
    INVITATION = "invitation"
    DESK = "desk"


class PrizeShape(TypedDict):
    """A prize of a raffle."""

    name: str
    amount: int


class AnnouncedShape(TypedDict):
    """The terms, as every answer about a raffle has them; an option is present if the raffle has it."""

    id: str
    name: str
    created_at: str
    total_tickets: int
    prizes: list[PrizeShape]
    entropy: str
    delay_s: NotRequired[int]
    source: NotRequired[str]
    entry: NotRequired[str]
    tickets_each: NotRequired[int]
    opens_at: NotRequired[str]
    closes_at: NotRequired[str]
    draw_at: NotRequired[str]
    claim_days: NotRequired[int]
    collection: NotRequired[str]
    promoter: NotRequired[str]
    address: NotRequired[str]
    price: NotRequired[str]
    licence: NotRequired[str]
    note: NotRequired[str]


class TermsShape(AnnouncedShape):
    """The terms as they are hashed."""

    protocol: int


class Options(TypedDict, total=False):
    """The options of a new raffle; `Terms` describes them."""

    entropy: str
    delay_s: int | None
    source: str | None
    entry: str
    tickets_each: int
    opens_at: datetime | None
    closes_at: datetime | None
    draw_at: datetime | None
    claim_days: int | None
    collection: str | None
    promoter: str | None
    address: str | None
    price: str | None
    licence: str | None
    note: str | None


class Changes(Options, total=False):
    """The terms that can change until the first ticket."""

    name: str
    total_tickets: int
    prizes: Sequence[Prize]


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms, which are final from the first ticket on; `docs/http-api.md` describes them.

    `entropy` names the source that decides. `delay_s` is None if that source has no delay, `source` if it is not
    announced. Times are in UTC and whole seconds. `draw_at` is when the draw is planned; a draw at another time is
    possible.
    """

    id: UUID
    name: str
    created_at: datetime
    total_tickets: int
    prizes: Sequence[Prize]
    entropy: str = SECRETS
    delay_s: int | None = None
    source: str | None = None
    entry: str = EntryRule.ADDRESS
    tickets_each: int = 1
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    draw_at: datetime | None = None
    claim_days: int | None = None
    collection: str | None = None
    promoter: str | None = None
    address: str | None = None
    price: str | None = None
    licence: str | None = None
    note: str | None = None

    def checked(self) -> "Terms":
        """Return the terms as they will be announced, with the default delay if there is one.

        Raises:
            InvalidValue: for the first of the terms that breaks a limit, also if this machine cannot check the source.
        """
        name, prizes = limits.announced_names(self.name, self.total_tickets, self.prizes)
        source = _source(self.entropy)
        delay_s = source.delay.default if source.delay is not None and self.delay_s is None else self.delay_s
        given: dict[str, Any] = {
            **{field: _whole_second(field, getattr(self, field)) for field in TIMES},
            **{field: _one_line(field, getattr(self, field)) for field in ("source", *TEXTS)},
        }
        terms = replace(self, name=name, prizes=prizes, delay_s=delay_s, **given)
        _check(terms)
        try:
            source.require()
        except SourceMissing as error:
            raise InvalidValue("entropy", f"cannot be {source.name} here: {error}") from error
        return terms

    def changed(self, changes: Mapping[str, Any], *, now: datetime) -> "Terms":
        """Return other terms of the same raffle, checked; None removes an option.

        Raises:
            InvalidValue: a term has an unknown name, or breaks a limit.
        """
        for name in changes:
            if name not in Changes.__annotations__:
                raise InvalidValue(name, "is not a term that can be changed.")
        values: dict[str, Any] = {
            name: _DEFAULTS[name] if value is None and name in _DEFAULTS else value for name, value in changes.items()
        }
        if values.get("entropy", self.entropy) != self.entropy:
            # They belong to the source.
            values = {"delay_s": None, "source": None} | values
        terms = replace(self, **values).checked()
        for field in ("closes_at", "draw_at"):
            moment = getattr(terms, field)
            if field in changes and moment is not None and moment <= now:
                raise InvalidValue(field, "must be in the future.")
        return terms

    def announced(self) -> AnnouncedShape:
        """Return the terms as answers have them."""
        shape = {
            "id": str(self.id),
            "name": self.name,
            "created_at": write_time(self.created_at),
            "total_tickets": self.total_tickets,
            "prizes": [{"name": prize.name, "amount": prize.amount} for prize in self.prizes],
            "entropy": self.entropy,
        }
        for name in _OPTIONS:
            value = getattr(self, name)
            if value != _DEFAULTS[name]:
                shape[name] = write_time(value) if isinstance(value, datetime) else value
        # mypy does not follow names that are computed.
        return cast("AnnouncedShape", shape)

    def shape(self) -> TermsShape:
        """Return the terms as they are hashed."""
        return cast("TermsShape", {"protocol": PROTOCOL, **self.announced()})

    def hash(self) -> bytes:
        """Return the terms hash."""
        return tagged_hash("terms", canonical_json(self.shape()))


_OPTIONS = [field.name for field in fields(Terms) if field.name in AnnouncedShape.__optional_keys__]
_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Terms) if field.default is not MISSING}


def _source(entropy: object) -> Source:
    source = SOURCES.get(entropy) if isinstance(entropy, str) else None
    if source is None:
        raise InvalidValue("entropy", f"must be {' or '.join(SOURCES)}.")
    return source


def _check(terms: Terms) -> None:
    """Check terms against every limit.

    Raises:
        InvalidValue: for the first that breaks one.
    """
    limits.check_raffle(terms.name, terms.total_tickets, terms.prizes)
    _check_source(_source(terms.entropy), terms)
    if terms.entry not in list(EntryRule):
        raise InvalidValue("entry", f"must be {' or '.join(EntryRule)}.")
    limits.check_count("tickets_each", terms.tickets_each, most=limits.TICKETS_EACH)
    _check_times(terms)
    if terms.claim_days is not None:
        limits.check_count("claim_days", terms.claim_days, most=limits.CLAIM_DAYS)
    for field in TEXTS:
        if (text := getattr(terms, field)) is not None:
            limits.check_reason(field, text)
    # Where tickets are sold, the law often asks for both.
    if terms.price is not None and terms.promoter is None:
        raise InvalidValue("promoter", "is missing: a raffle with a price must name its promoter.")
    if terms.price is not None and terms.draw_at is None:
        raise InvalidValue("draw_at", "is missing: a raffle with a price must say when it is drawn.")


def _check_times(terms: Terms) -> None:
    opens_at, closes_at, draw_at = terms.opens_at, terms.closes_at, terms.draw_at
    for field, moment in (("closes_at", closes_at), ("draw_at", draw_at)):
        if moment is not None and moment <= terms.created_at:
            raise InvalidValue(field, "must be after the moment when the raffle is created.")
        if moment is not None and opens_at is not None and moment <= opens_at:
            raise InvalidValue(field, "must be after the moment when it opens.")
    if draw_at is not None and closes_at is not None and draw_at < closes_at:
        raise InvalidValue("draw_at", "must not be before the moment when it closes.")


def _check_source(source: Source, terms: Terms) -> None:
    bounds, delay_s = source.delay, terms.delay_s
    if bounds is None and delay_s is not None:
        delayed = " or ".join(name for name, each in SOURCES.items() if each.delay is not None)
        raise InvalidValue("delay_s", f"is only for {delayed}; {source.name} has no delay.")
    if bounds is not None and not (type(delay_s) is int and bounds.least <= delay_s <= bounds.most):
        raise InvalidValue("delay_s", f"must be a whole number of seconds from {bounds.least} to {bounds.most:,}.")
    if source.is_announced:
        if terms.source is None:
            raise InvalidValue("source", "is missing: say where everyone will see the value that decides.")
        limits.check_reason("source", terms.source)
    elif terms.source is not None:
        announced = " or ".join(name for name, each in SOURCES.items() if each.is_announced)
        raise InvalidValue("source", f"is only for {announced}; {source.name} names no source.")


def _one_line(field: str, text: object) -> str | None:
    return None if text is None else limits.given_reason(field, text)


def _whole_second(field: str, moment: object) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InvalidValue(field, "must be a time with its time zone.")
    try:
        second = moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        second = datetime.min.replace(tzinfo=UTC)
    if second.year < 1970:
        raise InvalidValue(field, "must be a time from 1970 to 9999.")
    return second


def read_terms(value: Any) -> Terms:
    """Read the terms from the JSON of a document.

    Raises:
        DocumentWrong: they have another form, or another protocol version.
    """
    names = ["protocol", "id", "name", "created_at", "total_tickets", "prizes", "entropy"]
    given = fields_of(value, "terms", *names, *(name for name in _OPTIONS if isinstance(value, dict) and name in value))
    if number_of(given, "protocol", 1, PROTOCOL) != PROTOCOL:
        raise DocumentWrong("the terms have another protocol version")
    prizes = [
        Prize(text_of(prize, "name"), number_of(prize, "amount", 1, limits.PRIZES))
        for prize in (
            fields_of(each, "terms.prizes", "name", "amount") for each in list_of(given["prizes"], "terms.prizes")
        )
    ]
    terms = Terms(
        id=_uuid(text_of(given, "id")),
        name=text_of(given, "name"),
        created_at=_time(given, "created_at"),
        total_tickets=number_of(given, "total_tickets", 1, limits.TICKETS),
        prizes=prizes,
        entropy=text_of(given, "entropy"),
        **{name: _option(given, name) for name in _OPTIONS if name in given},
    )
    try:
        _check(terms)
    except InvalidValue as error:
        raise DocumentWrong(f"terms.{error.field}: {error.reason.rstrip('.')}") from error
    if terms.shape() != value:
        raise DocumentWrong("the terms have an option that is its default, which must be left out")
    return terms


def _option(given: dict[str, Any], name: str) -> Any:
    if name in TIMES:
        return _time(given, name)
    if name in ("source", "entry", *TEXTS):
        return text_of(given, name)
    return number_of(given, name, 1, limits.TICKETS)


def _uuid(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError as error:
        raise DocumentWrong("terms.id is not the id of a raffle") from error
    if str(found) != text:
        raise DocumentWrong("terms.id is not in the form of an id")
    return found


def _time(given: dict[str, Any], name: str) -> datetime:
    found = read_time(text_of(given, name))
    if found is None:
        raise DocumentWrong(f"terms.{name} is not a time YYYY-MM-DDThh:mm:ssZ from 1970 on")
    return found


def canonical_json(value: Any) -> bytes:
    r"""Return the canonical JSON (RFC 8785) of dicts with ASCII keys, lists, texts and whole numbers.

    For these, Python's own form is the canonical one: numbers below 2⁵³ in digits, texts with the shortest escapes.

    >>> canonical_json({"b": [1, "é\n"], "a": 10**12})
    b'{"a":1000000000000,"b":[1,"\xc3\xa9\\n"]}'
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
