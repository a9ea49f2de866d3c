"""The page of a proof in a real Chromium: over plain HTTP, where WebCrypto is missing, and as a saved file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rafflekit.http.pages.proof import proof_page
from tests.http.pages.browser import NewPage, Page
from tests.live_server import LiveServer, Serve
from tests.tamper.test_tampering import BASES, CASES
from tests.verifiers.raffles import Written
from tests.verifiers.raffles import fair as early_closed

pytestmark = pytest.mark.browser

HOST = "raffle.example"
"""A name that only the test's browser knows. Pages of 127.0.0.1 count as secure even over HTTP, and have WebCrypto."""

NAME = "<img src=x onerror=document.title=1> ✓ \u202efair\u2066"
PRIZE = "<script>document.title=2</script>\u202ehug"
DONE = "/^(?!Fetching|Checking)./.test(document.querySelector('#summary').textContent)"

Open = Callable[..., Page]


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


def create(server: LiveServer, **options: Any) -> Fair:
    """Create a raffle of 9 tickets whose names look like markup."""
    prizes = [{"name": PRIZE, "amount": 2}, {"name": "tea", "amount": 3}]
    body = {"name": NAME, "total_tickets": 9, "prizes": prizes, **options}
    return Fair(server, f"/raffles/{server.request('POST', '/raffles/', body).json['id']}/", [])


@pytest.fixture
def fair(serve: Serve) -> Fair:
    """An open raffle of 9 tickets whose names look like markup."""
    return create(serve(MANAGER_IPS="127.0.0.1"))


@pytest.fixture
def open_page(new_page: NewPage) -> Open:
    """Open an address in a new page and wait for its verdict."""

    def start(address: str, **look: Any) -> Page:
        page = new_page(**look)
        page.open(address)
        page.wait_for(DONE)
        return page

    return start


@pytest.fixture
def saved_page(tmp_path: Path) -> str:
    """The address of the page in a file."""
    saved = tmp_path / "page.html"
    saved.write_bytes(proof_page().content)
    return saved.as_uri()


def receipt_of(ticket: dict[str, Any]) -> str:
    return json.dumps(ticket["receipt"])


def test_a_visitor_sees_that_draw_and_receipt_are_valid(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(9)
    wins = fair.draw()
    winner = next(ticket for ticket in fair.tickets if ticket["ticket_number"] == wins[0]["ticket_number"])
    page = open_page(fair.address)
    assert page.run("[window.isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
    assert "The 5 winners follow from the closed list of tickets and the random number" in page.text("#summary")
    # What a participant wants to know comes first: who has which prize.
    first = page.run("document.querySelector('#results').textContent").replace("\u2068", "").replace("\u2069", "")
    assert first.startswith(f"Ticket {wins[0]['ticket_number']} won “")
    assert page.run("document.querySelectorAll('#results li').length") == 5

    # The whole answer of the server, because people may paste that.
    page.fill("#receipt", json.dumps(winner))
    page.click("#check")
    page.wait_for("document.querySelector('#ticket').textContent")
    if page.run("document.querySelector('#ask').checkVisibility()"):
        page.click("#ask")
    page.wait_for("document.querySelector('#ticket').textContent.startsWith('✓')")

    assert page.text("#ticket").startswith(f"✓ Ticket {winner['ticket_number']} won “")
    assert f"Your ticket, number {winner['ticket_number']}, is in the draw." in page.text("#ticket")
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

    assert "Your ticket, number " in page.text("#ticket")
    seen = [(request["method"], request["url"]) for request in page.requests if request["url"] != "data:,"]
    leaves = fair.address.replace("proof/", "ledger/leaves/")
    assert seen == [("GET", fair.address), ("GET", fair.address), ("GET", leaves)]
    assert not any(request.get("hasPostData") for request in page.requests)
    assert not any(ticket["verification_code"] in str(request) for request in page.requests)
    assert page.run("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_the_page_follows_the_links_between_parts_of_the_leaves(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(9)
    fair.draw()
    page = open_page(fair.address)
    # The same leaves as a server with very small parts would send them.
    page.run("""
        const asked = window.fetch.bind(window);
        window.parts = [];
        window.fetch = async (address, options) => {
          const url = new URL(address, location);
          if (!url.pathname.endsWith("/leaves/")) return asked(address, options);
          window.parts.push(url.search);
          const first = Number(url.searchParams.get("from") ?? 0);
          const answer = await asked(`${url.pathname}?from=${first}&to=${Math.min(first + 4, 9)}`, options);
          const link = first + 4 < 9 ? { Link: `<?from=${first + 4}&to=9>; rel="next"` } : {};
          return new Response(await answer.text(), { headers: link });
        };
    """)

    page.click("#fetch-leaves")
    page.wait_for("[...document.querySelectorAll('li.ok .step')].some((step) => step.textContent.includes('leaves'))")

    assert page.run("window.parts") == ["", "?from=4&to=9", "?from=8&to=9"]


def test_names_are_text_and_cannot_reorder_the_page(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(9)
    fair.draw()

    page = open_page(fair.address)

    assert page.text("h1") == "“\u2068<img src=x onerror=document.title=1> * ‹U+202E›fair‹U+2066›\u2069”"
    for place in ("#winners", "#prizes"):
        assert "“\u2068<script>document.title=2</script>‹U+202E›hug\u2069”" in page.text(place)
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


def test_an_early_closed_raffle_is_followed_to_its_end(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(7)
    fair.server.request("POST", f"{fair.path}close/", {})
    page = open_page(fair.address)
    assert "waiting for the draw. 7 of 9 tickets have been handed out." in page.text("#summary")

    lost = fair.draw()[0]["ticket_number"]
    forfeit = {"ticket_number": lost, "why": "unclaimed", "reason": "went home"}
    heir = fair.server.request("POST", f"{fair.path}forfeit/", forfeit).json["ticket_number"]
    page.open(fair.address)
    page.wait_for("document.querySelector('#forfeits').children.length")

    assert page.text("#facts").startswith("Tickets: 7 of 9, wins: 5.")
    assert f"won by ticket {lost}: passed to ticket {heir}." in page.text("#forfeits")
    assert "although no deadline was announced." in page.text("#steps")
    assert page.run("document.querySelectorAll('li.wrong').length") == 0


def test_a_cancelled_raffle_says_why(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(1)
    fair.server.request("POST", f"{fair.path}cancel/", {"reason": "rain"})

    page = open_page(fair.address)

    assert page.text("#summary") == "This raffle was cancelled: “\u2068rain\u2069”. There is no draw."
    assert "„\u2068rain\u2069“" in open_page(fair.address, language="de").text("#summary")


def test_an_announced_raffle_says_what_decides_and_when(serve: Serve, open_page: Open) -> None:
    server = serve(MANAGER_IPS="127.0.0.1")
    upcoming = create(server, opens_at="2999-01-01T00:00:00Z")
    dice = create(server, entropy="announced", source="dice on stage", total_tickets=5)
    page = open_page(upcoming.address)
    assert page.text("#summary") == "Tickets are handed out from 2999-01-01 00:00:00 UTC."

    dice.take_tickets(5)
    page.open(dice.address)
    page.wait_for(DONE)
    assert page.text("#summary").endswith("The draw is decided by “\u2068dice on stage\u2069”.")


def test_the_saved_page_checks_saved_documents_without_a_server(fair: Fair, open_page: Open, tmp_path: Path) -> None:
    fair.take_tickets(9)
    fair.draw()
    page = open_page(fair.address)
    saved, proof = page.download("#save-page", tmp_path), page.download("#save-proof", tmp_path)
    assert (saved.name, proof.name) == ("rafflekit-proof.html", "proof.json")
    assert saved.read_bytes() == proof_page().content
    receipt = tmp_path / "receipt.json"
    receipt.write_text(receipt_of(fair.tickets[8]))
    fair.server.stop()

    page.open(saved.as_uri())
    assert page.text("#summary") == "No proof has been chosen yet."
    page.choose_file("#proof-file", proof)
    page.wait_for("document.querySelector('#summary').textContent.includes('The 5 winners')")
    page.choose_file("#receipt-file", receipt)
    page.wait_for("document.querySelector('#ticket').textContent.includes('Your ticket, number ')")

    assert [request["url"] for request in page.requests if not request["url"].startswith("data:")] == [saved.as_uri()]
    assert page.complaints == []


def test_a_falsified_proof_is_called_wrong(open_page: Open, saved_page: str, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    page = open_page(saved_page)
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


def choose(page: Page, folder: Path, name: str, content: bytes) -> None:
    """Choose a proof, a receipt or tickets from a file."""
    (folder / name).write_bytes(content)
    page.choose_file("#proof-file", folder / name)


def test_prizes_that_passed_on_are_listed(open_page: Open, saved_page: str, tmp_path: Path) -> None:
    raffle = Written(early_closed())
    first, second, kept, third, fourth = (raffle.leaves[serial].ticket_number for serial in raffle.serials)
    page = open_page(saved_page)

    choose(page, tmp_path, "proof.json", json.dumps(raffle.proof()).encode())
    page.wait_for("document.querySelector('#forfeits').children.length === 2")

    assert page.text("#facts").startswith("Tickets: 14 of 20, wins: 3. Created 2023-08-20 15:58:24 UTC, closed ")
    assert page.text("#prizes").replace("\u2068", "").replace("\u2069", "") == "1 × “dinner”\n2 × “radio”"
    rules = page.text("#rules")
    for rule in ("dice, rolled on stage", "The draw is planned for 2023-08-23 16:58:24 UTC", "free' entry"):
        assert rule in rules
    assert raffle.terms["id"] in page.text("#announced")
    assert page.text("#forfeits").replace("\u2068", "").replace("\u2069", "") == (
        f"“radio”, won by ticket {second}: passed to ticket {third}. 2023-08-23 16:59:24 UTC, given up by the winner: "
        f"“has a radio”.\n“dinner”, won by ticket {first}: passed to ticket {fourth}. 2023-08-25 16:58:24 UTC, not "
        "collected: “never came”."
    )
    rows = "[...document.querySelectorAll('#winners tbody tr')].map((row) => row.innerText)"
    assert [row.replace("\u2068", "").replace("\u2069", "").split("\t") for row in page.run(rows)] == [
        ["1", str(first), f"“dinner” (lost: passed to ticket {fourth})"],
        ["2", str(second), f"“radio” (lost: passed to ticket {third})"],
        ["3", str(kept), "“radio”"],
        ["4", str(third), f"“radio” (taken over from ticket {second})"],
        ["5", str(fourth), f"“dinner” (taken over from ticket {first})"],
    ]
    assert page.run("document.querySelectorAll('#winners s').length") == 2
    # What is not proven is a list, not one long sentence.
    assert "This is the raffle that you know" in page.text("#steps")
    assert page.text("#open").startswith("Not proven here:\n\nthat this is the raffle that was announced")
    assert page.run("document.querySelector('#open-list').children.length") == 7

    choose(page, tmp_path, "receipt.json", json.dumps({"receipt": raffle.receipt(raffle.serials[3], 14)}).encode())
    page.wait_for("document.querySelector('#ticket').textContent.includes('took over')")

    assert page.run("document.querySelectorAll('#forfeits .mine, #winners .mine').length") == 2


def test_an_id_from_elsewhere_counts_and_the_address_does_not(fair: Fair, open_page: Open) -> None:
    fair.take_tickets(9)
    fair.draw()
    page = open_page(fair.address)
    step_2 = "document.querySelectorAll('#steps li')[1].className"
    assert page.run(step_2) == "open"

    page.run("document.querySelector('details').open = true")
    page.fill("#raffle-id", fair.path.split("/")[2].upper())
    page.click("#recheck")
    page.wait_for(f"{step_2} === 'ok'")

    page.fill("#raffle-id", "00000000-0000-4000-8000-000000000000")
    page.click("#recheck")
    page.wait_for(f"{step_2} === 'wrong'")
    assert page.text("#summary").startswith("Something that you entered or chose does not fit.")


def test_several_copies_can_be_pasted_together(open_page: Open, saved_page: str, tmp_path: Path) -> None:
    raffle = Written(early_closed())
    page = open_page(saved_page)
    choose(page, tmp_path, "proof.json", json.dumps(raffle.proof()).encode())
    page.wait_for("document.querySelector('#open-list').children.length === 7")
    cancellation = f"{raffle.checkpoint(14)}cancelled 1700000000\nreason rain\n"

    page.run("document.querySelector('details').open = true")
    page.fill("#copies", raffle.signed(raffle.closing) + "\n" + raffle.signed(cancellation))
    page.click("#recheck")
    page.wait_for("document.querySelector('li.wrong')")

    assert "The operator cancelled this raffle, as a copy that you entered shows: “" in page.text("#summary")
    assert page.text("#more") == "Keep the documents: they are your evidence."


def test_files_in_utf_16_are_named_and_accuse_no_one(open_page: Open, saved_page: str, tmp_path: Path) -> None:
    proof = json.dumps(Written(early_closed()).proof())
    page = open_page(saved_page)

    choose(page, tmp_path, "utf-16.json", proof.encode("utf-16"))
    page.wait_for("document.querySelector('#summary').textContent.startsWith('This cannot be read')")

    assert page.text("#summary") == "This cannot be read: it is text in UTF-16; save it as UTF-8."
    choose(page, tmp_path, "marked.json", b"\xef\xbb\xbf" + proof.encode())
    page.wait_for("document.querySelector('#summary').textContent.includes('The 3 winners follow')")
