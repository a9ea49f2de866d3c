"""How the bodies and ids of requests are read."""

import json
from typing import Any, Literal

import falcon
import msgspec
import pytest
from falcon import testing
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import RaffleEngine
from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.http import fields, reading
from rafflekit.http.api import ROUTES
from rafflekit.http.api.draws import DrawBody
from rafflekit.http.api.raffles import CreateBody, PrizeBody
from rafflekit.http.api.tickets import ParticipateBody
from rafflekit.http.app import create_app
from rafflekit.http.pages import PAGES
from tests.http.conftest import SETTINGS

CREATE: dict[str, Any] = {"name": "a", "total_tickets": 5, "prizes": [{"name": "hug", "amount": 1}]}


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


def test_what_is_read_shows_no_values_in_its_repr(engine: RaffleEngine) -> None:
    create_app(engine, SETTINGS)
    operations = [operation for route in ROUTES for operation in route.operations.values()]
    shapes = {shape for operation in operations for shape in (operation.body, operation.query) if shape is not None}
    shapes |= {shape for page in PAGES.values() for shape in page.forms}
    assert {"ParticipateBody", "VerifyBody", "NamedForm", "VerifyForm", "PassForm"} <= {
        each.__name__ for each in shapes
    }

    for shape in shapes:
        shown = repr(shape(**dict.fromkeys(shape.__struct_fields__, "a secret")))
        assert shown == f"{shape.__name__}({', '.join(shape.__struct_fields__)})"


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
def test_a_body_that_is_not_a_json_object_is_refused(content: bytes) -> None:
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
        (create_body(name=None), "must be text."),
        (create_body(entropy=7), "must be text or null."),
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
def test_ten_levels_and_brackets_in_texts_are_not_too_deep(content: bytes, field: str) -> None:
    assert refused_field(content) == field


@pytest.mark.parametrize(
    ("content", "headers"),
    [(b"{}", {"Content_Length": "3"}), (b"", {"Content_Length": "1"}), (b"", {"Transfer_Encoding": "chunked"})],
)
def test_an_incomplete_body_is_refused_if_none_is_needed(content: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidValue, match="body: ended before it was complete"):
        reading.read_body(request(content, **headers), fields.NoFields)


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

    # A lone surrogate could not be written.
    assert msgspec.json.encode(answerable)


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8", "application/json;a=b"])
def test_a_media_type_may_have_parameters(media_type: str) -> None:
    assert reading.read_body(request(create_body(), Content_Type=media_type), CreateBody).name == "a"


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_another_media_type_is_refused(media_type: str) -> None:
    with pytest.raises(falcon.HTTPUnsupportedMediaType):
        reading.read_body(request(create_body(), Content_Type=media_type), CreateBody)
    with pytest.raises(falcon.HTTPUnsupportedMediaType):
        reading.read_body(request(b"{}", Content_Type=media_type), fields.NoFields)


@pytest.mark.parametrize("most_bytes", [limits.BODY_BYTES, limits.CREATE_BODY_BYTES])
def test_a_body_may_fill_its_limit_and_no_more(most_bytes: int) -> None:
    content = create_body().ljust(most_bytes)

    assert reading.read_body(request(content), CreateBody, most_bytes=most_bytes).name == "a"
    with pytest.raises(falcon.HTTPContentTooLarge):
        reading.read_body(request(content + b" "), CreateBody, most_bytes=most_bytes)


def test_a_body_of_unknown_length_is_read_to_its_end() -> None:
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
def test_a_request_that_takes_nothing_may_have_no_body(media_type: str) -> None:
    reading.read_body(request(Content_Type=media_type), fields.NoFields)


def may_be_absent(shape: type[msgspec.Struct]) -> bool:
    try:
        return reading.read_body(request(), shape) == shape()
    except InvalidValue as refusal:
        return refusal.field != "body"


def test_a_body_that_decides_something_must_be_there() -> None:
    bodies = {operation.body for route in ROUTES for operation in route.operations.values() if operation.body}

    assert {body for body in bodies if may_be_absent(body)} == {fields.NoFields, ParticipateBody, DrawBody}


def test_a_bodys_secrets_are_noted_for_the_log() -> None:
    long = "x" * 16
    secrets = {"participant": "A", "invitation": long, "verification_code": f"{long}y", "name": long, "other": long}
    asked = request(json.dumps(secrets).encode())

    # Also if the body is refused.
    with pytest.raises(InvalidValue):
        reading.read_body(asked, ParticipateBody)

    assert asked.context.secrets == ["A", long, f"{long}y"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"invitation": "short", "participant": null}'])
def test_a_short_code_may_stand_anywhere_by_chance(content: bytes) -> None:
    asked = request(content)

    reading.read_body(asked, ParticipateBody)

    assert asked.context.secrets == []


def test_a_request_that_takes_nothing_may_have_an_empty_object() -> None:
    reading.read_body(request(b" {} "), fields.NoFields)


@pytest.mark.parametrize(("content", "field"), [(b'{"a": 1}', "a"), (b"[]", "body"), (b"x", "body"), (b" ", "body")])
def test_a_request_that_takes_nothing_refuses_anything_else(content: bytes, field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        reading.read_body(request(content), fields.NoFields)

    assert refusal.value.field == field
