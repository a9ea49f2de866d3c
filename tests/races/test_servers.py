"""A rush over HTTP on servers of several processes, with one database: every number once, no participant twice."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import make_url

from tests.databases import PostgresqlServer, run
from tests.live_server import GUNICORN, LiveServer, Serve

PEOPLE = 300
CLIENTS = 32
PRIZES = 25
MANAGER = "198.51.100.7"
AS_MANAGER = f"for={MANAGER}"
TRUST: dict[str, Any] = {
    "MANAGER_IPS": MANAGER,
    "RAFFLEKIT_TRUSTED_PROXIES": "127.0.0.1",
    "RAFFLEKIT_PROXY_HEADER": "Forwarded",
}

SERVERS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "granian": (("--server", "granian", "--workers", "2"), {}),
    "gunicorn": ((), {"program": GUNICORN}),
    "gunicorn with --preload": (("--preload",), {"program": GUNICORN}),
}
ON_POSTGRESQL = "two on one PostgreSQL"


class Live(NamedTuple):
    """Servers that trust this machine to say who is asking, and the URL of their database."""

    servers: Sequence[LiveServer]
    database_url: str


@pytest.fixture(params=[*SERVERS, ON_POSTGRESQL])
def live(serve: Serve, request: pytest.FixtureRequest, database: Path) -> Live:
    """A server of two processes, each time another program; then two servers on one PostgreSQL."""
    if request.param in SERVERS:
        arguments, how = SERVERS[request.param]
        return Live([serve(*arguments, **how, **TRUST)], f"sqlite:///{database}")
    postgresql: PostgresqlServer = request.getfixturevalue("postgresql")
    url = postgresql.new_url()
    return Live([serve(**TRUST, RAFFLEKIT_DATABASE_URL=url) for _ in range(2)], url)


def address(person: int) -> str:
    # Different households: an IPv6 address counts by its /64.
    if person % 2:
        return f'for="[2001:db8:0:{person:x}::1]"'
    return f"for=203.0.113.{person % 250}, for=10.{person // 250}.0.{person % 250}"


def test_a_rush_on_several_processes_gives_each_number_once(live: Live) -> None:
    first, last = live.servers[0], live.servers[-1]
    prizes = [{"name": "hug", "amount": PRIZES}]
    creation = {"name": "Rush", "total_tickets": PEOPLE, "prizes": prizes}
    raffle = f"/raffles/{first.request('POST', '/raffles/', creation, Forwarded=AS_MANAGER).json['id']}"

    def participate(person: int, server: LiveServer) -> Any:
        return server.request("POST", f"{raffle}/participate/", Forwarded=address(person))

    # Everyone comes twice; with two servers, to both.
    rush = [(person, server) for person in range(PEOPLE) for server in (first, last)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(participate, *zip(*rush, strict=True)))

    tickets = [answer.json for answer in answers if answer.status == 201]
    assert set(Counter(answer.status for answer in answers)) <= {201, 403, 410}
    assert sorted(ticket["ticket_number"] for ticket in tickets) == list(range(1, PEOPLE + 1))
    assert len({ticket["verification_code"] for ticket in tickets}) == PEOPLE
    assert stored(live.database_url) == [(PEOPLE, PEOPLE, PEOPLE)]

    drawn = last.request("POST", f"{raffle}/winners/", Forwarded=AS_MANAGER)
    assert drawn.status == 201
    verify = [
        first.request(
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


def stored(database_url: str) -> list[tuple[int, int, int]]:
    """Return for each raffle its counter, how many tickets it has, and how many participants."""
    rows = run(
        database_url,
        "SELECT issued, count(*), count(DISTINCT participant) "
        "FROM counters JOIN tickets ON tickets.raffle = counters.raffle GROUP BY counters.raffle, issued",
    )
    return [tuple(row) for row in rows]


def test_a_server_does_not_show_the_password_of_its_database(serve: Serve, postgresql: PostgresqlServer) -> None:
    url = make_url(postgresql.new_url())
    # A server without passwords accepts any.
    url = url.set(password=url.password or "hunter2")
    password = str(url.password)

    server = serve(RAFFLEKIT_DATABASE_URL=url.render_as_string(hide_password=False))
    server.request("GET", "/raffles/")
    printed = server.announcement + server.stop() + server.log.read_text()

    assert "rafflekit serves postgresql://" in printed
    assert password not in printed
