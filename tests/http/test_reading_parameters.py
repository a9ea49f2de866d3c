"""How query parameters and the Idempotency-Key header are read."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.models import Page
from rafflekit.http import fields, reading
from rafflekit.http.api import ROUTES
from rafflekit.http.api.address import neighbours
from rafflekit.http.api.draws import WinnersQuery
from rafflekit.http.api.raffles import RafflesQuery
from tests.http.test_reading import request

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("query", "expected"), [("", 1), ("page=1", 1), ("page=007", 7), (f"page={limits.PAGE_NUMBER}", limits.PAGE_NUMBER)]
)
@pytest.mark.parametrize("shape", [RafflesQuery, WinnersQuery])
def test_a_page_is_a_whole_number(shape: Any, query: str, expected: int) -> None:
    assert reading.read_query(request(query=query), shape).page == expected


@pytest.mark.parametrize("text", ["", "x", "-1", "%2B1", "1.0", "1e3", "0x1", "%201", "1%20", "%D9%A1", "1_0", "%00"])
@pytest.mark.parametrize("name", ["page", "page_size"])
def test_a_page_that_is_not_in_plain_digits_is_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{name}: ") as refusal:
        reading.read_query(request(query=f"{name}={text}"), WinnersQuery)

    assert refusal.value.field == name


@pytest.mark.parametrize("text", ["9" * 31, "9" * 5000])
def test_a_number_too_long_to_be_read_is_above_every_limit(text: str) -> None:
    query = reading.read_query(request(query=f"page={text}&page_size={text}"), WinnersQuery)

    assert query.page > limits.PAGE_NUMBER
    assert query.page_size > limits.PAGE_SIZE


def test_a_page_has_the_usual_size_unless_asked_otherwise() -> None:
    assert reading.read_query(request(), RafflesQuery).page_size == limits.RAFFLES_PAGE_SIZE
    assert reading.read_query(request(query="page_size=25"), RafflesQuery).page_size == 25


class NewQuery(msgspec.Struct, frozen=True):
    """A query of fields that no address has today."""

    text: str
    count: int
    ticket: fields.TicketNumber | None = None
    is_done: bool | None = None


def test_a_query_is_read_by_the_types_of_its_fields() -> None:
    asked = request(query="text=a%20b&count=0&ticket=7&is_done=true")

    assert reading.read_query(asked, NewQuery) == NewQuery("a b", 0, 7, is_done=True)


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("count=1", "text: is missing."),
        ("text=a&count=-1", "count: must be a whole number from 0."),
        ("text=a&count=1&ticket=x", "ticket: must be a whole number from 1."),
        ("text=a&count=1&is_done=yes", "is_done: must be true or false."),
    ],
)
def test_a_query_that_does_not_fit_its_types_is_refused(query: str, refusal: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        reading.read_query(request(query=query), NewQuery)

    assert str(refused.value) == refusal


def test_every_query_of_the_service_can_be_read() -> None:
    operations = [operation for route in ROUTES for operation in route.operations.values()]
    queries = [operation.query for operation in operations if operation.query]
    assert len(queries) == 5

    for query in queries:
        given = "&".join(f"{name}=1" for name in ("page", "ticket_number", "from", "to"))
        assert reading.read_query(request(query=given), query)


@pytest.mark.parametrize("name", ["page", "page_size", "name", "winners_drawn"])
def test_a_parameter_that_is_given_twice_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidValue, match="is given more than once") as refusal:
        reading.read_query(request(query=f"{name}=1&{name}=1"), RafflesQuery)

    assert refusal.value.field == name


@pytest.mark.parametrize(
    ("query", "expected"), [("", None), ("winners_drawn=true", True), ("winners_drawn=false", False)]
)
def test_true_or_false_is_read(query: str, expected: bool | None) -> None:
    assert reading.read_query(request(query=query), RafflesQuery).winners_drawn is expected


@pytest.mark.parametrize("text", ["", "True", "1", "yes", "null"])
def test_anything_but_true_or_false_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"^winners_drawn: "):
        reading.read_query(request(query=f"winners_drawn={text}"), RafflesQuery)


def test_another_page_keeps_the_other_parameters() -> None:
    asked = request(query="name=a%26b%20%C3%A9&page=2&page_size=5&tag=1&tag=2")

    assert neighbours(Page((), count=15, number=2, size=5), asked, "http://h/raffles/") == (
        "http://h/raffles/?name=a%26b+%C3%A9&page=3&page_size=5&tag=1&tag=2",
        "http://h/raffles/?name=a%26b+%C3%A9&page=1&page_size=5&tag=1&tag=2",
    )


def test_a_missing_idempotency_key_is_none() -> None:
    assert reading.idempotency_key(request()) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f'"{KEY}"', KEY),
        (KEY, KEY),
        ('"a b, c"', "a b, c"),
        (r'"a\"b\\c"', r'a"b\c'),
        (r"a\b;c=d", r"a\b;c=d"),
        ('""', ""),
    ],
)
def test_an_idempotency_key_is_read_with_and_without_quotes(text: str, key: str) -> None:
    assert reading.idempotency_key(request(Idempotency_Key=text)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"',
        f'"{KEY}',
        f'{KEY}"',
        f'"{KEY}", "{KEY}"',
        f"{KEY}, {KEY}",
        f"{KEY},{KEY}",
        f"{KEY} {KEY}",
        r'"a\b"',
        '"a\\"',
        '"é"',
        "é",
        '"\x7f"',
        '"a\tb"',
        f"'{KEY}' b",
    ],
)
def test_a_malformed_or_repeated_idempotency_key_is_refused(text: str) -> None:
    asked = request()
    asked.env["HTTP_IDEMPOTENCY_KEY"] = text

    with pytest.raises(InvalidValue):
        reading.idempotency_key(asked)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_every_key_of_printable_ascii_survives_its_quotes(key: str) -> None:
    asked = request()
    asked.env["HTTP_IDEMPOTENCY_KEY"] = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'

    assert reading.idempotency_key(asked) == key


@given(st.text())
def test_any_other_key_is_read_unchanged_or_refused(text: str) -> None:
    asked = request()
    asked.env["HTTP_IDEMPOTENCY_KEY"] = text
    try:
        key = reading.idempotency_key(asked)
    except InvalidValue:
        return
    assert key == text or text.startswith('"')
