"""The pages of a raffle whose time is over, before its list is closed: for ever, if it has too few tickets."""

import re

import pytest
from falcon import testing

from rafflekit import Prize, RaffleEngine
from rafflekit.http.api.live import POLL_SOON_S
from rafflekit.http.pages import PAGES
from tests.http.conftest import Clock
from tests.http.pages.conftest import Show

NOT_CLOSED = "the list of tickets is not closed yet"
CAN_BEGIN = "The draw can begin."


@pytest.fixture
def over(engine: RaffleEngine, clock: Clock) -> str:
    """A raffle whose time is over; its draw is planned for a day later."""
    terms = {"closes_at": clock.later(hours=1), "draw_at": clock.later(days=1)}
    raffle = engine.create("Fair", total_tickets=5, prizes=[Prize("hug")], **terms)
    engine.participate(raffle.id, "Ann")
    clock.advance(hours=2)
    return f"/raffles/{raffle.id}/"


def standing(page: str) -> str:
    """Return what scripts compare with the state of the raffle."""
    return re.findall(r'data-now="([^"]*)"', page)[0]


@pytest.mark.parametrize("tickets", [0, 1])
def test_every_page_shows_a_raffle_that_is_over(engine: RaffleEngine, clock: Clock, show: Show, tickets: int) -> None:
    raffle = engine.create("Fair", total_tickets=5, prizes=[Prize("hug", 2)], closes_at=clock.later(hours=1))
    for number in range(tickets):
        engine.participate(raffle.id, f"guest {number}")
    clock.advance(hours=2)

    statuses = {path: show(path.format(raffle_id=raffle.id)).status_code for path in PAGES if "{raffle_id}" in path}

    assert {path: status for path, status in statuses.items() if status >= 500} == {}


def test_no_draw_can_begin_before_the_list_is_closed(engine: RaffleEngine, show: Show, over: str) -> None:
    paths = (over, f"{over}live/")
    pages = [show(path).text for path in paths]
    engine.close_due()
    pages_after = [show(path).text for path in paths]

    for before, after in zip(pages, pages_after, strict=True):
        assert (NOT_CLOSED in before, CAN_BEGIN in before) == (True, False)
        assert NOT_CLOSED not in after
        # A page that was fetched in between learns of the closing.
        assert standing(before) != standing(after)


def test_a_planned_draw_is_due_by_the_engines_clock(
    client: testing.TestClient, engine: RaffleEngine, clock: Clock, show: Show, over: str
) -> None:
    engine.close_due()

    def shown() -> list[bool]:
        return ['<b class="when">' in show(over).text, 'id="in"' in show(f"{over}live/").text]

    assert shown() == [True, True]
    clock.advance(hours=22)
    assert shown() == [False, False]
    assert client.simulate_get(f"{over}live/").json["poll_s"] == POLL_SOON_S
