"""Creating, listing, showing and changing raffles over HTTP."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from falcon import testing

from rafflekit import Page, Raffle, RaffleEngine
from rafflekit.core.protocol.terms import TIMES
from rafflekit.http.kept import BUSY
from tests.http.api.conftest import create, hand_out, patch, refusal
from tests.http.conftest import MANAGER, PROXY, RAFFLE, Clock, Post
from tests.waiting import LIMIT_S, wait_until

KEY = "0123456789abcdef"
OPTIONS = {
    "entropy": "drand-quicknet",
    "delay_s": 90,
    "entry": "invitation",
    "tickets_each": 3,
    "opens_at": "2030-12-05T18:00:00Z",
    "closes_at": "2030-12-05T20:00:00Z",
    "draw_at": "2030-12-05T20:30:00Z",
    "claim_days": 14,
    "collection": "at the bar until 21:00",
    "promoter": "Scouts of Upton",
    "address": "1 Mill Lane, Upton",
    "price": "£1",
    "licence": "M123456",
    "note": "Over 18s only",
}


def test_a_created_raffle_is_at_its_location(client: testing.TestClient, post: Post) -> None:
    answer = post("/raffles/", json=RAFFLE)

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://127.0.0.1:8080/raffles/{answer.json['id']}/"
    assert client.simulate_get(f"/raffles/{answer.json['id']}/").json == answer.json


def test_a_proxys_public_name_is_in_the_location(post: Post) -> None:
    forwarded = {
        "X-Forwarded-For": MANAGER,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "raffle.example",
        "Host": "10.0.0.5:8080",
    }

    answer = post("/raffles", json=RAFFLE, source=PROXY, headers=forwarded)

    assert answer.headers["Location"].startswith("https://raffle.example/raffles/")


@pytest.mark.parametrize("spelled", ["{{{0}}}", "urn:uuid:{0}", "%7B{0}%7D"])
def test_a_raffle_has_one_address(client: testing.TestClient, raffle: str, spelled: str) -> None:
    raffle_id = raffle.removeprefix("/raffles/")

    for other in (spelled.format(raffle_id), raffle_id.replace("-", ""), raffle_id.upper(), f"{raffle_id}%0A"):
        answer = client.simulate_get(f"/raffles/{other}")
        assert answer.status_code == 404
        assert answer.json["type"] == "urn:rafflekit:problem:raffle-not-found"


def test_neighbouring_pages_are_whole_urls_with_the_same_filters(client: testing.TestClient, post: Post) -> None:
    for number in range(3):
        post("/raffles", json=RAFFLE | {"name": f"Hug & kiss {number}"})

    page = client.simulate_get("/raffles/", query_string="name=g%20%26&page=2&page_size=1&winners_drawn=false").json

    assert page["count"] == 3
    assert page["next"] == ("http://127.0.0.1:8080/raffles/?name=g+%26&page=3&page_size=1&winners_drawn=false")
    assert page["previous"] == page["next"].replace("page=3", "page=1")
    following = client.simulate_get("/raffles/", query_string=page["next"].partition("?")[2]).json
    assert following["results"][0]["name"] == "Hug & kiss 0"
    assert following["next"] is None


def test_a_page_past_the_end_is_not_found(client: testing.TestClient, raffle: str) -> None:
    for page in ("2", "9" * 40):
        for path in ("/raffles", f"{raffle}/winners"):
            assert client.simulate_get(path, query_string=f"page={page}").status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=x", "page"),
        ("page_size=0", "page_size"),
        ("page_size=1001", "page_size"),
        ("page=1&page=1", "page"),
    ],
)
def test_an_impossible_page_is_refused_by_its_name(
    client: testing.TestClient, raffle: str, query: str, field: str
) -> None:
    for path in ("/raffles", f"{raffle}/winners"):
        answer = client.simulate_get(path, query_string=query)
        assert answer.status_code == 400
        assert answer.json["errors"][0]["field"] == field


@pytest.mark.parametrize("query", ["name=%FF", "name=", "other=1&other=2", "%zz=%", "&&=&"])
def test_no_query_breaks_a_list(client: testing.TestClient, raffle: str, query: str) -> None:
    assert client.simulate_get("/raffles", query_string=query).status_code == 200
    assert client.simulate_get(f"{raffle}/winners", query_string=query).status_code == 200


def test_searching_for_an_impossible_name_is_refused(client: testing.TestClient) -> None:
    answer = client.simulate_get("/raffles", query_string="name=%00")

    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == "name"


def test_a_raffle_without_options_is_as_it_always_was(post: Post) -> None:
    created = post("/raffles/", json=RAFFLE).json

    assert created.keys() == {
        *("id", "name", "created_at", "total_tickets", "available_tickets", "winners_drawn", "prizes"),
        *("entropy", "state"),
    }
    assert created["state"] == "open"


def test_a_raffle_has_the_options_that_it_was_created_with(client: testing.TestClient, post: Post) -> None:
    created = post("/raffles/", json=RAFFLE | OPTIONS).json

    assert created.items() >= {**OPTIONS, "state": "upcoming"}.items()
    assert client.simulate_get(f"/raffles/{created['id']}").json == created
    announced = {"entropy": "announced", "source": "ten dice, rolled on stage"}
    assert post("/raffles/", json=RAFFLE | announced).json.items() >= announced.items()


def test_null_is_the_same_as_no_option(post: Post) -> None:
    nulls = dict.fromkeys([*OPTIONS, "source"])

    created, usual = (post("/raffles/", json=RAFFLE | options).json for options in (nulls, {}))

    assert created | {"id": usual["id"]} == usual


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2030-12-05T18:00:00Z", "2030-12-05T18:00:00Z"),
        ("2030-12-05t18:00:00z", "2030-12-05T18:00:00Z"),
        ("2030-12-05T18:00:00+01:00", "2030-12-05T17:00:00Z"),
        ("2030-12-05T18:00:00-05:30", "2030-12-05T23:30:00Z"),
        ("2030-12-05T18:00:00-00:00", "2030-12-05T18:00:00Z"),
        ("2030-12-05T18:00:00.9999999+00:00", "2030-12-05T18:00:00Z"),
        ("2030-12-05T18:00:00." + "1" * 1_000 + "Z", "2030-12-05T18:00:00Z"),
    ],
)
@pytest.mark.parametrize("field", TIMES)
def test_a_time_may_have_any_offset(post: Post, field: str, given: str, shown: str) -> None:
    assert post("/raffles/", json=RAFFLE | {field: given}).json[field] == shown


@pytest.mark.parametrize(
    "given",
    [
        *("", "tomorrow", "2030-12-05", "2030-12-05T18:00", "2030-12-05T18:00Z", "2030-12-05T18:00:00"),
        *("2030-12-05 18:00:00Z", "2030-12-05T18:00:00+0100", "2030-12-05T18:00:00+01", "20301205T180000Z"),
        *("2030-02-29T18:00:00Z", "2030-13-01T18:00:00Z", "2030-12-05T24:00:00Z", "2030-12-31T23:59:60Z"),
        *("2030-12-05T18:00:00.Z", "2030-12-05T18:00:00,5Z", "2030-12-05T18:00:00+24:00", " 2030-12-05T18:00:00Z"),
        *("2030-12-05T18:00:00Z\n", "203\u0660-12-05T18:00:00Z", "2030-W49-4T18:00:00Z", "+12030-12-05T18:00:00Z"),
        *("1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"),
        *(1_922_000_000, 1.5, True, [], {}),
    ],
)
@pytest.mark.parametrize("field", TIMES)
def test_a_time_is_read_strictly(shared_client: testing.TestClient, shared_raffle: str, field: str, given: Any) -> None:
    for answer in (
        shared_client.simulate_post("/raffles/", remote_addr=MANAGER, json=RAFFLE | {field: given}),
        patch(shared_client, shared_raffle, json={field: given}),
    ):
        assert answer.status_code == 400
        [error] = answer.json["errors"]
        assert error["field"] == field
        assert error["message"].startswith("must be")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"closes_at": "2020-01-01T00:00:00Z"}, "closes_at"),
        ({"opens_at": "2030-12-05T18:00:00Z", "closes_at": "2030-12-05T19:00:00+01:00"}, "closes_at"),
        ({"entry": "friends"}, "entry"),
        ({"entry": 1}, "entry"),
        ({"tickets_each": 0}, "tickets_each"),
        ({"tickets_each": 1_001}, "tickets_each"),
        ({"tickets_each": 1.0}, "tickets_each"),
        ({"claim_days": 3_651}, "claim_days"),
        ({"claim_days": "14"}, "claim_days"),
        ({"draw_at": "2020-01-01T00:00:00Z"}, "draw_at"),
        ({"note": 5}, "note"),
        ({"price": "£1", "draw_at": "2030-12-05T18:00:00Z"}, "promoter"),
        ({"price": "£1", "promoter": "Scouts"}, "draw_at"),
        ({"entropy": "announced"}, "source"),
        ({"source": "dice"}, "source"),
        ({"entropy": "announced", "source": "a\nb"}, "source"),
        ({"delay_s": 60}, "delay_s"),
    ],
)
def test_an_option_outside_its_limits_is_named(
    client: testing.TestClient, clock: Clock, post: Post, *, raffle: str, options: dict[str, Any], field: str
) -> None:
    clock.advance(days=365)

    for answer in (post("/raffles/", json=RAFFLE | options), patch(client, raffle, json=options)):
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json["errors"]] == [field]


def test_creating_with_a_key_again_gives_the_same_raffle(client: testing.TestClient, clock: Clock, post: Post) -> None:
    def ask(key: str | None, **changes: object) -> testing.Result:
        headers = {} if key is None else {"Idempotency-Key": key}
        return post("/raffles/", json=RAFFLE | changes, headers=headers)

    first = ask(f'"{KEY}"')
    clock.advance(days=1)
    again, other_body, other_key, no_key = ask(KEY), ask(KEY, total_tickets=3), ask(f"{KEY}x"), ask(None)

    assert [answer.status_code for answer in (first, again, other_body, other_key, no_key)] == [201, 201, 422, 201, 201]
    assert (again.json, again.headers["Location"]) == (first.json, first.headers["Location"])
    assert other_body.json["type"] == "urn:rafflekit:problem:idempotency-key-reused"
    assert client.simulate_get("/raffles").json["count"] == 3


@pytest.mark.parametrize("key", ["", "short", "x" * 256, f'"{KEY}"x'])
def test_a_bad_key_creates_nothing(client: testing.TestClient, post: Post, key: str) -> None:
    answer = post("/raffles/", json=RAFFLE, headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json["detail"]
    assert client.simulate_get("/raffles").json["count"] == 0


def test_the_list_can_be_filtered_by_state(
    client: testing.TestClient, engine: RaffleEngine, clock: Clock, post: Post
) -> None:
    raffles = {
        "upcoming": create(post, opens_at=clock.in_a(days=1)),
        **{state: create(post) for state in ("open", "closed", "drawn", "cancelled")},
    }
    for state in ("closed", "drawn"):
        hand_out(post, raffles[state], "Ann", "Ben")
    engine.draw(raffles["drawn"].rpartition("/")[2])
    engine.cancel(raffles["cancelled"].rpartition("/")[2], "rain")

    for state, raffle in raffles.items():
        page = client.simulate_get("/raffles", params={"state": state}).json
        assert [(each["id"], each["state"]) for each in page["results"]] == [(raffle.rpartition("/")[2], state)]
    refused = client.simulate_get("/raffles", params={"state": "lost"})
    assert refusal(refused) == (400, "state: must be upcoming, open, closed, drawn or cancelled.")


def test_a_change_keeps_the_rest_and_null_removes_an_option(
    client: testing.TestClient, clock: Clock, post: Post
) -> None:
    created = post("/raffles/", json=RAFFLE | OPTIONS | {"entry": "desk"}).json
    raffle = f"/raffles/{created['id']}"
    clock.advance(hours=1)

    named = patch(client, raffle, json={"name": "Barfoo", "prizes": [{"name": "kiss", "amount": 2}]})
    freed = patch(
        client, f"{raffle}/", json={"entropy": None, "opens_at": None, "claim_days": 7, "entry": None, "note": None}
    )

    assert named.status_code == freed.status_code == 200
    assert named.json == created | {"name": "Barfoo", "prizes": [{"name": "kiss", "amount": 2}]}
    gone = {"delay_s", "opens_at", "entry", "note"}
    kept = {name: value for name, value in named.json.items() if name not in gone}
    assert freed.json == kept | {"entropy": "secrets", "claim_days": 7, "state": "open"}
    assert client.simulate_get(raffle).json == freed.json


def test_a_change_of_nothing_changes_nothing(client: testing.TestClient, raffle: str) -> None:
    assert patch(client, raffle, json={}).json == client.simulate_get(raffle).json
    assert refusal(patch(client, raffle)) == (400, "body: must be a JSON object, but is empty.")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"total_tickets": None}, "total_tickets"),
        ({"prizes": None}, "prizes"),
        ({"total_tickets": "2"}, "total_tickets"),
        ({"prizes": []}, "prizes"),
        ({"prizes": [{"name": "hug", "amount": 3}]}, "prizes"),
        ({"id": "00000000-0000-4000-8000-000000000000"}, "id"),
        ({"created_at": "2030-12-05T18:00:00Z"}, "created_at"),
        ({"state": "drawn"}, "state"),
    ],
)
def test_an_impossible_change_is_refused_by_its_name(
    client: testing.TestClient, raffle: str, changes: dict[str, Any], field: str
) -> None:
    before = client.simulate_get(raffle).json

    answer = patch(client, raffle, json=changes)

    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, field)
    assert client.simulate_get(raffle).json == before


def test_the_first_ticket_makes_the_terms_final(client: testing.TestClient, post: Post, raffle: str) -> None:
    hand_out(post, raffle, "Ann")

    assert refusal(patch(client, raffle, json={"name": "x"})) == (
        409,
        "The terms are final: 1 ticket has been handed out.",
    )


def test_a_cancelled_raffle_cannot_change(client: testing.TestClient, post: Post, raffle: str) -> None:
    post(f"{raffle}/cancel", json={"reason": "rain"})

    status, detail = refusal(patch(client, raffle, json={"name": "x"}))

    assert (status, detail[:28]) == (409, "This raffle was cancelled on")


def test_few_searches_are_made_at_once(client: testing.TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """They look at every raffle; the newest raffles are listed meanwhile."""
    let, begun = threading.Event(), list[str]()
    found = RaffleEngine.list

    def slow(engine: RaffleEngine, **how: Any) -> Page[Raffle]:
        if how["name"] is not None:
            begun.append(how["name"])
            assert let.wait(LIMIT_S)
        return found(engine, **how)

    monkeypatch.setattr(RaffleEngine, "list", slow)
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(client.simulate_get, "/raffles/", params={"name": "a"}) for _ in range(6)]
        wait_until(lambda: [each for each in answers if each.done()])
        assert len(begun) == 2
        assert client.simulate_get("/raffles/").status_code == 200
        let.set()
        statuses = [each.result(LIMIT_S).status_code for each in answers]

    assert sorted(statuses) == [200] * 5 + [503]
    busy = next(each.result() for each in answers if each.result().status_code == 503)
    assert (busy.headers["Retry-After"], busy.json["detail"]) == ("2", BUSY)
