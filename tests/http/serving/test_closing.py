"""A server closes the raffles whose time is over."""

import logging
import sys
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from rafflekit import Prize, RaffleEngine, StorageUnavailable
from rafflekit.http.serving import closing
from tests.live_server import Serve
from tests.programs import run
from tests.waiting import wait_until

AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)

SERVERS = {"waitress": (), "granian": ("--server", "granian", "--workers", "2")}


@pytest.fixture
def due(database_url: str) -> str:
    """The address of a raffle with a ticket, whose time was over a minute ago and that no one has closed."""
    with RaffleEngine(database_url, clock=lambda: AN_HOUR_AGO) as engine:
        raffle = engine.create(
            "Due",
            total_tickets=10,
            prizes=[Prize("hug")],
            closes_at=datetime.now(UTC) - timedelta(minutes=1),
        )
        engine.participate(raffle.id, "someone")
    return f"/raffles/{raffle.id}/"


@pytest.mark.parametrize("arguments", SERVERS.values(), ids=SERVERS)
def test_a_server_closes_a_raffle_whose_time_is_over(serve: Serve, due: str, arguments: tuple[str, ...]) -> None:
    live = serve(*arguments, MANAGER_IPS="127.0.0.1")
    assert live.request("GET", due).json["state"] == "closed"

    wait_until(lambda: "closed_at" in live.request("GET", due).json)

    assert live.request("POST", f"{due}winners/").status == 201
    live.stop()
    assert live.complaints() == ""


def test_two_servers_close_each_raffle_once(serve: Serve, database_url: str, due: str) -> None:
    first, second = serve(), serve()

    wait_until(lambda: "closed_at" in first.request("GET", due).json)

    assert second.request("GET", due).json == first.request("GET", due).json
    for live in (first, second):
        live.stop()
        assert "cannot be closed" not in live.log.read_text()
    with RaffleEngine(database_url) as engine:
        assert engine.close_due() == []


class Failing:
    """An engine whose database fails; `looks` counts how often the thread has looked."""

    def __init__(self, error: Exception) -> None:
        self.looks = 0
        self._error = error

    def close_due(self) -> None:
        self.looks += 1
        raise self._error


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the thread reads, as a list with one value; it looks a thousand times per second."""
    shown = [1_000.0]
    monkeypatch.setattr(closing, "_EVERY_S", 0.001)
    monkeypatch.setattr(closing, "time", SimpleNamespace(monotonic=lambda: shown[0]))
    return shown


def test_a_failing_database_is_logged_once_a_minute(now: list[float], caplog: pytest.LogCaptureFixture) -> None:
    engine = Failing(StorageUnavailable("The disk is gone."))

    def look(times: int) -> None:
        seen = engine.looks
        wait_until(lambda: engine.looks >= seen + times)

    with closing.due_raffles_closed(engine):  # type: ignore[arg-type]  # only what the thread uses
        look(5)
        now[0] += 59
        look(5)
        assert len(caplog.records) == 1
        now[0] += 1
        wait_until(lambda: len(caplog.records) == 2)
        look(5)

    assert [record.getMessage() for record in caplog.records] == [
        "The raffles whose time is over cannot be closed; the server tries again: The disk is gone."
    ] * 2


@pytest.mark.usefixtures("now")
def test_an_unforeseen_failure_is_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    engine = Failing(ZeroDivisionError("asked by 203.0.113.7"))

    with caplog.at_level(logging.ERROR), closing.due_raffles_closed(engine):  # type: ignore[arg-type]  # as above
        wait_until(lambda: engine.looks >= 2)

    assert "ZeroDivisionError: asked by 203.0.113.0/24" in caplog.text


def test_the_thread_ends_with_the_server(engine: RaffleEngine) -> None:
    with closing.due_raffles_closed(engine):
        assert "closing" in [thread.name for thread in threading.enumerate()]

    assert "closing" not in [thread.name for thread in threading.enumerate()]


def test_an_application_alone_starts_no_thread(database_url: str) -> None:
    program = f"""
import threading
from falcon import testing
from rafflekit import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http.app import create_app

with RaffleEngine({database_url!r}) as engine:
    assert testing.TestClient(create_app(engine, Settings())).simulate_get("/raffles/").status_code == 200
    assert threading.active_count() == 1, threading.enumerate()
"""
    run([sys.executable, "-c", program], check=True)
