"""The address of a proof gives browsers a page, and other clients the proof."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest
from falcon import testing

from rafflekit.html.assets import VERIFIER
from rafflekit.http.pages.proof import SCRIPTS, proof_page, proof_texts
from tests.http.conftest import Post

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
VARY = "Accept, Accept-Encoding"
VARY_OF_PAGE = "Accept, Accept-Language, Accept-Encoding"
FOLDER = files("rafflekit.html")
SOURCES = [
    *(FOLDER / "static" / name for name in (*VERIFIER, *SCRIPTS)),
    *(each for each in (FOLDER / "static").iterdir() if each.name.endswith(".js")),
    FOLDER / "templates" / "proof.html",
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
    assert found.headers["Vary"] == VARY_OF_PAGE
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
    assert (page.headers["Vary"], problem.headers["Vary"]) == (VARY_OF_PAGE, VARY)


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

    # In a comment, where a standard is named, and as the name of the icon's format.
    assert set(re.findall(r"https?://[^\s)']+", html)) <= {"https://c2sp.org/signed-note", "http://www.w3.org/2000/svg"}
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=(?!\"data:)", html)


def test_the_page_is_in_the_readers_language_but_for_the_steps(client: testing.TestClient, drawn: str) -> None:
    found = client.simulate_get(f"{drawn}/proof/", headers={"Accept": CHROMIUM, "Accept-Language": "de"})

    assert found.content == proof_page("de").content
    assert '<html lang="de">' in found.text
    assert '<ol id="steps" lang="en">' in found.text
    # Each has its own texts, and so its own hash.
    assert proof_page("de").policy != proof_page("en").policy


def test_the_page_has_every_sentence_that_its_scripts_use() -> None:
    scripts = "".join((FOLDER / "static" / name).read_text(encoding="utf-8") for name in SCRIPTS)
    texts = json.loads(proof_texts("en"))

    used = set(re.findall(r"""(?:text|says|painted)\((?:"\w+", )?"(\w+)\"""", scripts))
    assert used
    assert used <= texts.keys()


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_no_text_from_others_can_become_markup(file: Traversable) -> None:
    text = file.read_text(encoding="utf-8")

    for way_in in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", " on"):
        if way_in == " on":
            assert not re.search(r"<[^>]* on\w+=", text)
        else:
            assert way_in not in text
    assert "</script" not in text or file.name == "proof.html"
