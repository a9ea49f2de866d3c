"""What is counted for Prometheus.

Labels have few values: routes are templates, methods are those that exist here, reasons are the codes of errors.
Several processes of one service count together, in the folder that `PROMETHEUS_MULTIPROC_DIR` names
(`shared_counting`); otherwise the figures of one process could be mistaken for those of all.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from shutil import rmtree
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from rafflekit.core.errors import InvalidSetting

# Not one of the `Settings`: prometheus-client reads this variable from `os.environ` when it is imported. This module
# therefore sets and reads it there as well, for the worker processes that inherit it.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable of prometheus-client that names the folder in which several processes count together."""


class Metrics:
    """The figures of a process, or of all that share a folder.

    Raises:
        InvalidSetting: the shared folder cannot be used.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        check_shared_folder()
        self.are_shared = _are_shared()
        self._requests = Counter(
            "rafflekit_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._durations = Histogram(
            "rafflekit_http_request_duration_seconds",
            "Time to answer a request, from its headers to the answer's.",
            ("method", "route"),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self._registry,
        )
        self._refusals = Counter(
            "rafflekit_refusals", "Requests refused, by the code of the error.", ("reason",), registry=self._registry
        )
        self._tickets = Counter(
            "rafflekit_tickets_issued", "Tickets stored, without repeats of a request.", registry=self._registry
        )
        self._groups = Histogram(
            "rafflekit_group_size",
            "Callers that were served in one transaction.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self._registry,
        )
        # The library takes longer to look a label up than to count.
        self._known: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def note_request(self, method: str, route: str, status: int, *, duration_s: float, refusal: str | None) -> None:
        """Count an answer; the values of its labels must be few."""
        known = self._known.get((method, route, status))
        if known is None:
            known = self._known[method, route, status] = (
                self._requests.labels(method, route, str(status)).inc,
                self._durations.labels(method, route).observe,
            )
        count, observe = known
        count()
        observe(duration_s)
        if refusal is not None:
            self._refusals.labels(refusal).inc()

    def note_group(self, *, callers: int, tickets: int) -> None:
        """Count a group of tickets that was stored; the engine takes this as `on_group`."""
        self._groups.observe(callers)
        if tickets:
            self._tickets.inc(tickets)

    def page(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        registry = self._registry
        if self.are_shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # no types
        return generate_latest(_WithoutTimes(registry))


@contextmanager
def shared_counting() -> Iterator[None]:
    """Let processes that are started meanwhile count together, in a folder that is removed afterwards."""
    before = os.environ.get(SHARED_FOLDER)
    with TemporaryDirectory(prefix="rafflekit-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[SHARED_FOLDER]
            else:
                os.environ[SHARED_FOLDER] = before


def check_shared_folder() -> None:
    """Check that processes can count together, if they are to.

    Raises:
        InvalidSetting: their folder does not exist, or cannot be written.
    """
    if not _are_shared():
        return
    # From `os.environ`, where the library reads it.
    folder = os.environ.get(SHARED_FOLDER, "")
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidSetting(
            SHARED_FOLDER, folder, "not a folder in which files can be created; create an empty one first."
        )


def remove_shared_folder() -> None:
    """Remove the folder of `shared_counting`, in a process that was started there and whose parent was killed."""
    # A process that still counts has its files open, and they stay usable.
    rmtree(os.environ[SHARED_FOLDER], ignore_errors=True)


class _WithoutTimes:
    """A registry without the times at which each series began: they double the page, and differ between processes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


def _are_shared() -> bool:
    return values.ValueClass is not values.MutexValue
