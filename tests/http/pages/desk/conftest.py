"""Fixtures for the desk: requests with desk passes, and a drawn raffle with its tickets."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from falcon import testing

from rafflekit import RaffleEngine, Ticket
from rafflekit.core.prizes import Prize
from rafflekit.http.app import create_app
from tests.http.conftest import MANAGER, SETTINGS
from tests.http.pages.conftest import BROWSER, FORM

Ask = Callable[..., testing.Result]
Make = Callable[..., str]
InState = Callable[[str], str]


class Drawn(NamedTuple):
    """A drawn raffle of 6 tickets, of which two won a hamper."""

    path: str
    winner: Ticket
    other_winner: Ticket
    loser: Ticket


@pytest.fixture
def drawn(engine: RaffleEngine) -> Drawn:
    """A drawn raffle whose prizes can be collected for a day."""
    raffle = engine.create("Fair", total_tickets=6, prizes=[Prize("hamper", 2)], claim_days=1).id
    tickets = {(ticket := engine.participate(raffle, f"p{n}")).number: ticket for n in range(6)}
    won = [win.ticket_number for win in engine.draw(raffle)]
    loser = next(ticket for number, ticket in tickets.items() if number not in won)
    return Drawn(f"/raffles/{raffle}/", tickets[won[0]], tickets[won[1]], loser)


@pytest.fixture
def ask(engine: RaffleEngine) -> Ask:
    """Ask a service that requires desk passes: `ask(path, fields=None, may=…, source=…)`; a form if there are fields.

    `may` makes a pass with this right for the request; None shows no pass.
    """
    client = testing.TestClient(
        create_app(engine, replace(SETTINGS, desk_passes_required=True)), headers={"Host": "127.0.0.1:8080"}
    )
    tokens = {
        right: engine.passes.make(right, may=right, lasts=timedelta(days=30)).token
        for right in ("redeem", "sell", "manage")
    }

    def send(
        path: str, fields: dict[str, Any] | None = None, *, may: str | None = "manage", source: str = MANAGER
    ) -> testing.Result:
        cookie = {} if may is None else {"Cookie": f"rafflekit_pass={tokens[may]}"}
        if fields is None:
            return client.simulate_get(path, headers=BROWSER | cookie, remote_addr=source)
        return client.simulate_post(path, headers=FORM | cookie, body=urlencode(fields), remote_addr=source)

    return send


@pytest.fixture
def make(engine: RaffleEngine) -> Make:
    """Create a raffle with these options, hand out tickets and return its id: `make(tickets=0, **options)`."""

    def create(*, tickets: int = 0, **options: Any) -> str:
        raffle = engine.create("Fair", total_tickets=3, **{"prizes": [Prize("hug")], **options}).id
        for n in range(tickets):
            engine.participate(raffle, f"p{n}")
        return str(raffle)

    return create


@pytest.fixture
def in_state(engine: RaffleEngine, make: Make) -> InState:
    """Bring a raffle into a state; return its id."""

    def bring(state: str) -> str:
        if state == "upcoming":
            return make(opens_at=datetime(2999, 1, 1, tzinfo=UTC))
        raffle = make(tickets=2 if state == "open" else 3)
        if state == "drawn":
            engine.draw(raffle)
        elif state == "cancelled":
            engine.cancel(raffle, "rain")
        assert engine.get(raffle).state == state
        return raffle

    return bring


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's forms."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: unescape(text) for name, text in found}
