"""The wall in a real Chromium, through a whole draw."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.http.pages.browser import NewPage, Page
from tests.live_server import LiveServer

pytestmark = pytest.mark.browser

NAME = "<script>document.title=1</script>\u202efair"
PRIZES = [{"name": NAME, "amount": 1}, {"name": "tea", "amount": 2}]

# A page that becomes visible asks at once.
ASK = "(document.dispatchEvent(new Event('visibilitychange')))"
SPOT = "document.querySelector('#spot')"
SLOW = """
    const clock = Date.now;
    const asked = window.fetch.bind(window);
    window.questions = 0;
    window.fetch = async (address, options) => {
      window.questions += 1;
      if (window.questions > 1) return new Promise(() => {});
      const answer = await asked(address, options);
      Date.now = () => clock() + 60_000;
      return answer;
    };
"""


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


def projected(new_page: NewPage, wall: Wall, **look: Any) -> Page:
    """Open the wall on a projector."""
    page = new_page(width=1920, height=1080, **look)
    page.open(wall.address)
    return page


def test_the_wall_follows_a_draw_without_being_loaded_again(wall: Wall, new_page: NewPage) -> None:
    page = projected(new_page, wall)
    page.run("window.isTheSame = true")
    assert page.text(".huge") == "4"
    wall.hand_out("Ann")
    page.wait_for(f"{ASK} && document.querySelector('.huge').textContent === '3'")
    assert page.run("document.querySelector('progress').value") == 1

    wall.hand_out("Ben", "Cem", "Dee")
    page.wait_for(f"{ASK} && document.querySelectorAll('.same-words li').length === 6")
    words = page.text(".same-words ol")
    page.run("window.stage = document.querySelector('#stage'), stage.querySelector('[data-number]').textContent = '?'")
    page.wait_for(f"{ASK} && document.querySelector('#stage [data-number]').textContent === '4'")
    # What has not changed is not fetched again.
    assert page.run("document.querySelector('#stage') === window.stage")
    wins = wall.post("winners")
    page.wait_for(f"{ASK} && {SPOT} !== null")
    assert page.text("#spot") == "The winners have been drawn."
    assert page.text(".same-words ol") == words

    for win in reversed(wins):
        page.press("PageDown")
        number = str(win["ticket_number"])
        page.wait_for(f"{SPOT}.querySelector('b')?.textContent === '{number}'")
    assert "<script>document.title=1</script>\\u202efair" in page.text("#spot")
    page.press("PageDown")
    assert page.run("[...document.querySelectorAll('#winners li b')].map((each) => Number(each.textContent))") == [
        win["ticket_number"] for win in wins
    ]

    lost = wins[1]["ticket_number"]
    heir = wall.post("forfeit", ticket_number=lost, why="disqualified", reason="left")["ticket_number"]
    page.wait_for(f"{ASK} && {SPOT}.querySelector('b').textContent === '{heir}'")
    assert f"passed on from ticket {lost}" in page.text("#spot")
    wall.post("forfeit", ticket_number=heir, why="disqualified", reason="left")
    page.wait_for(f"{ASK} && {SPOT}.textContent.includes('No ticket was left for this prize.')")
    assert page.run("window.isTheSame")
    assert page.complaints == []
    assert page.run("document.documentElement.scrollWidth") <= 1920


@pytest.mark.parametrize(("hours", "label"), [(23, "The draw begins in"), (49, "The draw is on")])
def test_only_the_last_day_is_counted_down(server: LiveServer, new_page: NewPage, hours: int, label: str) -> None:
    planned = (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
    terms = {"name": "Fair", "total_tickets": 1, "prizes": PRIZES[:1], "draw_at": planned}
    created = server.request("POST", "/raffles/", terms).json
    wall = Wall(server, f"/raffles/{created['id']}/")
    wall.hand_out("Ann")
    page = projected(new_page, wall)

    said = page.text("#waiting")

    assert said.startswith(label)
    assert bool(re.search(r"2[23]:\d\d:\d\d", said)) is (hours == 23)


def test_a_slow_answer_does_not_shift_the_countdown(server: LiveServer, new_page: NewPage) -> None:
    planned = (datetime.now(UTC) + timedelta(hours=5)).isoformat(timespec="seconds")
    terms = {"name": "Fair", "total_tickets": 1, "prizes": PRIZES[:1], "draw_at": planned}
    wall = Wall(server, f"/raffles/{server.request('POST', '/raffles/', terms).json['id']}/")
    wall.hand_out("Ann")
    page = new_page()
    # The clock goes on for a minute while the answer is on its way.
    page.send("Page.addScriptToEvaluateOnNewDocument", source=SLOW)
    page.open(wall.address)

    # The wall asks again only when it is done with the first answer.
    page.wait_for(f"{ASK} && window.questions === 2")
    page.wait_for("document.querySelector('#countdown').textContent.startsWith('4:58:')")


@pytest.fixture
def drawn(wall: Wall) -> Wall:
    """A drawn raffle."""
    wall.hand_out("Ann", "Ben", "Cem", "Dee")
    wall.post("winners")
    return wall


def test_keys_and_buttons_go_on_and_back(drawn: Wall, new_page: NewPage) -> None:
    page = projected(new_page, drawn)
    seen = "[...document.querySelectorAll('#winners li')].filter((each) => each.checkVisibility()).length"
    assert page.run(seen) == 0

    steps = [("Space", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 3), ("PageUp", 2), ("Home", 0)]
    for key, count in steps:
        page.press(key)
        page.wait_for(f"{seen} === {count}")
    for button, count in (("#next", 1), ("#spot", 2), ("#back", 1), ("#all", 3)):
        page.click(button)
        page.wait_for(f"{seen} === {count}")
    # A page that is loaded again shows the same.
    page.open("about:blank")
    page.open(f"{drawn.address}#2")
    page.wait_for(f"{seen} === 2")


def test_the_list_waits_until_a_winner_has_appeared(drawn: Wall, new_page: NewPage) -> None:
    page = projected(new_page, drawn)
    listed = "[...document.querySelectorAll('#winners li')].map((each) => !each.hidden)"

    # Both in one go: the page cannot wait for the number in between.
    reveal = f"document.querySelector('#next').click(), {listed}"
    assert page.run(reveal) == [False, False, False]
    assert page.run(reveal) == [False, False, True]
    page.wait_for(f"String({listed}) === 'false,true,true'")
    assert page.run(f"document.querySelector('#all').click(), {listed}") == [True, True, True]


def test_winners_do_not_move_for_those_who_want_no_motion(drawn: Wall, new_page: NewPage) -> None:
    for reduced in (False, True):
        page = projected(new_page, drawn, reduced_motion=reduced)
        page.press("Space")
        is_moving = page.run(f"{SPOT}.getAnimations({{ subtree: true }}).length > 0")
        assert is_moving is not reduced


def test_all_winners_are_listed_without_javascript(drawn: Wall, new_page: NewPage) -> None:
    page = projected(new_page, drawn, javascript=False)

    shown = page.text("main")

    assert shown.count("\nTicket ") == 3
    assert "Reload" in shown
    assert "Next winner" not in shown
