"""Phones, each with its own address in 127.0.0.0/8, that keep no connection open between their requests.

    python -m benchmarks.crowd rush URL PAGE TICKET POLLED PHONES ARRIVAL_S POLL_S WATCH_S
    python -m benchmarks.crowd poll URL POLLED PHONES POLL_S

`rush`: each phone loads the page within the time of arrival, takes a ticket at once and polls as long as it watches;
then the numbers are printed. `poll`: the phones poll until the input ends; "pause" and "go" on a line stop and start
them, and "ready" is printed when each has polled once. It is one process, which takes a part of the machine from the
server, whatever that is.
"""

import asyncio
import json
import random
import re
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

LIMIT_S = 60
"""After so long, a request counts as failed."""

_HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
_FORM = "application/x-www-form-urlencoded"
_KEY = re.compile(rb'name="idempotency_key" value="([^"]+)"')
_ETAG = re.compile(rb"\r\netag: ([^\r]+)", re.IGNORECASE)
_CHUNK = 1 << 16


class Answer(NamedTuple):
    """An answer: its status (0: none came), its header and its body."""

    status: int
    head: bytes
    body: bytes


@dataclass
class Tally:
    """What the phones saw of each kind of request: the seconds, the statuses, and the length of the latest answer."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    last_ticket_s: float = 0.0

    def note(self, kind: str, answer: Answer, seconds: float) -> None:
        """Count one request."""
        self.seconds.setdefault(kind, []).append(seconds)
        self.statuses.setdefault(kind, Counter())[answer.status] += 1
        self.lengths[kind] = len(answer.body)

    def numbers(self) -> dict[str, object]:
        """Return all as JSON has it."""
        return {
            "seconds": self.seconds,
            "statuses": self.statuses,
            "lengths": self.lengths,
            "last_ticket_s": self.last_ticket_s,
        }


class Phone:
    """One phone; `origin` is the server's address."""

    def __init__(self, origin: str, number: int, tally: Tally) -> None:
        self._server = (urlsplit(origin).hostname or "", urlsplit(origin).port or 80)
        # From 127.1.0.0 on: 127.0.0.1 is the proxy of the other loads.
        self._source = f"127.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
        self._fixed = f"Host: {self._server[0]}:{self._server[1]}\r\nConnection: close\r\n"
        self._origin = origin
        self._tally = tally
        self._etag = ""

    async def load(self, path: str) -> bytes:
        """Load the page."""
        answer = await self._ask("page", f"GET {path} HTTP/1.1\r\n{self._fixed}Accept: {_HTML}\r\n\r\n")
        return answer.body

    async def take_ticket(self, path: str, page: bytes) -> None:
        """Send the page's form."""
        key = _KEY.search(page)
        form = urlencode({"idempotency_key": key[1].decode()} if key else {})
        await self._ask(
            "ticket",
            f"POST {path} HTTP/1.1\r\n{self._fixed}Accept: {_HTML}\r\nOrigin: {self._origin}\r\n"
            f"Content-Type: {_FORM}\r\nContent-Length: {len(form)}\r\n\r\n{form}",
        )

    async def poll(self, path: str) -> None:
        """Ask whether anything has changed."""
        known = f"If-None-Match: {self._etag}\r\n" if self._etag else ""
        answer = await self._ask("poll", f"GET {path} HTTP/1.1\r\n{self._fixed}Accept: application/json\r\n{known}\r\n")
        if found := _ETAG.search(answer.head):
            self._etag = found[1].decode()

    async def _ask(self, kind: str, request: str) -> Answer:
        start = perf_counter()
        try:
            async with asyncio.timeout(LIMIT_S):
                answer = await self._exchange(request.encode())
        except (OSError, TimeoutError, ValueError, IndexError):
            answer = Answer(0, b"", b"")
        self._tally.note(kind, answer, perf_counter() - start)
        return answer

    async def _exchange(self, request: bytes) -> Answer:
        loop = asyncio.get_running_loop()
        with socket.socket() as connection:
            connection.setblocking(False)
            connection.bind((self._source, 0))
            await loop.sock_connect(connection, self._server)
            await loop.sock_sendall(connection, request)
            received = b""
            while some := await loop.sock_recv(connection, _CHUNK):
                received += some
        head, _, body = received.partition(b"\r\n\r\n")
        return Answer(int(head.split(b" ", 2)[1]), head, body)


async def _rush(origin: str, page: str, ticket: str, polled: str, *amounts: str) -> None:
    phones, arrival_s, poll_s, watch_s = int(amounts[0]), *map(float, amounts[1:])
    tally, begun = Tally(), perf_counter()

    async def live(number: int) -> None:
        phone = Phone(origin, number, tally)
        await asyncio.sleep(random.uniform(0, arrival_s))
        await phone.take_ticket(ticket, await phone.load(page))
        had = perf_counter()
        tally.last_ticket_s = had - begun
        while (pause := random.uniform(0.8, 1.2) * poll_s) + perf_counter() < had + watch_s:
            await asyncio.sleep(pause)
            await phone.poll(polled)

    await asyncio.gather(*(live(number) for number in range(phones)))
    print(json.dumps(tally.numbers()))


async def _poll(origin: str, polled: str, *amounts: str) -> None:
    phones, poll_s = int(amounts[0]), float(amounts[1])
    tally, may_poll, is_over = Tally(), asyncio.Event(), asyncio.Event()
    may_poll.set()

    def obey() -> None:
        word = sys.stdin.readline()
        if not word:
            is_over.set()
        elif word.strip() == "pause":
            may_poll.clear()
        else:
            may_poll.set()

    async def live(number: int) -> None:
        phone = Phone(origin, number, tally)
        await asyncio.sleep(random.uniform(0, poll_s))
        while True:
            # A phone that may not poll keeps its schedule.
            if may_poll.is_set():
                await phone.poll(polled)
            await asyncio.sleep(random.uniform(0.8, 1.2) * poll_s)

    asyncio.get_running_loop().add_reader(sys.stdin, obey)
    living = [asyncio.create_task(live(number)) for number in range(phones)]
    while sum(tally.statuses.get("poll", Counter()).values()) < phones:
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    await is_over.wait()
    for each in living:
        each.cancel()
    print(json.dumps(tally.numbers()))


_KINDS: dict[str, Callable[..., Awaitable[None]]] = {"rush": _rush, "poll": _poll}


async def _main(kind: str, *arguments: str) -> None:
    await _KINDS[kind](*arguments)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
