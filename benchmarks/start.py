"""The processor time that a short command takes to start. Waiting does not count, because machines are shared."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.baselines import empty_typer
from benchmarks.ratio import Figure, Finding, Timed, at_most, interleaved, ratios
from benchmarks.stock import Stock

# The installed command, as people call it: a script that Python runs, as the baseline is.
_RAFFLEKIT = str(Path(sys.executable).with_name("rafflekit"))
_REPEATS = 3

# When every command was imported for the help. It is below 8 now, on the same machine.
_HELP_BEFORE = 11.9


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield the costs of listing raffles and showing the help, compared with the minimum."""
    raffle = stock.fresh()
    rounds = stock.sizes.rounds * 2
    listing, library, showing_help, empty, nothing = interleaved(
        _running(_RAFFLEKIT, "list", "--database-url", raffle.url),
        _running("-c", "import sqlalchemy"),
        _running(_RAFFLEKIT, "--help"),
        _running(empty_typer.__file__, "--help"),
        _running("-c", "pass"),
        rounds=rounds,
        repeats=_REPEATS,
    )
    yield Figure(
        'rafflekit list on a SQLite file ÷ python -c "import sqlalchemy", processor time',
        ratios(listing, library),
        at_most(1.4),
        f"{_shown(listing)}, the library alone {_shown(library)}",
    )
    yield Figure(
        "rafflekit --help ÷ python -c pass, processor time",
        ratios(showing_help, nothing),
        at_most(_HELP_BEFORE),
        f"{_shown(showing_help)}, Python alone {_shown(nothing)}",
    )
    yield Figure(
        "rafflekit --help ÷ --help of a Typer program with one empty command, processor time",
        ratios(showing_help, empty),
        at_most(1.3),
        f"empty {_shown(empty)}",
    )


def _running(*arguments: str) -> Timed:
    command = [sys.executable, *arguments]

    def run() -> float:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        return used.ru_utime + used.ru_stime

    return run


def _shown(seconds: Sequence[float]) -> str:
    return f"{median(seconds) / _REPEATS * 1e3:,.0f} ms"
