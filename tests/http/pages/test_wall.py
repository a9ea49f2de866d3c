"""The wall in a real Chromium, through a whole draw."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.http.pages.browser import Browser, chromium
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser

NAME = "<script>document.title=1</script>\u202efair"
PRIZES = [{"name": NAME, "amount": 1}, {"name": "tea", "amount": 2}]

# A page that becomes visible asks at once.
ASK = "document.dispatchEvent(new Event('visibilitychange'))"
SPOT = "document.querySelector('#spot')"


class Wall(NamedTuple):
    """A raffle on the server of all these tests."""

    server: LiveServer
    path: str

    @property
    def address(self) -> str:
        return f"{self.server.url}{self.path}live/"

    def hand_out(self, *names: str) -> None:
        for name in names:
            self.post("participate", participant=name)

    def post(self, action: str, **body: Any) -> Any:
        answer = self.server.request("POST", f"{self.path}{action}/", body)
        assert answer.status < 300, answer.json
        return answer.json


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all tests of this module."""
    folder = tmp_path_factory.mktemp("wall")
    served = LiveServer(folder / "raffles.db", log=folder / "server.log", MANAGER_IPS="127.0.0.1")
    yield served
    served.stop()


@pytest.fixture
def wall(server: LiveServer) -> Wall:
    """An open raffle of four tickets and three prizes whose names look like markup."""
    created = server.request("POST", "/raffles/", {"name": NAME, "total_tickets": 4, "prizes": PRIZES}).json
    return Wall(server, f"/raffles/{created['id']}/")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A browser on a projector."""
    program = chromium()
    if program is None:
        pytest.fail("these tests need Chromium, in Debian and Ubuntu: apt-get install chromium")
    with ExitStack() as opened:
        yield opened.enter_context(Browser(program, tmp_path / "profile", width=1920, height=1080))


def press(browser: Browser, key: str) -> None:
    browser.send("Input.dispatchKeyEvent", type="keyDown", key=key)
    browser.send("Input.dispatchKeyEvent", type="keyUp", key=key)


def test_the_wall_follows_a_draw_without_being_loaded_again(wall: Wall, browser: Browser) -> None:
    browser.open(wall.address)
    browser.run("window.isTheSame = true")
    assert browser.text(".huge") == "4"
    wall.hand_out("Ann")
    browser.wait_for(f"{ASK} && document.querySelector('.huge').textContent === '3'")
    assert browser.run("document.querySelector('progress').value") == 1

    wall.hand_out("Ben", "Cem", "Dee")
    browser.wait_for(f"{ASK} && document.querySelectorAll('.same-words li').length === 6")
    words = browser.text(".same-words ol")
    wins = wall.post("winners")
    browser.wait_for(f"{ASK} && {SPOT} !== null")
    assert browser.text("#spot") == "The winners have been drawn."
    assert browser.text(".same-words ol") == words

    for win in reversed(wins):
        press(browser, "PageDown")
        number = str(win["ticket_number"])
        browser.wait_for(f"{SPOT}.querySelector('b')?.textContent === '{number}'")
    assert "<script>document.title=1</script>\\u202efair" in browser.text("#spot")
    press(browser, "PageDown")
    assert browser.run("[...document.querySelectorAll('#winners li b')].map((each) => Number(each.textContent))") == [
        win["ticket_number"] for win in wins
    ]

    lost = wins[1]["ticket_number"]
    heir = wall.post("forfeit", ticket_number=lost, why="disqualified", reason="left")["ticket_number"]
    browser.wait_for(f"{ASK} && {SPOT}.querySelector('b').textContent === '{heir}'")
    assert f"passed on from ticket {lost}" in browser.text("#spot")
    assert browser.run("window.isTheSame")
    assert browser.complaints == []
    assert browser.run("document.documentElement.scrollWidth") <= 1920


@pytest.fixture
def drawn(wall: Wall) -> Wall:
    """A drawn raffle."""
    wall.hand_out("Ann", "Ben", "Cem", "Dee")
    wall.post("winners")
    return wall


def test_keys_and_buttons_go_on_and_back(drawn: Wall, browser: Browser) -> None:
    browser.open(drawn.address)
    seen = "[...document.querySelectorAll('#winners li')].filter((each) => each.checkVisibility()).length"
    assert browser.run(seen) == 0

    steps = [(" ", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 3), ("PageUp", 2), ("Home", 0)]
    for key, count in steps:
        press(browser, key)
        assert browser.run(seen) == count, key
    for button, count in (("#next", 1), ("#spot", 2), ("#back", 1), ("#all", 3)):
        browser.click(button)
        assert browser.run(seen) == count, button
    # A page that is loaded again shows the same.
    browser.open("about:blank")
    browser.open(f"{drawn.address}#2")
    assert browser.run(seen) == 2


def test_winners_do_not_move_for_those_who_want_no_motion(drawn: Wall, browser: Browser) -> None:
    moving = f"{SPOT}.getAnimations({{ subtree: true }}).length > 0"
    browser.open(drawn.address)
    press(browser, " ")
    assert browser.run(moving)

    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    press(browser, " ")
    assert not browser.run(moving)


def test_all_winners_are_listed_without_javascript(drawn: Wall, browser: Browser) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(drawn.address)

    shown = browser.send("Runtime.evaluate", expression="document.body.innerText", returnByValue=True)["result"][
        "value"
    ]

    assert shown.count("\nTicket ") == 3
    assert "Reload" in shown
    assert "Next winner" not in shown
