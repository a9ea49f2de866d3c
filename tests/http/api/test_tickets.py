"""Taking part over HTTP."""

from itertools import combinations
from typing import Any

import pytest
from falcon import testing

from rafflekit import Prize, RaffleEngine
from rafflekit.core import limits
from tests.http.api.conftest import create, hand_out, refusal, shown
from tests.http.conftest import MANAGER, PROXY, Clock, Post

STRANGER = "192.0.2.1"
NO_RAFFLE = "/raffles/00000000-0000-4000-8000-000000000000"
KEY = "0123456789abcdef"

SOLD_OUT = (410, "Tickets to this raffle are no longer available")
NO_INVITATION = (403, "A valid invitation code is needed")
NO_MANAGER = (403, f"Your address {STRANGER} is not listed in MANAGER_IPS.")
REASONS = {
    "a repeat": (201, None),
    "cancelled": (410, "This raffle has been cancelled"),
    "sold out": SOLD_OUT,
    "closed": SOLD_OUT,
    "over": SOLD_OUT,
    "not open": (403, "This raffle is not open yet"),
    "no invitation": NO_INVITATION,
    "a wrong invitation": NO_INVITATION,
    "desk": (403, "Tickets to this raffle are handed out by its managers"),
    "took part": (403, "Your ip address has already participated in this raffle"),
}
"""The answers of `participate` in the order in which it decides."""

NEVER = {
    # The secrets by which a repeat is recognised are deleted.
    ("a repeat", "cancelled"),
    # No one has a ticket before the opening, and without one, a raffle is not closed.
    *((reason, "not open") for reason in ("a repeat", "sold out", "closed", "over")),
    ("not open", "took part"),
    # A raffle has one entry rule, and one end.
    *combinations(("sold out", "closed", "over"), 2),
    *combinations(("no invitation", "a wrong invitation", "desk"), 2),
    # Without its code, no one is recognised as the holder of an invitation; and a desk knows no strangers.
    *((reason, "took part") for reason in ("no invitation", "a wrong invitation")),
    *(("a repeat", reason) for reason in ("no invitation", "a wrong invitation", "desk")),
}
"""The pairs of reasons that cannot hold at once."""


def raffle_where(engine: RaffleEngine, clock: Clock, reasons: tuple[str, ...]) -> str:
    """Make a raffle in which these reasons hold for the stranger; return its id."""
    options: dict[str, Any] = {}
    if {"no invitation", "a wrong invitation"} & {*reasons}:
        options["entry"] = "invitation"
    if "desk" in reasons:
        options["entry"] = "desk"
    if "not open" in reasons:
        options["opens_at"] = clock.later(hours=1)
    if "over" in reasons:
        options["closes_at"] = clock.later(hours=1)
    raffle = engine.create("Foobar", total_tickets=3, prizes=[Prize("hug")], **options).id
    if {"a repeat", "took part"} & {*reasons}:
        engine.participate(raffle, STRANGER, idempotency_key=KEY)
    if "not open" not in reasons:
        engine.participate(raffle, "someone")
    while "sold out" in reasons and engine.get(raffle).available_tickets:
        engine.participate(raffle, f"holder of ticket {engine.get(raffle).issued}")
    if "closed" in reasons:
        engine.close_raffle(raffle)
    if "over" in reasons:
        clock.advance(hours=1)
    if "cancelled" in reasons:
        engine.cancel(raffle, "rain")
    return str(raffle)


def asked(post: Post, raffle: str, reasons: tuple[str, ...]) -> tuple[int, str | None]:
    """Return what the stranger gets, and why if it is no ticket."""
    answer = post(
        f"/raffles/{raffle}/participate",
        source=STRANGER,
        json={"invitation": "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"} if "a wrong invitation" in reasons else {},
        headers={"Idempotency-Key": KEY} if "a repeat" in reasons else {},
    )
    return answer.status_code, answer.json.get("detail")


PAIRS = [pair for pair in combinations(REASONS, 2) if pair not in NEVER]


@pytest.mark.parametrize("reasons", [*((reason,) for reason in REASONS), *PAIRS], ids=" and ".join)
def test_participating_decides_in_the_contracts_order(
    engine: RaffleEngine, clock: Clock, post: Post, reasons: tuple[str, ...]
) -> None:
    raffle = raffle_where(engine, clock, reasons)

    status, detail = asked(post, raffle, reasons)
    due, sentence = REASONS[reasons[0]]
    assert status == due
    # A raffle that is not open yet also says when it opens.
    assert detail == sentence or str(detail).startswith(f"{sentence}: it opens on ")


def test_before_the_opening_the_answer_says_when_to_come_back(clock: Clock, post: Post) -> None:
    raffle = create(post, opens_at=clock.in_a(hours=2))

    early = post(f"{raffle}/participate", source=STRANGER)
    clock.advance(seconds=7_199, milliseconds=500)
    last = post(f"{raffle}/participate", source=STRANGER)
    clock.advance(milliseconds=500)

    assert (early.status_code, early.headers["Retry-After"]) == (403, "7200")
    assert (last.status_code, last.headers["Retry-After"]) == (403, "1")
    assert post(f"{raffle}/participate", source=STRANGER).status_code == 201


def test_an_invitation_gives_its_tickets_from_any_address(engine: RaffleEngine, post: Post) -> None:
    raffle = create(post, entry="invitation", tickets_each=2, total_tickets=9)
    first, second = engine.invitations(raffle.rpartition("/")[2], 2)

    def ask(code: str | None, source: str, key: str | None = None) -> testing.Result:
        headers = {} if key is None else {"Idempotency-Key": key}
        return post(f"{raffle}/participate", source=source, json={"invitation": code}, headers=headers)

    given = [ask(first, STRANGER, KEY), ask(first.lower().replace("-", " "), "192.0.2.9"), ask(second, STRANGER)]
    again = ask(first, "192.0.2.7", KEY)

    assert [answer.status_code for answer in given] == [201, 201, 201]
    assert len({answer.json["ticket_number"] for answer in given}) == 3
    assert (again.status_code, shown(again.json)) == (201, shown(given[0].json))
    assert refusal(ask(first, STRANGER)) == (403, "This invitation has been used already.")
    assert refusal(ask(None, STRANGER)) == NO_INVITATION
    assert refusal(post(f"{raffle}/participate", source=STRANGER)) == NO_INVITATION


def test_a_manager_at_a_desk_is_asked_for_the_participant(post: Post) -> None:
    raffle = create(post, entry="desk")

    answers = [refusal(post(f"{raffle}/participate", source=source)) for source in (MANAGER, STRANGER)]

    status, sentence = REASONS["desk"]
    assert answers == [(status, f"{sentence}; name the participant."), (status, sentence)]


def test_an_invitation_is_not_needed_where_addresses_count(post: Post, raffle: str) -> None:
    answers = [post(f"{raffle}/participate", source=STRANGER, json={"invitation": code}) for code in ("a", "b")]

    assert [answer.status_code for answer in answers] == [201, 403]


@pytest.mark.parametrize("entry", ["address", "invitation", "desk"])
def test_a_manager_hands_out_tickets_under_every_entry_rule(post: Post, entry: str) -> None:
    raffle = create(post, entry=entry, total_tickets=9)

    def ask(participant: str, key: str | None = None) -> testing.Result:
        headers = {} if key is None else {"Idempotency-Key": key}
        return post(f"{raffle}/participate", json={"participant": participant}, headers=headers)

    first, again, other = ask("Ann", KEY), ask("ann ", KEY), ask("Ben")

    assert [answer.status_code for answer in (first, again, other)] == [201, 201, 201]
    assert first.json == again.json
    assert refusal(ask("ANN")) == (403, "This participant already has a ticket for this raffle.")


def test_each_request_gives_a_participant_one_ticket(post: Post) -> None:
    raffle = create(post, entry="desk", tickets_each=3, total_tickets=9)

    tickets = hand_out(post, raffle, "Ann", "Ann", "Ann")

    assert len({ticket["ticket_number"] for ticket in tickets}) == 3
    answer = post(f"{raffle}/participate", json={"participant": "Ann"})
    assert refusal(answer) == (403, "This participant already has all 3 tickets.")


@pytest.mark.parametrize("raffle", ["/raffles/garbage", NO_RAFFLE])
@pytest.mark.parametrize("participant", ["Ann", "", " ", "a\nb", "x" * 1_001])
def test_a_stranger_who_names_a_participant_is_refused_first(post: Post, raffle: str, participant: str) -> None:
    body = {"participant": participant, "invitation": "x"}

    answer = post(f"{raffle}/participate", source=STRANGER, json=body, headers={"Idempotency-Key": "short"})

    assert refusal(answer) == NO_MANAGER


def test_no_participant_is_the_same_as_none_named(post: Post, raffle: str) -> None:
    for source, body in ((STRANGER, {"participant": None}), ("192.0.2.2", {"invitation": None})):
        assert post(f"{raffle}/participate", source=source, json=body).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"participant": ""}, "participant"),
        ({"participant": " \t"}, "participant"),
        ({"participant": "a\nb"}, "participant"),
        ({"participant": "\u200b"}, "participant"),
        ({"participant": "x" * 1_001}, "participant"),
        ({"participant": 7}, "participant"),
        ({"invitation": 7}, "invitation"),
        ({"address": "192.0.2.7"}, "address"),
    ],
)
def test_an_impossible_participant_is_refused_by_its_field(
    post: Post, raffle: str, body: dict[str, Any], field: str
) -> None:
    answer = post(f"{raffle}/participate", json=body)

    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, field)


def test_a_manager_at_an_unknown_address_is_no_manager(post: Post, raffle: str) -> None:
    unknown = {"X-Forwarded-For": "unknown"}

    answer = post(f"{raffle}/participate", source=PROXY, headers=unknown, json={"participant": "Ann"})

    assert answer.status_code == 403
    assert "MANAGER_IPS" in answer.json["detail"]


def test_a_client_without_an_address_may_only_read(client: testing.TestClient, post: Post, raffle: str) -> None:
    unknown = {"X-Forwarded-For": "unknown"}

    assert client.simulate_get(raffle, remote_addr=PROXY, headers=unknown).status_code == 200
    assert post(f"{raffle}/participate", source=PROXY, headers=unknown).status_code == 400
    assert post(f"{raffle}/winners", source=PROXY, headers=unknown).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"), [("{}", 404), ('{"a":1}', 400), ("[]", 400), ("x", 400), ("x" * limits.BODY_BYTES + "x", 413)]
)
def test_a_body_is_validated_before_the_raffle_is_looked_up(post: Post, body: str, status: int) -> None:
    answer = post(f"{NO_RAFFLE}/participate", body=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status


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
