"""`make bench`: run every benchmark and print its figures."""

import platform
import sqlite3
import tempfile
from pathlib import Path

from benchmarks import codes, ratio, size
from rafflekit import RaffleEngine, __version__


def main() -> None:
    """Measure on a database file of its own, in the folder where the temporary files of this machine are."""
    print(f"rafflekit {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    print(f"{platform.platform()}, {platform.processor() or platform.machine()}\n")
    print(ratio.HEADER)
    print(codes.hash_line())
    with tempfile.TemporaryDirectory() as folder, RaffleEngine(f"sqlite:///{Path(folder) / 'raffles.db'}") as engine:
        for figure in size.figures(engine):
            print(figure, flush=True)


if __name__ == "__main__":
    main()
