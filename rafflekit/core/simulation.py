"""The same raffle drawn many times, in memory: how evenly its tickets win.

The draws are real ones (`protocol.winners`), each with a new seed. Nothing is stored.
"""

import secrets
import signal
from array import array
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from math import ceil, erfc, sqrt

from rafflekit.core import limits
from rafflekit.core.prizes import Prize, count_wins
from rafflekit.core.protocol.winners import SEED_BYTES, winning_serials

MOST_TICKETS = 1_000_000
"""The largest raffle that is simulated: each process holds a number for each ticket."""

MOST_RUNS = 10**9
"""The most draws of a simulation."""

WINS_EACH = 10
"""How often each ticket must win on average, before a simulation can say whether that is even."""

_WINS_IN_A_PART = 100_000
# Each part answers with a number for each ticket.
_MOST_PARTS = 64


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

        By the approximation of Wilson and Hilferty (PNAS 17, 1931), which is off by at most 0.01.
        """
        statistic, freedom = self.chi_square, self.degrees_of_freedom
        if statistic is None:
            return None
        spread = 2 / (9 * freedom)
        return erfc(((statistic / freedom) ** (1 / 3) - 1 + spread) / sqrt(2 * spread)) / 2


def simulate(
    total_tickets: int,
    prizes: Sequence[Prize],
    *,
    runs: int,
    processes: int = 1,
    progress: Callable[[int], None] = lambda _runs: None,
) -> Simulation:
    """Draw a raffle `runs` times and count how often each ticket wins.

    More than one of the `processes` works only where there is enough to do. `progress` is told after how many further
    runs it is called. A script that asks for several processes needs `if __name__ == "__main__":`.

    Raises:
        InvalidValue: the raffle is not possible, or has more than `MOST_TICKETS`; or too many runs.
    """
    limits.check_raffle("Simulation", total_tickets, prizes)
    limits.check_count("total_tickets", total_tickets, most=MOST_TICKETS)
    limits.check_count("runs", runs, most=MOST_RUNS)
    wins = count_wins(prizes)
    times_won = [0] * total_tickets
    parts = list(_parts(runs, wins))
    for done, counted in _counted(parts, total_tickets, wins, processes=min(processes, len(parts))):
        for serial, times in enumerate(counted):
            times_won[serial] += times
        progress(done)
    return Simulation(runs, wins, times_won)


def _parts(runs: int, wins: int) -> Iterator[int]:
    most = max(_WINS_IN_A_PART // wins, ceil(runs / _MOST_PARTS))
    while runs > 0:
        yield min(most, runs)
        runs -= most


def _counted(parts: Sequence[int], tickets: int, wins: int, *, processes: int) -> Iterator[tuple[int, "array[int]"]]:
    """Yield the number of runs of each part, and how often each ticket won in it."""
    if processes == 1:
        yield from ((runs, _draw(runs, tickets, wins)) for runs in parts)
        return
    with ProcessPoolExecutor(processes, initializer=_ignore_ctrl_c) as pool:
        try:
            pending = {pool.submit(_draw, runs, tickets, wins): runs for runs in parts}
            for done in as_completed(pending):
                yield pending[done], done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _draw(runs: int, tickets: int, wins: int) -> "array[int]":
    times_won = array("L", bytes(tickets * array("L").itemsize))
    for _ in range(runs):
        for serial in winning_serials(secrets.token_bytes(SEED_BYTES), tickets=tickets, wins=wins):
            times_won[serial] += 1
    return times_won


def _ignore_ctrl_c() -> None:
    # It reaches every process of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
