"""Participants and readers over HTTP, against the empty endpoint on the same server and against the floor."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlsplit

from benchmarks import loads, servers
from benchmarks.baselines.floor import RawRaffle
from benchmarks.loads import Load
from benchmarks.ratio import Figure, Finding, Goal, at_least, at_most, microseconds, ratios
from benchmarks.sizes import CONNECTIONS, GROUP, Sizes
from benchmarks.stock import Stock


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield participate on waitress and Granian, and the detail, each against the empty endpoint next to it."""
    with ExitStack() as running:
        waitress = running.enter_context(_Pair(stock, "waitress"))
        granian = running.enter_context(_Pair(stock, "granian"))
        floor = running.enter_context(RawRaffle(stock.fresh(), group=GROUP))
        floors = _measured((waitress, granian), floor, stock.sizes)
        yield _participate(waitress, floors, at_least(0.5))
        yield _slowest(waitress, at_most(4))
        yield _granian_against_waitress(granian, waitress)
        yield _participate(granian, floors, None)
        yield _detail(waitress)


def _measured(pairs: Sequence["_Pair"], floor: RawRaffle, sizes: Sizes) -> list[float]:
    """Measure all rounds of the pairs; return the engine's floor of a ticket in each round, in seconds."""
    for pair in pairs:
        pair.warm_up()
    floors, tickets = [], sizes.rush_turns * sizes.rush_tickets
    for _ in range(sizes.rounds):
        floors.append(floor.seconds_of_floor(tickets) / tickets)
        for pair in pairs:
            pair.measure()
    for _ in range(sizes.rounds):
        pairs[0].measure_detail()
    return floors


class _Pair:
    """rafflekit and the empty endpoint on one kind of server, both running; and the loads that they answered."""

    def __init__(self, stock: Stock, server: str) -> None:
        self.server = server
        self.tickets: list[Load] = []
        self.empty_posts: list[Load] = []
        self.details: list[Load] = []
        self.empty_gets: list[Load] = []
        self._seconds = stock.sizes.load_s
        self._raffle = stock.fresh()
        self._running = ExitStack()

    def __enter__(self) -> "_Pair":
        with ExitStack() as unless_started:
            base = unless_started.enter_context(servers.rafflekit(self._raffle.url, server=self.server))
            self._detail_url = f"{base}/raffles/{self._raffle.raffle}/"
            self._ticket_url = f"{self._detail_url}participate/"
            self._empty_url = unless_started.enter_context(
                servers.empty(
                    server=self.server,
                    post_bytes=bytes_of_answer("POST", self._ticket_url),
                    get_bytes=bytes_of_answer("GET", self._detail_url),
                )
            )
            self._running = unless_started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def warm_up(self) -> None:
        """Let both answer for a second, unmeasured."""
        for url in (self._ticket_url, self._empty_url):
            loads.post(url, seconds=1)

    def measure(self) -> None:
        """Measure tickets and the empty POST in one round."""
        _in_turns(
            self.tickets,
            lambda: loads.post(self._ticket_url, seconds=self._seconds),
            self.empty_posts,
            lambda: loads.post(self._empty_url, seconds=self._seconds),
        )

    def measure_detail(self) -> None:
        """Measure the raffle's detail and the empty GET in one round."""
        _in_turns(
            self.details,
            partial(loads.get, self._detail_url, seconds=1),
            self.empty_gets,
            partial(loads.get, self._empty_url, seconds=1),
        )


def _in_turns(
    ours: list[Load], our_load: Callable[[], Load], empty: list[Load], empty_load: Callable[[], Load]
) -> None:
    """Run both loads, in alternating order from round to round."""
    pair = [(ours, our_load), (empty, empty_load)]
    for results, load in pair if len(ours) % 2 else reversed(pair):
        results.append(load())


def _participate(pair: _Pair, floors: list[float], goal: Goal | None) -> Figure:
    empty = [load.seconds_per_request for load in pair.empty_posts]
    measured = [load.seconds_per_request for load in pair.tickets]
    whole_floors = [request + floor for request, floor in zip(empty, floors, strict=True)]
    return Figure(
        f"participate over HTTP, {pair.server}, {CONNECTIONS} connections: floor ÷ time per request",
        ratios(whole_floors, measured),
        goal,
        f"{1 / median(measured):,.0f} tickets/s, {microseconds(measured)} each; floor {microseconds(whole_floors)}, "
        f"of which {microseconds(empty)} an empty request",
    )


def _slowest(pair: _Pair, goal: Goal) -> Figure:
    empty = [load.p99_ms for load in pair.empty_posts]
    measured = [load.p99_ms for load in pair.tickets]
    return Figure(
        f"participate over HTTP, {pair.server}: p99 ÷ p99 of the empty endpoint",
        ratios(measured, empty),
        goal,
        f"p99 {median(measured):.1f} ms, empty {median(empty):.1f} ms",
    )


def _granian_against_waitress(granian: _Pair, waitress: _Pair) -> Figure:
    fast = [load.seconds_per_request for load in granian.tickets]
    slow = [load.seconds_per_request for load in waitress.tickets]
    return Figure(
        "participate over HTTP: tickets/s on Granian (1 worker) ÷ on waitress",
        ratios(slow, fast),
        at_least(1.5),
        f"{1 / median(fast):,.0f} tickets/s, waitress {1 / median(slow):,.0f}",
    )


def _detail(pair: _Pair) -> Figure:
    empty = [load.seconds_per_request for load in pair.empty_gets]
    measured = [load.seconds_per_request for load in pair.details]
    return Figure(
        f"GET detail, {pair.server}: requests/s ÷ of the empty endpoint",
        ratios(empty, measured),
        at_least(0.6),
        f"{1 / median(measured):,.0f} requests/s, empty {1 / median(empty):,.0f}",
    )


def bytes_of_answer(method: str, url: str) -> int:
    """Ask once, as one of the load's addresses would, and return the length of the answer's body."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.request(method, parts.path, headers={"Forwarded": "for=192.0.2.1"} if method == "POST" else {})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status not in (200, 201):
        raise loads.WrongAnswers(f"{method} {url} answers {answer.status}: {body!r}")
    return len(body)
