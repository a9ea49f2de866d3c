"""A participant's phone, in a real Chromium on a real server: take part, keep the ticket, win, and be a witness."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.databases import open_engine
from tests.html.test_qr import pixels, scanned
from tests.http.pages.browser import NewPage, Page
from tests.live_server import LiveServer
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

MANAGER = "127.0.0.2"
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
FORGE = """
    window.asked ??= window.fetch.bind(window);
    window.fetch = (address, options) => String(address).endsWith(%s)
      ? Promise.resolve(new Response(%s)) : window.asked(address, options);
"""
# Pages that wait for nothing, whose first requests to some addresses fail, and that get no ledger until `release`.
HASTY = "{ const wait = setTimeout; setTimeout = (action, ms) => wait(action, Math.min(ms, 20)); }"
FAIL_ONCE = """
    window.failed = [];
    window.asked = window.fetch.bind(window);
    window.fetch = (address, options) => {
      const name = String(address).split('/').at(-2);
      const isFirst = ['verify-ticket', 'proof'].includes(name) && !window.failed.includes(name);
      if (!isFirst) return window.asked(address, options);
      window.failed.push(name);
      return Promise.resolve(new Response('', { status: 503 }));
    };
"""
HOLD = """
    window.asked = window.fetch.bind(window);
    window.released = new Promise((resolve) => { window.release = resolve; });
    window.fetch = async (address, options) => {
      if (String(address).endsWith('ledger/')) { window.isHeld = true; await window.released; }
      return window.asked(address, options);
    };
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server for all tests of this module; the browser's address is not a manager's."""
    folder = tmp_path_factory.mktemp("phone")
    started = LiveServer(folder / "raffles.db", log=folder / "server.log", MANAGER_IPS=MANAGER)
    yield started
    started.stop()


class Raffle:
    """A raffle on the server, and what its manager and other guests do."""

    def __init__(self, server: LiveServer, *, tickets: int = 1, prizes: int = 1, **terms: Any) -> None:
        self.server = server
        body = {"name": "Fair", "total_tickets": tickets, "prizes": [{"name": "hamper", "amount": prizes}], **terms}
        self.id = self.manage("", body)["id"]
        self.path = f"/raffles/{self.id}/"
        self.address = f"{server.url}{self.path}"

    def manage(self, action: str, body: Any = None) -> Any:
        path = f"/raffles/{self.id}/{action}" if action else "/raffles/"
        return self.server.request_from(MANAGER, "POST", path, body).json

    def guest(self, number: int) -> dict[str, Any]:
        answer = self.server.request_from(f"127.0.1.{number}", "POST", f"{self.path}participate/")
        found: dict[str, Any] = answer.json
        return found

    def link(self, ticket: dict[str, Any]) -> str:
        return f"{self.address}#t={ticket['ticket_number']}&c={ticket['verification_code']}"


def take_part(page: Page, raffle: Raffle) -> dict[str, Any]:
    """Press the button on a raffle's page; return what the ticket's page offers as a file."""
    page.open(raffle.address)
    page.click("#take button")
    page.wait_for("document.querySelector('#ticket') && document.readyState === 'complete'")
    found: dict[str, Any] = json.loads(page.run("document.querySelector('#document').textContent"))
    return found


def take_part_and_keep(page: Page, raffle: Raffle) -> dict[str, Any]:
    ticket = take_part(page, raffle)
    page.click("#keep")
    page.wait_for("document.querySelector('#kept').textContent.includes('Kept')")
    page.open(raffle.address)
    page.wait_for("document.querySelector('.mine')")
    return ticket


def says(page: Page, selector: str, words: str) -> None:
    page.wait_for(f"document.querySelector({json.dumps(selector)})?.textContent.includes({json.dumps(words)})")


def claims_on(page: Page) -> list[str]:
    """Return what the phone says that it found as a witness, in order."""
    found: list[str] = page.run(
        "[...document.querySelectorAll('#testimony [data-claim]')].map((part) => part.dataset.claim)"
    )
    return found


def test_a_visitor_takes_part_and_the_browser_keeps_the_ticket(
    server: LiveServer, new_page: NewPage, tmp_path: Path
) -> None:
    raffle = Raffle(server, tickets=3)
    page = new_page(width=390)
    ticket = take_part(page, raffle)

    page.send("Page.reload")
    page.wait_for("document.querySelector('#ticket') && document.readyState === 'complete'")
    assert json.loads(page.run("document.querySelector('#document').textContent")) == ticket
    saved = page.download("a[download]", tmp_path)
    assert json.loads(saved.read_text()) == ticket
    page.click("#keep")
    page.open(raffle.address)
    page.wait_for("document.querySelector('.mine')")

    assert page.text(".mine .ticket-number") == str(ticket["ticket_number"])
    assert not page.run("document.querySelector('#take').checkVisibility()")
    page.click(".mine summary")
    assert page.text(".mine .ticket-code") == ticket["verification_code"]
    assert page.run("document.querySelector('.mine img').naturalWidth") > 0
    assert page.complaints == []
    page.click("[data-do=forget]")
    page.click("[data-do=really-forget]")
    assert page.run("[document.querySelector('.mine'), localStorage.length]") == [None, 0]
    assert page.run("document.querySelector('#take').checkVisibility()")


def test_a_second_entry_is_explained(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=3)
    take_part_and_keep(first := new_page(), raffle)
    page = new_page()

    page.open(raffle.address)
    page.click("#take button")
    says(page, "#problem", "You already have a ticket")

    page.wait_for("document.activeElement.id === 'problem'")
    # In the browser that keeps the ticket, the same page shows it.
    first.submit(f"{raffle.path}participate/", {"idempotency_key": "another-key-of-a-form"})
    says(first, "#problem", "You already have a ticket")
    first.wait_for("document.querySelector('.mine')")


def test_who_has_all_tickets_reads_how_many(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=5, tickets_each=2)
    page = new_page()
    take_part(page, raffle), take_part(page, raffle)

    page.open(raffle.address)
    page.click("#take button")
    says(page, "#problem", "You already have 2 tickets of this raffle")

    assert page.run("document.querySelector('#take')") is None


@pytest.mark.parametrize(
    "garbage", ["{", "null", "7", '{"tickets": 7}', '{"tickets": [null, {"number": "x"}], "key": 1}']
)
def test_garbage_in_the_browser_breaks_nothing(server: LiveServer, new_page: NewPage, garbage: str) -> None:
    raffle = Raffle(server, tickets=2)
    page = new_page()
    page.open(raffle.address)
    page.run(f"localStorage.setItem('rafflekit {raffle.id}', {json.dumps(garbage)})")

    take_part_and_keep(page, raffle)

    assert page.complaints == []


def test_a_phone_notices_that_the_planned_time_is_over(server: LiveServer, new_page: NewPage) -> None:
    planned = datetime.now(UTC) + timedelta(hours=1)
    raffle = Raffle(server, draw_at=planned.isoformat(timespec="seconds"))
    raffle.guest(1)
    page = new_page()
    page.send("Page.addScriptToEvaluateOnNewDocument", source=HASTY)
    page.open(raffle.address)
    says(page, "#waiting", "The draw is on:")
    assert not page.run("document.querySelector('#due').checkVisibility()")

    page.run("{ const late = Date.now() + 4e6; Date.now = () => late; }")

    page.wait_for("document.querySelector('#due').checkVisibility()")
    assert not page.run("document.querySelector('#waiting').checkVisibility()")


def test_a_link_fills_in_the_invitation(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=3, entry="invitation")
    with open_engine(f"sqlite:///{server.database}") as engine:
        codes = engine.invitations(raffle.id, 2)
    page = new_page()

    # The second one is for another person on the same phone.
    for code in codes:
        page.open("about:blank")
        page.open(f"{raffle.address}#i={code}")
        page.wait_for("document.querySelector('#invitation').value")
        assert page.run("location.hash") == ""
        page.click("#take button")
        page.wait_for("document.querySelector('#ticket') && document.readyState === 'complete'")
        page.click("#keep")
        page.wait_for("document.querySelector('#kept').textContent.includes('Kept')")
        assert not any(code in request["url"] for request in page.requests)

    assert page.run("JSON.parse(localStorage.getItem(localStorage.key(0))).tickets.length") == 2


def test_the_qr_code_of_a_ticket_leads_to_it(server: LiveServer, new_page: NewPage, tmp_path: Path) -> None:
    raffle = Raffle(server, tickets=2)
    ticket = take_part(page := new_page(dark=True), raffle)
    page.screenshot(tmp_path / "ticket.png")
    other = new_page()
    [found] = scanned(*pixels(other, tmp_path / "ticket.png"))
    assert found == raffle.link(ticket)

    other.open(found)
    other.wait_for("document.querySelector('.mine')")

    assert other.text(".mine .ticket-number") == str(ticket["ticket_number"])
    assert other.run("[location.hash, localStorage.length]") == ["", 0]
    assert other.requests[0]["urlFragment"] == found[found.index("#") :]
    sent = [{name: value for name, value in each.items() if name != "urlFragment"} for each in other.requests]
    assert ticket["verification_code"] not in str(sent)


def test_a_kept_ticket_becomes_the_result_and_a_proof(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=3, prizes=3, collection="at the bar")
    ticket = take_part_and_keep(page := new_page(width=390), raffle)
    raffle.guest(1), raffle.guest(2)
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone is a witness")
    words = page.text("#testimony .words")
    assert words.split() == server.request("GET", f"{raffle.path}live/").json["words"]

    raffle.manage("winners/")
    page.run(LOOK_AGAIN)

    says(page, ".mine [role=status]", "You won: hamper")
    assert "Collect it: at the bar" in page.text(".mine")
    says(page, "#testimony", "This phone recomputed the draw: it is right")
    assert page.text("#testimony .words") == words
    assert claims_on(page) == ["kept", "winners", "ticket"]
    says(page, "#testimony", "rests on trust: that the organiser drew the random number only once")
    assert page.text("#now .tag") == "Drawn"
    raffle.manage("redeem/", {name: ticket[name] for name in ("ticket_number", "verification_code")})
    page.run(LOOK_AGAIN)
    says(page, ".mine [role=status]", "It was handed out on")
    assert page.complaints == []


def test_a_loser_can_win_by_the_queue(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=2)
    tickets = [raffle.guest(1), raffle.guest(2)]
    [win] = raffle.manage("winners/")
    [loser] = [ticket for ticket in tickets if ticket["ticket_number"] != win["ticket_number"]]
    page = new_page()
    page.open(raffle.link(loser))
    says(page, ".mine [role=status]", "you are the next in the queue")

    raffle.manage("forfeit/", {"ticket_number": win["ticket_number"], "why": "unclaimed"})
    page.run(LOOK_AGAIN)

    says(page, ".mine [role=status]", "You won: hamper")
    # Without having seen the closing before the draw, it does not call anything proven.
    page.click("[data-do=keep]")
    says(page, "#testimony", "could not check everything")
    assert claims_on(page) == ["not-kept", "winners", "no-receipt"]


def test_what_fails_is_tried_again(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server)
    page = new_page()
    page.send("Page.addScriptToEvaluateOnNewDocument", source=HASTY)
    page.send("Network.setBlockedURLs", urls=["*/verifier.js*"])
    take_part_and_keep(page, raffle)
    wait_until(lambda: page.run("performance.now()") and any("verifier" in each["url"] for each in page.requests))
    page.send("Network.setBlockedURLs", urls=[])
    says(page, "#testimony", "This phone is a witness")
    # The answer about the state may be a moment old. Until then, every look would find the page changed.
    wait_until(lambda: server.request("GET", f"{raffle.path}live/").json["state"] == "closed")

    page.run(FAIL_ONCE)
    raffle.manage("winners/")

    says(page, ".mine [role=status]", "You won: hamper")
    says(page, "#testimony", "This phone recomputed the draw: it is right")
    assert page.run("window.failed") == ["verify-ticket", "proof"]


def test_a_draw_during_a_slow_check_is_not_missed(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=2)
    page = new_page()
    page.send("Page.addScriptToEvaluateOnNewDocument", source=HASTY)
    take_part_and_keep(page, raffle)
    page.run(HOLD)
    raffle.guest(1)
    page.wait_for("window.isHeld")

    raffle.manage("winners/")
    says(page, "#now .tag", "Drawn")
    page.run("window.release()")

    says(page, "#testimony", "This phone recomputed the draw")
    page.wait_for("document.querySelector('.mine .outcome')")


def test_a_verdict_covers_only_the_tickets_it_was_about(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=2)
    take_part_and_keep(page := new_page(), raffle)
    other = raffle.guest(1)
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone is a witness")
    raffle.manage("winners/")
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone recomputed the draw: it is right")

    # It has no receipt, so that no one can say whether it is in the list.
    page.run(f"location.hash = {json.dumps(raffle.link(other).partition('#')[2])}")
    # After the draw, only a ticket that the server knows can be kept.
    page.wait_for("document.querySelector('.mine:nth-child(2) [data-do=keep]')?.checkVisibility()")
    page.click(".mine:last-child [data-do=keep]")
    says(page, "#testimony", "could not check everything")

    for _ in range(2):
        page.click("[data-do=forget]")
        page.click("[data-do=really-forget]")
    page.wait_for("document.querySelector('#testimony').textContent === ''")


def test_a_prize_that_no_ticket_is_left_for_is_shown(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server)
    ticket = take_part_and_keep(page := new_page(), raffle)
    raffle.manage("winners/")
    page.run(LOOK_AGAIN)
    says(page, ".mine [role=status]", "You won: hamper")

    raffle.manage("forfeit/", {"ticket_number": ticket["ticket_number"], "why": "unclaimed"})

    page.wait_for(f"{LOOK_AGAIN}, document.querySelector('#now').textContent.includes('passed on')")


def test_another_closing_turns_the_phone_red(server: LiveServer, new_page: NewPage, tmp_path: Path) -> None:
    raffle = Raffle(server, tickets=2)
    take_part_and_keep(page := new_page(), raffle)
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(server.database)) as original, closing(sqlite3.connect(copy)) as target:
        original.backup(target)
    shutil.copy(f"{server.database}.key", f"{copy}.key")
    raffle.guest(1)
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone is a witness")
    served = server.request("GET", f"{raffle.path}ledger/").body.decode()
    # The operator closes a copy of the raffle before the second ticket.
    with open_engine(f"sqlite:///{copy}") as engine:
        engine.close_raffle(raffle.id)
        forged = engine.proofs.checkpoint(raffle.id)

    # What the operator did not sign raises no alarm.
    [line] = [line for line in served.split("\n") if line.startswith("closed ")]
    unsigned = served.replace(line, f"closed {int(line.removeprefix('closed ')) + 1}")
    page.run(FORGE % ('"ledger/"', json.dumps(unsigned)))
    page.run("document.querySelector('#testimony').replaceChildren()")
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone is a witness")
    assert page.text("#alarm") == ""
    page.run(FORGE % ('"ledger/"', json.dumps(forged)))
    page.run(LOOK_AGAIN)
    says(page, "#alarm[role=alert]", "two different closed lists")

    assert page.run("document.documentElement.className") == "alarm"
    saved = page.download("#alarm a[download]", tmp_path)
    about = f"Both are closed lists of this raffle: each begins with rafflekit/{raffle.id}."
    assert saved.read_text() == f"{about}\n\n{served}\n{forged}"
    # It stays red, also when the first one is shown again.
    page.open(raffle.address)
    says(page, "#alarm", "two different closed lists")
    assert json.loads(page.run("localStorage.getItem(localStorage.key(0))"))["other"] == forged


def test_only_notes_of_the_raffle_count_as_its_closing(server: LiveServer, new_page: NewPage) -> None:
    raffle, other = Raffle(server), Raffle(server)
    other.guest(1)
    take_part_and_keep(page := new_page(), raffle)
    says(page, "#testimony", "This phone is a witness")
    served = server.request("GET", f"{other.path}ledger/").body.decode()

    page.run(FORGE % ('"ledger/"', json.dumps(served)))
    page.run(LOOK_AGAIN)
    raffle.manage("winners/")
    says(page, "#now .tag", "Drawn")
    says(page, "#testimony", "This phone recomputed the draw: it is right")
    assert page.text("#alarm") == ""

    # A stored closing that cannot be read, or is another raffle's, is like none.
    for broken in ("{}", json.dumps({"note": served, "at": 1})):
        page.run(f"""{{
            const name = localStorage.key(0);
            const kept = JSON.parse(localStorage.getItem(name));
            localStorage.setItem(name, JSON.stringify({{ ...kept, closing: {broken} }}));
        }}""")
        page.open(raffle.address)
        says(page, "#testimony", "could not check everything")


def test_a_forged_draw_is_wrong(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server)
    take_part_and_keep(page := new_page(), raffle)
    says(page, "#testimony", "This phone is a witness")
    raffle.manage("winners/")
    proof = server.request("GET", f"{raffle.path}proof/", Accept="application/json").json

    page.run(FORGE % ('"proof/"', json.dumps(json.dumps(proof | {"seed": "0" * 64}))))
    page.run(LOOK_AGAIN)

    says(page, "#testimony", "This phone recomputed the draw: it is wrong")


def test_an_announced_value_is_shown_to_be_compared(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=3, entropy="announced", source="two dice")
    take_part_and_keep(page := new_page(), raffle)
    raffle.guest(1)
    raffle.manage("close/")
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone is a witness")

    raffle.manage("winners/", {"value": "4 and 2"})
    page.run(LOOK_AGAIN)

    says(page, "#testimony", "whether two dice really gave this value, after the list was closed: 4 and 2")
    says(page, "#testimony", "it is right")
    assert claims_on(page) == ["kept", "winners", "ticket"]


def test_a_link_without_a_ticket_shows_none(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=2)
    raffle.guest(1)
    code = "7ZZZ-7zzz-7ZZZ 7ZZZ-7ZZZ7ZZZ"
    page = new_page()
    for number, text in ((1, "AAAA"), (3, code), (1, code.replace("7", "U"))):
        page.open("about:blank")
        page.open(raffle.link({"ticket_number": number, "verification_code": text}))
        says(page, "#mine", "does not lead to a ticket")
        assert page.run("document.querySelector('.mine')") is None

    invented = raffle.link({"ticket_number": 1, "verification_code": code})
    page.open("about:blank")
    page.open(invented)
    says(page, ".mine", "Not checked yet")
    raffle.guest(2)
    raffle.manage("winners/")
    page.open("about:blank")
    page.open(invented)
    says(page, ".mine", "do not belong together")
    assert not page.run("document.querySelector('[data-do=keep]').checkVisibility()")


def test_everything_that_matters_works_without_scripts(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server)
    page = new_page(javascript=False)
    ticket = take_part(page, raffle)
    assert page.text("#ticket .ticket-number") == str(ticket["ticket_number"])
    assert not page.run("[...document.querySelectorAll('.scripted')].some((part) => part.checkVisibility())")
    raffle.manage("winners/")

    page.open(raffle.address)
    page.fill("#ticket_number", str(ticket["ticket_number"]))
    page.fill("#verification_code", "wrong")
    page.click("#check button")
    says(page, "#verification_code-error", "does not belong")
    page.fill("#verification_code", ticket["verification_code"].lower().replace("-", ""))
    page.click("form button")

    says(page, "#result", "You won: hamper")
