"""The desk in a real browser, on a real server: what a manager and a helper do at a fair."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from rafflekit import RaffleEngine
from tests.databases import open_engine, prepare
from tests.http.pages.browser import NewPage, Page, arrive, follow
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser


class Desk(NamedTuple):
    """A desk for everyone on this machine, one that requires desk passes, and one for another address only."""

    engine: RaffleEngine
    server: LiveServer
    strict: LiveServer
    foreign: LiveServer

    def raffle(self, *, tickets: int = 0, **options: Any) -> str:
        """Create a raffle of 5 tickets and hand some out; return its id."""
        body = {"name": "Fair", "total_tickets": 5, "prizes": [{"name": "hamper", "amount": 2}], **options}
        raffle: str = self.server.request("POST", "/raffles/", body).json["id"]
        for n in range(tickets):
            self.engine.participate(raffle, f"p{n}")
        return raffle

    def drawn(self) -> tuple[str, list[str]]:
        """Draw a raffle; return its id and what a scanner types of its winners' tickets and of a loser's, in order."""
        raffle = self.raffle()
        tickets = [self.engine.participate(raffle, f"p{n}") for n in range(5)]
        won = {win.ticket_number for win in self.engine.draw(raffle)}
        tickets.sort(key=lambda ticket: ticket.number not in won)
        page = f"{self.server.url}/raffles/{raffle}/"
        return raffle, [f"{page}#t={ticket.number}&c={ticket.verification_code}" for ticket in tickets[:3]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The desks; each test makes its own raffles."""
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder / 'raffles.db'}"
    prepare(url)
    with ExitStack() as running:
        servers = []
        for name, settings in (
            ("open", {"MANAGER_IPS": "127.0.0.1"}),
            ("strict", {"MANAGER_IPS": "127.0.0.1", "RAFFLEKIT_DESK_PASSES": "required"}),
            ("foreign", {"MANAGER_IPS": "127.0.0.2"}),
        ):
            servers.append(LiveServer(folder / "raffles.db", log=folder / f"{name}.log", **settings))
            running.callback(servers[-1].stop)
        yield Desk(running.enter_context(open_engine(url)), *servers)


def scan(page: Page, text: str) -> None:
    """Scan a code, as a hand scanner does: it types where the focus is, and presses Enter."""
    # The focus comes a moment after the page.
    page.wait_for("document.activeElement.matches('input')")
    enter(page, text)


def enter(page: Page, text: str = "") -> None:
    """Type a text where the focus is, press Enter, and wait for the page to which that leads."""
    page.run("void (window.isLeft = false)")
    page.type(f"{text}\n")
    arrive(page)


def test_a_raffle_is_created_in_the_time_of_the_browser(desk: Desk, new_page: NewPage) -> None:
    page = new_page(timezone="Europe/Berlin")
    page.open(f"{desk.server.url}/desk/new/")
    assert "Europe/Berlin" in page.text("#closes_at-hint")
    page.fill("#name", "Summer fair")
    page.fill("#total_tickets", "200")
    page.fill("#prizes", "3 × hamper\ntea")
    page.fill("#closes_at", "2999-07-01T18:00")
    page.fill("#draw_at", "2999-12-24T18:00")
    follow(page, "form .main")
    assert "(2999-07-01 16:00 UTC)" in page.text("main")
    assert "(2999-12-24 17:00 UTC)" in page.text("main")

    follow(page, "form [name=again]")
    assert page.run("document.querySelector('#closes_at').value") == "2999-07-01T18:00"
    follow(page, "form .main")
    follow(page, "form .main")

    assert page.text("#done").startswith("The raffle is created.")
    raffle = page.run("location.pathname").split("/")[3]
    terms = desk.engine.get(raffle).terms
    assert (str(terms.closes_at), str(terms.draw_at)) == ("2999-07-01 16:00:00+00:00", "2999-12-24 17:00:00+00:00")

    follow(page, "a[href$='/edit/']")
    assert page.run("document.querySelector('#draw_at').value") == "2999-12-24T18:00"
    page.fill("#name", "Winter fair")
    follow(page, "form .main")
    assert (page.text("#done"), page.text("h1")) == ("The changes are saved.", "Winter fair")
    assert desk.engine.get(raffle).terms.draw_at == terms.draw_at
    assert page.complaints == []


def test_invitations_open_as_sheets_to_print(desk: Desk, new_page: NewPage) -> None:
    raffle = desk.raffle(entry="invitation")
    page = new_page()
    page.open(f"{desk.server.url}/desk/raffles/{raffle}/invitations/")
    page.fill("[name=count]", "9")

    follow(page, "main form button.main")

    assert page.run("document.querySelectorAll('.sheet').length") == 2
    # The sheets have their style, and the button its script.
    assert page.run("Math.round(document.querySelector('.slip').getBoundingClientRect().width * 25.4 / 96)") == 105
    page.run("void (window.print = () => { window.isPrinted = true; })")
    page.click("[data-print]")
    page.wait_for("window.isPrinted")
    follow(page, "header a")
    assert page.text("h1") == "Fair"
    assert page.complaints == []


def test_a_time_in_an_hour_that_comes_twice_is_kept(desk: Desk, new_page: NewPage) -> None:
    # The second 02:30 of that night in Berlin.
    raffle = desk.raffle(closes_at="2999-10-27T01:30:00Z")
    page = new_page(timezone="Europe/Berlin")
    page.open(f"{desk.server.url}/desk/raffles/{raffle}/edit/")
    assert page.run("document.querySelector('#closes_at').value") == "2999-10-27T02:30"

    page.fill("#name", "Winter fair")
    follow(page, "form .main")

    assert page.text("#done") == "The changes are saved."
    assert str(desk.engine.get(raffle).terms.closes_at) == "2999-10-27 01:30:00+00:00"


def test_a_time_that_the_clocks_skip_is_refused(desk: Desk, new_page: NewPage) -> None:
    page = new_page(timezone="Europe/Berlin")
    page.open(f"{desk.server.url}/desk/new/")
    page.fill("#name", "Fair")
    page.fill("#total_tickets", "5")
    page.fill("#prizes", "tea")
    page.fill("#closes_at", "2999-03-31T02:30")
    follow(page, "form .main")
    assert "the clocks are put forward past this time" in page.text("#mistakes")

    page.fill("#closes_at", "2999-03-31T03:30")
    follow(page, "form .main")
    assert "(2999-03-31 01:30 UTC)" in page.text("main")


def test_mistakes_have_the_focus_and_lead_to_their_fields(desk: Desk, new_page: NewPage) -> None:
    page = new_page()
    page.open(f"{desk.server.url}/desk/new/")
    page.fill("#prizes", "tea")
    follow(page, "form .main")

    page.wait_for("document.activeElement.id === 'mistakes'")
    page.press("Tab")
    page.press("Enter")
    page.wait_for("document.activeElement.id === 'name'")
    assert page.run("document.querySelector('#prizes').value") == "tea"


def test_a_person_gets_a_ticket_and_the_next_one_can_come(desk: Desk, new_page: NewPage) -> None:
    raffle = desk.raffle(entry="desk")
    page = new_page()
    page.open(f"{desk.server.url}/desk/raffles/{raffle}/tickets/")
    page.wait_for("document.activeElement.id === 'participant'")
    scan(page, "ann@example.org")
    assert page.text(".ticket-number").isdigit()

    follow(page, "a[href$='/tickets/']")
    scan(page, "ann@example.org")

    assert "This participant already has a ticket" in page.text("#mistakes")
    assert page.run("document.querySelector('#participant').value") == "ann@example.org"
    assert desk.engine.get(raffle).issued == 1


def test_a_raffle_is_closed_and_drawn_at_the_desk(desk: Desk, new_page: NewPage) -> None:
    page = new_page()
    page.open(f"{desk.server.url}/desk/raffles/{desk.raffle(tickets=3)}/")
    follow(page, "a[href$='/close/']")
    assert "3 of 5" in page.text("main")
    follow(page, "form button")
    assert page.text("#done").startswith("The raffle is closed.")

    follow(page, "a[href$='/draw/']")
    page.fill("#confirm", "Fare")
    follow(page, "form button")
    assert "This is not the raffle's name" in page.text("#mistakes")
    page.fill("#confirm", "fair")
    follow(page, "form button")

    assert page.text("#done") == "The winners are drawn."
    assert "2 of 2 prizes still to hand out" in page.text(".figures")


def test_dice_are_looked_at_before_they_decide(desk: Desk, new_page: NewPage) -> None:
    raffle = desk.raffle(tickets=5, entropy="announced", source="dice on stage")
    page = new_page()
    page.open(f"{desk.server.url}/desk/raffles/{raffle}/draw/")
    page.fill("#value", "3 1  6")
    follow(page, "form .main")
    assert page.text(".deciding") == "3 1 6"
    follow(page, "[name=again]")
    page.fill("#value", "3 1 5")
    follow(page, "form .main")

    # The key presses the first button of the form, which must be the one that draws.
    page.run("void (document.querySelector('#confirm').focus(), window.isLeft = false)")
    page.type("Fair\n")
    arrive(page)

    assert page.text("#done") == "The winners are drawn."
    assert desk.engine.proofs.proof(desk.engine.get(raffle).id).entropy.value == b"3 1 5"


def test_prizes_are_handed_out_as_fast_as_one_scans(desk: Desk, new_page: NewPage) -> None:
    raffle, (first, second, loser) = desk.drawn()
    page = new_page()
    page.open(f"{desk.server.url}/desk/raffles/{raffle}/redeem/")

    scan(page, loser)
    assert "This ticket has not won." in page.text("#verdict")
    scan(page, first.replace("#t=", "#t=9"))
    assert "do not belong together" in page.text("#mistakes")
    # What is scanned next replaces what was wrong; and it is only looked at, until someone confirms.
    scan(page, first)
    assert "Won: hamper" in page.text("#verdict")
    scan(page, second)
    assert desk.engine.winners(raffle, unredeemed=True).count == 2
    follow(page, "#confirm")
    assert "Handed out: hamper" in page.text("#verdict")
    assert desk.engine.winners(raffle, unredeemed=True).count == 1

    follow(page, "#undo")
    assert "Undone" in page.text("#verdict")
    scan(page, second)
    follow(page, "#confirm")
    scan(page, second)

    assert "Already handed out: hamper" in page.text("#verdict")
    assert page.run("location.href") == f"{desk.server.url}/desk/raffles/{raffle}/redeem/"
    assert not any(code in request["url"] for request in page.requests for code in (first[-29:], second[-29:]))


def test_a_phones_camera_leads_to_the_ticket(desk: Desk, new_page: NewPage) -> None:
    raffle, (first, *_) = desk.drawn()
    page = new_page(width=390)
    page.open(first)
    page.wait_for("document.querySelector('.mine [data-part=redeem]:not([hidden])')")

    page.run("void (window.isLeft = false)")
    page.click(".mine [data-part=redeem]")
    page.wait_for("document.querySelector('#verdict')")

    assert "Won: hamper" in page.text("#verdict")
    assert page.run("location.href") == f"{desk.server.url}/desk/raffles/{raffle}/redeem/"


def test_a_prize_is_passed_on_at_the_desk(desk: Desk, new_page: NewPage) -> None:
    raffle, _ = desk.drawn()
    number = desk.engine.winners(raffle).items[0].ticket_number
    page = new_page()
    page.open(f"{desk.server.url}/desk/raffles/{raffle}/forfeit/")
    assert not page.run("document.querySelector('#verification_code').checkVisibility()")
    page.fill("#ticket_number", str(number))
    page.click("[value=unclaimed]")
    follow(page, "form .main")
    assert f"Ticket {number} loses hamper" in page.text("#verdict")

    follow(page, "form .danger")

    assert page.text("#done") == "The prize passed on to the next ticket."
    follow(page, "a[href$='/winners/']")
    assert f"instead of ticket {number}" in page.text("table")


def test_a_link_makes_a_pass_of_this_browser(desk: Desk, new_page: NewPage) -> None:
    token = desk.engine.passes.make("Ann", may="redeem", lasts=timedelta(hours=1)).token
    raffle, (first, *_) = desk.drawn()
    page = new_page()
    page.open(f"{desk.strict.url}/desk/")
    assert "You need a desk pass" in page.text("main")

    page.open(f"{desk.strict.url}/desk/pass/#{token}")
    assert page.run("[location.href, document.activeElement.tagName]") == [f"{desk.strict.url}/desk/pass/", "BUTTON"]
    assert token not in page.text("body")
    follow(page, "main button")
    assert page.text(".pass").startswith("You use the desk pass of Ann.")
    assert page.run("document.cookie") == ""

    page.open(f"{desk.strict.url}/desk/raffles/{raffle}/redeem/")
    scan(page, first)
    follow(page, "#confirm")
    assert "Ann" in [win.redeemed_by for win in desk.engine.winners(raffle).items]
    page.open(f"{desk.strict.url}/desk/new/")
    assert "may redeem only; this needs a pass that may manage." in page.text("main")

    page.open(f"{desk.strict.url}/desk/")
    follow(page, ".pass button")
    assert "no longer uses a desk pass" in page.text("main")
    page.open(f"{desk.strict.url}/desk/")
    assert "You need a desk pass" in page.text("main")


@pytest.mark.parametrize("fragment", ["main", "%", "rkp_%", f"rkp_{'0' * 31}"])
def test_a_link_without_a_whole_pass_changes_nothing(desk: Desk, new_page: NewPage, fragment: str) -> None:
    page = new_page()
    page.open(f"{desk.strict.url}/desk/pass/#{fragment}")

    assert page.run("document.querySelector('#token').checkVisibility()")
    assert page.run("document.querySelector('#token').value") == ""
    assert page.complaints == []


def test_a_revoked_pass_ends_at_once(desk: Desk, new_page: NewPage) -> None:
    token = desk.engine.passes.make("Bob", may="manage", lasts=timedelta(hours=1)).token
    page = new_page()
    page.open(f"{desk.strict.url}/desk/pass/#{token}")
    follow(page, "main button")
    desk.engine.passes.revoke("Bob")

    page.open(f"{desk.strict.url}/desk/")
    assert "has expired or been revoked. Ask for a new one." in page.text("main")

    follow(page, "a[href$='/desk/pass/']")
    page.fill("#token", token)
    follow(page, "main button")
    assert "not known here, or it has expired or been revoked" in page.text("#mistakes")


def test_a_visitor_who_is_no_manager_sees_no_desk(desk: Desk, new_page: NewPage) -> None:
    raffle, _ = desk.drawn()
    page = new_page()
    for path in ("/desk/", "/desk/pass/", f"/desk/raffles/{raffle}/"):
        page.open(f"{desk.foreign.url}{path}")
        assert "is not listed in MANAGER_IPS" in page.text("main")
        assert page.run("document.querySelector('a[href*=desk]')") is None
    page.open(f"{desk.foreign.url}/raffles/{raffle}/")
    assert page.run("document.documentElement.innerHTML.includes('/desk/')") is False


def test_the_desk_works_by_keyboard_alone(desk: Desk, new_page: NewPage) -> None:
    page = new_page()
    page.open(f"{desk.server.url}/desk/")
    press_until(page, "document.activeElement.textContent === 'New raffle'")
    enter(page)
    press_until(page, "document.activeElement.id === 'name'")
    page.type("Keys\t2\ttea\t")
    press_until(page, "document.activeElement.tagName === 'BUTTON'")
    enter(page)
    assert page.run("document.querySelector('form[action$=\"/raffles/\"]') !== null")
    press_until(page, "document.activeElement.tagName === 'BUTTON'")
    enter(page)
    assert page.text("h1") == "Keys"

    raffle, (first, *_) = desk.drawn()
    page.open(f"{desk.server.url}/desk/raffles/{raffle}/redeem/")
    scan(page, first)
    press_until(page, "document.activeElement.id === 'confirm'", key="Shift+Tab")
    enter(page)
    assert "✓ Handed out" in page.text("#verdict")


def press_until(page: Page, condition: str, *, key: str = "Tab") -> None:
    """Press a key until a condition holds, but not for ever."""
    for _ in range(60):
        if page.run(condition):
            return
        page.press(key)
    raise AssertionError(f"{condition} never came true")


def test_the_desk_works_without_scripts(desk: Desk, new_page: NewPage) -> None:
    raffle, (first, *_) = desk.drawn()
    page = new_page(javascript=False)
    page.open(f"{desk.server.url}/desk/new/")
    assert "In UTC" in page.text("#closes_at-hint")
    page.submit("/desk/new/", {"name": "Fair", "total_tickets": "5", "prizes": "tea", "closes_at": "2999-07-01T18:00"})
    assert "2999-07-01 18:00 UTC" in page.text("main")

    page.submit(f"/desk/raffles/{raffle}/redeem/", {"scan": first})
    assert "Won: hamper" in page.text("#verdict")
