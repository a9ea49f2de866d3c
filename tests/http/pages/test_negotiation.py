"""One address, two answers: pages for browsers, JSON for all others, and errors likewise."""

import re
from typing import Any

import pytest
from falcon import testing

from rafflekit import RaffleEngine
from rafflekit.http.app import create_app
from tests.http.conftest import SETTINGS, Post
from tests.http.pages.conftest import BROWSER, Show

HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/raffles/", "{raffle}/"])
def test_browsers_get_pages_and_others_json(client: testing.TestClient, show: Show, raffle: str, path: str) -> None:
    address = path.format(raffle=raffle)
    page, other = show(address), client.simulate_get(address)

    assert (page.status_code, page.headers["Content-Type"]) == (200, HTML)
    assert (other.status_code, other.headers["Content-Type"]) == (200, "application/json")
    assert (page.headers["Vary"], other.headers["Vary"]) == ("Accept, Accept-Language", "Accept")


def test_the_start_leads_browsers_to_the_list(client: testing.TestClient, show: Show) -> None:
    page = show("/")

    assert (page.status_code, page.headers["Location"]) == (303, "/raffles/")
    assert client.simulate_get("/").json["raffles"].endswith("/raffles/")
    assert client.simulate_get("/", headers=BROWSER | {"If-None-Match": "*"}).status_code == 303


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/raffles/x/", 404), ("/raffles/?page=9", 404)])
def test_errors_are_pages_for_browsers(client: testing.TestClient, show: Show, path: str, status: int) -> None:
    address, _, query = path.partition("?")
    page = show(path)
    problem = client.simulate_get(address, query_string=query)

    assert (page.status_code, page.headers["Content-Type"]) == (status, HTML)
    assert problem.status_code == status
    assert problem.json["detail"] in page.text
    assert 'href="/raffles/"' in page.text


def test_a_refusal_is_a_sentence_about_its_field(show: Show) -> None:
    page = show("/raffles/?page=x")

    assert page.status_code == 400
    assert "<h1>“<bdi>page</bdi>” must be a whole number from 1.</h1>" in page.text


def test_pages_allow_nothing_inline_and_no_other_host(show: Show, raffle: str) -> None:
    page = show(f"{raffle}/")

    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert not re.search(r"<style|<script>| style=| on\w+=", page.text)
    assert re.findall(r'(?:src|href)="(?!/|data:|#)', page.text) == []


def test_the_stylesheet_may_be_kept_while_it_is_current(client: testing.TestClient, show: Show) -> None:
    [address] = re.findall(r'href="([^"]+\.css)"', show("/raffles/").text)

    current = client.simulate_get(address)
    old = client.simulate_get("/assets/old/style.css")

    assert current.headers["Content-Type"].startswith("text/css")
    assert "immutable" in current.headers["Cache-Control"]
    assert (old.text, old.headers["Cache-Control"]) == (current.text, "no-cache")
    assert client.simulate_get("/assets/old/..%2Fstyle.css").status_code == 404


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}])
def test_a_form_needs_an_origin_of_this_service(submit: Show, raffle: str, headers: dict[str, str]) -> None:
    answer = submit(f"{raffle}/participate/", {"idempotency_key": "k" * 16}, headers=headers)

    assert (answer.status_code, answer.headers["Content-Type"]) == (403, HTML)
    assert "RAFFLEKIT_ALLOWED_HOSTS" in answer.text


def test_without_pages_browsers_get_json(engine: RaffleEngine) -> None:
    bare = testing.TestClient(create_app(engine, SETTINGS, pages=False), headers=BROWSER)

    assert bare.simulate_get("/raffles/").json["count"] == 0
    assert bare.simulate_get("/assets/x/style.css").headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a\u202eb", "“&amp;”"])
def test_a_raffles_name_is_shown_as_text(show: Show, post: Post, name: str) -> None:
    raffle: dict[str, Any] = post(
        "/raffles/", json={"name": name, "total_tickets": 1, "prizes": [{"name": name, "amount": 1}]}
    ).json

    page = show(f"/raffles/{raffle['id']}/").text

    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "<bdi>" in page
