"""What the requests of anonymous clients cost a server: the bytes sent, the CPU time, and the bytes answered."""

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPResponse
from itertools import count
from socket import create_connection
from urllib.parse import urlsplit

from benchmarks import servers
from benchmarks.ratio import Cost, Costs, Finding, Skipped
from benchmarks.servers import Served
from benchmarks.stock import Filled, Stock, fill_with_raffles, settle, with_prizes
from rafflekit import Prize, RaffleEngine
from rafflekit.core import limits

WINS = 1_000
"""Prizes of the drawn raffle, and kinds of prizes of each of the other raffles."""

_ENOUGH_CPU_S = 2.0
_ANSWER_LIMIT_S = 600

_METRICS_READER = "192.0.2.9"
_WHAT = "CPU of a request"
_UNKNOWN = "00000000-0000-4000-8000-000000000000"
_JSON = "Content-Type: application/json\r\n"
_CODE = "X45Z-H67Q-KCQR-VV52-Q553-3CAG"


@dataclass(frozen=True)
class _Asked:
    """A request as it is sent: `path` and `body` may differ each time; one that is kept is sent only once."""

    what: str
    path: str | Callable[[], str]
    method: str = "GET"
    headers: str = ""
    body: str | Callable[[], str] = ""
    is_kept: bool = False
    has_new_address: bool = False


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield the table of costs on waitress, the worst case first."""
    if sys.platform != "linux":
        yield Skipped(_WHAT, "only Linux shows the CPU time of another process in nanoseconds")
        return
    filled, many, open_one = _prepared(stock)
    most = stock.sizes.cost_requests
    with servers.rafflekit_process(filled.url, metrics_reader=_METRICS_READER) as served:
        rows = [_cost(served, asked, most) for asked in _requests(filled, many=many, open_one=open_one)]
    stock.discard(filled)
    raffles = f"{stock.sizes.cost_raffles:,} raffles with {WINS:,} prizes"
    what = f"{_WHAT}: {filled.total_tickets:,} tickets, {WINS:,} wins, {raffles}"
    yield Costs(what, sorted(rows, key=lambda row: row.cpu_ms, reverse=True))


def _prepared(stock: Stock) -> tuple[Filled, str, str]:
    """Return a large drawn raffle, and next to it the addresses of one with many prizes and of an open one."""
    drawn = stock.copy(stock.sold_out)
    with_prizes(drawn, WINS)
    with RaffleEngine(drawn.url) as engine:
        open_one = engine.create("Open", total_tickets=limits.TICKETS, prizes=[Prize("hug", 3)]).id
        for n in range(3):
            engine.participate(open_one, address=f"192.0.2.{n + 1}")
        engine.draw(drawn.raffle)
    fill_with_raffles(drawn, stock.sizes.cost_raffles, prizes=WINS)
    settle(drawn)
    with RaffleEngine(drawn.url) as engine:
        many = engine.list(page_size=1).items[0].id
    return drawn, f"/raffles/{many}", f"/raffles/{open_one}"


def _requests(drawn: Filled, *, many: str, open_one: str) -> list[_Asked]:
    raffle, tickets = f"/raffles/{drawn.raffle}", drawn.total_tickets
    return [*_documents(raffle, tickets), *_lists(raffle, many), *_posts(raffle, open_one, tickets), *_others(raffle)]


def _documents(raffle: str, tickets: int) -> list[_Asked]:
    def anywhere() -> int:
        return random.randint(1, tickets)

    def sizes() -> str:
        old, new = sorted((anywhere(), anywhere()))
        return f"{raffle}/ledger/consistency/?from={old}&to={new}"

    gzip = "Accept-Encoding: gzip\r\n"
    return [
        _Asked("GET …/proof/, the first one", f"{raffle}/proof/", is_kept=True),
        _Asked("GET …/proof/", f"{raffle}/proof/"),
        _Asked("GET …/proof/, gzip", f"{raffle}/proof/", headers=gzip),
        _Asked("HEAD …/proof/", f"{raffle}/proof/", "HEAD"),
        _Asked("GET …/proof/, the page", f"{raffle}/proof/", headers="Accept: text/html\r\n"),
        _Asked("GET …/ledger/", f"{raffle}/ledger/"),
        _Asked("GET …/ledger/leaves/", f"{raffle}/ledger/leaves/"),
        _Asked("GET …/ledger/leaves/?from=N", lambda: f"{raffle}/ledger/leaves/?from={anywhere() - 1}"),
        _Asked("GET …/ledger/proof/?ticket_number=N", lambda: f"{raffle}/ledger/proof/?ticket_number={anywhere()}"),
        _Asked("GET …/ledger/consistency/?from=M&to=N", sizes),
    ]


def _lists(raffle: str, many: str) -> list[_Asked]:
    large = f"page_size={limits.RAFFLES_PAGE_SIZE_MOST}"
    whole = f"page_size={limits.PAGE_SIZE}"
    return [
        _Asked("GET /raffles/", "/raffles/"),
        _Asked(f"GET /raffles/?{large}", f"/raffles/?{large}"),
        _Asked(f"GET /raffles/?{large}&page=5", f"/raffles/?{large}&page=5"),
        _Asked(f"GET /raffles/?name=a&{large}", f"/raffles/?name=a&{large}"),
        _Asked(f"GET /raffles/?name=a&{large}&page=5", f"/raffles/?name=a&{large}&page=5"),
        _Asked("GET /raffles/?name=nothing", f"/raffles/?name={'y' * limits.NAME_CHARACTERS}"),
        _Asked(f"GET /raffles/?state=open&{large}&page=5", f"/raffles/?state=open&{large}&page=5"),
        _Asked("GET /raffles/?page=10¹²", f"/raffles/?page={limits.PAGE_NUMBER}"),
        _Asked(f"GET /raffles/<id>/ with {WINS:,} prizes", f"{many}/"),
        _Asked("GET …/winners/", f"{raffle}/winners/"),
        _Asked(f"GET …/winners/?{whole}", f"{raffle}/winners/?{whole}"),
        _Asked(
            f"GET …/winners/?queue=true&{whole}, the first one", f"{raffle}/winners/?queue=true&{whole}", is_kept=True
        ),
        _Asked(f"GET …/winners/?queue=true&{whole}", f"{raffle}/winners/?queue=true&{whole}"),
    ]


def _posts(raffle: str, open_one: str, tickets: int) -> list[_Asked]:
    def a_ticket() -> str:
        return json.dumps({"ticket_number": random.randint(1, tickets), "verification_code": _CODE})

    wide = json.dumps({f"{n:x}": 0 for n in range(4_500)})
    key = f'Idempotency-Key: "{"x" * 255}"\r\n'
    return [
        _Asked("POST …/participate/", f"{open_one}/participate/", "POST", has_new_address=True),
        _Asked("POST …/participate/, again", f"{open_one}/participate/", "POST"),
        _Asked("POST …/participate/, again, with a key", f"{open_one}/participate/", "POST", key),
        _Asked("POST …/participate/, sold out", f"{raffle}/participate/", "POST"),
        _Asked("POST …/verify-ticket/, wrong code", f"{raffle}/verify-ticket/", "POST", _JSON, a_ticket),
        _Asked("POST …/verify-ticket/, 64 KiB of fields", f"{raffle}/verify-ticket/", "POST", _JSON, wide),
        _Asked("POST …/verify-ticket/, 64 KiB of brackets", f"{raffle}/verify-ticket/", "POST", _JSON, "[{" * 32_000),
        _Asked("POST …/verify-ticket/, 64 KiB of text", f"{raffle}/verify-ticket/", "POST", _JSON, f'"{"é" * 32_000}"'),
        _Asked("POST …/verify-ticket/, 2 MiB", f"{raffle}/verify-ticket/", "POST", _JSON, "x" * (2 * 1024 * 1024 - 1)),
        _Asked("POST /raffles/, not a manager, 1 MiB", "/raffles/", "POST", _JSON, "[" * limits.CREATE_BODY_BYTES),
    ]


def _others(raffle: str) -> list[_Asked]:
    reader = f"Forwarded: for={_METRICS_READER}\r\n"
    return [
        _Asked("GET /raffles/<id>/", f"{raffle}/"),
        _Asked("GET /raffles/<unknown id>/", f"/raffles/{_UNKNOWN}/"),
        _Asked("GET /nothing", "/nothing"),
        _Asked("GET, 24 KiB of path", f"/{'%C3%A9' * 4_000}"),
        _Asked("GET, 24 KiB of parameters", f"/raffles/?{'&'.join(f'p{n}={n}' for n in range(2_400))}"),
        _Asked(
            "GET, 24 KiB of Forwarded", "/raffles/", headers=f"Forwarded: {'for=10.0.0.1,' * 1_900}for=10.0.0.1\r\n"
        ),
        _Asked(
            "GET, 24 KiB of Accept", f"{raffle}/proof/", headers=f"Accept: {','.join(['text/a;q=0.1'] * 1_900)}\r\n"
        ),
        _Asked("PUT …/", f"{raffle}/", "PUT"),
        _Asked("OPTIONS …/", f"{raffle}/", "OPTIONS"),
        _Asked("GET /healthz", "/healthz"),
        _Asked("GET /readyz", "/readyz"),
        _Asked("GET /metrics", "/metrics", headers=reader),
        _Asked("GET /openapi.json, the first one", "/openapi.json", is_kept=True),
        _Asked("GET /openapi.json", "/openapi.json"),
    ]


def _cost(served: Served, asked: _Asked, most: int) -> Cost:
    parts = urlsplit(served.url)
    sent = answered = requests = 0
    before, cpu_s = _cpu_s(served.process), 0.0
    while requests < (1 if asked.is_kept else most) and cpu_s < _ENOUGH_CPU_S:
        request = _request(asked)
        with closing(create_connection((parts.hostname, parts.port), timeout=_ANSWER_LIMIT_S)) as connection:
            connection.sendall(request)
            answer = HTTPResponse(connection, method=asked.method)
            answer.begin()
            sent, answered = len(request), len(answer.read())
        assert answer.status < 500, f"{asked.what}: {answer.status}"
        requests, cpu_s = requests + 1, _cpu_s(served.process) - before
    return Cost(asked.what, sent, answered, cpu_s / requests * 1e3, asked.is_kept)


_addresses = count(1)


def _request(asked: _Asked) -> bytes:
    path = asked.path if isinstance(asked.path, str) else asked.path()
    body = (asked.body if isinstance(asked.body, str) else asked.body()).encode()
    client = f"198.18.{(n := next(_addresses)) >> 8 & 255}.{n & 255}" if asked.has_new_address else "192.0.2.1"
    forwarded = "" if "Forwarded:" in asked.headers else f"Forwarded: for={client}\r\n"
    length = f"Content-Length: {len(body)}\r\n" if body or asked.method == "POST" else ""
    head = f"{asked.method} {path} HTTP/1.1\r\nHost: {servers.HOST}\r\n{forwarded}{asked.headers}{length}\r\n"
    return head.encode() + body


def _cpu_s(process: int) -> float:
    """Return the CPU time of a process so far: its clock's number, as clock_getcpuclockid(3) makes it on Linux."""
    return time.clock_gettime((~process << 3) | 2)
