"""A rush of participants on servers that die: each client retries until it is answered; all answers must be true."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http.client import HTTPException
from itertools import count
from typing import Self
from uuid import UUID

from rafflekit import Prize, Raffle
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import Note
from rafflekit.core.protocol.tiles import GrowingTree
from rafflekit.core.protocol.tree import running_roots
from tests.databases import open_engine, run
from tests.live_server import LiveServer
from tests.waiting import wait_until

KILLS = int(os.environ.get("RAFFLEKIT_TEST_KILLS", "4"))
"""How often each test kills its servers; `make soak` says 200."""

CLIENTS = 12
PAUSE_S = 0.02
"""How long a client waits before it retries. The servers ask people to wait longer."""

Start = Callable[..., LiveServer]
"""Start a server on the database of a URL, with another `program` than usual: what the fixture `start` gives."""


def new_raffle(url: str) -> Raffle:
    """Make a raffle that no rush sells out."""
    with open_engine(url) as engine:
        return engine.create("Foobar", total_tickets=10**9, prizes=[Prize("hug")])


def kill(server: LiveServer) -> None:
    """Kill a server immediately."""
    server.process.kill()
    server.process.communicate()


class Rush:
    """Clients that take part in one raffle, each from its own address, until the block ends.

    Their server may be replaced at any time. Use it as a context manager: when it ends, every client has been answered.
    """

    def __init__(self, raffle: UUID, server: LiveServer) -> None:
        self.server = server
        self.tickets: dict[str, tuple[int, str]] = {}
        """Who was answered 201, with the ticket's number and its code."""
        self.checkpoints: set[str] = set()
        """Every signed checkpoint that a client read."""
        self.unavailable = 0
        """How often the answer was 503."""
        self.surprises: list[object] = []
        """Answers that should never occur."""
        self._path = f"/raffles/{raffle}/participate/"
        self._people = count()
        self._ends = threading.Event()
        self._gives_up = False
        self._threads = [threading.Thread(target=self._ask_for_many) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        # After a failure, no server may be left to answer.
        self._gives_up = error is not None
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def wait_for_tickets(self, more: int) -> None:
        """Return when this number of further tickets has been answered."""
        before = len(self.tickets)
        self._wait(lambda: len(self.tickets) >= before + more)

    def wait_for_outage(self) -> None:
        """Return when clients are answered that the service is unavailable."""
        before = self.unavailable
        self._wait(lambda: self.unavailable > before)

    def _wait(self, holds: Callable[[], bool]) -> None:
        wait_until(lambda: holds() or self.surprises)
        assert not self.surprises, self.surprises

    def _ask_for_many(self) -> None:
        while not self._ends.is_set() and not self.surprises:
            person = next(self._people)
            address = f"127.{1 + person // 62_500}.{person // 250 % 250}.{person % 250 + 1}"
            while not self._ask(address, f"the-key-of-participant-{person}"):
                if self._gives_up or self.surprises:
                    return
                time.sleep(PAUSE_S)

    def _ask(self, address: str, key: str) -> bool:
        try:
            answer = self.server.request_from(address, "POST", self._path, Idempotency_Key=key)
        except (OSError, HTTPException):
            return False
        if answer.status == 201:
            self.checkpoints.add(answer.json["receipt"]["checkpoint"])
            self.tickets[address] = answer.json["ticket_number"], answer.json["verification_code"]
        elif answer.status == 503 and "retry-after" in answer.headers:
            self.unavailable += 1
        else:
            self.surprises.append(answer)
        return answer.status == 201


# After each kill all earlier answers are checked again.
_verifies = cache(CodeHasher().check)

Answered = Mapping[str, tuple[int, str]]
"""Who was answered 201, with the ticket's number and its code."""


def check_tickets(url: str, raffle: UUID, answered: Answered) -> int:
    """Check that what was answered is stored, once each, and that the counter is right; return their number."""
    lost, issued = lost_tickets(url, raffle, answered)
    assert lost == []
    return issued


def lost_tickets(url: str, raffle: UUID, answered: Answered) -> tuple[list[int], int]:
    """Return the numbers that were answered and are not stored under that code, and how many tickets are stored.

    The stored data must be consistent: the counter is right, and no participant and no number occurs twice.
    """
    mark, key = ("%s", raffle) if url.startswith("postgresql") else ("?", raffle.bytes)
    # One statement: a PostgreSQL server may still be committing for a client that was killed.
    stored = run(
        url,
        "SELECT serial, number, participant, code_hash, (SELECT issued FROM counters WHERE raffle = tickets.raffle) "
        f"FROM tickets WHERE raffle = {mark}",
        key,
    )
    serials, numbers, participants, code_hashes, [issued, *_] = zip(*stored, strict=True)

    assert sorted(serials) == list(range(issued))
    assert len(set(numbers)) == len(set(participants)) == issued
    assert len({number for number, _ in answered.values()}) == len(answered)
    hash_of = dict(zip(numbers, code_hashes, strict=True))
    return [number for number, code in answered.values() if not _verifies(hash_of.get(number), code)], int(issued)


def check_ledger(url: str, raffle: UUID, checkpoints: Iterable[str]) -> None:
    """Check that the stored tree is that of the rows, and that every signed checkpoint is one of its states."""
    mark, key = ("%s", raffle) if url.startswith("postgresql") else ("?", raffle.bytes)
    # The tiles first: a PostgreSQL server may still be committing for a client that was killed.
    tiles = run(url, f"SELECT level, position, hash FROM tiles WHERE raffle = {mark}", key)
    rows = run(url, f"SELECT serial, number, code_hash FROM tickets WHERE raffle = {mark} ORDER BY serial", key)
    leaves = [Leaf(*row).hash(raffle) for row in rows]
    _, whole = GrowingTree().grown(leaves)
    assert {(level, position, bytes(found)) for level, position, found in tiles} <= set(whole)
    signed = {(each.size, each.root) for each in (Checkpoint.read(Note.read(note).text) for note in checkpoints)}
    sizes = sorted({size for size, _ in signed})
    assert signed == set(zip(sizes, running_roots(leaves, sizes), strict=True))
