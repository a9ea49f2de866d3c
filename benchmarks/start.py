"""How long the command line takes to start."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.baselines import empty_typer
from benchmarks.ratio import Figure, Finding, Timed, at_most, interleaved, ratios, seconds_of
from benchmarks.stock import Stock


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield `rafflekit --help` ÷ the `--help` of a Typer program with one empty command."""
    # The installed command, as people call it: a script that Python runs, as the baseline is.
    program = Path(sys.executable).with_name("rafflekit")
    ours, empty = interleaved(
        _printing_help(program), _printing_help(Path(empty_typer.__file__)), rounds=stock.sizes.rounds * 2, repeats=2
    )
    yield Figure(
        "rafflekit --help ÷ --help of a Typer program with one empty command",
        ratios(ours, empty),
        at_most(1.3),
        f"{sum(ours) / len(ours) / 2 * 1e3:,.0f} ms, empty {sum(empty) / len(empty) / 2 * 1e3:,.0f} ms",
    )


def _printing_help(program: Path) -> Timed:
    command = [sys.executable, str(program), "--help"]
    return lambda: seconds_of(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
