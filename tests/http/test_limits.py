"""Every limit over a real socket: what is beyond it is refused with its field and its message, what fills it is taken.

The messages are those of docs/errors.md.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rafflekit.core import limits
from tests.live_server import LiveServer

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "errors.md").read_text().partition("## Limits")[2]
SERVERS = {"waitress": (), "granian": ("--server", "granian")}
FACE = "\N{GRINNING FACE}"
CREATE: dict[str, Any] = {"name": "a", "total_tickets": 5, "prizes": [{"name": "hug", "amount": 1}]}
VERIFY: dict[str, Any] = {"ticket_number": 1, "verification_code": "x"}
NO_RAFFLE = "/raffles/00000000-0000-4000-8000-000000000000"
KEY = "must be text of 16 to 255 characters."
JSON = {"Content_Type": "application/json"}
DIGITS = "must be a whole number: digits only, at most 30 of them."


@pytest.fixture(scope="module", params=SERVERS)
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Each server, with this machine as a manager."""
    folder = tmp_path_factory.mktemp("limits")
    arguments = SERVERS[request.param]
    server = LiveServer(folder / "raffles.db", *arguments, log=folder / "log", MANAGER_IPS="127.0.0.1")
    yield server
    server.stop()


def refused(answer: Any, field: str, message: str) -> None:
    """Assert that an answer is a 400 with this one field and message, and that the docs have the message."""
    assert answer.status == 400, answer.body
    assert answer.json["errors"] == [{"field": field, "message": message}]
    assert answer.json["detail"] == f"{field}: {message}"
    assert message in DOCUMENTED


def prize(**changes: Any) -> dict[str, Any]:
    return {"prizes": [CREATE["prizes"][0] | changes]}


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": ""}, "name", "must not be empty."),
        ({"name": " \u3000"}, "name", "must not be empty."),
        ({"name": "x" * 201}, "name", "must have at most 200 characters, not 201."),
        ({"name": FACE * 201}, "name", "must have at most 200 characters, not 201."),
        ({"name": "a\nb"}, "name", "must not contain control characters or line breaks."),
        ({"name": "a\x9bb"}, "name", "must not contain control characters or line breaks."),
        ({"name": "a\u2028b"}, "name", "must not contain control characters or line breaks."),
        ({"name": "a\u2029b"}, "name", "must not contain control characters or line breaks."),
        ({"name": "a\x00"}, "name", "must not contain control characters or line breaks."),
        ({"name": "\ud800"}, "name", "is not valid Unicode (a lone surrogate)."),
        ({"name": 5}, "name", "must be text."),
        (prize(name=FACE * 201), "prizes[0].name", "must have at most 200 characters, not 201."),
        (prize(name="\t"), "prizes[0].name", "must not contain control characters or line breaks."),
        ({"total_tickets": 0}, "total_tickets", "must be at least 1."),
        ({"total_tickets": -1}, "total_tickets", "must be at least 1."),
        ({"total_tickets": 10**12 + 1}, "total_tickets", "must be at most 1,000,000,000,000."),
        ({"total_tickets": 2**64}, "total_tickets", "must be at most 1,000,000,000,000."),
        ({"prizes": []}, "prizes", "must be a list of at least one prize."),
        (
            {"prizes": CREATE["prizes"] * 1_001},
            "prizes",
            "Too many kinds of prizes: 1,001; at most 1,000 are possible.",
        ),
        ({"prizes": {}}, "prizes", "must be a list."),
        ({"prizes": [1]}, "prizes[0]", "must be a JSON object."),
        (prize(amount=0), "prizes[0].amount", "must be at least 1."),
        (
            prize(amount=6),
            "prizes",
            "Too many prizes: 6 for 5 tickets. A ticket wins at most one prize; add tickets or remove prizes.",
        ),
        (
            {"total_tickets": 10**12} | prize(amount=1_000_001),
            "prizes",
            "Too many prizes: 1,000,001; at most 1,000,000 are possible.",
        ),
        ({"colour": "red"}, "colour", "is not a known field."),
        (prize(colour="red"), "prizes[0].colour", "is not a known field."),
    ],
)
def test_a_value_that_breaks_a_limit_is_refused(
    live: LiveServer, changes: dict[str, Any], field: str, message: str
) -> None:
    refused(live.request("POST", "/raffles/", CREATE | changes), field, message)


@pytest.mark.parametrize("number", ["true", "1.0", '"5"', "1e3", "null", "9" * 400, "1" + "0" * 30, "-0.0", "[]"])
def test_only_whole_numbers_are_accepted_as_numbers(live: LiveServer, number: str) -> None:
    for field, content in (
        ("total_tickets", json.dumps(CREATE | {"total_tickets": "N"})),
        ("prizes[0].amount", json.dumps(CREATE | prize(amount="N"))),
    ):
        refused(live.request("POST", "/raffles/", content.replace('"N"', number).encode(), **JSON), field, DIGITS)
    content = json.dumps(VERIFY | {"ticket_number": "N"}).replace('"N"', number).encode()
    refused(live.request("POST", f"{NO_RAFFLE}/verify-ticket/", content, **JSON), "ticket_number", DIGITS)


@pytest.mark.parametrize(
    ("content", "field", "message"),
    [
        (b'{"name": "a", "name": "a"}', "name", "is given more than once."),
        (b'{"prizes": [{"name": "a", "amount": 1, "amount": 1}]}', "amount", "is given more than once."),
        (b'{"name": "a"}', "total_tickets", "is missing."),
        (b"", "body", "must be a JSON object, but is empty."),
        (b"[]", "body", "must be a JSON object."),
        (b"[" * 11 + b"]" * 11, "body", "is nested too deeply: at most 10 levels are possible."),
        (b"[" * limits.CREATE_BODY_BYTES, "body", "is nested too deeply: at most 10 levels are possible."),
        (b'{"a":' * 60_000, "body", "is nested too deeply: at most 10 levels are possible."),
    ],
)
def test_a_body_that_is_not_as_described_is_refused(live: LiveServer, content: bytes, field: str, message: str) -> None:
    refused(live.request("POST", "/raffles/", content, **JSON), field, message)


@pytest.mark.parametrize("content", [b"{", b'{"name": "\xff"}', b'{"name": NaN}', b"\xff\xfe{\x00}\x00", b"[" * 10])
def test_a_body_that_is_not_json_in_utf_8_is_refused(live: LiveServer, content: bytes) -> None:
    answer = live.request("POST", "/raffles/", content, **JSON)

    assert answer.status == 400
    (error,) = answer.json["errors"]
    assert error["field"] == "body"
    assert error["message"].startswith("must be a JSON object, but is not ")
    assert "must be a JSON object, but is not JSON (line 1, column 2)." in DOCUMENTED
    assert "must be a JSON object, but is not UTF-8 (byte 1)." in DOCUMENTED


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("page=0", "page", "must be at least 1."),
        ("page=1.0", "page", "must be a whole number from 1."),
        ("page=-1", "page", "must be a whole number from 1."),
        ("page=%D9%A3", "page", "must be a whole number from 1."),
        ("page_size=0", "page_size", "must be at least 1."),
        ("page_size=101", "page_size", "must be at most 100."),
        (f"page_size={'9' * 400}", "page_size", "must be at most 100."),
        ("page=1&page=1", "page", "is given more than once."),
        ("winners_drawn=1", "winners_drawn", "must be true or false."),
        (f"name={'x' * 201}", "name", "must have at most 200 characters, not 201."),
        ("name=%0A", "name", "must not contain control characters or line breaks."),
    ],
)
def test_a_list_has_limits_too(live: LiveServer, query: str, field: str, message: str) -> None:
    refused(live.request("GET", f"/raffles/?{query}"), field, message)


@pytest.mark.parametrize("key", ["x" * 15, "x" * 256, '"' + "x" * 15 + '"', ""])
def test_a_key_that_is_too_short_or_too_long_is_refused(live: LiveServer, key: str) -> None:
    answer = live.request("POST", f"{NO_RAFFLE}/participate/", Idempotency_Key=key)

    message = KEY if key else 'must be printable ASCII in double quotes, e.g. "9f86d081…".'
    refused(answer, "Idempotency-Key", message)


def filled(content: dict[str, Any], most_bytes: int) -> bytes:
    """Return a body of exactly this many bytes."""
    return json.dumps(content).encode().ljust(most_bytes)


def test_a_body_may_fill_its_limit_to_the_last_byte(live: LiveServer) -> None:
    for path, content, most_bytes, status in (
        ("/raffles/", CREATE, 1_048_576, 201),
        (f"{NO_RAFFLE}/verify-ticket/", VERIFY, 65_536, 404),
        (f"{NO_RAFFLE}/participate/", {}, 65_536, 404),
        (f"{NO_RAFFLE}/winners/", {}, 65_536, 404),
    ):
        body = filled(content, most_bytes)
        assert live.request("POST", path, body, **JSON).status == status
        beyond = live.request("POST", path, body + b" ", **JSON)
        assert (beyond.status, beyond.json["detail"]) == (413, f"The body may have at most {most_bytes:,} bytes.")
        assert beyond.json["detail"] in DOCUMENTED
        if content:
            foreign = live.request("POST", path, body, Content_Type="text/plain")
            assert (foreign.status, foreign.json["detail"]) == (415, "The body must be application/json.")
            assert foreign.json["detail"] in DOCUMENTED


@pytest.mark.parametrize(
    "raffle",
    [
        {"name": FACE * 200, "total_tickets": 1, "prizes": [{"name": FACE * 200, "amount": 1}]},
        {"name": "x", "total_tickets": 10**12, "prizes": [{"name": "x", "amount": 1_000_000}]},
        {
            "name": "x",
            "total_tickets": 1_000_000,
            "prizes": [{"name": f"{number:03d}{FACE * 197}", "amount": 1_000} for number in range(1_000)],
        },
    ],
    ids=["names", "tickets and prizes", "kinds of prizes"],
)
def test_a_raffle_may_fill_every_limit(live: LiveServer, raffle: dict[str, Any]) -> None:
    # With escapes, 1,000 such names would exceed the limit of a body.
    body = json.dumps(raffle, ensure_ascii=False).encode()

    created = live.request("POST", "/raffles/", body, **JSON)

    assert created.status == 201, created.body
    assert {name: created.json[name] for name in raffle} == raffle
    assert live.request("GET", f"/raffles/{created.json['id']}/").json == created.json


def test_a_list_may_fill_its_limits(live: LiveServer) -> None:
    assert live.request("GET", f"/raffles/?page_size=100&name={'x' * 200}").status == 200
    assert live.request("GET", f"/raffles/?page={'9' * 400}").status == 404


def test_a_key_may_fill_its_limits(live: LiveServer) -> None:
    raffle = live.request("POST", "/raffles/", CREATE).json["id"]
    for source, key in (("127.0.0.2", "x" * 16), ("127.0.0.3", '"' + "x" * 255 + '"')):
        asked = ("POST", f"/raffles/{raffle}/participate/")
        first, again = (live.request_from(source, *asked, Idempotency_Key=key) for _ in range(2))
        assert (first.status, again.json) == (201, first.json)
