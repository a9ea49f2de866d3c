"""Figures and the rounds that they come from: what is compared takes turns, and every round gives one ratio."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

MOST_CPU_MS = 50.0
"""The CPU time that a request of an anonymous client may cost, if its result is not kept."""

Timed = Callable[[], float]
"""One measurement: does the thing and returns the seconds that count."""


@dataclass(frozen=True)
class Goal:
    """What a figure should be: at most, or at least, so much."""

    bound: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"

    def reached_by(self, value: float) -> bool:
        """Tell whether a value is as it should be."""
        return value >= self.bound if self.at_least else value <= self.bound


def at_most(bound: float) -> Goal:
    """Return the goal ≤ bound."""
    return Goal(bound)


def at_least(bound: float) -> Goal:
    """Return the goal ≥ bound."""
    return Goal(bound, at_least=True)


@dataclass(frozen=True)
class Figure:
    """What was measured, the value of every round, the goal for their median, and the absolute numbers."""

    what: str
    rounds: Sequence[float]
    goal: Goal | None = None
    note: str = ""

    @property
    def value(self) -> float:
        """The median of the rounds, which is what the goal is about."""
        return median(self.rounds)

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        return None if self.goal is None else self.goal.reached_by(self.value)


@dataclass(frozen=True)
class Skipped:
    """A figure that this run could not measure, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Series:
    """One line of the chart: what a ticket costs (µs: lowest, median and highest round) at each size."""

    panel: str
    name: str
    points: Sequence[tuple[int, Sequence[float]]]


@dataclass(frozen=True)
class Cost:
    """What a request costs a server: its own bytes, the answer's, and the CPU time of the server's process."""

    address: str
    sent: int
    answered: int
    cpu_ms: float
    is_kept: bool = False
    """Whether only the first such request costs that, because the result is kept."""

    @property
    def reached(self) -> bool:
        """Whether anyone may ask for it as often as they like."""
        return self.is_kept or self.cpu_ms <= MOST_CPU_MS


@dataclass(frozen=True)
class Costs:
    """A table of costs, the worst case first."""

    what: str
    rows: Sequence[Cost]


Finding = Figure | Skipped | Series | Costs


def interleaved(*measures: Timed, rounds: int, repeats: int = 1) -> list[list[float]]:
    """Return for each measure its seconds, one sum of `repeats` measurements a round.

    All take turns, and from one turn to the next the order is reversed, so that none always finds the warmer
    machine. Each is run once beforehand, unmeasured.
    """
    for measure in measures:
        measure()
    seconds = [[0.0] * rounds for _ in measures]
    turn = 0
    for round_ in range(rounds):
        for _ in range(repeats):
            turn += 1
            for which in range(len(measures))[:: 1 if turn % 2 else -1]:
                seconds[which][round_] += measures[which]()
    return seconds


def ratios(things: Sequence[float], baselines: Sequence[float]) -> list[float]:
    """Return thing ÷ baseline, round by round."""
    return [thing / baseline for thing, baseline in zip(things, baselines, strict=True)]


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def microseconds(seconds: Sequence[float], *, each: int = 1) -> str:
    """Spell the median of some seconds, divided by the number of things that were done in them, in µs."""
    return f"{median(seconds) / each * 1e6:,.0f} µs"
