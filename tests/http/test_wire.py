import json
from typing import Any, Literal

import falcon
import msgspec
import pytest
from falcon import testing
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.http import fields, reading
from rafflekit.http.api import ROUTES
from rafflekit.http.api.draws import WinnersQuery
from rafflekit.http.api.raffles import CreateBody, PrizeBody, RafflesQuery

CREATE: dict[str, Any] = {"name": "a", "total_tickets": 5, "prizes": [{"name": "hug", "amount": 1}]}
KEY = "0123456789abcdef"


def request(content: bytes = b"", *, query: str = "", **headers: str) -> falcon.Request:
    sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return testing.create_req(method="POST", body=content, query_string=query, headers=sent)


def create_body(**changes: Any) -> bytes:
    return json.dumps(CREATE | changes).encode()


def refused_field(content: bytes, shape: type[msgspec.Struct] = CreateBody) -> str:
    with pytest.raises(InvalidValue) as refusal:
        reading.read_body(request(content), shape)
    assert refusal.value.reason
    return refusal.value.field


def test_a_body_is_read_into_its_shape() -> None:
    assert reading.read_body(request(create_body()), CreateBody) == CreateBody(
        name="a", total_tickets=5, prizes=[PrizeBody(name="hug", amount=1)]
    )


@pytest.mark.parametrize("number", ["true", "1.0", '"5"', "1e3", "1E0", "null", "[]", "{}", "1.5", "1" * 400, "-0.0"])
@pytest.mark.parametrize("field", ["total_tickets", "prizes[0].amount"])
def test_only_whole_numbers_are_numbers(field: str, number: str) -> None:
    content = create_body(total_tickets=0.125).replace(b"0.125", number.encode())
    if field != "total_tickets":
        content = create_body(prizes=[{"name": "hug", "amount": 0.125}]).replace(b"0.125", number.encode())

    assert refused_field(content) == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"prizes": {}}, "prizes"),
        ({"prizes": [5]}, "prizes[0]"),
        ({"prizes": [CREATE["prizes"][0], {"name": "hug"}]}, "prizes[1].amount"),
        ({"prizes": [{"amount": 1}]}, "prizes[0].name"),
        ({"prizes": [{"name": "hug", "amount": 1, "colour": "red"}]}, "prizes[0].colour"),
        ({"seed": "mine"}, "seed"),
        ({"name": "\ud800"}, "name"),
    ],
)
def test_a_field_that_does_not_fit_is_named(changes: dict[str, Any], field: str) -> None:
    assert refused_field(create_body(**changes)) == field


@pytest.mark.parametrize("field", ["name", "total_tickets", "prizes"])
def test_a_missing_field_is_named(field: str) -> None:
    rest = {name: value for name, value in CREATE.items() if name != field}

    assert refused_field(json.dumps(rest).encode()) == field


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"[]",
        b"5",
        b'"text"',
        b"null",
        b"{",
        b"{}{}",
        b"{'name': 1}",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": NaN}',
        b'{"name": -Infinity}',
        b'{"\\ud800": 1}',
        b'{"prizes": ["\\ud800"]}',
        b"[" * 60_000,
        b'{"name":' * 7_000,
        json.dumps(CREATE).encode("utf-16"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(content: bytes) -> None:
    assert refused_field(content) == "body"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "must be a JSON object, but is empty."),
        (b"[]", "must be a JSON object."),
        (b'{\n "name"; 1}', "must be a JSON object, but is not JSON (line 2, column 8)."),
        (b'{"name": \xff}', "must be a JSON object, but is not UTF-8 (byte 10)."),
        (b'{"name": NaN}', "must be a JSON object, but is not JSON (NaN)."),
        (create_body(delay_s="soon"), "must be a whole number or null: digits only, at most 30 of them."),
        (create_body(delay_s=[]), "must be a whole number or null: digits only, at most 30 of them."),
        (create_body(entropy=None), "must be a text."),
    ],
)
def test_a_refusal_has_none_of_a_librarys_words(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        reading.read_body(request(content), CreateBody)

    assert refusal.value.reason == reason


@pytest.mark.parametrize(("kind", "value"), [(float, "x"), (Literal["a", "b"], "c"), (dict[str, int], {"a": "x"})])
def test_a_complaint_of_any_kind_is_put_in_our_words(kind: Any, value: object) -> None:
    shape = msgspec.defstruct("Shape", [("field", kind)])

    with pytest.raises(InvalidValue) as refusal:
        reading.read_body(request(json.dumps({"field": value}).encode()), shape)

    assert refusal.value.field.startswith("field")
    assert refusal.value.reason in (
        "does not have the expected form.",
        "must be a whole number: digits only, at most 30 of them.",
    )


@pytest.mark.parametrize("deep", [b"[" * 11 + b"]" * 11, b'{"a":[' * 6 + b"]}" * 6, b"[" * 21, b'["[]",' * 11])
def test_a_body_that_is_nested_too_deeply_is_refused_as_such(deep: bytes) -> None:
    with pytest.raises(InvalidValue, match="nested too deeply: at most 10 levels"):
        reading.read_body(request(deep), CreateBody)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"[" * 10 + b"]" * 10, "body"),
        (b'{"a":[' * 5 + b"]}" * 5, "a"),
        (create_body(name="[{" * 20 + '"\\"[[[', colour=1), "colour"),
        (create_body(prizes=CREATE["prizes"] * 50, colour=[[[[[[[[[]]]]]]]]]), "colour"),
    ],
)
def test_a_body_of_ten_levels_or_with_brackets_in_texts_is_not_too_deep(content: bytes, field: str) -> None:
    assert refused_field(content) == field


@pytest.mark.parametrize(
    ("content", "headers"),
    [(b"{}", {"Content_Length": "3"}), (b"", {"Content_Length": "1"}), (b"", {"Transfer_Encoding": "chunked"})],
)
def test_a_body_that_broke_off_is_refused_where_none_is_needed(content: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidValue, match="body: ended before it was complete"):
        reading.check_no_fields(request(content, **headers))


@pytest.mark.parametrize(
    "content", [b'{"name": "a", "name": "a"}', b'{"prizes": [{"name": "a", "amount": 1, "n\\u0061me": "b"}]}']
)
def test_a_field_that_is_given_twice_is_refused(content: bytes) -> None:
    assert refused_field(content) == "name"


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with pytest.raises(InvalidValue):
        reading.read_body(request(content), CreateBody)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("\udfff")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("\ud800"), inner),
    max_leaves=10,
)


@given(changed=st.dictionaries(st.sampled_from([*CREATE, "other"]), VALUES))
def test_no_json_breaks_the_reader(changed: dict[str, Any]) -> None:
    answerable: object
    try:
        answerable = reading.read_body(request(create_body(**changed)), CreateBody)
    except InvalidValue as refusal:
        answerable = [refusal.field, refusal.reason]

    # Lone surrogates could not be written.
    assert msgspec.json.encode(answerable)


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8", "application/json;a=b"])
def test_a_media_type_may_have_parameters(media_type: str) -> None:
    assert reading.read_body(request(create_body(), Content_Type=media_type), CreateBody).name == "a"


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_another_media_type_is_refused(media_type: str) -> None:
    with pytest.raises(falcon.HTTPUnsupportedMediaType):
        reading.read_body(request(create_body(), Content_Type=media_type), CreateBody)
    with pytest.raises(falcon.HTTPUnsupportedMediaType):
        reading.check_no_fields(request(b"{}", Content_Type=media_type))


@pytest.mark.parametrize("most_bytes", [limits.BODY_BYTES, limits.CREATE_BODY_BYTES])
def test_a_body_may_fill_its_limit_and_no_more(most_bytes: int) -> None:
    content = create_body().ljust(most_bytes)

    assert reading.read_body(request(content), CreateBody, most_bytes=most_bytes).name == "a"
    with pytest.raises(falcon.HTTPContentTooLarge):
        reading.read_body(request(content + b" "), CreateBody, most_bytes=most_bytes)


def test_a_body_of_unknown_length_is_read_from_a_stream_that_ends() -> None:
    chunked = request(create_body())
    del chunked.env["CONTENT_LENGTH"]
    chunked.env["wsgi.input_terminated"] = True

    assert reading.read_body(chunked, CreateBody).name == "a"


def test_a_body_of_unknown_length_has_the_same_limit() -> None:
    chunked = request(create_body().ljust(limits.BODY_BYTES + 1))
    del chunked.env["CONTENT_LENGTH"]
    chunked.env["wsgi.input_terminated"] = True

    with pytest.raises(falcon.HTTPContentTooLarge):
        reading.read_body(chunked, CreateBody)


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/json"])
def test_a_request_that_takes_nothing_may_have_no_body_of_any_type(media_type: str) -> None:
    reading.check_no_fields(request(Content_Type=media_type))


def test_a_request_that_takes_nothing_may_have_an_object_without_fields() -> None:
    reading.check_no_fields(request(b" {} "))


@pytest.mark.parametrize(("content", "field"), [(b'{"a": 1}', "a"), (b"[]", "body"), (b"x", "body"), (b" ", "body")])
def test_a_request_that_takes_nothing_refuses_anything_else(content: bytes, field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        reading.check_no_fields(request(content))

    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("query", "expected"), [("", 1), ("page=1", 1), ("page=007", 7), (f"page={limits.PAGE_NUMBER}", limits.PAGE_NUMBER)]
)
@pytest.mark.parametrize("shape", [RafflesQuery, WinnersQuery])
def test_a_page_is_a_whole_number(shape: Any, query: str, expected: int) -> None:
    assert reading.read_query(request(query=query), shape).page == expected


@pytest.mark.parametrize("text", ["", "x", "-1", "%2B1", "1.0", "1e3", "0x1", "%201", "1%20", "%D9%A1", "1_0", "%00"])
@pytest.mark.parametrize("name", ["page", "page_size"])
def test_a_page_that_is_no_whole_number_in_plain_digits_is_refused(name: str, text: str) -> None:
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
    queries = [route.get.query for route in ROUTES if route.get and route.get.query]
    assert len(queries) == 4

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

    assert reading.page_url("http://h/raffles/", asked, 3) == (
        "http://h/raffles/?name=a%26b+%C3%A9&page=3&page_size=5&tag=1&tag=2"
    )


def test_no_idempotency_key_is_none() -> None:
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
def test_any_other_key_is_read_as_it_is_or_refused(text: str) -> None:
    asked = request()
    asked.env["HTTP_IDEMPOTENCY_KEY"] = text
    try:
        key = reading.idempotency_key(asked)
    except InvalidValue:
        return
    assert key == text or text.startswith('"')
