"""The service accepts the requests that the OpenAPI document says are valid, and no others."""

import re
import sys
import unicodedata
from typing import Any

import jsonschema_rs
import pytest
from falcon import testing
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.protocol.terms import TEXTS, TIMES
from rafflekit.http import reading
from tests.http.conftest import RAFFLE, Post
from tests.http.description import operations, parameter_schema, schema_of
from tests.http.test_reading import request as wire_request


@pytest.fixture
def client(shared_client: testing.TestClient) -> testing.TestClient:
    """The client of this module's application."""
    return shared_client


def is_described(body: dict[str, Any], name: str) -> bool:
    return jsonschema_rs.is_valid(schema_of(name), body, validate_formats=True)


@pytest.mark.parametrize(
    ("changes", "is_valid"),
    [
        *[
            ({"name": "n" * length}, is_valid)
            for length, is_valid in ((0, False), (1, True), (200, True), (201, False))
        ],
        *[({"name": name}, is_valid) for name, is_valid in ((" ", False), (" a ", True), ("a\n", False), ("é", True))],
        *[({"total_tickets": count}, count in (1, 10**12)) for count in (-1, 0, 1, 10**12, 10**12 + 1)],
        *[({"total_tickets": count}, False) for count in (True, "1", 1.5, None)],
        ({"prizes": []}, False),
        ({"total_tickets": 1_000, "prizes": [{"name": "hug", "amount": 1}] * 1_000}, True),
        ({"total_tickets": 1_001, "prizes": [{"name": "hug", "amount": 1}] * 1_001}, False),
        *[
            ({"total_tickets": 10**7, "prizes": [{"name": "hug", "amount": amount}]}, amount in (1, 10**6))
            for amount in (0, 1, 10**6, 10**6 + 1)
        ],
        ({"prizes": [{"name": "", "amount": 1}]}, False),
        ({"prizes": [{"name": "hug"}]}, False),
        ({"prizes": [{"name": "hug", "amount": 1, "more": 1}]}, False),
        ({"more": 1}, False),
        *[({"tickets_each": count}, count in (None, 1, 1_000)) for count in (None, 0, 1, 1_000, 1_001)],
        *[({"claim_days": days}, days in (None, 1, 3_650)) for days in (None, 0, 1, 3_650, 3_651)],
        *[({"entry": rule}, rule != "all") for rule in (None, "address", "invitation", "desk", "all")],
        *[({"entropy": source}, source != "dice") for source in (None, "secrets", "drand-quicknet", "dice")],
        *[
            ({"entropy": "announced", "source": source}, is_valid)
            for source, is_valid in (("dice", True), ("x" * 200, True), ("x" * 201, False), ("", False), ("a\n", False))
        ],
        *[
            ({field: text}, is_valid)
            for field in TEXTS
            if field != "price"
            for text, is_valid in ((None, True), ("x" * 200, True), ("x" * 201, False), ("a\n", False))
        ],
        *[
            ({field: time}, is_valid)
            for field in TIMES
            for time, is_valid in (
                *((None, True), ("2030-12-05T18:00:00Z", True), ("2030-12-05t18:00:00.5+01:00", True)),
                *(("2030-12-05T18:00:00", False), ("2030-12-05 18:00:00Z", False), ("2030-02-29T18:00:00Z", False)),
                *(("2030-12-31T23:59:60Z", False), ("1969-12-31T23:59:59Z", False), (1_922_000_000, False)),
            )
        ],
    ],
)
def test_a_raffle_is_valid_only_if_it_can_be_created(post: Post, changes: dict[str, Any], is_valid: bool) -> None:
    body = RAFFLE | changes

    assert is_described(body, "CreateBody") is is_described(changes, "ChangeBody") is is_valid
    assert post("/raffles/", json=body).status_code == (201 if is_valid else 400)


def test_the_document_allows_the_characters_of_names() -> None:
    name = re.compile(schema_of("CreateBody")["components"]["schemas"]["CreateBody"]["properties"]["name"]["pattern"])
    searched = re.compile(parameter_schema("name")["pattern"])
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    unprintable = {c for c in characters if unicodedata.category(c) in limits.UNPRINTABLE_CATEGORIES}
    blank = {c for c in characters if c.isspace()}

    assert {c for c in characters if not searched.fullmatch(c)} == unprintable
    assert {c for c in characters if not name.fullmatch(c)} == unprintable | blank
    assert not [c for c in unprintable if name.fullmatch(f"a{c}a")]


@pytest.mark.parametrize(
    ("participant", "is_valid"), [("x", True), ("x" * 1_000, True), ("x" * 1_001, False), ("", False), ("a\n", False)]
)
def test_a_participant_is_valid_only_if_it_can_take_part(
    post: Post, raffle: str, participant: str, is_valid: bool
) -> None:
    body = {"participant": participant}

    assert is_described(body, "ParticipateBody") is is_valid
    assert post(f"{raffle}/participate", json=body).status_code == (201 if is_valid else 400)


@pytest.mark.parametrize(("reason", "is_valid"), [("x", True), ("x" * 200, True), ("x" * 201, False), (" ", False)])
def test_a_reason_is_valid_only_if_it_can_be_published(post: Post, raffle: str, reason: str, is_valid: bool) -> None:
    body = {"reason": reason}

    assert is_described(body, "CancelBody") is is_valid
    assert is_described(body | {"ticket_number": 1, "why": "unclaimed"}, "ForfeitBody") is is_valid
    assert post(f"{raffle}/cancel", json=body).status_code == (200 if is_valid else 400)


@pytest.mark.parametrize(("name", "number"), [("page", 0), ("page_size", 0), ("page_size", 100), ("page_size", 101)])
def test_a_page_has_the_limits_of_the_document(client: testing.TestClient, name: str, number: int) -> None:
    is_valid = number == 100

    assert jsonschema_rs.is_valid(parameter_schema(name), number) is is_valid
    assert client.simulate_get("/raffles/", params={name: number}).status_code == (200 if is_valid else 400)


def test_the_document_has_the_usual_page_sizes() -> None:
    sizes = [
        parameter["schema"]["default"]
        for method, _, operation in operations()
        for parameter in operation.get("parameters", [])
        if (parameter["name"], method) == ("page_size", "GET")
    ]

    assert sizes == [limits.RAFFLES_PAGE_SIZE, limits.WINNERS_PAGE_SIZE]


def is_key(text: str) -> bool:
    try:
        limits.check_idempotency_key(reading.idempotency_key(wire_request(Idempotency_Key=text)))
    except InvalidValue:
        return False
    return True


KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300)


@given(KEYS | KEYS.map('"{}"'.format) | st.from_regex(parameter_schema("Idempotency-Key")["pattern"], fullmatch=True))
def test_the_document_describes_valid_idempotency_keys(text: str) -> None:
    # A server strips the blanks around a header's value.
    text = text.strip(" ")

    assert jsonschema_rs.is_valid(parameter_schema("Idempotency-Key"), text) is is_key(text)
