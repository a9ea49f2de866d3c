"""The same raffle drawn many times, in memory: how evenly its tickets win (pure, but for new seeds).

The draws are real ones (`protocol.winners`). Nothing is stored.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import erfc, exp, sqrt
from typing import NamedTuple, Protocol

from rafflekit.core import limits
from rafflekit.core.prizes import Prize, count_wins
from rafflekit.core.protocol.winners import SEED_BYTES, winning_serials

MOST_TICKETS = 1_000_000
"""The largest raffle that is simulated: each process holds a number for each ticket."""

MOST_RUNS = 10**9
"""The most draws of a simulation."""

WINS_EACH = 10
"""How often each ticket must win on average, before a simulation can say whether that is even."""

# About a third of a second.
_WINS_IN_A_PART = 100_000


class Part(NamedTuple):
    """Some of the draws of a simulation."""

    runs: int
    tickets: int
    wins: int


class PartCount(NamedTuple):
    """How often each serial won in the `runs` of a part."""

    runs: int
    times_won: Counter[int]


class Spread(Protocol):
    """What computes the parts: `map`, or for several cores, `imap_unordered` of a `multiprocessing.Pool`."""

    def __call__(self, count: Callable[[Part], PartCount], parts: Iterable[Part], /) -> Iterable[PartCount]:
        """Return the counts of all parts, in any order."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a simulation counted: `times_won` has a number for each ticket, in the order in which they are handed out.

    In each of the `runs`, `wins` tickets won.
    """

    runs: int
    wins: int
    times_won: Sequence[int]

    @property
    def expected(self) -> float:
        """How often each ticket wins on average."""
        return self.runs * self.wins / len(self.times_won)

    @property
    def chi_square(self) -> float | None:
        """How uneven the counts are; None where every ticket wins each time, or too seldom for Pearson's test (10).

        This is Pearson's statistic. A ticket wins at most once a draw, which makes counts more even; the factor (M − 1)
        ÷ (M − W), for W wins of M tickets, makes up for that, so it follows a χ² distribution.
        """
        tickets = len(self.times_won)
        if tickets == self.wins or self.expected < WINS_EACH:
            return None
        deviations = sum((times - self.expected) ** 2 for times in self.times_won)
        return deviations / self.expected * (tickets - 1) / (tickets - self.wins)

    @property
    def degrees_of_freedom(self) -> int:
        """One less than there are tickets: the average of `chi_square` over many simulations."""
        return len(self.times_won) - 1

    @property
    def chance(self) -> float | None:
        """The chance, from 0 to 1, that fair draws are at least as uneven as these; None without `chi_square`.

        Exact for 2 or 3 tickets, and otherwise by the approximation of Wilson and Hilferty (PNAS 17, 1931), which is
        off by less than 0.01.
        """
        statistic, freedom = self.chi_square, self.degrees_of_freedom
        if statistic is None:
            return None
        if freedom <= 2:
            return erfc(sqrt(statistic / 2)) if freedom == 1 else exp(-statistic / 2)
        spread = 2 / (9 * freedom)
        return erfc(((statistic / freedom) ** (1 / 3) - 1 + spread) / sqrt(2 * spread)) / 2


def simulate(
    total_tickets: int,
    prizes: Sequence[Prize],
    *,
    runs: int,
    spread: Spread = map,
    progress: Callable[[int], None] = lambda _runs: None,
) -> Simulation:
    """Draw a raffle `runs` times and count how often each ticket wins.

    After each part, `progress` is called with the number of its runs.

    Raises:
        InvalidValue: the raffle is not possible, or has more than `MOST_TICKETS`; or too many runs.
    """
    limits.check_raffle("Simulation", total_tickets, prizes)
    limits.check_count("total_tickets", total_tickets, most=MOST_TICKETS)
    limits.check_count("runs", runs, most=MOST_RUNS)
    wins = count_wins(prizes)
    times_won = [0] * total_tickets
    for part in spread(count_part, _parts(runs, total_tickets, wins)):
        for serial, times in part.times_won.items():
            times_won[serial] += times
        progress(part.runs)
    return Simulation(runs, wins, times_won)


def count_part(part: Part) -> PartCount:
    """Draw a part, and count who won."""
    times_won: Counter[int] = Counter()
    for _ in range(part.runs):
        times_won.update(winning_serials(secrets.token_bytes(SEED_BYTES), tickets=part.tickets, wins=part.wins))
    return PartCount(part.runs, times_won)


def _parts(runs: int, tickets: int, wins: int) -> Iterator[Part]:
    most = max(1, _WINS_IN_A_PART // wins)
    for done in range(0, runs, most):
        yield Part(min(most, runs - done), tickets, wins)
