"""A figure: the time of one thing divided by the time of a baseline, in rounds of the same run."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

Timed = Callable[[], float]
"""One measurement: does the thing and returns the seconds that count."""


@dataclass(frozen=True)
class Figure:
    """What was measured, against which goal, and the ratio of every round."""

    what: str
    goal: str
    ratios: list[float]

    def __str__(self) -> str:
        low, middle, high = min(self.ratios), median(self.ratios), max(self.ratios)
        return f"{self.what:<58} {middle:>7.2f} {low:>7.2f} … {high:<7.2f} {self.goal}"


HEADER = f"{'ratio':<58} {'median':>7} {'min':>7} … {'max':<7} goal"


def compare(what: str, goal: str, thing: Timed, baseline: Timed, *, rounds: int, repeats: int) -> Figure:
    """Return the figure thing ÷ baseline: `rounds` ratios, each of `repeats` measurements of both in turn.

    The two take turns at being first, so that neither always finds the warmer machine.
    """
    for measure in (thing, baseline):
        measure()
    ratios = []
    for _ in range(rounds):
        seconds = {thing: 0.0, baseline: 0.0}
        for repeat in range(repeats):
            for measure in (thing, baseline) if repeat % 2 else (baseline, thing):
                seconds[measure] += measure()
        ratios.append(seconds[thing] / seconds[baseline])
    return Figure(what, goal, ratios)


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    start = perf_counter()
    work()
    return perf_counter() - start
