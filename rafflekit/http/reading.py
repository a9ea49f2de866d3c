"""Bytes to values: bodies, forms, ids, query parameters and the Idempotency-Key header, read strictly.

The types that are read into are those of the addresses (`rafflekit.http.api`), made of `rafflekit.http.fields`. What is
wrong is reported as `InvalidValue` with the field's name, except for the size and the media type of a body, which are
HTTP's own matter.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

import falcon
import msgspec
from msgspec import inspect

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue, RaffleNotFound
from rafflekit.core.written_numbers import MOST_DIGITS, number_in
from rafflekit.http.fields import BARE_CHARACTER, QUOTED_CHARACTER, RAFFLE_ID, TIME, OptionalBody

# A string, in which brackets are text: to the end, if nothing ends it.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_OBJECTS_AS_LISTS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_COMPLAINT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.+)`)?", re.DOTALL)
_MISPLACED_FIELD = re.compile(r"Object (?P<how>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_WRONG_TYPE = re.compile(r"Expected `(?P<type>\w+)(?P<or_null> \| null)?`.*", re.DOTALL)
_TYPES = {
    "int": f"must be a whole number{{or_null}}: digits only, at most {MOST_DIGITS} of them.",
    "str": "must be text{or_null}.",
    "bool": "must be true or false{or_null}.",
    "array": "must be a list{or_null}.",
    "object": "must be a JSON object{or_null}.",
}

_WRONG = "does not have the expected form."

_DIGITS = re.compile(r"[0-9]+")
_QUOTED_KEY = re.compile(rf'"({QUOTED_CHARACTER}*)"')
_ESCAPED = re.compile(r'\\(["\\])')
_BARE_KEY = re.compile(rf"{BARE_CHARACTER}+")

# A participant may be named by any text. Shorter codes are wrong ones, and such a text may occur anywhere by chance.
_SECRETS = {"participant": 1, "invitation": 16, "verification_code": 16, "idempotency_key": 16, "scan": 16, "token": 16}

Shape = TypeVar("Shape", bound=msgspec.Struct)


def learn(shape: type[msgspec.Struct]) -> None:
    """Prepare a type before several threads read into it; every type of a body, a form or a query is prepared.

    msgspec learns a type at its first use, and a thread that finds it half learnt crashes the process with a
    segmentation fault (msgspec 0.22). And since any field may hold a secret, the type's `repr` shows no values.
    """
    shape.__repr__ = _repr_without_values  # type: ignore[method-assign]  # so that no type can forget it
    with suppress(msgspec.ValidationError):
        msgspec.convert({}, shape)


def read_body(request: falcon.Request, shape: type[Shape], *, most_bytes: int = limits.BODY_BYTES) -> Shape:
    """Read the body of a request; only an `OptionalBody` may be absent.

    Its secret texts are noted in the request's context, for the log.

    Raises:
        InvalidValue: it is not a JSON object, or not of this shape.
        HTTPUnsupportedMediaType: it is not `application/json`.
        HTTPContentTooLarge: it has more than `most_bytes`.
    """
    content = _content(request, most_bytes, falcon.MEDIA_JSON)
    if not content and not issubclass(shape, OptionalBody):
        raise _not_json("is empty")
    value = _parsed(content) if content else {}
    request.context.secrets = _secret_texts(value)
    return _converted(value, shape)


def read_form(request: falcon.Request, shape: type[Shape], *, most_bytes: int = limits.BODY_BYTES) -> Shape:
    """Read the form that a page sends; empty fields count as absent, and unknown ones are ignored.

    Its secret texts are noted in the request's context, for the log.

    Raises:
        InvalidValue: a field cannot be read, is missing, or is given more than once.
        HTTPUnsupportedMediaType, HTTPContentTooLarge: as `read_body`.
    """
    content = _content(request, most_bytes, falcon.MEDIA_URLENCODED)
    given: dict[str, str | list[str]] = {}
    try:
        pairs = parse_qsl(content.decode("ascii"), errors="strict", max_num_fields=limits.FORM_FIELDS)
    except ValueError as error:
        raise InvalidValue("body", "is not a form that a browser sends.") from error
    for name, text in pairs:
        # A browser sends the lines of a text with CRLF.
        value = text.replace("\r\n", "\n")
        given[name] = value if name not in given else [*_listed(given[name]), value]
    request.context.secrets = _secret_texts(given)
    request.context.has_form_key = "idempotency_key" in given
    return _read_texts(given, shape)


def check_raffle_id(text: str) -> str:
    """Return the raffle's id in an address unchanged.

    Raises:
        RaffleNotFound: no raffle can have it.
    """
    if not RAFFLE_ID.fullmatch(text):
        raise RaffleNotFound
    return text


def moment_of(field: str, text: str) -> datetime:
    """Return the time that a text of RFC 3339 names, in whole seconds.

    Raises:
        InvalidValue: it has another form, or there is no such day.
    """
    found = TIME.fullmatch(text)
    try:
        # Without the fraction, which is cut off, not rounded.
        return datetime.fromisoformat("".join(found.groups()).upper() if found else "")
    except ValueError as error:
        form = 'must be a time from 1970 on with its offset from UTC, such as "2026-12-05T18:00:00+01:00".'
        raise InvalidValue(field, form) from error


def read_query(request: falcon.Request, shape: type[Shape]) -> Shape:
    """Read the query parameters of an address; the engine refuses values outside its limits.

    Unknown parameters are ignored: a link may carry any.

    Raises:
        InvalidValue: one cannot be read, is missing, or is given more than once.
    """
    return _read_texts(request.params, shape)


def _read_texts(texts: Mapping[str, str | list[str]], shape: type[Shape]) -> Shape:
    given = {}
    for name, read, is_required in _parameters(shape):
        text = texts.get(name)
        if isinstance(text, list):
            raise InvalidValue(name, "is given more than once.")
        if text is not None:
            given[name] = read(text)
        elif is_required:
            raise InvalidValue(name, "is missing.")
    return msgspec.convert(given, shape)


def idempotency_key(request: falcon.Request) -> str | None:
    r"""Return the key in the Idempotency-Key header, or None without one.

    The header is a String of RFC 9651, as the IETF's draft-ietf-httpapi-idempotency-key-header has it: `"a\"b"`.
    Without quotes (`a-b`) it is taken unchanged, so both spellings give the same key. The engine checks the length.

    Raises:
        InvalidValue: it is neither, or given more than once.
    """
    text = request.env.get("HTTP_IDEMPOTENCY_KEY")
    if text is None:
        return None
    quoted = _QUOTED_KEY.fullmatch(text)
    if quoted:
        return _ESCAPED.sub(r"\1", quoted[1])
    if not _BARE_KEY.fullmatch(text):
        raise InvalidValue("idempotency_key", 'must be printable ASCII in double quotes, e.g. "9f86d081…".')
    return str(text)


def _repr_without_values(read: Any) -> str:
    return f"{type(read).__name__}({', '.join(read.__struct_fields__)})"


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _content(request: falcon.Request, most_bytes: int, media_type: str) -> bytes:
    announced = request.content_length or 0
    # A server that unpacks chunked bodies may give no length; it then says that its stream ends.
    stream = request.stream if request.env.get("wsgi.input_terminated") else request.bounded_stream
    content = stream.read(most_bytes + 1) if announced <= most_bytes else b""
    if max(announced, len(content)) > most_bytes:
        raise falcon.HTTPContentTooLarge(description=f"The body may have at most {most_bytes:,} bytes.")
    # Granian hands over what arrived before the client left or sent an invalid chunk.
    if len(content) < (announced or (1 if "HTTP_TRANSFER_ENCODING" in request.env else 0)):
        raise InvalidValue("body", "ended before it was complete.")
    given_type = (request.content_type or "").partition(";")[0].strip().lower()
    if content and given_type != media_type:
        raise falcon.HTTPUnsupportedMediaType(description=f"The body must be {media_type}.")
    return content


def _secret_texts(body: object) -> list[str]:
    fields = body if isinstance(body, dict) else {}
    texts = ((fields.get(name), least) for name, least in _SECRETS.items())
    return [text for text, least in texts if isinstance(text, str) and len(text) >= least]


def _parsed(content: bytes) -> object:
    _check_nesting(content)
    # msgspec's own reader takes the last of duplicate keys, and 1.0 for a whole number; here both can be refused.
    try:
        return json.loads(
            content.decode(), object_pairs_hook=_object, parse_int=_whole_number, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        raise _not_json(f"is not UTF-8 (byte {error.start + 1})") from error
    except json.JSONDecodeError as error:
        raise _not_json(f"is not JSON (line {error.lineno}, column {error.colno})") from error


def _check_nesting(content: bytes) -> None:
    # Beforehand, since json recurses as deep as the text does, on whatever stack a server's thread has.
    most = limits.BODY_NESTING
    if content.count(b"[") + content.count(b"{") <= most:
        return
    brackets = _STRING.sub(b"", content).translate(_OBJECTS_AS_LISTS, _NO_BRACKETS)
    # Each turn removes the innermost level; whatever is left then is too deep.
    for _ in range(most):
        brackets = brackets.replace(b"[]", b"")
    if b"[]" in brackets or brackets.count(b"[") > most:
        raise InvalidValue("body", f"is nested too deeply: at most {most} levels are possible.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        # "\ud800" can be parsed, but not be written as UTF-8 again.
        if limits.LONE_SURROGATE.search(name):
            raise InvalidValue("body", f"has a field whose name {limits.LONE_SURROGATE_REASON}")
        if isinstance(value, str) and limits.LONE_SURROGATE.search(value):
            raise InvalidValue(name, limits.LONE_SURROGATE_REASON)
        if name in fields:
            raise InvalidValue(name, "is given more than once.")
        fields[name] = value
    return fields


def _whole_number(digits: str) -> int | float:
    # Infinity is not a whole number, so the refusal names the field.
    return int(digits) if len(digits) <= MOST_DIGITS else math.inf


def _refuse_constant(name: str) -> NoReturn:
    raise _not_json(f"is not JSON ({name})")


def _not_json(why: str) -> InvalidValue:
    return InvalidValue("body", f"must be a JSON object, but {why}.")


def _converted(value: object, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(value, shape, strict=True)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from error
    # A lone surrogate in a list, which _object does not see.
    except UnicodeEncodeError as error:
        raise InvalidValue("body", f"has text that {limits.LONE_SURROGATE_REASON}") from error


def _explained(complaint: str) -> InvalidValue:
    """Turn msgspec's words (Expected `int`, got `str` - at `$.prizes[0].amount`) into those of the contract."""
    found = _COMPLAINT.fullmatch(complaint)
    assert found is not None
    what, where = found["what"], found["where"] or ""
    misplaced = _MISPLACED_FIELD.fullmatch(what)
    if misplaced:
        field = f"{where}.{misplaced['name']}" if where else misplaced["name"]
        return InvalidValue(field, "is missing." if misplaced["how"].startswith("missing") else "is not a known field.")
    wrong = _WRONG_TYPE.fullmatch(what)
    reason = _TYPES.get(wrong["type"], _WRONG) if wrong else _WRONG
    return InvalidValue(where or "body", reason.format(or_null=" or null" if wrong and wrong["or_null"] else ""))


@cache
def _parameters(shape: type[msgspec.Struct]) -> list[tuple[str, Callable[[str], object], bool]]:
    """Return the query parameters of a type: their names, what reads their texts, and whether they are required."""
    struct = inspect.type_info(shape)
    assert isinstance(struct, inspect.StructType)
    return [(field.encode_name, _reader(field.encode_name, field.type), field.required) for field in struct.fields]


def _reader(name: str, kind: inspect.Type, schema: dict[str, Any] | None = None) -> Callable[[str], object]:
    match kind:
        case inspect.Metadata():
            return _reader(name, kind.type, kind.extra_json_schema)
        case inspect.UnionType(types=(inner, inspect.NoneType())):
            # A parameter is null by being absent.
            return _reader(name, inner, schema)
        case inspect.StrType():
            return str
        case inspect.IntType():
            return partial(_whole_parameter, name, (schema or {}).get("minimum", 0))
        case inspect.BoolType():
            return partial(_true_or_false, name)
        case _:
            raise TypeError(f"There is no way to read the query parameter {name!r}: {kind}")


def _whole_parameter(name: str, least: int, text: str) -> int:
    if not _DIGITS.fullmatch(text):
        raise InvalidValue(name, f"must be a whole number from {least}.")
    return number_in(text)


def _true_or_false(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidValue(name, "must be true or false.")
    return text == "true"
