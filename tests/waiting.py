"""Wait for a condition, with a limit: no test sleeps and hopes."""

import time
from collections.abc import Callable

LIMIT_S = 60.0


def wait_until(holds: Callable[[], object]) -> None:
    """Return as soon as the condition holds; fail if it does not hold within the limit."""
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        time.sleep(0.001)
