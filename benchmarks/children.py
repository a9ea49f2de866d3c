"""Work whose memory is measured, so it runs in a separate process.

    python -m benchmarks.children RESULT command ARGUMENT …            a rafflekit command, in this process
    python -m benchmarks.children RESULT draw URL RAFFLE               the draw of a raffle

RESULT is the file that gets the seconds and the peak memory as JSON.
"""

import json
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple


class Measured(NamedTuple):
    """How long the work took, and the most memory that its process had."""

    seconds: float
    peak_mib: float


def measured(result: Path, *arguments: str) -> Measured:
    """Run a child and return what it measured."""
    command = [sys.executable, "-m", "benchmarks.children", str(result), *arguments]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments[:1])} ended with status {done.returncode}: {done.stderr[-2000:]}")
    return Measured(**json.loads(result.read_text()))


def _command(*arguments: str) -> float:
    from rafflekit.cli import main as rafflekit

    start = perf_counter()
    status = rafflekit(arguments)
    seconds = perf_counter() - start
    if status:
        sys.exit(status)
    return seconds


def _draw(url: str, raffle: str) -> float:
    from rafflekit import RaffleEngine

    with RaffleEngine(url) as engine:
        start = perf_counter()
        wins = engine.draw(raffle)
        seconds = perf_counter() - start
        # Read to the end, because reading may take the memory.
        assert len(wins) == sum(1 for _ in wins)
    return seconds


def _peak_mib() -> float:
    """Return the most memory that this process had.

    Not ru_maxrss where there is VmHWM: on Linux the former survives exec, so a child of a large parent inherits it.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    peak = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024


def main() -> None:
    """Do one piece of work and write down what it took."""
    result, kind, *arguments = sys.argv[1:]
    kinds: dict[str, Callable[..., float]] = {"command": _command, "draw": _draw}
    seconds = kinds[kind](*arguments)
    Path(result).write_text(json.dumps({"seconds": seconds, "peak_mib": _peak_mib()}))


if __name__ == "__main__":
    main()
