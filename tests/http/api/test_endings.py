"""Closing a raffle and calling it off, over HTTP."""

from typing import Any

import pytest
from falcon import testing

from tests.http.api.conftest import create, hand_out, patch, refusal
from tests.http.conftest import Clock, Post

STRANGER = "192.0.2.1"
RAIN = {"reason": " The fair is rained off. "}


def test_a_closed_raffle_is_drawn_among_the_tickets_handed_out(
    client: testing.TestClient, clock: Clock, post: Post
) -> None:
    raffle = create(post, total_tickets=100)
    tickets = hand_out(post, raffle, "Ann", "Ben")

    closed = post(f"{raffle}/close")

    assert closed.status_code == 200
    assert closed.json == client.simulate_get(raffle).json
    assert (closed.json["state"], closed.json["available_tickets"]) == ("closed", 0)
    assert closed.json["closed_at"] == clock.in_a(hours=0)
    [win] = post(f"{raffle}/winners").json
    assert win["ticket_number"] in [ticket["ticket_number"] for ticket in tickets]
    drawn = client.simulate_get(raffle).json
    assert (drawn["state"], drawn["winners_drawn"], drawn["drawn_at"]) == ("drawn", True, clock.in_a(hours=0))


def test_a_raffle_with_too_few_tickets_stays_open(client: testing.TestClient, post: Post) -> None:
    raffle = create(post, prizes=[{"name": "hug", "amount": 2}])
    hand_out(post, raffle, "Ann")

    status, detail = refusal(post(f"{raffle}/close"))

    assert (status, detail) == (409, "There are more prizes than tickets handed out: 2 prizes, 1 ticket.")
    assert client.simulate_get(raffle).json["state"] == "open"


@pytest.mark.parametrize(
    ("before", "action", "status", "words"),
    [
        ("winners", "close", 409, "The winners of this raffle were drawn on "),
        ("winners", "cancel", 409, "The winners of this raffle were drawn on "),
        ("close", "close", 409, "This raffle has been closed since "),
        ("cancel", "cancel", 409, "This raffle was cancelled on "),
        ("cancel", "close", 410, "This raffle has been cancelled"),
        ("close", "cancel", 200, ""),
    ],
)
def test_a_raffle_ends_once(post: Post, *, before: str, action: str, status: int, words: str) -> None:
    raffle = create(post, total_tickets=2 if before == "winners" else 3)
    hand_out(post, raffle, "Ann", "Ben")
    bodies: dict[str, Any] = {"cancel": RAIN}
    assert post(f"{raffle}/{before}", json=bodies.get(before)).status_code in (200, 201)

    answer = post(f"{raffle}/{action}", json=bodies.get(action))

    assert answer.status_code == status
    assert answer.json.get("detail", "").startswith(words)


def test_a_cancelled_raffle_says_why_and_stays_listed(client: testing.TestClient, clock: Clock, post: Post) -> None:
    raffle = create(post)
    hand_out(post, raffle, "Ann")

    cancelled = post(f"{raffle}/cancel", json=RAIN)

    assert cancelled.status_code == 200
    assert cancelled.json["state"] == "cancelled"
    assert cancelled.json["reason"] == "The fair is rained off."
    assert cancelled.json["cancelled_at"] == clock.in_a(hours=0)
    assert client.simulate_get("/raffles").json["results"] == [cancelled.json]
    for path in ("participate", "winners", "close"):
        assert refusal(post(f"{raffle}/{path}")) == (410, "This raffle has been cancelled")


@pytest.mark.parametrize("reason", [None, "", " ", "a\nb", "x" * 201, 7])
def test_a_raffle_is_not_called_off_without_a_reason(client: testing.TestClient, post: Post, reason: object) -> None:
    raffle = create(post)

    answer = post(f"{raffle}/cancel", json={"reason": reason})

    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "reason")
    assert client.simulate_get(raffle).json["state"] == "open"


def test_a_raffle_can_be_extended_until_its_first_ticket(client: testing.TestClient, clock: Clock, post: Post) -> None:
    raffle = create(post, closes_at=clock.in_a(hours=1))
    clock.advance(hours=2)
    assert refusal(post(f"{raffle}/participate", source=STRANGER))[0] == 410

    assert patch(client, raffle, json={"closes_at": clock.in_a(hours=1)}).json["state"] == "open"

    assert post(f"{raffle}/participate", source=STRANGER).status_code == 201
