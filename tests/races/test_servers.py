"""A rush over HTTP on servers of several processes, with one database file: every number once, nobody twice."""

import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.live_server import GUNICORN, LiveServer, Serve

PEOPLE = 300
CLIENTS = 32
PRIZES = 25
MANAGER = "198.51.100.7"

SERVERS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "granian": (("--server", "granian", "--workers", "2"), {}),
    "gunicorn": ((), {"program": GUNICORN}),
    "gunicorn with --preload": (("--preload",), {"program": GUNICORN}),
}


@pytest.fixture(params=SERVERS)
def live(serve: Serve, request: pytest.FixtureRequest) -> LiveServer:
    """A server of two processes, each time another program, that trusts this machine to say who is asking."""
    arguments, how = SERVERS[request.param]
    return serve(*arguments, **how, MANAGER_IPS=MANAGER, RAFFLEKIT_TRUSTED_PROXIES="127.0.0.1")


def address(person: int) -> str:
    # Households of their own: an IPv6 address counts by its /64.
    return (
        f"2001:db8:0:{person:x}::1" if person % 2 else f"203.0.113.{person % 250}, 10.{person // 250}.0.{person % 250}"
    )


def test_a_rush_on_several_processes_gives_every_number_once_and_nobody_two(live: LiveServer, database: Path) -> None:
    prizes = [{"name": "hug", "amount": PRIZES}]
    creation = {"name": "Rush", "total_tickets": PEOPLE, "prizes": prizes}
    raffle = f"/raffles/{live.request('POST', '/raffles/', creation, X_Forwarded_For=MANAGER).json['id']}"

    def participate(person: int) -> Any:
        return live.request("POST", f"{raffle}/participate/", X_Forwarded_For=address(person))

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(participate, [person for person in range(PEOPLE) for _ in range(2)]))

    tickets = [answer.json for answer in answers if answer.status == 201]
    assert set(Counter(answer.status for answer in answers)) <= {201, 403, 410}
    assert sorted(ticket["ticket_number"] for ticket in tickets) == list(range(1, PEOPLE + 1))
    assert len({ticket["verification_code"] for ticket in tickets}) == PEOPLE
    assert stored(database) == [(PEOPLE, PEOPLE, PEOPLE)]

    drawn = live.request("POST", f"{raffle}/winners/", X_Forwarded_For=MANAGER)
    assert drawn.status == 201
    verify = [
        live.request(
            "POST",
            f"{raffle}/verify-ticket/",
            {key: ticket[key] for key in ("ticket_number", "verification_code")},
        )
        for ticket in tickets
    ]
    assert {answer.status for answer in verify} == {200}
    winners = {
        ticket["ticket_number"] for ticket, answer in zip(tickets, verify, strict=True) if answer.json["has_won"]
    }
    assert winners == {win["ticket_number"] for win in drawn.json}
    assert len(winners) == PRIZES


def stored(database: Path) -> list[tuple[int, int, int]]:
    """Return for each raffle its counter, how many tickets it has, and how many participants."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(
            "SELECT issued, count(*), count(DISTINCT participant) "
            "FROM counters JOIN tickets USING (raffle) GROUP BY raffle"
        ).fetchall()
