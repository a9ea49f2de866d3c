"""JSON as the protocol allows it: anything that two programs could read differently is refused (section 1)."""

import json
from typing import Any, NoReturn

from rafflekit.core.protocol.quoting import quoted

MOST_BYTES = 8 * 1024 * 1024
"""The size limit of the largest document."""

_MOST_DIGITS = 30
_SHOWN = 40


class DocumentWrong(Exception):
    """A document does not have the form that the protocol requires; the message says where."""


def read_json(text: str | bytes, *, most: int = MOST_BYTES) -> Any:
    """Read JSON as the protocol allows it: no key twice, whole numbers only, nothing after the end.

    `most` is the most bytes that it may have.

    Raises:
        DocumentWrong: it has another form.
    """
    # json.loads would guess the encoding of bytes and accept a byte order mark.
    try:
        content = text.encode() if isinstance(text, str) else text
        if len(content) > most:
            raise DocumentWrong(f"it has {len(content):,} bytes; at most {most:,} are allowed")
        return json.loads(
            content.decode(),
            object_pairs_hook=_object,
            parse_int=_whole_number,
            parse_float=_refused,
            parse_constant=_refused,
        )
    except (ValueError, RecursionError) as error:
        raise DocumentWrong(_reason(error)) from error


def fields_of(value: Any, place: str, *names: str) -> dict[str, Any]:
    """Return a JSON object that has exactly these fields.

    Raises:
        DocumentWrong: it has another form.
    """
    if not isinstance(value, dict):
        raise DocumentWrong(f"{place} is not a JSON object")
    for name in names:
        if name not in value:
            raise DocumentWrong(f"{place}.{name} is missing")
    for name in value:
        if name not in names:
            raise DocumentWrong(f"{place} has no field {_shown(name)}")
    return value


def list_of(value: Any, place: str) -> list[Any]:
    """Return a JSON array.

    Raises:
        DocumentWrong: it has another form.
    """
    if not isinstance(value, list):
        raise DocumentWrong(f"{place} is not a list")
    return value


def text_of(fields: dict[str, Any], name: str) -> str:
    """Return a field that is text.

    Raises:
        DocumentWrong: it has another form.
    """
    return checked_text(fields[name], name)


def checked_text(value: Any, place: str) -> str:
    """Return text that UTF-8 can encode.

    Raises:
        DocumentWrong: it has another form.
    """
    if not isinstance(value, str):
        raise DocumentWrong(f"{place} is not text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DocumentWrong(f"{place} is not valid Unicode (a lone surrogate)") from error
    return value


def number_of(fields: dict[str, Any], name: str, least: int, most: int) -> int:
    """Return a field that is a whole number from `least` to `most`.

    Raises:
        DocumentWrong: it has another form.
    """
    value = fields[name]
    if type(value) is not int or not least <= value <= most:
        raise DocumentWrong(f"{name} is not a whole number from {least:,} to {most:,}")
    return value


def hex_of(fields: dict[str, Any], name: str, length: int) -> bytes:
    """Return the bytes of a field that has `length` bytes in hexadecimal digits.

    Raises:
        DocumentWrong: it has another form.
    """
    text = text_of(fields, name)
    try:
        content = bytes.fromhex(text)
    except ValueError:
        content = b""
    if len(content) != length or content.hex() != text:
        raise DocumentWrong(f"{name} is not {2 * length} hexadecimal digits in lower case")
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "it is not text in UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON (line {error.lineno}, column {error.colno})"
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return f"it is not JSON as the protocol allows it: {reason}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = {}
    for name, value in pairs:
        if name in fields:
            raise ValueError(f"{_shown(name)} occurs more than once")
        fields[name] = value
    return fields


def _shown(text: str) -> str:
    return quoted(text[:_SHOWN])


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS or digits == "-0":
        raise ValueError("-0 and numbers of more than 30 digits are not allowed")
    return int(digits)


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{_shown(text)} is not a whole number in digits")
