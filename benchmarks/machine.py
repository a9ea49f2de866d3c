"""What the figures were measured on: the machine, the disk under the database, the versions."""

import os
import platform
import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from benchmarks import loads, postgresql
from benchmarks.baselines.floor import RawRaffle
from benchmarks.stock import Stock
from rafflekit import __version__

COMMITS = 200

_LIBRARIES = ("SQLAlchemy", "falcon", "waitress", "granian", "argon2-cffi", "typer", "psycopg")


def surroundings(stock: Stock) -> list[tuple[str, str]]:
    """Return name and value of each fact, in the order in which a reader needs them."""
    return [
        ("CPU", f"{_cpu()}, {_cores()} cores"),
        ("Memory", _memory()),
        ("Kernel", platform.platform()),
        ("Database on", file_system(stock.folder)),
        ("A commit with fsync there", _commit_time(stock)),
        ("Load of the machine before the run", f"{os.getloadavg()[0]:.2f}"),
        ("Load generator", loads.GENERATOR),
        ("rafflekit", __version__),
        ("Python", platform.python_version()),
        ("SQLite", sqlite3.sqlite_version),
        *((name, _version(name)) for name in _LIBRARIES),
        ("PostgreSQL", postgresql.server_version()),
    ]


def file_system(folder: Path) -> str:
    """Return the device and the kind of the file system in which a folder lies."""
    best, found = -1, "unknown"
    with suppress(OSError):
        for line in Path("/proc/mounts").read_text().splitlines():
            device, place, kind = line.split()[:3]
            if folder.resolve().is_relative_to(place) and len(place) > best:
                best, found = len(place), f"{kind} on {device}"
    return found


def _cpu() -> str:
    return _found_in("/proc/cpuinfo", r"model name\s*:\s*(.+)") or platform.processor() or platform.machine()


def _cores() -> int:
    # The cores that this process may use; not every system knows.
    allowed: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _memory() -> str:
    kib = _found_in("/proc/meminfo", r"MemTotal:\s+(\d+) kB")
    return f"{int(kib) / 1024**2:.1f} GiB" if kib else "unknown"


def _commit_time(stock: Stock) -> str:
    filled = stock.fresh()
    with RawRaffle(filled, group=1) as raw:
        raw.seconds_of_storing(10)
        microseconds = sorted(raw.seconds_of_storing(1) * 1e6 for _ in range(COMMITS))
    stock.discard(filled)
    return (
        f"{median(microseconds):,.0f} µs (median of {COMMITS}; {microseconds[0]:,.0f} … {microseconds[-1]:,.0f}): "
        "one ticket by raw sqlite3, WAL, synchronous FULL"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _found_in(file: str, pattern: str) -> str | None:
    try:
        found = re.search(pattern, Path(file).read_text())
    except OSError:
        return None
    return found[1].strip() if found else None
