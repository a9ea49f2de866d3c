"""Servers are killed while raffles are closed and cancelled and prizes redeemed and forfeited: each is whole or absent.

`RAFFLEKIT_TEST_KILLS` says how often; `make soak` kills 200 times.
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from uuid import UUID

from rafflekit import Prize, RaffleEngine, check_database
from tests.databases import open_engine
from tests.faults.rush import KILLS, Start, kill
from tests.live_server import LiveServer
from tests.postgresql_server import OwnServer
from tests.raffles import people
from tests.waiting import wait_until

MOST_ANSWERS = 5
"""How many answers a server gives at most before the request in which it is killed."""

REQUEST_S = 0.02
"""More than a request takes, so that a kill can meet any part of it, and the time after it."""

RAFFLES = 3 + KILLS * (MOST_ANSWERS + 1) // 4
"""Raffles for each kind of request: so many that a request is left for every kill."""

random = secrets.SystemRandom()


@dataclass(frozen=True)
class Request:
    """A request of a manager: its address after the raffle's, its body, and the ticket that takes a prize over."""

    what: str
    raffle: UUID
    body: dict[str, Any]
    heir: int | None = None

    def send(self, server: LiveServer) -> int:
        return server.request("POST", f"/raffles/{self.raffle}/{self.what}/", self.body).status

    def is_done(self, engine: RaffleEngine) -> bool:
        """Return whether it is carried out; fail if only a part of it is."""
        raffle = engine.get(self.raffle)
        if self.what == "close":
            return raffle.end is not None
        if self.what == "cancel":
            return raffle.cancellation is not None
        (win, *heirs) = engine.winners(raffle.id).items
        if self.what == "redeem":
            return win.redeemed_at is not None
        is_done = win.forfeited_at is not None
        assert [each.ticket_number for each in heirs] == ([self.heir] if is_done else [])
        return is_done


def requests(url: str) -> list[Request]:
    """Make raffles, and return the requests that are then due, in any order."""
    due = []
    with open_engine(url) as engine:
        for what in ("close", "cancel", "redeem", "forfeit") * RAFFLES:
            raffle = engine.create(f"To {what}", total_tickets=5, prizes=[Prize("hug")]).id
            codes = {
                ticket.number: ticket.verification_code
                for ticket in (engine.participate(raffle, person) for person in people(3))
            }
            body: dict[str, Any] = {"reason": "No stage."} if what == "cancel" else {}
            heir = None
            if what in ("redeem", "forfeit"):
                engine.close_raffle(raffle)
                number = engine.draw(raffle)[0].ticket_number
                heir = engine.queue(raffle).items[0]
                body = {"ticket_number": number, "verification_code": codes[number]}
            if what == "forfeit":
                body["why"] = "renounced"
            due.append(Request(what, raffle, body, heir))
    random.shuffle(due)
    return due


class Manager:
    """Sends requests, one after the other, until the server dies."""

    def __init__(self, server: LiveServer, due: Sequence[Request]) -> None:
        self.server = server
        self.answered: list[int] = []
        self._due = due
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def wait_for(self, answers: int) -> None:
        wait_until(lambda: len(self.answered) >= answers or not self._thread.is_alive())

    def join(self, *, within_s: float | None = None) -> None:
        self._thread.join(within_s)

    def _send(self) -> None:
        with suppress(OSError, HTTPException, ValueError):
            for request in self._due:
                self.answered.append(request.send(self.server))


def kill_in_between(url: str, start: Start, kill_servers: Callable[[LiveServer], None]) -> None:
    due, in_doubt = requests(url), 0
    for _ in range(KILLS):
        answers_before = random.randint(1, MOST_ANSWERS)
        manager = Manager(start(url), due[: answers_before + 1])
        manager.wait_for(answers_before)
        # Any moment of the next request will do, and what must hold does not depend on which.
        manager.join(within_s=random.uniform(0, REQUEST_S))
        kill_servers(manager.server)
        manager.join()
        answers = [status for status in manager.answered if status != 503]
        assert set(answers) == {200}
        with open_engine(url) as engine:
            done = [request.is_done(engine) for request in due]
        # What was answered is done; the next one is whole or absent; all others are absent.
        assert done[: len(answers)] == [True] * len(answers)
        assert not any(done[len(answers) + 1 :])
        assert check_database(url).problems == ()
        in_doubt += sum(done) - len(answers)
        due = [request for request, is_done in zip(due, done, strict=True) if not is_done]
    manager = Manager(start(url), due)
    manager.join()
    assert manager.answered == [200] * len(due)
    print(f"\n{KILLS} kills, {in_doubt} requests were carried out and not answered, none by half")


def test_a_killed_server_does_nothing_by_half(database: Path, start: Start) -> None:
    kill_in_between(f"sqlite:///{database}", start, kill)


def test_a_killed_postgresql_server_does_nothing_by_half(postgresql_of_our_own: OwnServer, start: Start) -> None:
    def kill_both(server: LiveServer) -> None:
        postgresql_of_our_own.stop("immediate")
        kill(server)
        postgresql_of_our_own.start()

    kill_in_between(postgresql_of_our_own.url(), start, kill_both)
