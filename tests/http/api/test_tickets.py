"""Taking part over HTTP, and verifying a ticket."""

import pytest
from falcon import testing

from rafflekit.core import limits
from tests.http.api.conftest import sell_out
from tests.http.conftest import PROXY, Post

STRANGER = "192.0.2.1"
NO_RAFFLE = "/raffles/00000000-0000-4000-8000-000000000000"
KEY = "0123456789abcdef"


def test_a_client_without_an_address_may_only_read(client: testing.TestClient, post: Post, raffle: str) -> None:
    unknown = {"X-Forwarded-For": "unknown"}

    assert client.simulate_get(raffle, remote_addr=PROXY, headers=unknown).status_code == 200
    assert post(f"{raffle}/participate", source=PROXY, headers=unknown).status_code == 400
    assert post(f"{raffle}/winners", source=PROXY, headers=unknown).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"), [("{}", 404), ('{"a":1}', 400), ("[]", 400), ("x", 400), ("x" * limits.BODY_BYTES + "x", 413)]
)
@pytest.mark.parametrize("action", ["participate", "winners"])
def test_a_body_is_validated_before_the_raffle_is_looked_up(post: Post, action: str, body: str, status: int) -> None:
    answer = post(f"{NO_RAFFLE}/{action}", body=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status


def test_a_ticket_is_validated_before_the_raffle_is_looked_up(post: Post) -> None:
    assert post(f"{NO_RAFFLE}/verify-ticket", json={"ticket_number": 1}).status_code == 400
    right = {"ticket_number": 1, "verification_code": "x"}
    assert post(f"{NO_RAFFLE}/verify-ticket", json=right).status_code == 404


def test_the_quoted_and_the_bare_key_are_the_same(post: Post, raffle: str) -> None:
    first, second, other = (
        post(f"{raffle}/participate", source=STRANGER, headers={"Idempotency-Key": key})
        for key in (f'"{KEY}"', KEY, f"{KEY}x")
    )

    assert (first.status_code, second.status_code, other.status_code) == (201, 201, 403)
    assert first.json == second.json


@pytest.mark.parametrize("key", ["", "short", "x" * 256, f"{KEY}, {KEY}", f'"{KEY}"x'])
def test_a_bad_key_is_refused_by_its_headers_name(post: Post, raffle: str, key: str) -> None:
    answer = post(f"{raffle}/participate", source=STRANGER, headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json["detail"]
    assert "idempotency_key" not in answer.text


@pytest.mark.parametrize("number", [0, -1, 3, 10**20, -(10**20)])
def test_an_unknown_ticket_number_is_a_wrong_code(post: Post, raffle: str, number: int) -> None:
    code = sell_out(post, raffle)[0]["verification_code"]
    post(f"{raffle}/winners")

    answer = post(f"{raffle}/verify-ticket", json={"ticket_number": number, "verification_code": code})

    assert answer.status_code == 400
    assert answer.json["detail"] == "Invalid verification code"
