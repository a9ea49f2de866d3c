"""What comes in over the wire: bodies, ids, query parameters and the Idempotency-Key header, read strictly.

The types of the requests stand here; those of the answers are `rafflekit.core.shapes`. Whatever is wrong leaves as
`InvalidValue` with the field's name, but for the size and the media type of a body, which are HTTP's own matter.

msgspec checks fields and types. Limits are the engine's to check, in its words; the types carry them, from
`rafflekit.core.limits`, for the OpenAPI document (`rafflekit.http.openapi`) that is generated from these types.
"""

import json
import math
import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import urlencode

import falcon
import msgspec

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue, PageNotFound, RaffleNotFound
from rafflekit.core.protocol.entropy import SECRETS, SOURCES
from rafflekit.core.protocol.entropy.drand import DrandQuicknet

# More digits than any number here can have. Python itself stops at 4,300, with an error that names no field.
_MOST_DIGITS = 30

# A string, in which brackets are text: to the end, if nothing ends it.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_OBJECTS_AS_LISTS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_COMPLAINT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.+)`)?", re.DOTALL)
_MISPLACED_FIELD = re.compile(r"Object (?P<how>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_WRONG_TYPE = re.compile(r"Expected `(?P<type>\w+)`.*", re.DOTALL)
_TYPES = {
    "int": f"must be a whole number: digits only, at most {_MOST_DIGITS} of them.",
    "str": "must be a text.",
    "array": "must be a list.",
    "object": "must be a JSON object.",
}

_PAGE_NUMBER = re.compile(r"[0-9]+")
# RFC 9651, 3.3.3: a String of printable ASCII in double quotes, with \" and \\ as its only escapes.
_QUOTED_CHARACTER = r'(?:[ !#-\[\]-~]|\\["\\])'
_QUOTED_KEY = re.compile(rf'"({_QUOTED_CHARACTER}*)"')
_ESCAPED = re.compile(r'\\(["\\])')
# Without a comma, by which a server joins several headers of one name.
_BARE_CHARACTER = r"[!#-+\--~]"
_BARE_KEY = re.compile(rf"{_BARE_CHARACTER}+")

# uuid.UUID also reads braces, "urn:uuid:" and no dashes; a raffle has one address, though.
_RAFFLE_ID = re.compile(r"[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}")

# limits.UNPRINTABLE_CATEGORIES (but for lone surrogates) and blanks, as characters: not every reader of a JSON Schema
# has Unicode's categories, and \s is not the same everywhere.
_UNPRINTABLE = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_BLANK = r" \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"


def _documented(**schema: Any) -> msgspec.Meta:
    # As constraints of its own, msgspec would refuse in its words, before the engine can in the contract's.
    return msgspec.Meta(extra_json_schema=schema)


RaffleId = Annotated[str, _documented(format="uuid", pattern=f"^{_RAFFLE_ID.pattern}$")]
"""A raffle's id."""

Name = Annotated[
    str,
    _documented(
        minLength=1,
        maxLength=limits.NAME_CHARACTERS,
        pattern=f"^[^{_UNPRINTABLE}]*[^{_UNPRINTABLE}{_BLANK}][^{_UNPRINTABLE}]*$",
    ),
]
"""The name of a raffle or a prize."""

SearchedName = Annotated[str, _documented(maxLength=limits.NAME_CHARACTERS, pattern=f"^[^{_UNPRINTABLE}]*$")]
"""A part of a raffle's name."""

TicketCount = Annotated[int, _documented(minimum=1, maximum=limits.TICKETS)]
"""How many tickets a raffle has."""

TicketNumber = Annotated[int, _documented(minimum=1, maximum=limits.TICKETS)]
"""The number on a ticket."""

PrizeAmount = Annotated[int, _documented(minimum=1, maximum=limits.PRIZES)]
"""How often a prize is given."""

LedgerSize = Annotated[int, _documented(minimum=0, maximum=limits.TICKETS)]
"""How many tickets a ledger had."""

Entropy = Annotated[str, _documented(enum=list(SOURCES))]
"""What decides who wins."""

Delay = Annotated[int, _documented(minimum=DrandQuicknet.delay.least, maximum=DrandQuicknet.delay.most)]
"""Seconds between the last ticket and the beacon that decides."""

PageNumber = Annotated[int, _documented(minimum=1)]
"""A page of a list."""

PageSize = Annotated[int, _documented(minimum=1, maximum=limits.PAGE_SIZE)]
"""How many items a page has."""

IdempotencyKey = Annotated[
    str,
    _documented(
        pattern='^(?:"{0}{{{2},{3}}}"|{1}{{{2},{3}}})$'.format(
            _QUOTED_CHARACTER, _BARE_CHARACTER, *limits.IDEMPOTENCY_KEY_CHARACTERS
        )
    ),
]
"""The Idempotency-Key header as it is sent: in quotes or without."""


class PrizeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prize of a raffle to be created."""

    name: Name
    amount: PrizeAmount


class CreateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a raffle is created from; a ticket wins at most one prize."""

    name: Name
    total_tickets: TicketCount
    prizes: Annotated[list[PrizeBody], _documented(minItems=1, maxItems=limits.PRIZE_KINDS)]
    entropy: Entropy = SECRETS
    delay_s: Delay | None = None


class VerifyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket to be verified."""

    ticket_number: TicketNumber
    verification_code: str


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request that takes nothing."""


class RafflesQuery(msgspec.Struct, frozen=True):
    """Which raffles are listed."""

    page: PageNumber = 1
    page_size: PageSize = limits.RAFFLES_PAGE_SIZE
    name: SearchedName | None = None
    winners_drawn: bool | None = None


class WinnersQuery(msgspec.Struct, frozen=True):
    """Which wins are listed."""

    page: PageNumber = 1
    page_size: PageSize = limits.WINNERS_PAGE_SIZE


class TicketQuery(msgspec.Struct, frozen=True):
    """Which ticket's place in the ledger is proven."""

    ticket_number: TicketNumber


class SizesQuery(msgspec.Struct, frozen=True):
    """Between which two sizes of the ledger consistency is proven."""

    old: LedgerSize = msgspec.field(name="from")
    new: LedgerSize = msgspec.field(name="to")


Body = TypeVar("Body", bound=msgspec.Struct)
Query = TypeVar("Query", bound=msgspec.Struct)


def read_body(request: falcon.Request, shape: type[Body], *, most_bytes: int = limits.BODY_BYTES) -> Body:
    """Read the body of a request that must have one.

    Raises:
        InvalidValue: it is no JSON object, or not of this shape.
        HTTPUnsupportedMediaType: it is not `application/json`.
        HTTPContentTooLarge: it has more than `most_bytes`.
    """
    content = _content(request, most_bytes)
    if not content:
        raise InvalidValue("body", "must be a JSON object, and is empty.")
    return _converted(_parsed(content), shape)


def check_no_fields(request: falcon.Request) -> None:
    """Check a request that takes no body: none is fine, and so is a JSON object without fields.

    Raises:
        InvalidValue, HTTPUnsupportedMediaType, HTTPContentTooLarge: as `read_body`.
    """
    content = _content(request, limits.BODY_BYTES)
    if content:
        _converted(_parsed(content), NoFields)


def check_raffle_id(text: str) -> str:
    """Return the id in an address, as it is.

    Raises:
        RaffleNotFound: no raffle can have it.
    """
    if not _RAFFLE_ID.fullmatch(text):
        raise RaffleNotFound
    return text


def read_query(request: falcon.Request, shape: type[Query]) -> Query:
    """Read the query parameters of a list; what is out of its limits is left to the engine to refuse.

    Parameters that the list does not have are no mistake: a link may carry any.

    Raises:
        InvalidValue: one cannot be read, is missing, or is given more than once.
        PageNotFound: no list can have so many pages.
    """
    given = {}
    for field in msgspec.structs.fields(shape):
        name = field.encode_name
        text = request.params.get(name)
        if isinstance(text, list):
            raise InvalidValue(name, "is given more than once.")
        if text is not None:
            given[name] = _PARAMETERS[name](text)
        elif field.required:
            raise InvalidValue(name, "is missing.")
    return msgspec.convert(given, shape)


def page_url(url: str, request: falcon.Request, number: int) -> str:
    """Return the whole URL of another page of the list that a request asks for: its parameters, but for `page`."""
    return f"{url}?{urlencode({**request.params, 'page': number}, doseq=True)}"


def idempotency_key(request: falcon.Request) -> str | None:
    r"""Return the key in the Idempotency-Key header, or None without one.

    The header is a String of RFC 9651, as the IETF's draft-ietf-httpapi-idempotency-key-header has it: `"a\"b"`.
    Without quotes (`a-b`) it is read as it is, so the two spellings are one key.

    Raises:
        InvalidValue: it is neither, or given more than once. Its length is left to the engine.
    """
    text = request.env.get("HTTP_IDEMPOTENCY_KEY")
    if text is None:
        return None
    quoted = _QUOTED_KEY.fullmatch(text)
    if quoted:
        return _ESCAPED.sub(r"\1", quoted[1])
    if not _BARE_KEY.fullmatch(text):
        raise InvalidValue("idempotency_key", 'must be one text of printable ASCII in double quotes, e.g. "9f86d081…".')
    return str(text)


def _content(request: falcon.Request, most_bytes: int) -> bytes:
    if (request.content_length or 0) > most_bytes:
        raise _too_large(most_bytes)
    # A server that unpacks chunked bodies itself may give no length, and says that its stream ends.
    stream = request.stream if request.env.get("wsgi.input_terminated") else request.bounded_stream
    content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise _too_large(most_bytes)
    # Granian hands over what has come before the client went away, or sent something that is no chunk.
    if len(content) < (request.content_length or (1 if "HTTP_TRANSFER_ENCODING" in request.env else 0)):
        raise InvalidValue("body", "ended before it was complete.")
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if content and media_type != falcon.MEDIA_JSON:
        raise falcon.HTTPUnsupportedMediaType(description=f"The body must be {falcon.MEDIA_JSON}.")
    return content


def _too_large(most_bytes: int) -> falcon.HTTPContentTooLarge:
    return falcon.HTTPContentTooLarge(description=f"The body may have at most {most_bytes:,} bytes.")


def _parsed(content: bytes) -> object:
    _check_nesting(content)
    # msgspec's own reader takes the last of duplicate keys and 1.0 for a number; this one is told what to refuse.
    try:
        return json.loads(
            content.decode(), object_pairs_hook=_object, parse_int=_whole_number, parse_constant=_refuse_constant
        )
    # UnicodeDecodeError and JSONDecodeError are ValueErrors.
    except ValueError as error:
        raise InvalidValue("body", f"must be a JSON object, and is no JSON in UTF-8: {error}.") from error


def _check_nesting(content: bytes) -> None:
    # Beforehand, since json goes as deep as a text does, in whatever stack a server's thread has.
    most = limits.BODY_NESTING
    if content.count(b"[") + content.count(b"{") <= most:
        return
    brackets = _STRING.sub(b"", content).translate(_OBJECTS_AS_LISTS, _NO_BRACKETS)
    # Each turn takes the innermost level away; what is still open or nested then is deeper than that.
    for _ in range(most):
        brackets = brackets.replace(b"[]", b"")
    if b"[]" in brackets or brackets.count(b"[") > most:
        raise InvalidValue("body", f"is nested too deeply: at most {most} levels are possible.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        # "\ud800" can be parsed, and never be written as UTF-8 again.
        if limits.LONE_SURROGATE.search(name):
            raise InvalidValue("body", f"has a field whose name {limits.LONE_SURROGATE_REASON}")
        if isinstance(value, str) and limits.LONE_SURROGATE.search(value):
            raise InvalidValue(name, limits.LONE_SURROGATE_REASON)
        if name in fields:
            raise InvalidValue(name, "is given more than once.")
        fields[name] = value
    return fields


def _whole_number(digits: str) -> int | float:
    # Infinity is no whole number, so that the field is refused by its name.
    return int(digits) if len(digits) <= _MOST_DIGITS else math.inf


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is none of its words")


def _converted(value: object, shape: type[Body]) -> Body:
    try:
        return msgspec.convert(value, shape, strict=True)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from error
    # A lone surrogate where _object sees none: in a list.
    except UnicodeEncodeError as error:
        raise InvalidValue("body", f"has a text that {limits.LONE_SURROGATE_REASON}") from error


def _explained(complaint: str) -> InvalidValue:
    """Put msgspec's words (Expected `int`, got `str` - at `$.prizes[0].amount`) in those of the contract."""
    found = _COMPLAINT.fullmatch(complaint)
    assert found is not None
    what, where = found["what"], found["where"] or ""
    misplaced = _MISPLACED_FIELD.fullmatch(what)
    if misplaced:
        field = f"{where}.{misplaced['name']}" if where else misplaced["name"]
        return InvalidValue(field, "is missing." if misplaced["how"].startswith("missing") else "is no known field.")
    wrong = _WRONG_TYPE.fullmatch(what)
    return InvalidValue(where or "body", _TYPES[wrong["type"]] if wrong else f"{what}.")


def _page_number(text: str) -> int:
    # Python refuses to read some numbers of more digits than a page can have.
    if len(_digits("page", text)) > _MOST_DIGITS:
        raise PageNotFound
    return int(text)


def _page_size(text: str) -> int:
    # A number too long to be read is certainly above the limit.
    return int(text) if len(_digits("page_size", text)) <= _MOST_DIGITS else limits.PAGE_SIZE + 1


def _whole_parameter(name: str, text: str) -> int:
    if len(_digits(name, text)) > _MOST_DIGITS:
        raise InvalidValue(name, f"has more than {_MOST_DIGITS} digits.")
    return int(text)


def _digits(name: str, text: str) -> str:
    if not _PAGE_NUMBER.fullmatch(text):
        least = 0 if name in ("from", "to") else 1
        raise InvalidValue(name, f"must be a whole number from {least}.")
    return text


def _winners_drawn(text: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidValue("winners_drawn", "must be true or false.")
    return text == "true"


_PARAMETERS: dict[str, Callable[[str], object]] = {
    "page": _page_number,
    "page_size": _page_size,
    "name": str,
    "winners_drawn": _winners_drawn,
    **{name: partial(_whole_parameter, name) for name in ("ticket_number", "from", "to")},
}
