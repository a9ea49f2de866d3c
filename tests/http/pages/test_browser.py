"""The page of a proof in a real Chromium: over plain HTTP, where WebCrypto is missing, and as a saved file."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rafflekit.http.pages.proof import proof_page
from tests.http.pages.browser import Browser, chromium
from tests.live_server import LiveServer, Serve
from tests.tamper.test_tampering import BASES, CASES
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

HOST = "raffle.example"
"""A name that only the test's browser knows. Pages of 127.0.0.1 count as secure even over HTTP, and have WebCrypto."""

NAME = "<img src=x onerror=document.title=1> \u202efair\u2066"
PRIZE = "<script>document.title=2</script>\u202ehug"
DONE = "!/^(Getting|Fetching|Checking) /.test(document.querySelector('#summary').textContent)"

Open = Callable[..., Browser]


class Fair(NamedTuple):
    """A raffle on a real server; `tickets` are the answers to the participants, with codes and receipts."""

    server: LiveServer
    path: str
    tickets: list[Any]

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server.port}{self.path}proof/"

    def take_tickets(self, count: int) -> None:
        for _ in range(count):
            source = f"127.0.1.{len(self.tickets) + 1}"
            self.tickets.append(self.server.request_from(source, "POST", f"{self.path}participate/").json)

    def draw(self) -> list[Any]:
        wins: list[Any] = self.server.request("POST", f"{self.path}winners/").json
        return wins


@pytest.fixture
def fair(serve: Serve) -> Fair:
    """An open raffle of 9 tickets whose names look like markup."""
    server = serve(MANAGER_IPS="127.0.0.1")
    body = {"name": NAME, "total_tickets": 9, "prizes": [{"name": PRIZE, "amount": 2}, {"name": "tea", "amount": 3}]}
    return Fair(server, f"/raffles/{server.request('POST', '/raffles/', body).json['id']}/", [])


@pytest.fixture
def open_page(tmp_path: Path) -> Iterator[Open]:
    """Open an address in a new browser and wait for the page's verdict."""
    program = chromium()
    if program is None:
        pytest.fail("these tests need Chromium, in Debian and Ubuntu: apt-get install chromium")
    with ExitStack() as browsers:

        def start(address: str, **how: Any) -> Browser:
            rule = f"--host-resolver-rules=MAP {HOST} 127.0.0.1"
            browser = browsers.enter_context(Browser(program, tmp_path / "profile", rule, **how))
            browser.open(address)
            browser.wait_for(DONE)
            return browser

        yield start


def receipt_of(ticket: dict[str, Any]) -> str:
    return json.dumps(ticket["receipt"])


def test_a_visitor_sees_that_draw_and_receipt_are_valid(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(9)
    wins = fair.draw()
    winner = next(ticket for ticket in fair.tickets if ticket["ticket_number"] == wins[0]["ticket_number"])
    page = open_page(fair.address)
    assert page.run("[window.isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
    assert page.text("#summary").startswith(
        "The 5 winners follow from the closed list of tickets and the random number"
    )

    # The whole answer of the server, because people may paste that.
    page.fill("#receipt", json.dumps(winner))
    page.click("#check")
    page.wait_for("document.querySelector('#ticket').textContent")
    if page.run("document.querySelector('#ask').checkVisibility()"):
        page.click("#ask")
    page.wait_for("document.querySelector('#ticket').textContent.startsWith('✓')")

    assert f"Your ticket, number {winner['ticket_number']}, is in the draw. It won" in page.text("#ticket")
    rows = page.run("[...document.querySelector('#winners tbody').rows].map((row) => row.cells[1].innerText)")
    assert rows == [str(win["ticket_number"]) for win in wins]
    assert page.run("document.querySelectorAll('li.wrong').length") == 0
    assert page.complaints == []


def test_the_page_sends_nothing_that_a_visitor_enters(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(9)
    fair.draw()
    ticket = fair.tickets[3]
    page = open_page(fair.address)

    page.fill("#receipt", json.dumps(ticket))
    page.fill("#number", str(ticket["ticket_number"]))
    page.click("#check")
    page.wait_for("document.querySelector('#ticket').textContent")
    page.click("#fetch-leaves")
    page.wait_for("document.querySelectorAll('li.ok .step')[5]?.textContent.includes('leaves')")

    assert page.text("#ticket").startswith("✓ Your ticket")
    seen = [(request["method"], request["url"]) for request in page.requests if request["url"] != "data:,"]
    leaves = fair.address.replace("proof/", "ledger/leaves/")
    assert seen == [("GET", fair.address), ("GET", fair.address), ("GET", leaves)]
    assert not any(request.get("hasPostData") for request in page.requests)
    assert not any(ticket["verification_code"] in str(request) for request in page.requests)
    assert page.run("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_names_are_text_and_cannot_reorder_the_page(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(9)
    fair.draw()

    page = open_page(fair.address)

    assert page.text("h1") == "<img src=x onerror=document.title=1> ‹U+202E›fair‹U+2066›"
    assert "<script>document.title=2</script>‹U+202E›hug" in page.text("#winners")
    assert page.run("[document.images.length, document.scripts.length]") == [0, 1]
    assert page.run("document.title").endswith(": proof of the draw")
    assert "\u202e" not in page.text("body")


def test_before_the_draw_the_page_shows_the_raffles_state(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(7)
    page = open_page(fair.address)
    assert page.text("#summary") == "Open: 2 of 9 tickets are left, so the winners have not been drawn yet."

    fair.take_tickets(2)
    page.open(fair.address)
    page.wait_for(DONE)

    assert "and waiting for the draw. All tickets have been handed out." in page.text("#summary")
    closing = fair.server.request("GET", f"{fair.path}ledger/").body.decode()
    assert page.text("#closing").strip() == closing.strip()


def test_the_saved_page_checks_saved_documents_without_a_server(fair: Fair, open_page: Open, tmp_path: Path) -> None:
    fair.take_tickets(9)
    fair.draw()
    page = open_page(fair.address)
    page.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    saved, proof = tmp_path / "rafflekit-proof.html", tmp_path / "proof.json"
    page.click("#save-page")
    page.click("#save-proof")
    wait_until(lambda: saved.exists() and proof.exists() and proof.stat().st_size and saved.stat().st_size)
    wait_until(lambda: saved.read_bytes() == proof_page().content)
    receipt = tmp_path / "receipt.json"
    receipt.write_text(receipt_of(fair.tickets[8]))
    fair.server.stop()

    page.open(saved.as_uri())
    assert page.text("#summary") == "No proof has been chosen yet."
    page.choose_file("#proof-file", proof)
    page.wait_for("document.querySelector('#summary').textContent.startsWith('The 5 winners')")
    page.choose_file("#receipt-file", receipt)
    page.wait_for("document.querySelector('#ticket').textContent.startsWith('✓ Your ticket')")

    assert [request["url"] for request in page.requests if not request["url"].startswith("data:")] == [saved.as_uri()]
    assert page.complaints == []


def test_a_falsified_proof_is_called_wrong(open_page: Open, tmp_path: Path) -> None:
    saved, proof = tmp_path / "page.html", tmp_path / "proof.json"
    saved.write_bytes(proof_page().content)
    page = open_page(saved.as_uri())
    falsified = next(case for case in CASES if case["step"] == "winners" and "proof" in case["given"])

    proof.write_text(falsified["given"]["proof"])
    page.choose_file("#proof-file", proof)
    page.wait_for("document.querySelector('#summary').textContent.startsWith('This proof is not valid')")
    assert page.run("document.querySelector('li.wrong .step').textContent") == "step 9, winners"
    # The page never shows false winners.
    assert not page.run("document.querySelector('#winners').checkVisibility()")

    many = tmp_path / "many.json"
    many.write_text(BASES["many"]["proof"])
    leaves = tmp_path / "leaves.jsonl"
    leaves.write_text("\n".join(BASES["many"]["leaves"]) + "\n")
    page.choose_file("#proof-file", many)
    page.wait_for("document.querySelector('#won-about').textContent.includes('too many for a proof')")
    page.choose_file("#leaves-file", leaves)
    page.wait_for("document.querySelector('#winners tbody').rows.length === 1000")
    assert "the first 1,000 of 1,003" in page.text("#won-about")


@pytest.mark.parametrize("width", [320, 390, 1100])
def test_the_page_fits_its_window(fair: Fair, open_page: Open, width: int) -> None:
    fair.take_tickets(9)
    fair.draw()

    page = open_page(fair.address, width=width)
    page.fill("#receipt", receipt_of(fair.tickets[0]))
    page.click("#check")
    page.wait_for("document.querySelector('#ticket').textContent")

    assert page.run("document.documentElement.scrollWidth") <= width
