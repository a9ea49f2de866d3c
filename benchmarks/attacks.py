"""Slow and greedy clients: what `/healthz` and a ticket take meanwhile, compared with a server that is left alone.

An attacker opens a connection again that the server has closed, but none more often than every five seconds.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import count
from statistics import median
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks import servers
from benchmarks.ratio import Figure, Finding, at_most, microseconds, seconds_of
from benchmarks.stock import Stock
from rafflekit import Prize, RaffleEngine
from rafflekit.core import limits

PROBES = 40
DRAWN = 20_000
WINS = 1_000
"""The tickets and the wins of the raffle whose proof is asked for."""

LIMIT_S = 10
"""After so long, a probe counts as unanswered, and no further ones are sent."""

_EVERY_S = 0.01
_OPENS_EVERY_S = 5
_BEGINS_WITHIN_S = 5
_participants = count()


@dataclass(frozen=True)
class _Attack:
    """What each of some connections sends at first, and what it sends and reads every hundredth of a second."""

    name: str
    connections: int
    first: str
    then: bytes = b""
    sip: int = 0


class _Probe(NamedTuple):
    """The median seconds of `/healthz` and of a ticket."""

    healthz_s: float
    ticket_s: float


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield the time of the slower of both probes under each attack ÷ on the same server when it is left alone."""
    filled = stock.partly_sold(stock.sizes.sold)
    with RaffleEngine(filled.url) as engine:
        prizes = [Prize(f"{number} ".ljust(limits.NAME_CHARACTERS, "🎁")) for number in range(limits.PRIZE_KINDS)]
        long = engine.create("Long", total_tickets=10**6, prizes=prizes).id
        drawn = engine.create("Drawn", total_tickets=DRAWN, prizes=[Prize("hug", WINS)]).id
        list(engine.participate_many(drawn, [f"participant {number}" for number in range(DRAWN)]))
        engine.draw(drawn)
    raffle = f"/raffles/{filled.raffle}"
    for server in ("waitress", "granian"):
        for attack in _attacks(f"{raffle}/ledger/leaves/", f"/raffles/{long}/", f"/raffles/{drawn}/proof/", server):
            with servers.rafflekit(filled.url, server=server) as base:
                yield _figure(attack, server, base, raffle, rounds=stock.sizes.rounds)


def _attacks(leaves: str, long: str, proof: str, server: str) -> Iterator[_Attack]:
    head = "{} HTTP/1.1\r\nHost: localhost\r\n"
    leaves, long, proof = (f"{head.format(f'GET {path}')}\r\n" for path in (leaves, long, proof))
    yield _Attack("17 clients that ask for a proof again and again", 17, proof * 40, sip=16_384)
    yield _Attack("17 clients that read nothing of all leaves", 17, leaves)
    yield _Attack("17 clients that read a byte of all leaves now and then", 17, leaves, sip=1)
    yield _Attack("100 clients that pipeline 40 long answers and read nothing", 100, long * 40)
    yield _Attack("80 clients whose headers never end", 80, "GET / HTTP/1.1\r\nX: ", then=b"x")
    # They hold Granian's threads.
    if server == "waitress":
        body = f"{head.format('POST /raffles/')}Content-Length: 1900000\r\n\r\n{' ' * 1_800_000}"
        yield _Attack("40 clients whose bodies never end", 40, body, then=b" ")


def _figure(attack: _Attack, server: str, base: str, raffle: str, *, rounds: int) -> Figure:
    _probed(base, raffle)
    alone, attacked = list[_Probe](), list[_Probe]()
    for _ in range(rounds):
        alone.append(_probed(base, raffle))
        with _under(attack, base):
            attacked.append(_probed(base, raffle))
    return Figure(
        f"{attack.name}, {server}: a request ÷ alone",
        [
            max(one.healthz_s / other.healthz_s, one.ticket_s / other.ticket_s)
            for one, other in zip(attacked, alone, strict=True)
        ],
        at_most(4),
        f"/healthz {microseconds([one.healthz_s for one in attacked])}, alone "
        f"{microseconds([one.healthz_s for one in alone])}; ticket {microseconds([one.ticket_s for one in attacked])}, "
        f"alone {microseconds([one.ticket_s for one in alone])}",
    )


def _probed(base: str, raffle: str) -> _Probe:
    """Ask for `/healthz` and for tickets in turn, each on a new connection."""
    began, healthz, tickets = monotonic(), list[float](), list[float]()
    while len(tickets) < PROBES and monotonic() - began < LIMIT_S:
        healthz.append(seconds_of(lambda: _ask(base, "GET", "/healthz")))
        tickets.append(seconds_of(lambda: _ask(base, "POST", f"{raffle}/participate/")))
    return _Probe(median(healthz), median(tickets))


def _ask(base: str, method: str, path: str) -> None:
    number = next(_participants)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    connection = HTTPConnection(urlsplit(base).hostname or "", urlsplit(base).port, timeout=LIMIT_S)
    try:
        connection.request(method, path, headers={"Forwarded": f"for={address}"})
        answer = connection.getresponse()
        if answer.status not in (200, 201):
            raise HTTPException(f"{method} {path} answers {answer.status}")
        answer.read()
    except TimeoutError:
        pass
    finally:
        connection.close()


@contextmanager
def _under(attack: _Attack, base: str) -> Iterator[None]:
    """Attack a server until the end, and give control back when every connection has sent what it sends at first."""
    attackers = [_Attacker(attack, base) for _ in range(attack.connections)]
    ending = threading.Event()

    def keep_attacking() -> None:
        while not ending.wait(_EVERY_S):
            for attacker in attackers:
                attacker.go_on()

    thread = threading.Thread(target=keep_attacking)
    thread.start()
    try:
        # Until the server takes no more of it, or has taken everything.
        began, before = monotonic(), -1
        while before != (before := sum(attacker.sent for attacker in attackers)):
            if ending.wait(0.5) or monotonic() - began > _BEGINS_WITHIN_S:
                break
        yield
    finally:
        ending.set()
        thread.join()
        for attacker in attackers:
            attacker.close()


class _Attacker:
    """One connection of an attack."""

    def __init__(self, attack: _Attack, base: str) -> None:
        self.sent = 0
        self._attack = attack
        self._place = urlsplit(base).hostname, urlsplit(base).port
        self._first = attack.first.encode()
        self._unsent = memoryview(b"")
        self._connection: socket.socket | None = None
        self._opened = 0.0

    def go_on(self) -> None:
        """Send and read a little; open the connection again if the server has closed it."""
        try:
            if self._connection is None:
                self._open()
            elif self._unsent:
                taken = self._connection.send(self._unsent)
                self._unsent = self._unsent[taken:]
                self.sent += taken
            else:
                self._connection.send(self._attack.then)
            if self._connection and self._attack.sip and not self._connection.recv(self._attack.sip):
                self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        if monotonic() < self._opened + _OPENS_EVERY_S:
            return
        self._opened = monotonic()
        self._unsent = memoryview(self._first)
        self._connection = socket.socket()
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._connection.setblocking(False)
        self._connection.connect_ex(self._place)
