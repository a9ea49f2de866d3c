"""Fixtures for the desk: requests with desk passes, and a drawn raffle with its tickets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
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
