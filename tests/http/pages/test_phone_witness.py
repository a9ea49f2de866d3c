"""A participant's phone as a witness, in a real Chromium on a real server: what it says of the list and of the draw."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rafflekit import Prize
from rafflekit.core.protocol.entropy.drand import time_of
from tests.databases import open_engine
from tests.http.pages.browser import NewPage, Page
from tests.http.pages.phones import HASTY, LOOK_AGAIN, MANAGER, Raffle, phone_server, says, take_part_and_keep
from tests.live_server import LiveServer
from tests.protocol.entropy.beacons import ROUND, SIGNATURE
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

FORGE = """
    window.asked ??= window.fetch.bind(window);
    window.fetch = (address, options) => String(address).endsWith(%s)
      ? Promise.resolve(new Response(%s)) : window.asked(address, options);
"""
# The first requests to some addresses fail; or the page gets no ledger until `release`.
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
# Some addresses lead to another page, as in the network of a hotel.
LOGIN_FIRST = """
    window.asked = window.fetch.bind(window);
    window.fetch = (address, options) => {
      if (!window.replaced || !String(address).includes(window.replaced)) return window.asked(address, options);
      window.isReplaced = window.replaced;
      const status = String(address).endsWith('verify-ticket/') ? 400 : 200;
      return Promise.resolve(new Response('<!doctype html><h1>Please log in</h1>', { status }));
    };
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server for all tests of this module; the browser's address is not a manager's."""
    with phone_server(tmp_path_factory.mktemp("phone")) as started:
        yield started


def claims_on(page: Page) -> list[str]:
    """Return what the phone says that it found as a witness, in order."""
    found: list[str] = page.run(
        "[...document.querySelectorAll('#testimony [data-claim]')].map((part) => part.dataset.claim)"
    )
    return found


def change_kept(page: Page, statement: str) -> None:
    """Change what the browser keeps of a raffle, `kept`."""
    page.run(f"""{{
        const name = localStorage.key(0);
        const kept = JSON.parse(localStorage.getItem(name));
        {statement};
        localStorage.setItem(name, JSON.stringify(kept));
    }}""")


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

    page.wait_for("document.querySelector('#testimony [data-claim]')")
    page.wait_for("document.querySelector('.mine .outcome')")
    # The list came after the draw, even though the page did not know of it yet.
    assert claims_on(page) == ["not-kept", "winners", "ticket"]


def test_the_receipt_of_another_ticket_proves_nothing(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=2)
    take_part_and_keep(page := new_page(), raffle)
    other = raffle.guest(1)
    change_kept(page, f"kept.tickets[0].receipt = {json.dumps(other['receipt'])}")
    raffle.manage("winners/")

    page.open(raffle.address)

    says(page, "#testimony", "its receipt is another ticket's")
    assert claims_on(page) == []


def test_what_is_no_proof_does_not_make_a_draw_wrong(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=2)
    take_part_and_keep(page := new_page(), raffle)
    page.run(LOGIN_FIRST)
    raffle.guest(1)
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone is a witness")
    raffle.manage("winners/")

    # The receipt is from before the closing, so that two documents are needed.
    for missing in ("proof/", "ledger/consistency/"):
        page.run(f"window.replaced = {json.dumps(missing)}")
        page.wait_for(f"{LOOK_AGAIN}, window.isReplaced === {json.dumps(missing)}")
        says(page, "#testimony", "could not check the draw yet")
    page.run("window.replaced = 'verify-ticket/'")
    page.wait_for(f"{LOOK_AGAIN}, window.isReplaced === 'verify-ticket/'")
    says(page, ".mine .result", "cannot be found out now")
    page.run("window.replaced = null")
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone recomputed the draw: it is right")
    page.wait_for("document.querySelector('.mine').dataset.outcome")


def test_a_verdict_covers_only_the_tickets_it_was_about(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=2)
    take_part_and_keep(page := new_page(), raffle)
    other = raffle.guest(1)
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone is a witness")
    raffle.manage("winners/")
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "This phone recomputed the draw: it is right")

    # Without its receipt, no one can say whether it is in the list.
    page.send("Network.setBlockedURLs", urls=["*/ledger/proof/*"])
    page.run(f"location.hash = {json.dumps(raffle.link(other).partition('#')[2])}")
    # After the draw, only a ticket that the server knows can be kept.
    page.wait_for("document.querySelector('.mine:nth-child(2) [data-do=keep]')?.checkVisibility()")
    page.click(".mine:last-child [data-do=keep]")
    says(page, "#testimony", "could not check everything")
    assert claims_on(page) == ["kept", "winners", "no-receipt"]
    page.send("Network.setBlockedURLs", urls=[])
    page.run(LOOK_AGAIN)
    says(page, "#testimony", "All your tickets are in the list.")

    for _ in range(2):
        page.click("[data-do=forget]")
        page.click("[data-do=really-forget]")
    page.wait_for("document.querySelector('#testimony').textContent === ''")


def test_a_ticket_from_a_link_gets_its_receipt(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=2)
    ticket = raffle.guest(1)
    own, mistaken = new_page(), new_page()
    for page, link in ((own, raffle.link(ticket)), (mistaken, raffle.link(ticket | {"verification_code": "7" * 24}))):
        page.open(link)
        page.click("[data-do=keep]")
        page.wait_for("JSON.parse(localStorage.getItem(localStorage.key(0))).tickets[0].receipt")
        # The receipt does not show that the code is right.
        assert page.run("document.querySelector('[data-part=unchecked]').checkVisibility()")
    kept = own.run("JSON.parse(localStorage.getItem(localStorage.key(0))).tickets[0].receipt")
    assert kept == ticket["receipt"]

    raffle.guest(2)
    for page in (own, mistaken):
        page.run(LOOK_AGAIN)
        says(page, "#testimony", "This phone is a witness")
    raffle.manage("winners/")
    own.run(LOOK_AGAIN), mistaken.run(LOOK_AGAIN)

    says(own, "#testimony", "This phone recomputed the draw: it is right")
    assert claims_on(own) == ["kept", "winners", "ticket"]
    says(mistaken, ".mine", "do not belong together")
    says(mistaken, "#testimony", "could not check everything")
    assert claims_on(mistaken) == ["kept", "winners", "receipt-unchecked"]


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
    # Even if the operator hides it by calling the raffle off.
    raffle.manage("cancel/", {"reason": "rain"})
    page.open(raffle.address)
    says(page, "#now .tag", "Called off")
    says(page, "#alarm", "two different closed lists")


def test_no_one_is_a_witness_of_a_cancelled_raffle(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server)
    take_part_and_keep(page := new_page(), raffle)
    says(page, "#testimony", "This phone is a witness")

    raffle.manage("cancel/", {"reason": "rain"})
    page.run(LOOK_AGAIN)

    says(page, "#now .tag", "Called off")
    page.wait_for("document.querySelector('#testimony').textContent === ''")


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
        change_kept(page, f"kept.closing = {broken}")
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


def test_what_a_phone_can_and_cannot_check_with_drand(server: LiveServer, new_page: NewPage) -> None:
    closed_at = time_of(ROUND) - 60
    with open_engine(f"sqlite:///{server.database}", clock=lambda: datetime.fromtimestamp(closed_at, UTC)) as engine:
        raffle = engine.create("Fair", total_tickets=1, prizes=[Prize("hamper")], entropy="drand-quicknet")
        ticket = engine.participate(raffle.id, "Ann")
    address = f"{server.url}/raffles/{raffle.id}/"
    early, late = new_page(), new_page()
    for page in (early, late):
        page.open(f"{address}#t={ticket.number}&c={ticket.verification_code}")
    # One of the phones keeps the closing before the beacon is published, the other today.
    early.run(f"void (Date.now = () => {1000 * (closed_at + 1)})")
    for page in (early, late):
        page.click("[data-do=keep]")
        says(page, "#testimony", "This phone is a witness")

    drawn = server.request_from(MANAGER, "POST", f"/raffles/{raffle.id}/winners/", {"value": SIGNATURE.hex()})
    assert drawn.status == 201
    early.open(address), late.open(address)

    says(early, "#testimony", "This phone recomputed the draw: it is right")
    assert claims_on(early) == ["kept", "winners", "ticket"]
    says(late, "#testimony", "could not check everything")
    assert claims_on(late) == ["kept-late", "winners", "ticket"]
    for page in (early, late):
        # A browser cannot check the signature of a beacon.
        says(page, "#testimony", "One thing is checked elsewhere: that the random number is the public one.")
        assert page.run("document.querySelector('#testimony a').href") == f"{address}proof/"


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
    assert claims_on(page) == ["not-kept", "winners", "ticket"]
