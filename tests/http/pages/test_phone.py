"""A participant's phone, in a real Chromium on a real server: take part, keep the ticket, and win."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.databases import open_engine
from tests.html.test_qr import pixels, scanned
from tests.http.pages.browser import NewPage
from tests.http.pages.phones import (
    HASTY,
    LOOK_AGAIN,
    MANAGER,
    Raffle,
    phone_server,
    says,
    take_part,
    take_part_and_keep,
)
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server for all tests of this module; the browser's address is not a manager's."""
    with phone_server(tmp_path_factory.mktemp("phone")) as started:
        yield started


def test_a_visitor_takes_part_and_the_browser_keeps_the_ticket(
    server: LiveServer, new_page: NewPage, tmp_path: Path
) -> None:
    raffle = Raffle(server, tickets=3)
    page = new_page(width=390)
    ticket = take_part(page, raffle)

    page.run("void (window.isLeft = false)")
    page.send("Page.reload")
    page.wait_for("window.isLeft === undefined && document.readyState === 'complete'")
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
    page.wait_for("document.querySelector('.mine img').naturalWidth")
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


def test_an_early_invitation_waits_until_the_raffle_opens(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=3, entry="invitation", opens_at="2999-01-01T00:00:00Z")
    page = new_page()
    link = f"{raffle.address}#i=XXXX-YYYY"
    page.open(link)
    says(page, "#now .tag", "Not open yet")
    # It survives, even if the page is loaded again.
    assert page.run("location.href") == link

    server.request_from(MANAGER, "PATCH", raffle.path, {"opens_at": None})
    page.wait_for(f"{LOOK_AGAIN}, document.querySelector('#invitation')")

    assert page.run("[document.querySelector('#invitation').value, location.hash]") == ["XXXX-YYYY", ""]


def test_what_a_visitor_types_survives_a_change(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server, tickets=2)
    take_part_and_keep(page := new_page(), raffle)
    raffle.guest(1)
    [win] = raffle.manage("winners/")
    page.open(raffle.address)
    page.run("document.querySelector('#verification_code').focus()")
    page.type("ABCD")
    page.press("ArrowLeft")

    raffle.manage("forfeit/", {"ticket_number": win["ticket_number"], "why": "unclaimed"})
    page.wait_for(f"{LOOK_AGAIN}, document.querySelector('#now').textContent.includes('lost')")
    page.type("-")

    assert page.run("document.querySelector('#verification_code').value") == "ABC-D"


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


def test_a_prize_that_no_ticket_is_left_for_is_shown(server: LiveServer, new_page: NewPage) -> None:
    raffle = Raffle(server)
    ticket = take_part_and_keep(page := new_page(), raffle)
    raffle.manage("winners/")
    page.run(LOOK_AGAIN)
    says(page, ".mine [role=status]", "You won: hamper")

    raffle.manage("forfeit/", {"ticket_number": ticket["ticket_number"], "why": "unclaimed"})

    page.wait_for(f"{LOOK_AGAIN}, document.querySelector('#now').textContent.includes('lost: not collected')")


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
