"""Raffle retrieval."""

import re
from uuid import uuid4

import pytest

from tests.acceptance.drivers import Driver, HttpDriver, Refused
from tests.acceptance.people import person
from tests.live_server import LiveServer, Serve


def test_an_empty_list_is_a_page_without_results(serve: Serve) -> None:
    server = serve(MANAGER_IPS="127.0.0.1")

    answer = server.request("GET", "/raffles/")

    assert answer.status == 200
    assert answer.json == {"count": 0, "next": None, "previous": None, "results": []}


def test_raffles_are_listed_newest_first(driver: Driver) -> None:
    created = [driver.create(f"Raffle {n}", 1, [("hug", 1)]) for n in range(3)]

    listed = driver.list()

    assert listed["results"][:3] == created[::-1]
    assert listed["count"] >= 3


def test_a_raffles_detail_counts_its_available_tickets(driver: Driver) -> None:
    raffle = driver.create("Foobar", 3, [("hug", 1)])

    counts = []
    for n in range(3):
        driver.participate(raffle["id"], person(n))
        counts.append(driver.get(raffle["id"])["available_tickets"])

    assert counts == [2, 1, 0]
    sold_out = driver.get(raffle["id"])
    assert sold_out.pop("closed_at") >= raffle["created_at"]
    assert sold_out == raffle | {"available_tickets": 0, "state": "closed"}


def test_a_raffles_detail_shows_when_winners_are_drawn(driver: Driver) -> None:
    raffle = driver.create("Foobar", 1, [("hug", 1)])
    driver.participate(raffle["id"], person(0))

    driver.draw(raffle["id"])

    assert driver.get(raffle["id"])["winners_drawn"] is True


def test_an_unknown_raffle_is_refused(driver: Driver) -> None:
    unknown = str(uuid4())

    for ask in (
        lambda: driver.get(unknown),
        lambda: driver.participate(unknown, person(0)),
        lambda: driver.draw(unknown),
        lambda: driver.winners(unknown),
        lambda: driver.verify(unknown, 1, "0000"),
    ):
        with pytest.raises(Refused, match="No raffle"):
            ask()


@pytest.mark.parametrize("id_", ["3f0c5a1e-0000-4000-8000-000000000000", "1", "x" * 300, "%00", "%ff", "%2e%2e"])
def test_an_id_without_a_raffle_is_not_found(server: LiveServer, id_: str) -> None:
    for method, path in (
        ("GET", f"/raffles/{id_}/"),
        ("POST", f"/raffles/{id_}/participate/"),
        ("POST", f"/raffles/{id_}/winners/"),
        ("GET", f"/raffles/{id_}/winners/"),
    ):
        answer = server.request(method, path)
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"
    verify = {"ticket_number": 1, "verification_code": "x"}
    assert server.request("POST", f"/raffles/{id_}/verify-ticket/", verify).status == 404


def test_the_list_has_pages_of_ten_with_whole_urls(serve: Serve) -> None:
    server = serve(MANAGER_IPS="127.0.0.1")
    http = HttpDriver(server)
    names = [http.create(f"Raffle {n}", 1, [("hug", 1)])["name"] for n in range(23)]

    seen, url, previous = [], f"{server.url}/raffles/", None
    while url:
        page = server.request("GET", url.removeprefix(server.url)).json
        assert page["count"] == 23
        assert (page["previous"] is None) == (previous is None)
        seen += [raffle["name"] for raffle in page["results"]]
        previous, url = url, page["next"]

    assert seen == names[::-1]
    back = server.request("GET", page["previous"].removeprefix(server.url)).json
    assert [raffle["name"] for raffle in back["results"]] == names[::-1][10:20]


def test_the_list_is_filtered_on_every_page(serve: Serve) -> None:
    server = serve(MANAGER_IPS="127.0.0.1")
    http = HttpDriver(server)
    for name in ("Summer Fair", "Winter", "fair & square"):
        raffle = http.create(name, 1, [("hug", 1)])
    http.participate(raffle["id"], person(0))
    http.draw(raffle["id"])

    def names(query: str) -> list[str]:
        return [each["name"] for each in server.request("GET", f"/raffles/?{query}").json["results"]]

    assert names("name=FAIR") == ["fair & square", "Summer Fair"]
    assert names("name=r%20%26%20s") == ["fair & square"]
    assert names("winners_drawn=true") == ["fair & square"]
    assert names("winners_drawn=false&name=fair") == ["Summer Fair"]
    first = server.request("GET", "/raffles/?name=fair&page_size=1").json
    second = server.request("GET", first["next"].removeprefix(server.url)).json
    assert [each["name"] for each in second["results"]] == ["Summer Fair"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=1.5", "page"),
        ("page=", "page"),
        ("page=%D9%A1", "page"),
        ("page_size=0", "page_size"),
        ("page_size=1001", "page_size"),
        ("winners_drawn=maybe", "winners_drawn"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(server: LiveServer, query: str, parameter: str) -> None:
    answer = server.request("GET", f"/raffles/?{query}")

    assert answer.status == 400
    assert parameter in answer.json["detail"]


def test_a_page_past_the_end_is_not_found(server: LiveServer, http: HttpDriver) -> None:
    raffle = http.create("Foobar", 1, [("hug", 1)])

    assert server.request("GET", "/raffles/?page=1000").status == 404
    assert server.request("GET", f"/raffles/{raffle['id']}/winners/?page=2").status == 404
    assert server.request("GET", f"/raffles/{raffle['id']}/winners/?page=x").status == 400


def test_paths_work_with_and_without_the_trailing_slash(server: LiveServer, http: HttpDriver) -> None:
    raffle = http.create("Foobar", 1, [("hug", 1)])

    for path in ("/raffles", f"/raffles/{raffle['id']}", f"/raffles/{raffle['id']}/winners"):
        without, with_slash = server.request("GET", path), server.request("GET", f"{path}/")
        assert (without.status, without.json) == (200, with_slash.json)
    assert server.request("POST", f"/raffles/{raffle['id']}/participate").status == 201


def test_head_works_wherever_get_does(server: LiveServer, http: HttpDriver) -> None:
    raffle = http.create("Foobar", 1, [("hug", 1)])

    for path in ("/raffles/", f"/raffles/{raffle['id']}/", f"/raffles/{raffle['id']}/winners/"):
        answer = server.request("HEAD", path)
        assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/raffles/", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/raffles/{id}/", {"GET", "HEAD", "PATCH", "OPTIONS"}),
        ("/raffles/{id}/participate/", {"POST", "OPTIONS"}),
        ("/raffles/{id}/winners/", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/raffles/{id}/verify-ticket/", {"POST", "OPTIONS"}),
    ],
)
def test_a_path_lists_its_methods(server: LiveServer, http: HttpDriver, path: str, methods: set[str]) -> None:
    whole = path.format(id=http.create("Foobar", 1, [("hug", 1)])["id"])

    options, refused = server.request("OPTIONS", whole), server.request("DELETE", whole)

    assert (options.status, options.body, refused.status) == (204, b"", 405)
    for answer in (options, refused):
        assert set(re.split(r",\s*", answer.headers["allow"])) == methods


def test_an_unknown_path_is_not_found(server: LiveServer) -> None:
    for path in ("/raffle/", "/raffles/1/2/3/", "/raffles//"):
        answer = server.request("GET", path)
        assert answer.status == 404
        assert answer.json["status"] == 404
