"""Phones at a fair: the page that they load, their polling while others take part, and the rush for tickets."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import IO, NamedTuple

from benchmarks import loads, servers
from benchmarks.baselines import empty_falcon
from benchmarks.loads import Load, WrongAnswers
from benchmarks.ratio import Figure, Finding, at_least, ratios
from benchmarks.sizes import Sizes
from benchmarks.stock import Stock

HTML = "text/html"
POLLING_LOAD_S = 3
"""How long one load of participants lasts while phones poll."""

POLLED = ""
"""What phones poll, below a raffle's address."""

_GOOD = {"page": {200}, "ticket": {200, 201, 303}, "poll": {200, 304}}


def html_figures(stock: Stock) -> Iterator[Finding]:
    """Yield the page of a raffle ÷ its JSON, in requests per second."""
    raffle = stock.fresh()
    html: list[Load] = []
    data: list[Load] = []
    with servers.rafflekit(raffle.url) as base:
        url = f"{base}/raffles/{raffle.raffle}/"
        kinds = [(html, HTML), (data, "application/json")]
        for _ in kinds * stock.sizes.rounds:
            kinds.reverse()
            for results, accept in kinds:
                results.append(loads.get(url, seconds=stock.sizes.load_s, accept=accept))
    ours, compared = ([load.seconds_per_request for load in each] for each in (html, data))
    yield Figure(
        "a raffle's page ÷ its JSON, waitress: requests/s",
        ratios(compared, ours),
        at_least(0.7),
        f"{1 / median(ours):,.0f} pages/s, JSON {1 / median(compared):,.0f}",
    )


def polling_figures(stock: Stock) -> Iterator[Finding]:
    """Yield participate while phones poll ÷ without them, in tickets per second."""
    raffle, sizes = stock.fresh(), stock.sizes
    alone: list[float] = []
    polled: list[float] = []
    with servers.rafflekit(raffle.url) as base:
        path = f"/raffles/{raffle.raffle}/"
        with _polling(base, f"{path}{POLLED}", sizes) as crowd:
            for round_ in range(sizes.rounds):
                turns = [("pause", alone), ("go", polled)]
                for word, results in turns if round_ % 2 else reversed(turns):
                    crowd.say(word)
                    load = loads.post(f"{base}{path}participate/", seconds=POLLING_LOAD_S)
                    results.append(load.seconds_per_request)
            seen = crowd.finish()
    statuses = seen.statuses["poll"]
    yield Figure(
        f"participate over HTTP while {sizes.polling_phones:,} phones poll every {sizes.poll_s:g} s ÷ without them",
        ratios(alone, polled),
        at_least(0.8),
        f"{1 / median(polled):,.0f} tickets/s, without {1 / median(alone):,.0f}; "
        f"{statuses[304]:,} of {statuses.total():,} polls found nothing new",
    )


def rush_figures(stock: Stock) -> Iterator[Finding]:
    """Yield the rush of phones for tickets, once, against the same requests to the empty endpoint."""
    raffle, sizes = stock.fresh(), stock.sizes
    detail, ticket = f"/raffles/{raffle.raffle}/", f"/raffles/{raffle.raffle}/participate/"
    with servers.rafflekit(raffle.url) as base:
        ours = _rush(base, detail, ticket, f"{detail}{POLLED}", sizes)
    with servers.empty(post_bytes=ours.lengths["ticket"], get_bytes=ours.lengths["page"]) as base:
        path = empty_falcon.PATH
        empty = _rush(base.removesuffix(path), path, path, path, sizes)
    requests = sum(found.total() for found in ours.statuses.values())
    crowd = f"{sizes.rush_phones:,} phones load the page, take a ticket and poll for {sizes.watch_s:g} s"
    yield Figure(
        f"{crowd}: time until the last ticket ÷ of the empty endpoint",
        [ours.last_ticket_s / empty.last_ticket_s],
        note=f"{ours.last_ticket_s:.1f} s, empty {empty.last_ticket_s:.1f} s; all arrive in {sizes.arrival_s:g} s; "
        f"{requests:,} requests, 0 errors",
    )
    for kind in ("page", "ticket"):
        for name, hundredth in (("p50", 49), ("p99", 98)):
            measured, compared = (quantiles(each.seconds[kind], n=100)[hundredth] for each in (ours, empty))
            yield Figure(
                f"{crowd}: {name} of the {kind} ÷ of the empty endpoint",
                [measured / compared],
                note=f"{measured * 1e3:,.0f} ms, empty {compared * 1e3:,.0f} ms",
            )


class _Seen(NamedTuple):
    """What a crowd saw."""

    seconds: dict[str, list[float]]
    statuses: dict[str, Counter[int]]
    lengths: dict[str, int]
    last_ticket_s: float

    @classmethod
    def in_line(cls, line: str) -> "_Seen":
        """Read what a crowd printed.

        Raises:
            WrongAnswers: a request failed, so that the speed means nothing.
        """
        numbers = json.loads(line)
        statuses = {
            kind: Counter({int(status): count for status, count in found.items()})
            for kind, found in numbers["statuses"].items()
        }
        wrong = {kind: dict(found) for kind, found in statuses.items() if set(found) - _GOOD[kind]}
        if wrong:
            raise WrongAnswers(f"the statuses of the phones' requests (0: none came): {wrong}")
        return cls(numbers["seconds"], statuses, numbers["lengths"], numbers["last_ticket_s"])


def _rush(base: str, page: str, ticket: str, polled: str, sizes: Sizes) -> _Seen:
    amounts = (sizes.rush_phones, sizes.arrival_s, sizes.poll_s, sizes.watch_s)
    # Everything has an end: a request by its limit, a phone by the time that it watches.
    with _crowd("rush", base, page, ticket, polled, *amounts) as running:
        printed, said = running.communicate()
    if running.returncode:
        raise WrongAnswers(f"the crowd ended with status {running.returncode}: {said[-500:]}")
    return _Seen.in_line(printed)


class _Crowd:
    """Phones that poll until they are told to finish."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise WrongAnswers("the crowd ended before it was ready")

    def say(self, word: str) -> None:
        """Tell the phones to "pause" or to "go" on."""
        print(word, file=self._input(), flush=True)

    def finish(self) -> _Seen:
        """End the polling and return what it showed."""
        printed, _ = self._process.communicate()
        return _Seen.in_line(printed)

    def _input(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin


@contextmanager
def _polling(base: str, polled: str, sizes: Sizes) -> Iterator[_Crowd]:
    with _crowd("poll", base, polled, sizes.polling_phones, sizes.poll_s) as process:
        yield _Crowd(process)


@contextmanager
def _crowd(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command: Sequence[str] = [sys.executable, "-m", "benchmarks.crowd", *map(str, arguments)]
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
