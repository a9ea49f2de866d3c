"""Chi-square and binomial tests with a stated chance of a false alarm."""

import os
from collections.abc import Sequence
from math import comb

from mpmath import gammainc

SAMPLES = int(os.environ.get("RAFFLEKIT_TEST_SAMPLES", "1"))
"""How many times the usual number of samples each test takes; `make soak` says 20."""

FALSE_ALARM = 4e-7
"""The chance at which an assertion fails: less than the 1e-6 of a whole test, since Pearson's approximation is some
percent off (1.04e-6 instead of 1e-6 for 300 samples of 3 outcomes), and one test asserts twice."""


def assert_uniform(counts: Sequence[int]) -> None:
    """Assert that counts of equally likely outcomes are no further from even than chance allows.

    Pearson's test; its approximation is good where at least 10 of each outcome are expected.
    """
    expected = sum(counts) / len(counts)
    assert expected >= 10, "too few samples for Pearson's test"
    statistic = sum((count - expected) ** 2 / expected for count in counts)
    chance = float(gammainc((len(counts) - 1) / 2, statistic / 2, regularized=True))
    assert chance >= FALSE_ALARM, f"χ² = {statistic:.1f} for {len(counts)} outcomes; by chance: {chance:.1e}"


def assert_half(successes: int, trials: int) -> None:
    """Assert that successes of probability 1/2 are no further from a half than chance allows (exact, two-sided)."""
    extreme = min(successes, trials - successes)
    chance = min(1.0, 2 * sum(comb(trials, k) for k in range(extreme + 1)) / 2**trials)
    assert chance >= FALSE_ALARM, f"{successes} of {trials}; by chance: {chance:.1e}"
