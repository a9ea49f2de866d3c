"""The same raffle drawn many times, in memory: how evenly its tickets win. Pure, except for new seeds.

The draws are real ones (`protocol.winners`). Nothing is stored.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, erfc, exp, sqrt
from typing import NamedTuple, Protocol

from rafflekit.core import limits
from rafflekit.core.prizes import Prize, count_wins
from rafflekit.core.protocol.winners import SEED_BYTES, winning_serials

MOST_TICKETS = 1_000_000
"""The largest raffle that is simulated: each process holds a number for each ticket."""

MOST_RUNS = 10**9
"""The most draws of a simulation."""

TIMES_EACH = 10
"""How often each ticket must win, and not win, on average before a simulation can say whether that is even."""

# Counts are whole numbers, and a χ² distribution is continuous: Yates, Supplement to JRSS 1, 1934.
_HALF_A_WIN = 0.5

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
    def runs_needed(self) -> int | None:
        """How many runs Pearson's test needs: `TIMES_EACH`; None if every ticket wins each time."""
        tickets = len(self.times_won)
        rarer = min(self.wins, tickets - self.wins)
        return ceil(TIMES_EACH * tickets / rarer) if rarer else None

    @property
    def chi_square(self) -> float | None:
        """How uneven the counts are; None if every ticket wins each time, or with fewer runs than `runs_needed`.

        This is Pearson's statistic. A ticket wins at most once a draw, which makes counts more even; the factor (M − 1)
        ÷ (M − W), for W wins of M tickets, makes up for that, so it follows a χ² distribution.
        """
        return self._chi_square_with(0)

    @property
    def degrees_of_freedom(self) -> int:
        """One less than there are tickets: the average of `chi_square` over many simulations."""
        return len(self.times_won) - 1

    @property
    def chance(self) -> float | None:
        """The chance, from 0 to 1, that fair draws are at least as uneven as these; None without `chi_square`.

        It is that of the χ² distribution. With few tickets and draws, the true chance is up to 0.1 higher, since counts
        are whole numbers; at chances of one in a million, it may be twice as high. For two tickets, half a win is taken
        off each deviation, which leaves an error of 0.003.
        """
        statistic = self._chi_square_with(-_HALF_A_WIN if len(self.times_won) == 2 else 0)
        return None if statistic is None else _chance_of_more(statistic, self.degrees_of_freedom)

    @property
    def chance_of_less(self) -> float | None:
        """An upper bound of the chance that fair draws are at least as even as these; None without `chi_square`.

        Equal counts of few tickets are not rare, because counts are whole numbers. So each count stands for all
        that would be rounded to it: half a win is added to each deviation.
        """
        statistic = self._chi_square_with(_HALF_A_WIN)
        return None if statistic is None else 1 - _chance_of_more(statistic, self.degrees_of_freedom)

    def _chi_square_with(self, correction: float) -> float | None:
        """Return the statistic with each deviation made larger by `correction`."""
        needed = self.runs_needed
        if needed is None or self.runs < needed:
            return None
        tickets, expected = len(self.times_won), self.expected
        squares = sum(max(0, abs(times - expected) + correction) ** 2 for times in self.times_won)
        return squares / expected * (tickets - 1) / (tickets - self.wins)


def _chance_of_more(statistic: float, freedom: int) -> float:
    """Return the chance that a χ² distribution exceeds `statistic`.

    Exact for 1 and 2 degrees of freedom, and otherwise by the approximation of Wilson and Hilferty (PNAS 17, 1931),
    which is off by less than 0.01.
    """
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
    # Before the limits of any raffle, so that only one of the two limits is ever named.
    limits.check_count("total_tickets", total_tickets, most=MOST_TICKETS)
    limits.check_raffle("Simulation", total_tickets, prizes)
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
