"""Raffle creation."""

import re
from typing import Any

import pytest

from tests.acceptance.conftest import STRANGER
from tests.acceptance.drivers import Driver, Refused
from tests.live_server import LiveServer

FOOBAR = {
    "name": "Foobar raffle",
    "total_tickets": 15,
    "prizes": [{"name": "invisibility", "amount": 1}, {"name": "warm hug", "amount": 3}],
}


def test_a_manager_creates_a_raffle(driver: Driver) -> None:
    raffle = driver.create("Foobar raffle", 15, [("invisibility", 1), ("warm hug", 3)])

    assert re.fullmatch(r"[a-f0-9]{8}-([a-f0-9]{4}-){3}[a-f0-9]{12}", raffle.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", raffle.pop("created_at"))
    decided = {"entropy": "secrets", "state": "open"}
    assert raffle == FOOBAR | {"available_tickets": 15, "winners_drawn": False} | decided


def test_a_raffle_without_prizes_is_refused(driver: Driver) -> None:
    with pytest.raises(Refused, match="prize"):
        driver.create("Foobar raffle", 15, [])


@pytest.mark.parametrize("prizes", [[("hug", 4)], [("hug", 2), ("car", 2)]])
def test_more_prizes_than_tickets_are_refused(driver: Driver, prizes: list[tuple[str, int]]) -> None:
    with pytest.raises(Refused, match="Too many prizes"):
        driver.create("Foobar raffle", 3, prizes)


def test_more_than_a_million_prizes_are_refused(driver: Driver) -> None:
    with pytest.raises(Refused, match="Too many prizes"):
        driver.create("Foobar raffle", 10_000_000, [("hug", 1_000_001)])


def test_every_ticket_may_have_a_prize(driver: Driver) -> None:
    assert driver.create("Foobar raffle", 3, [("hug", 3)])["prizes"] == [{"name": "hug", "amount": 3}]


@pytest.mark.parametrize(("total_tickets", "prizes"), [(0, [("hug", 1)]), (3, [("hug", 0)]), (-1, [("hug", 1)])])
def test_amounts_below_one_are_refused(driver: Driver, total_tickets: int, prizes: list[tuple[str, int]]) -> None:
    with pytest.raises(Refused):
        driver.create("Foobar raffle", total_tickets, prizes)


def test_creating_answers_with_the_location_of_the_raffle(server: LiveServer) -> None:
    answer = server.request("POST", "/raffles/", FOOBAR)

    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["location"] == f"{server.url}/raffles/{answer.json['id']}/"
    assert server.request("GET", answer.headers["location"].removeprefix(server.url)).json == answer.json


def test_an_address_without_the_right_cannot_create(server: LiveServer) -> None:
    before = server.request("GET", "/raffles/").json["count"]

    for body in (FOOBAR, b"no json", None):
        answer = server.request_from(STRANGER, "POST", "/raffles/", body)
        assert answer.status == 403
        assert answer.headers["content-type"] == "application/problem+json"

    assert server.request("GET", "/raffles/").json["count"] == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prizes": []}, "prizes"),
        ({"prizes": None}, "prizes"),
        ({"prizes": "hug"}, "prizes"),
        ({"prizes": [{"name": "hug"}]}, "amount"),
        ({"prizes": [{"amount": 1}]}, "name"),
        ({"prizes": [{"name": "hug", "amount": 0}]}, "amount"),
        ({"prizes": [{"name": "hug", "amount": "1"}]}, "amount"),
        ({"prizes": [{"name": "hug", "amount": 1.0}]}, "amount"),
        ({"prizes": [{"name": "hug", "amount": True}]}, "amount"),
        ({"prizes": [{"name": "hug", "amount": 1, "colour": "red"}]}, "colour"),
        ({"total_tickets": 0}, "total_tickets"),
        ({"total_tickets": None}, "total_tickets"),
        ({"total_tickets": "15"}, "total_tickets"),
        ({"total_tickets": 10**400}, "total_tickets"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_an_invalid_body_is_refused_with_the_fields_name(
    server: LiveServer, change: dict[str, Any], field: str
) -> None:
    answer = server.request("POST", "/raffles/", FOOBAR | change)

    assert answer.status == 400
    assert field in answer.json["detail"]
    assert any(field in error["field"] for error in answer.json["errors"])


@pytest.mark.parametrize("field", FOOBAR)
def test_a_missing_field_is_named(server: LiveServer, field: str) -> None:
    answer = server.request("POST", "/raffles/", {name: value for name, value in FOOBAR.items() if name != field})

    assert answer.status == 400
    assert field in answer.json["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b'"text"', b"\xff", b'{"name":"a","name":"b"}'])
def test_a_body_that_is_not_a_json_object_is_refused(server: LiveServer, body: bytes) -> None:
    answer = server.request("POST", "/raffles/", body, Content_Type="application/json")

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_of_another_media_type_is_refused(server: LiveServer) -> None:
    assert server.request("POST", "/raffles/", b"name=x", Content_Type="text/plain").status == 415


def test_a_body_that_is_too_large_is_refused(server: LiveServer) -> None:
    answer = server.request("POST", "/raffles/", b" " * (1024 * 1024 + 1), Content_Type="application/json")

    assert answer.status == 413
    assert answer.json["status"] == 413
