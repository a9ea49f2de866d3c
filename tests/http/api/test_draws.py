"""Drawing the winners over HTTP, and listing them."""

from datetime import UTC, datetime

import pytest
from falcon import testing

from rafflekit.core import limits
from rafflekit.core.protocol.entropy.drand import time_of
from tests.http.api.conftest import create, hand_out, refusal, sell_out, shown
from tests.http.conftest import BEACON, BEACON_ROUND, Clock, Post

STRANGER = "192.0.2.1"
NUMBERS = "3 17 22 31 38 45"


def test_the_draw_lists_every_win_and_the_winners_page_the_same(
    client: testing.TestClient, post: Post, raffle: str
) -> None:
    assert client.simulate_get(f"{raffle}/winners").json == {"count": 0, "next": None, "previous": None, "results": []}
    tickets = sell_out(post, raffle)

    drawn = post(f"{raffle}/winners")

    assert drawn.status_code == 201
    [win] = drawn.json
    assert win["prize"] == "warm hug"
    assert client.simulate_get(f"{raffle}/winners").json["results"] == drawn.json
    for ticket in tickets:
        has_won = ticket["ticket_number"] == win["ticket_number"]
        verified = post(f"{raffle}/verify-ticket", json=shown(ticket), source=STRANGER)
        assert verified.json == {"has_won": has_won, "prize": "warm hug" if has_won else None}


def test_an_announced_value_decides_and_is_in_the_proof(client: testing.TestClient, post: Post) -> None:
    raffle = create(post, entropy="announced", source="Lotto 6/49 of 5 December")
    sell_out(post, raffle)

    missing, empty = post(f"{raffle}/winners"), post(f"{raffle}/winners", json={"value": " "})
    drawn = post(f"{raffle}/winners", json={"value": f"  {NUMBERS.replace(' ', '   ')}"})

    for refused in (missing, empty):
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, "value")
    assert drawn.status_code == 201
    assert client.simulate_get(f"{raffle}/proof").json["entropy"] == {"kind": "announced", "value": NUMBERS}


@pytest.mark.parametrize("value", [7, [], {}])
def test_a_value_is_text(post: Post, raffle: str, value: object) -> None:
    answer = post(f"{raffle}/winners", json={"value": value})

    assert refusal(answer) == (400, "value: must be text or null.")


def test_a_raffle_of_this_machines_secrets_takes_no_value(client: testing.TestClient, post: Post, raffle: str) -> None:
    sell_out(post, raffle)

    answer = post(f"{raffle}/winners", json={"value": "1"})

    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "value")
    assert client.simulate_get(raffle).json["state"] == "closed"
    assert post(f"{raffle}/winners", json={"value": None}).status_code == 201


def test_a_given_beacon_decides_without_a_relay(client: testing.TestClient, clock: Clock, post: Post) -> None:
    raffle = create(post, entropy="drand-quicknet", delay_s=60)
    clock.now = datetime.fromtimestamp(time_of(BEACON_ROUND) - 60, UTC)
    sell_out(post, raffle)
    closed = client.simulate_get(raffle).json
    early = post(f"{raffle}/winners")

    published = f"{datetime.fromtimestamp(time_of(BEACON_ROUND), UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert closed["draw_possible_at"] == published
    assert refusal(early) == (403, "The draw's beacon round has not been published yet")
    assert early.headers["Retry-After"] == "60"
    clock.advance(seconds=60)
    wrong = post(f"{raffle}/winners", json={"value": BEACON.replace("b4", "a4")})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (400, "value")
    assert post(f"{raffle}/winners", json={"value": BEACON}).status_code == 201
    proof = client.simulate_get(f"{raffle}/proof").json
    assert proof["entropy"]["signature"] == BEACON
    assert "draw_possible_at" not in client.simulate_get(raffle).json


def test_a_draw_closes_a_raffle_whose_time_is_over(client: testing.TestClient, clock: Clock, post: Post) -> None:
    terms = {"closes_at": clock.in_a(hours=1), "total_tickets": 9, "prizes": [{"name": "hug", "amount": 2}]}
    raffle, empty = create(post, **terms), create(post, **terms)
    hand_out(post, raffle, "Ann", "Ben")
    hand_out(post, empty, "Ann")
    assert refusal(post(f"{raffle}/winners")) == (403, "Winners can't be drawn when tickets are still available")

    clock.advance(hours=1)

    assert post(f"{raffle}/winners").status_code == 201
    assert client.simulate_get(raffle).json["closed_at"] == clock.in_a(hours=0)
    assert refusal(post(f"{empty}/winners")) == (
        409,
        "There are more prizes than tickets handed out: 2 prizes, 1 ticket.",
    )


def test_the_queue_shows_who_would_be_next(client: testing.TestClient, post: Post) -> None:
    raffle = create(post, total_tickets=5)
    tickets = hand_out(post, raffle, *"abcde")
    before = client.simulate_get(f"{raffle}/winners", params={"queue": "true"})
    [win] = post(f"{raffle}/winners").json

    queue = client.simulate_get(f"{raffle}/winners", params={"queue": "true"}).json
    page = client.simulate_get(f"{raffle}/winners/", query_string="queue=true&page=2&page_size=3").json

    assert refusal(before) == (400, "Winners for the raffle have not been drawn yet")
    numbers = [each["ticket_number"] for each in queue["results"]]
    assert sorted([win["ticket_number"], *numbers]) == sorted(ticket["ticket_number"] for ticket in tickets)
    assert queue["results"] == [{"ticket_number": number, "prize": None} for number in numbers]
    assert (page["count"], [each["ticket_number"] for each in page["results"]]) == (4, numbers[3:])
    assert (page["next"], page["previous"]) == (
        None,
        f"http://127.0.0.1:8080{raffle}/winners/?queue=true&page=1&page_size=3",
    )
    assert client.simulate_get(f"{raffle}/winners", params={"queue": "true", "page": 2}).status_code == 404
    heir = post(f"{raffle}/forfeit", json={"ticket_number": win["ticket_number"], "why": "unclaimed"}).json
    assert heir["ticket_number"] == numbers[0]
    shifted = client.simulate_get(f"{raffle}/winners", params={"queue": "true"}).json
    assert [each["ticket_number"] for each in shifted["results"]] == numbers[1:]


def test_a_draw_of_many_prizes_answers_with_the_first_wins(
    client: testing.TestClient, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    raffle = create(post, total_tickets=5, prizes=[{"name": "warm hug", "amount": 5}])
    hand_out(post, raffle, *(f"participant {n}" for n in range(5)))
    monkeypatch.setattr(limits, "PAGE_SIZE", 2)

    drawn = post(f"{raffle}/winners/")

    assert drawn.headers["Link"] == '<?page=2&page_size=2>; rel="next"'
    first, second, third = (
        client.simulate_get(f"{raffle}/winners/", params={"page": page, "page_size": 2}).json["results"]
        for page in (1, 2, 3)
    )
    assert drawn.json == first
    assert [len(first), len(second), len(third)] == [2, 2, 1]
