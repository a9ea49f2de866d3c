"""Honest documents, and what the tests ask of a report; JSON values with one place replaced."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from rafflekit.core.protocol.audit import (
    AuditReport,
)
from rafflekit.core.protocol.entropy.drand import time_of
from tests.tamper.making import bases
from tests.vectors.examples import BEACON_ROUND

DRAND, SECRETS, MANY, EARLY, ANNOUNCED = (bases()[name] for name in ("drand", "secrets", "many", "early", "announced"))
BEACON = time_of(BEACON_ROUND)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=8), values, max_size=4),
    max_leaves=12,
)


def outcome(report: AuditReport, name: str) -> str | None:
    return next((step.outcome for step in report.steps if step.name == name), None)


def sentence(report: AuditReport, name: str) -> str:
    return next(step.sentence for step in report.steps if step.name == name)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, by the keys that lead to it."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from places(below, (*path, key))


def at_place(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A JSON value with another one in one place."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy
