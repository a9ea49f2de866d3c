"""The wall as the server makes it: what a browser shows without a script."""

import re
from datetime import UTC, datetime

import pytest
from falcon import testing

from rafflekit import Win
from rafflekit.http.pages import live
from rafflekit.http.pages.live import Place, places_of
from tests.http.api.conftest import create, hand_out
from tests.http.conftest import Post
from tests.http.pages.conftest import Show

THEN = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "<script>alert(1)</script>\u202e"


def test_the_wall_shows_each_state_without_a_script(client: testing.TestClient, show: Show, post: Post) -> None:
    raffle = create(post, name=NAME, total_tickets=3, prizes=[{"name": NAME, "amount": 2}])
    selling = show(f"{raffle}/live/", host="raffle.example").text
    assert re.search(r'data-number="available_tickets">3<', selling)
    assert "<svg" in selling

    hand_out(post, raffle, "Ann", "Ben", "Cem")
    closed = show(f"{raffle}/live/").text
    words = client.simulate_get(f"{raffle}/live/").json["words"]
    assert re.findall(r'<li lang="en">(\w+)</li>', closed) == words

    wins = post(f"{raffle}/winners").json
    drawn = show(f"{raffle}/live/").text
    assert re.findall(r"Ticket <b[^>]*>(\d)</b>", drawn) == [str(win["ticket_number"]) for win in wins]
    for page in (selling, closed, drawn):
        assert f'<a class="button" href="{raffle}/live/">Reload</a>' in page
        assert "<script>alert" not in page
        assert "\u202e" not in page


def test_a_prize_is_shown_with_its_last_holder() -> None:
    wins = [
        Win(1, "tea", forfeited_at=THEN),
        Win(2, "hug"),
        Win(3, "tea", forfeited_at=THEN, in_place_of=1),
        Win(4, "tea", in_place_of=3),
    ]

    assert places_of(wins) == [Place("tea", 4, (1, 3)), Place("hug", 2, ())]
    assert places_of(wins[:3])[0] == Place("tea", None, (1, 3))


def test_too_many_winners_are_listed_in_pages(show: Show, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_PRESENTED", 1)
    monkeypatch.setattr("rafflekit.core.limits.WINNERS_PAGE_SIZE", 1)
    raffle = create(post, prizes=[{"name": "hug", "amount": 2}])
    hand_out(post, raffle, "Ann", "Ben")
    post(f"{raffle}/winners")

    page = show(f"{raffle}/live/?page=2").text

    assert "There are 2 winners" in page
    assert 'href="?page=1"' in page
