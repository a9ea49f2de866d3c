"""What tests of participants' phones share: a raffle on a real server, and what people do with their browsers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.http.pages.browser import Page
from tests.live_server import LiveServer

MANAGER = "127.0.0.2"
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
# Pages that wait for nothing.
HASTY = "{ const wait = setTimeout; setTimeout = (action, ms) => wait(action, Math.min(ms, 20)); }"


@contextmanager
def phone_server(folder: Path) -> Iterator[LiveServer]:
    """Run a server on a new database in a folder; the browser's address is not a manager's."""
    started = LiveServer(folder / "raffles.db", log=folder / "server.log", MANAGER_IPS=MANAGER)
    try:
        yield started
    finally:
        started.stop()


class Raffle:
    """A raffle on the server, and what its manager and other guests do."""

    def __init__(self, server: LiveServer, *, tickets: int = 1, prizes: int = 1, **terms: Any) -> None:
        self.server = server
        body = {"name": "Fair", "total_tickets": tickets, "prizes": [{"name": "hamper", "amount": prizes}], **terms}
        self.id = self.manage("", body)["id"]
        self.path = f"/raffles/{self.id}/"
        self.address = f"{server.url}{self.path}"

    def manage(self, action: str, body: Any = None) -> Any:
        path = f"/raffles/{self.id}/{action}" if action else "/raffles/"
        return self.server.request_from(MANAGER, "POST", path, body).json

    def guest(self, number: int) -> dict[str, Any]:
        answer = self.server.request_from(f"127.0.1.{number}", "POST", f"{self.path}participate/")
        found: dict[str, Any] = answer.json
        return found

    def link(self, ticket: dict[str, Any]) -> str:
        return f"{self.address}#t={ticket['ticket_number']}&c={ticket['verification_code']}"


def take_part(page: Page, raffle: Raffle) -> dict[str, Any]:
    """Press the button on a raffle's page; return what the ticket's page offers as a file."""
    page.open(raffle.address)
    page.click("#take button")
    page.wait_for("document.querySelector('#ticket') && document.readyState === 'complete'")
    found: dict[str, Any] = json.loads(page.run("document.querySelector('#document').textContent"))
    return found


def take_part_and_keep(page: Page, raffle: Raffle) -> dict[str, Any]:
    ticket = take_part(page, raffle)
    page.click("#keep")
    page.wait_for("document.querySelector('#kept').textContent.includes('Kept')")
    page.open(raffle.address)
    page.wait_for("document.querySelector('.mine')")
    return ticket


def says(page: Page, selector: str, words: str) -> None:
    page.wait_for(f"document.querySelector({json.dumps(selector)})?.textContent.includes({json.dumps(words)})")
