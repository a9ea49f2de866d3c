"""Random cases for what parses text from outside; `RAFFLEKIT_TEST_CASES` says how many each property gets."""

import os
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Refusal = TypeVar("Refusal", bound=Exception)
Value = TypeVar("Value")

CASES = int(os.environ.get("RAFFLEKIT_TEST_CASES", "50"))
"""How many cases a property gets; `make soak` gives it thousands."""

tried: Counter[str] = Counter()
"""How many cases each property has had in this process."""


def fuzz(**strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a test many random values, by the names of its arguments; its other arguments are fixtures."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def counted(*arguments: Any, **values: Any) -> None:
            tried[test.__name__] += 1
            test(*arguments, **values)

        # The fixtures here are servers, which stay for the module.
        health = [HealthCheck.too_slow, HealthCheck.filter_too_much]
        return settings(max_examples=CASES, suppress_health_check=health)(given(**strategies)(counted))

    return decorate


def outcome(refusal: type[Refusal], call: Callable[[], Value]) -> Value | Refusal:
    """Return what a call returns, or the refusal that it raises; any other error is one."""
    try:
        return call()
    except refusal as error:
        return error


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str], *, alphabet: str) -> str:
    """Texts that are almost right: some of their characters are taken away, replaced or doubled."""
    text = draw(texts)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        until = draw(st.integers(at, min(at + 3, len(text))))
        text = text[:at] + draw(st.text(st.sampled_from(alphabet), max_size=3)) + text[until:]
    return text
