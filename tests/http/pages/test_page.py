"""The address of a proof gives browsers a page, and other clients the proof."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest
from falcon import testing

from rafflekit.html.assets import VERIFIER
from rafflekit.http.pages.proof import proof_page
from tests.http.conftest import Post

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
VARY = "Accept, Accept-Encoding"
FOLDER = files("rafflekit.http.pages")
SCRIPTS = files("rafflekit.html") / "static"
SOURCES = [
    *(SCRIPTS / name for name in VERIFIER),
    *(each for each in SCRIPTS.iterdir() if each.name.endswith(".js")),
    *(FOLDER / name for name in ("summary.js", "page.js", "page.css", "page.html")),
]


@pytest.fixture
def drawn(post: Post, raffle: str) -> str:
    """The address of a drawn raffle."""
    for n in (1, 2):
        assert post(f"{raffle}/participate", source=f"192.0.2.{n}").status_code == 201
    assert post(f"{raffle}/winners").status_code == 201
    return raffle


def get(client: testing.TestClient, path: str, accept: str | None, method: str = "GET") -> testing.Result:
    return client.simulate_request(method, path, headers={} if accept is None else {"Accept": accept})


@pytest.mark.parametrize("accept", [CHROMIUM, FIREFOX, "text/html", "application/json;q=0.5, text/html;q=0.9"])
def test_clients_that_prefer_html_get_the_page(client: testing.TestClient, drawn: str, accept: str) -> None:
    found = get(client, f"{drawn}/proof/", accept)

    assert (found.status_code, found.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert found.headers["Vary"] == VARY
    assert found.content == proof_page().content


@pytest.mark.parametrize(
    "accept",
    [None, "*/*", "application/json", "application/json, text/html", "text/html;q=0.1, */*;q=0.5", "text/plain", "?"],
)
def test_all_other_clients_get_the_proof(client: testing.TestClient, drawn: str, accept: str | None) -> None:
    found = get(client, f"{drawn}/proof/", accept)

    assert (found.status_code, found.headers["Content-Type"]) == (200, "application/json")
    assert found.headers["Vary"] == VARY
    assert found.json["protocol"] == 1


def test_a_head_request_is_answered_like_a_get(client: testing.TestClient, drawn: str) -> None:
    for accept in (CHROMIUM, "*/*"):
        head, got = get(client, f"{drawn}/proof", accept, "HEAD"), get(client, f"{drawn}/proof", accept)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers == got.headers


def test_before_the_draw_only_browsers_get_the_page(client: testing.TestClient, raffle: str) -> None:
    page, problem = get(client, f"{raffle}/proof/", CHROMIUM), get(client, f"{raffle}/proof/", "*/*")

    assert (page.status_code, page.content) == (200, proof_page().content)
    assert (problem.status_code, problem.json["type"]) == (400, "urn:rafflekit:problem:not-drawn-yet")
    # A cache must not give one of them to the other client.
    assert page.headers["Vary"] == problem.headers["Vary"] == VARY


@pytest.mark.parametrize("raffle", ["garbage", "00000000-0000-4000-8000-000000000000"])
@pytest.mark.parametrize(
    ("accept", "media_type", "vary"),
    [(CHROMIUM, "text/html; charset=utf-8", "Accept, Accept-Language"), ("*/*", "application/problem+json", VARY)],
)
def test_an_unknown_raffle_has_no_page(
    client: testing.TestClient, raffle: str, accept: str, media_type: str, vary: str
) -> None:
    found = get(client, f"/raffles/{raffle}/proof/", accept)

    assert (found.status_code, found.headers["Content-Type"]) == (404, media_type)
    assert found.headers["Vary"] == vary


def test_the_policy_allows_only_the_pages_own_code(client: testing.TestClient, drawn: str) -> None:
    found = get(client, f"{drawn}/proof/", CHROMIUM)
    [script] = re.findall(r"<script>(.*?)</script>", found.text, re.DOTALL)
    [style] = re.findall(r"<style>(.*?)</style>", found.text, re.DOTALL)

    policy = dict(part.split(" ", 1) for part in found.headers["Content-Security-Policy"].split("; "))

    assert policy == {
        "default-src": "'none'",
        "script-src": f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'",
        "style-src": f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["Referrer-Policy"] == "no-referrer"
    # A saved page is equally strict; frame-ancestors works only in headers.
    [saved] = re.findall(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', found.text)
    assert f"{saved}; frame-ancestors 'none'" == found.headers["Content-Security-Policy"]


def test_the_page_is_complete_and_names_no_other_host() -> None:
    html = proof_page().content.decode()

    assert not re.findall(r"\{(policy|style|script)\}", html)
    # In comments only, where a standard is named.
    assert set(re.findall(r"https?://[^\s)]+", html)) <= {"https://c2sp.org/signed-note"}
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=(?!\"data:,\")", html)


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_no_text_from_others_can_become_markup(file: Traversable) -> None:
    text = file.read_text(encoding="utf-8")

    for way_in in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", " on"):
        if way_in == " on":
            assert not re.search(r"<[^>]* on\w+=", text)
        else:
            assert way_in not in text
    assert "</script" not in text or file.name == "page.html"
