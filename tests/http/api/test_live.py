"""Where a raffle stands, for thousands who ask every few seconds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from falcon import testing

from rafflekit import RaffleEngine
from rafflekit.core.errors import StorageUnavailable
from rafflekit.core.protocol.words import word_list
from rafflekit.http.api import live
from rafflekit.http.api.live import POLL_S, POLL_SOON_S, KeptStates, poll_seconds
from tests.http.api.conftest import create, sell_out
from tests.http.conftest import RAFFLE, Post
from tests.live_server import Serve
from tests.raffles import sold


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept, so that every answer is new."""
    monkeypatch.setattr(live, "_KEPT_S", 0)


@pytest.mark.usefixtures("at_once")
def test_the_state_of_a_raffle_is_followed_to_its_end(client: testing.TestClient, post: Post) -> None:
    def state() -> Any:
        return client.simulate_get(f"{raffle}/live/").json

    raffle = create(post)
    assert state() == {
        "state": "open",
        "total_tickets": 2,
        "available_tickets": 2,
        "handed_out": 0,
        "wins": 1,
        "forfeits": 0,
        "poll_s": POLL_S,
    }

    sell_out(post, raffle)
    closed = state()
    assert (closed["state"], closed["available_tickets"], closed["handed_out"]) == ("closed", 0, 2)
    assert len(closed["words"]) == 6
    assert set(closed["words"]) <= set(word_list())

    [win] = post(f"{raffle}/winners").json
    drawn = state()
    assert (drawn["state"], drawn["wins"], drawn["words"]) == ("drawn", 1, closed["words"])
    forfeit = {"ticket_number": win["ticket_number"], "why": "disqualified", "reason": "sells the prizes"}
    assert post(f"{raffle}/forfeit", json=forfeit).status_code == 200
    assert state()["wins"] == 2


def test_an_unchanged_state_is_not_sent_again(client: testing.TestClient, raffle: str) -> None:
    first = client.simulate_get(f"{raffle}/live/")
    again = client.simulate_get(f"{raffle}/live/", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, first.headers["Cache-Control"], first.headers["Vary"]) == (200, "no-cache", "Accept")
    assert (again.status_code, again.content) == (304, b"")


def test_a_kept_state_serves_everyone_for_a_moment() -> None:
    now, read = [0.0], []

    def make(raffle_id: str) -> bytes:
        read.append(raffle_id)
        if len(read) == 2:
            # Anyone who asks meanwhile gets the old answer.
            assert states.get("a").data == b"1"
        return str(len(read)).encode()

    states = KeptStates(make, clock=lambda: now[0])
    assert [states.get("a").data for _ in range(1000)] == [b"1"] * 1000
    now[0] = 1
    assert [states.get("a").data for _ in range(1000)] == [b"2"] * 1000
    assert read == ["a", "a"]


def test_a_phone_that_asks_later_keeps_no_connection_open(serve: Serve) -> None:
    server = serve(MANAGER_IPS="127.0.0.1")
    raffle = f"/raffles/{server.request('POST', '/raffles/', RAFFLE).json['id']}/"

    looked, watched = server.request("GET", raffle), server.request("GET", f"{raffle}live/")

    assert (looked.headers.get("connection"), watched.headers["connection"]) == (None, "close")
    assert watched.json["state"] == "open"


def test_clients_ask_more_often_when_the_draw_is_near(engine: RaffleEngine) -> None:
    waiting = sold(engine, 9, entropy="drand-quicknet", delay_s=3600)
    assert waiting.end is not None
    closed_at = datetime.fromtimestamp(waiting.end.closed, UTC)

    def after_closing(minutes: float) -> int:
        return poll_seconds(waiting, closed_at + timedelta(minutes=minutes))

    assert poll_seconds(sold(engine, 1), closed_at) == POLL_S
    assert [after_closing(minutes) for minutes in (1, 59.5, 65, 120)] == [POLL_S, POLL_SOON_S, POLL_SOON_S, POLL_S]


def test_clients_ask_more_often_just_after_the_draw(engine: RaffleEngine) -> None:
    raffle = sold(engine, 9)
    engine.draw(raffle.id)
    drawn = engine.get(raffle.id)
    assert drawn.drawn_at is not None

    polled = [poll_seconds(drawn, drawn.drawn_at + timedelta(seconds=seconds)) for seconds in (1, 61)]

    assert polled == [POLL_SOON_S, POLL_S]


def test_an_answer_does_not_outlive_a_failure() -> None:
    now = [0.0]

    def make(raffle_id: str) -> bytes:
        if now[0]:
            raise StorageUnavailable
        return raffle_id.encode()

    states = KeptStates(make, clock=lambda: now[0])
    assert states.get("a").data == b"a"
    now[0] = 1
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            states.get("a")
