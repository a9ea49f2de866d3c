"""`rafflekit draw --wait`: it waits for the beacon, fetches it and draws."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from socket import socket

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.cli.commands import draws
from rafflekit.core import opening
from rafflekit.core.protocol.entropy.drand import time_of
from tests.cli.conftest import OnScreen, Terminal, without_styles
from tests.core.relay_servers import Relay, says
from tests.protocol.entropy.beacons import ROUND, relay_json
from tests.raffles import sell_all


class Clock:
    """The time of every engine; it passes only while a command waits."""

    def __init__(self) -> None:
        self.now = datetime.fromtimestamp(time_of(ROUND) - 60, UTC)

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the commands in this process."""
    clock = Clock()
    monkeypatch.setattr(opening, "RaffleEngine", partial(RaffleEngine, clock=clock))
    monkeypatch.setattr(draws, "sleep", clock.wait)
    monkeypatch.setattr(draws, "monotonic", clock.monotonic)
    return clock


@pytest.fixture
def fair(database_url: str, clock: Clock) -> Raffle:
    """A raffle that has just sold out, a minute before the beacon that decides it."""
    with RaffleEngine(database_url, clock=clock) as engine:
        raffle = engine.create("Fair", total_tickets=3, prizes=[Prize("tea", 2)], entropy="drand-quicknet")
        sell_all(engine, raffle)
        return engine.get(raffle.id)


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A relay that has the beacon."""
    relay = Relay(says(relay_json()))
    monkeypatch.setenv("RAFFLEKIT_DRAND_RELAYS", relay.url)
    yield relay
    relay.stop()


@pytest.fixture
def no_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    """No relay is in reach."""
    monkeypatch.setenv("RAFFLEKIT_DRAND_RELAYS", "http://127.0.0.1:1")


def test_draw_waits_for_the_beacon_then_draws(
    terminal: Terminal, engine: RaffleEngine, clock: Clock, fair: Raffle, relay: Relay
) -> None:
    drawn = terminal("draw Fair --wait --yes")

    assert drawn.status == 0
    assert len(drawn.out.splitlines()) == 2
    assert len(relay.requests) == 1
    assert clock.now.timestamp() >= time_of(ROUND)
    assert engine.get(fair.id).winners_drawn


@pytest.mark.usefixtures("fair")
def test_a_relay_that_is_late_is_asked_again(terminal: Terminal, relay: Relay) -> None:
    late = iter([says("", status="404 Not Found")] * 3)
    on_time = relay.answer

    def answer(connection: socket) -> None:
        next(late, on_time)(connection)

    relay.answer = answer

    assert terminal("draw Fair --wait --yes").status == 0
    assert len(relay.requests) == 4


@pytest.mark.usefixtures("fair", "relay")
def test_without_wait_draw_does_not_wait(terminal: Terminal, clock: Clock) -> None:
    before = clock.now

    refused = terminal("draw Fair --yes")

    assert refused.status == 1
    assert refused.err.endswith(" UTC, in 1 minute. Draw after that, or with --wait, which waits for it.\n")
    assert clock.now == before


@pytest.mark.usefixtures("fair", "no_relay")
def test_where_no_relay_answers_the_way_out_is_named(terminal: Terminal, clock: Clock) -> None:
    refused = terminal("draw Fair --wait --yes")

    assert 30 <= clock.now.timestamp() - time_of(ROUND) < 60

    assert refused.status == 3
    assert refused.err.startswith(f"rafflekit: No relay gave the beacon of round {ROUND} of drand's quicknet.\n")
    assert "give the file with --beacon FILE." in refused.err


@pytest.mark.usefixtures("relay")
def test_a_raffle_whose_time_is_over_is_closed_then_waited_for(
    terminal: Terminal, database_url: str, engine: RaffleEngine, clock: Clock
) -> None:
    soon = clock.now
    clock.wait(-1)
    with RaffleEngine(database_url, clock=clock) as now:
        raffle = now.create("Over", total_tickets=3, prizes=[Prize("tea")], entropy="drand-quicknet", closes_at=soon)
        now.participate(raffle.id, "ann")
    clock.wait(1)

    drawn = terminal("draw Over --wait --yes")

    assert drawn.status == 0
    assert engine.get(raffle.id).winners_drawn


def test_a_terminal_says_how_long_it_waits(screen: OnScreen, engine: RaffleEngine) -> None:
    raffle = engine.create("Soon", total_tickets=1, prizes=[Prize("tea")], entropy="drand-quicknet", delay_s=100_000)
    engine.participate(raffle.id, "ann")

    waiting = screen("draw Soon --wait", answers={"[y/N]": "y\n", "Waiting for the beacon": "\x03"})

    text = without_styles(waiting.text)
    assert "The beacon that decides comes in 1 day 3 hours; this command waits for it." in text
    assert waiting.status == 130
    assert text.endswith("rafflekit: Nothing was drawn.\r\n")


def test_show_says_how_long_it_takes_until_the_draw(screen: OnScreen, engine: RaffleEngine) -> None:
    raffle = engine.create("Soon", total_tickets=1, prizes=[Prize("tea")], entropy="drand-quicknet", delay_s=100_000)
    engine.participate(raffle.id, "ann")

    for columns in ("100", "60"):
        words = " ".join(without_styles(screen("show Soon", COLUMNS=columns).text).split())
        assert " UTC, in 1 day 3 hours" in words
