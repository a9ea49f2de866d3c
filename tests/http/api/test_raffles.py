"""Creating, listing and showing raffles over HTTP."""

import pytest
from falcon import testing

from rafflekit.core import limits
from tests.http.conftest import MANAGER, PROXY, RAFFLE, Post

STRANGER = "192.0.2.1"
NO_RAFFLE = "/raffles/00000000-0000-4000-8000-000000000000"


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
def test_strangers_are_refused_before_the_body_is_read(post: Post, path: str, headers: dict[str, str]) -> None:
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
