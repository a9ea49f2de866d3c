"""The same raffle drawn many times in memory."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import accumulate, combinations
from multiprocessing import Pool

import pytest
from mpmath import gammainc

from rafflekit import InvalidValue, Prize
from rafflekit.core.simulation import MOST_TICKETS, Simulation, simulate
from tests.statistics.chi_square import FALSE_ALARM


def test_every_win_of_every_run_is_counted() -> None:
    told: list[int] = []

    with Pool(2) as pool:
        done = simulate(
            20, [Prize("hamper"), Prize("tea", 4)], runs=41_000, spread=pool.imap_unordered, progress=told.append
        )

    assert sum(done.times_won) == 41_000 * 5
    assert sum(told) == 41_000
    assert len(told) > 1
    assert done.expected == 10_250
    assert done.chance is not None
    assert FALSE_ALARM < done.chance < 1 - FALSE_ALARM


def test_the_statistic_averages_its_degrees_of_freedom() -> None:
    """Half of the tickets win, which halves Pearson's statistic; the factor makes up for it.

    The mean of 400 has a standard deviation of √(2 · 9 ÷ 400) ≈ 0.21; a false alarm takes 5.5 of them: 4 in 10⁸.
    """
    statistics = [simulate(10, [Prize("tea", 5)], runs=200).chi_square or 0 for _ in range(400)]

    assert sum(statistics) / 400 == pytest.approx(9, abs=1.17)


@pytest.mark.parametrize("tickets", [2, 3, 4, 10, 500])
@pytest.mark.parametrize("uneven", [0.0, 0.02, 0.2, 0.5, 1.0, 1.5, 2.5])
def test_the_chance_is_that_of_the_distribution(tickets: int, uneven: float) -> None:
    counted = _with_statistic(tickets, uneven * (tickets - 1))

    assert counted.chi_square == pytest.approx(uneven * (tickets - 1), rel=0.01, abs=0.01)
    exact = gammainc((tickets - 1) / 2, counted.chi_square / 2, regularized=True)
    assert counted.chance == pytest.approx(float(exact), abs=0.01)


def _with_statistic(tickets: int, statistic: float) -> Simulation:
    """Return a simulation in which one of two equal groups won more often, so that χ² is about this."""
    runs = 100_000_000
    expected = runs / tickets
    off = (statistic * expected / (2 * (tickets // 2))) ** 0.5
    times = [expected] * tickets
    for ticket in range(tickets // 2):
        times[ticket] += off
        times[-1 - ticket] -= off
    return Simulation(runs, 1, [round(each) for each in times])


@pytest.mark.parametrize(("tickets", "wins"), [(2, 1), (3, 1), (3, 2), (4, 2), (4, 3), (5, 1), (5, 2)])
def test_the_chances_hold_for_all_that_few_draws_can_give(tickets: int, wins: int) -> None:
    """With the fewest draws, counts are furthest from the χ² distribution. All of them and their chances are known."""
    runs = Simulation(1, wins, [0] * tickets).runs_needed
    assert runs is not None
    outcomes = [(Simulation(runs, wins, counts), chance) for counts, chance in _all_counts(tickets, wins, runs).items()]
    by_statistic: defaultdict[float, float] = defaultdict(float)
    for done, chance in outcomes:
        by_statistic[round(done.chi_square or 0, 9)] += chance
    ascending = sorted(by_statistic)
    as_even = dict(zip(ascending, accumulate(by_statistic[each] for each in ascending), strict=True))

    for done, _ in outcomes:
        statistic = round(done.chi_square or 0, 9)
        assert done.chance is not None
        assert done.chance_of_less is not None
        assert -0.005 < 1 - as_even[statistic] + by_statistic[statistic] - done.chance < 0.1
        assert done.chance_of_less > as_even[statistic] - 0.005
    assert sum(chance for done, chance in outcomes if (done.chance or 0) < 1e-7) < 2e-7
    assert sum(chance for done, chance in outcomes if (done.chance_of_less or 0) < 1e-6) == 0


def _all_counts(tickets: int, wins: int, runs: int) -> Mapping[tuple[int, ...], float]:
    """Return the chance of every result of fair draws: counts from the lowest to the highest."""
    winners = list(combinations(range(tickets), wins))
    chances: Mapping[tuple[int, ...], float] = {(0,) * tickets: 1.0}
    for _ in range(runs):
        after: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for counts, chance in chances.items():
            for some in winners:
                drawn = sorted(times + (ticket in some) for ticket, times in enumerate(counts))
                after[tuple(drawn)] += chance / len(winners)
        chances = after
    return chances


@pytest.mark.parametrize(("tickets", "wins", "runs"), [(100, 1, 1_000), (100, 99, 1_000), (1_000, 999, 10_000)])
def test_too_few_draws_prove_nothing(tickets: int, wins: int, runs: int) -> None:
    assert Simulation(runs - 1, wins, [0] * tickets).chance is None
    assert Simulation(runs, wins, [0] * tickets).chance is not None
    assert Simulation(1, wins, [0] * tickets).runs_needed == runs


def test_where_every_ticket_wins_there_is_nothing_to_compare() -> None:
    done = simulate(3, [Prize("tea", 3)], runs=100)

    assert list(done.times_won) == [100, 100, 100]
    assert done.chance is None


@pytest.mark.parametrize(
    ("tickets", "runs", "field"),
    [(0, 1, "total_tickets"), (MOST_TICKETS + 1, 1, "total_tickets"), (2, 0, "runs"), (1, 1, "prizes")],
)
def test_impossible_simulations_are_refused(tickets: int, runs: int, field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        simulate(tickets, [Prize("tea", 2)], runs=runs)

    assert refusal.value.field == field
