"""Verifying tickets, handing prizes out and passing them on, over HTTP."""

from typing import Any, NamedTuple

import pytest
from falcon import testing

from tests.http.api.conftest import create, hand_out, refusal, sell_out, shown
from tests.http.conftest import Clock, Post

STRANGER = "192.0.2.1"
NO_RAFFLE = "/raffles/00000000-0000-4000-8000-000000000000"
DAYS = 14


class Drawn(NamedTuple):
    """A drawn raffle of three tickets and one prize: its address, and the body that shows each ticket."""

    raffle: str
    winner: dict[str, Any]
    losers: list[dict[str, Any]]


def drawn(post: Post, **terms: Any) -> Drawn:
    raffle = create(post, total_tickets=3, **terms)
    tickets = [shown(ticket) for ticket in hand_out(post, raffle, "Ann", "Ben", "Cem")]
    [win] = post(f"{raffle}/winners").json
    losers = [ticket for ticket in tickets if ticket["ticket_number"] != win["ticket_number"]]
    [winner] = [ticket for ticket in tickets if ticket not in losers]
    return Drawn(raffle, winner, losers)


@pytest.fixture
def party(post: Post) -> Drawn:
    """A drawn raffle whose prize must be redeemed within 14 days."""
    return drawn(post, claim_days=DAYS)


def test_a_ticket_is_validated_before_the_raffle_is_looked_up(post: Post) -> None:
    assert post(f"{NO_RAFFLE}/verify-ticket", json={"ticket_number": 1}).status_code == 400
    right = {"ticket_number": 1, "verification_code": "x"}
    assert post(f"{NO_RAFFLE}/verify-ticket", json=right).status_code == 404


@pytest.mark.parametrize("number", [0, -1, 3, 10**20, -(10**20)])
def test_an_unknown_ticket_number_is_a_wrong_code(post: Post, raffle: str, number: int) -> None:
    code = sell_out(post, raffle)[0]["verification_code"]
    post(f"{raffle}/winners")

    for path in ("verify-ticket", "redeem"):
        answer = post(f"{raffle}/{path}", json={"ticket_number": number, "verification_code": code})
        assert refusal(answer) == (400, "Invalid verification code")


@pytest.mark.parametrize(("path", "more"), [("verify-ticket", {}), ("redeem", {}), ("forfeit", {"why": "renounced"})])
def test_nothing_is_won_before_the_draw(post: Post, raffle: str, path: str, more: dict[str, str]) -> None:
    ticket = shown(sell_out(post, raffle)[0])

    right, wrong = (post(f"{raffle}/{path}", json=ticket | more | change) for change in ({}, {"ticket_number": 9}))

    assert refusal(right) == refusal(wrong) == (400, "Winners for the raffle have not been drawn yet")


def test_a_prize_is_handed_out_once(client: testing.TestClient, clock: Clock, post: Post, party: Drawn) -> None:
    clock.advance(days=1)
    redeemed = post(f"{party.raffle}/redeem", json=party.winner)
    clock.advance(days=1)

    again = post(f"{party.raffle}/redeem", json=party.winner)

    assert redeemed.status_code == 200
    assert redeemed.json == {"has_won": True, "prize": "warm hug", "redeemed_at": clock.in_a(days=-1)}
    day = f"{clock.later(days=-1):%Y-%m-%d %H:%M:%S} UTC"
    assert refusal(again) == (409, f"This prize has already been redeemed, on {day}.")
    assert post(f"{party.raffle}/verify-ticket", json=party.winner, source=STRANGER).json == redeemed.json
    [win] = client.simulate_get(f"{party.raffle}/winners").json["results"]
    number = party.winner["ticket_number"]
    assert win == {"ticket_number": number, "prize": "warm hug", "redeemed_at": clock.in_a(days=-1)}


def test_a_redemption_can_be_undone_for_a_quarter_of_an_hour(clock: Clock, post: Post, party: Drawn) -> None:
    undo = party.winner | {"undo": True}
    too_early = post(f"{party.raffle}/redeem", json=undo)
    post(f"{party.raffle}/redeem", json=party.winner)
    clock.advance(minutes=15)

    undone = post(f"{party.raffle}/redeem", json=undo)

    assert refusal(too_early) == (409, "This prize has not been redeemed, so there is nothing to undo.")
    assert (undone.status_code, undone.json["has_won"], "redeemed_at" in undone.json) == (200, True, False)
    assert post(f"{party.raffle}/redeem", json=party.winner | {"undo": False}).status_code == 200
    clock.advance(minutes=15, seconds=1)
    assert post(f"{party.raffle}/redeem", json=undo).status_code == 409


def test_a_prize_cannot_be_redeemed_after_its_deadline(clock: Clock, post: Post, party: Drawn) -> None:
    until = clock.in_a(days=DAYS)
    assert post(f"{party.raffle}/verify-ticket", json=party.winner).json["redeem_until"] == until
    clock.advance(days=DAYS)

    refused = refusal(post(f"{party.raffle}/redeem", json=party.winner))

    assert refused == (409, f"This prize could be redeemed until {clock.now:%Y-%m-%d %H:%M:%S} UTC.")


def test_only_the_code_of_a_winning_ticket_gets_a_prize(post: Post, party: Drawn) -> None:
    wrong = party.winner | {"verification_code": party.losers[0]["verification_code"]}

    assert refusal(post(f"{party.raffle}/redeem", json=wrong)) == (400, "Invalid verification code")
    loser = post(f"{party.raffle}/redeem", json=party.losers[0])
    assert refusal(loser) == (409, "This ticket has not won anything.")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"undo": 1}, "undo"),
        ({"undo": None}, "undo"),
        ({"undo": "true"}, "undo"),
        ({"verification_code": None}, "verification_code"),
        ({"ticket_number": "1"}, "ticket_number"),
        ({"why": "unclaimed"}, "why"),
    ],
)
def test_a_redemption_that_cannot_be_read_is_refused(
    post: Post, party: Drawn, changes: dict[str, Any], field: str
) -> None:
    answer = post(f"{party.raffle}/redeem", json=party.winner | changes)

    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, field)


def test_prizes_pass_on_until_no_ticket_is_left(client: testing.TestClient, clock: Clock, post: Post) -> None:
    party = drawn(post)
    queue = client.simulate_get(f"{party.raffle}/winners", params={"queue": "true"}).json["results"]
    number, (second, third) = party.winner["ticket_number"], [each["ticket_number"] for each in queue]

    def forfeit(ticket: int, why: str, **more: str) -> testing.Result:
        return post(f"{party.raffle}/forfeit", json={"ticket_number": ticket, "why": why} | more)

    disqualified = forfeit(number, "disqualified", reason="an organiser's ticket")
    code = next(ticket for ticket in party.losers if ticket["ticket_number"] == second)["verification_code"]
    renounced = forfeit(second, "renounced", verification_code=code)
    unclaimed = forfeit(third, "unclaimed")

    hug, when = {"prize": "warm hug"}, {"forfeited_at": clock.in_a(days=0)}
    assert (disqualified.status_code, disqualified.json) == (
        200,
        hug | {"ticket_number": second, "in_place_of": number},
    )
    assert renounced.json == hug | {"ticket_number": third, "in_place_of": second}
    assert (unclaimed.status_code, unclaimed.json) == (200, None)
    assert client.simulate_get(f"{party.raffle}/winners").json["results"] == [
        hug | when | {"ticket_number": number, "why": "disqualified", "reason": "an organiser's ticket"},
        hug
        | when
        | {"ticket_number": second, "why": "renounced", "reason": "renounced by the winner"}
        | {"in_place_of": number},
        hug | when | {"ticket_number": third, "why": "unclaimed", "reason": "not collected", "in_place_of": second},
    ]
    verified = post(f"{party.raffle}/verify-ticket", json=party.winner).json
    lost = {"has_won": False, "prize": None, "forfeited_prize": "warm hug", "reason": "an organiser's ticket"}
    assert verified == lost | when


def test_a_prize_that_is_gone_neither_passes_on_nor_comes_back(post: Post, party: Drawn) -> None:
    raffle, number = party.raffle, party.winner["ticket_number"]
    body = {"ticket_number": number, "why": "disqualified", "reason": "a child of the organiser"}
    post(f"{raffle}/redeem", json=party.winner)
    assert refusal(post(f"{raffle}/forfeit", json=body))[1].startswith("This prize has already been redeemed, on ")
    post(f"{raffle}/redeem", json=party.winner | {"undo": True})
    assert post(f"{raffle}/forfeit", json=body).status_code == 200

    again, redeemed = post(f"{raffle}/forfeit", json=body), post(f"{raffle}/redeem", json=party.winner)

    for answer in (again, redeemed):
        status, detail = refusal(answer)
        assert (status, detail.startswith("This prize was forfeited on ")) == (409, True)


def test_an_unclaimed_prize_waits_for_its_deadline(clock: Clock, post: Post, party: Drawn) -> None:
    body = {"ticket_number": party.winner["ticket_number"], "why": "unclaimed"}
    until = f"{clock.later(days=DAYS):%Y-%m-%d %H:%M:%S} UTC"
    assert refusal(post(f"{party.raffle}/forfeit", json=body)) == (
        409,
        f"This prize can still be redeemed, until {until}.",
    )

    clock.advance(days=DAYS)

    assert post(f"{party.raffle}/forfeit", json=body).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"why": "unclaimed", "ticket_number": 9}, 404, "No ticket with this number has been handed out."),
        ({"why": "lost"}, 400, "why: must be unclaimed, renounced or disqualified."),
        ({"why": "disqualified"}, 400, "reason: is missing"),
        ({"why": "disqualified", "reason": "a\nb"}, 400, "reason: must not contain"),
        ({"why": "disqualified", "reason": "x" * 201}, 400, "reason: must have at most 200 characters"),
        ({"why": "renounced"}, 400, "verification_code: is missing"),
        ({"why": "renounced", "verification_code": "x"}, 400, "Invalid verification code"),
        ({"why": None}, 400, "why: must be text."),
        ({}, 400, "why: is missing."),
        ({"why": "unclaimed", "undo": True}, 400, "undo: is not a known field."),
    ],
)
def test_a_forfeit_that_is_not_possible_is_refused(
    client: testing.TestClient, post: Post, party: Drawn, *, body: dict[str, Any], status: int, words: str
) -> None:
    answer = post(f"{party.raffle}/forfeit", json={"ticket_number": party.winner["ticket_number"]} | body)

    assert answer.status_code == status
    assert answer.json["detail"].startswith(words)
    assert len(client.simulate_get(f"{party.raffle}/winners").json["results"]) == 1


def test_a_ticket_that_has_not_won_has_nothing_to_pass_on(post: Post, party: Drawn) -> None:
    body = {"ticket_number": party.losers[0]["ticket_number"], "why": "unclaimed"}

    assert refusal(post(f"{party.raffle}/forfeit", json=body)) == (409, "This ticket has not won anything.")
