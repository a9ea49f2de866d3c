from typing import Any

import pytest
from falcon import testing

from rafflekit.core import limits
from tests.http.conftest import MANAGER, PROXY, RAFFLE, Post

STRANGER = "192.0.2.1"
NO_RAFFLE = "/raffles/00000000-0000-4000-8000-000000000000"
KEY = "0123456789abcdef"


def sell_out(post: Post, raffle: str) -> list[dict[str, Any]]:
    return [post(f"{raffle}/participate", source=f"192.0.2.{host}").json for host in (1, 2)]


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


@pytest.mark.parametrize("path", ["/raffles", "/raffles/garbage/winners", f"{NO_RAFFLE}/winners"])
@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Host": "evil.example"}])
def test_no_manager_is_told_so_before_anything_else_is_looked_at(
    post: Post, path: str, headers: dict[str, str]
) -> None:
    answer = post(path, source=STRANGER, body="x" * (limits.CREATE_BODY_BYTES + 1), headers=headers)

    assert answer.status_code == 403
    assert "MANAGER_IPS" in answer.json["detail"]


@pytest.mark.parametrize("path", ["/raffles", "{raffle}/participate", "{raffle}/winners"])
@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_foreign_page_can_post_nothing(
    client: testing.TestClient, post: Post, raffle: str, path: str, headers: dict[str, str]
) -> None:
    answer = post(path.format(raffle=raffle), headers=headers, json=RAFFLE)

    assert answer.status_code == 403
    assert "RAFFLEKIT_ALLOWED_HOSTS" in answer.json["detail"]
    assert client.simulate_get("/raffles").json["count"] == 1
    assert client.simulate_get(raffle).json["available_tickets"] == 2


def test_whose_address_cannot_be_told_may_read_but_not_take_part(
    client: testing.TestClient, post: Post, raffle: str
) -> None:
    nobody = {"X-Forwarded-For": "unknown"}

    assert client.simulate_get(raffle, remote_addr=PROXY, headers=nobody).status_code == 200
    assert post(f"{raffle}/participate", source=PROXY, headers=nobody).status_code == 400
    assert post(f"{raffle}/winners", source=PROXY, headers=nobody).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"), [("{}", 404), ('{"a":1}', 400), ("[]", 400), ("x", 400), ("x" * limits.BODY_BYTES + "x", 413)]
)
@pytest.mark.parametrize("action", ["participate", "winners"])
def test_a_body_is_validated_before_the_raffle_is_looked_up(post: Post, action: str, body: str, status: int) -> None:
    answer = post(f"{NO_RAFFLE}/{action}", body=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status


def test_a_ticket_to_verify_is_validated_before_the_raffle_is_looked_up(post: Post) -> None:
    assert post(f"{NO_RAFFLE}/verify-ticket", json={"ticket_number": 1}).status_code == 400
    right = {"ticket_number": 1, "verification_code": "x"}
    assert post(f"{NO_RAFFLE}/verify-ticket", json=right).status_code == 404


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
def test_a_page_that_cannot_be_is_refused_by_name(
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


def test_a_name_to_search_for_that_no_raffle_can_have_is_refused(client: testing.TestClient) -> None:
    answer = client.simulate_get("/raffles", query_string="name=%00")

    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == "name"


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
        asked = {name: ticket[name] for name in ("ticket_number", "verification_code")}
        has_won = ticket["ticket_number"] == win["ticket_number"]
        verified = post(f"{raffle}/verify-ticket", json=asked, source=STRANGER)
        assert verified.json == {"has_won": has_won, "prize": "warm hug" if has_won else None}


@pytest.mark.parametrize("number", [0, -1, 3, 10**20, -(10**20)])
def test_a_number_that_no_ticket_has_is_a_wrong_code(post: Post, raffle: str, number: int) -> None:
    code = sell_out(post, raffle)[0]["verification_code"]
    post(f"{raffle}/winners")

    answer = post(f"{raffle}/verify-ticket", json={"ticket_number": number, "verification_code": code})

    assert answer.status_code == 400
    assert answer.json["detail"] == "Invalid verification code"
