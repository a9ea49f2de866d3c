"""`make bench`: run the benchmarks, print each figure when it is known, and write the report.

    python -m benchmarks [--quick] [--folder FOLDER] [NAME …]

NAME is one of the benchmarks below; without one all run, and only then, at full size, is the report written.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import (
    attacks,
    bulk,
    codes,
    costs,
    draws,
    ledgers,
    machine,
    over_http,
    pages,
    paper,
    participating,
    phones,
    postgresql,
    report,
    size,
    sold,
    start,
)
from benchmarks.ratio import Costs, Figure, Finding, Skipped
from benchmarks.sizes import FULL, QUICK
from benchmarks.stock import Stock

# In this order: benchmarks that leave a database for others come first.
BENCHMARKS: dict[str, Callable[[Stock], Iterator[Finding]]] = {
    "codes": codes.figures,
    "start": start.figures,
    "lone": participating.lone_figures,
    "several": participating.several_figures,
    "rush": participating.rush_figures,
    "size": size.figures,
    "http": over_http.figures,
    "html": phones.html_figures,
    "polling": phones.polling_figures,
    "phones": phones.rush_figures,
    "attacks": attacks.figures,
    "postgresql": postgresql.figures,
    "bulk": bulk.figures,
    "paper": paper.figures,
    "sold": sold.figures,
    "draw-ten": draws.ten_figures,
    "draw-all": draws.all_figures,
    "pages": pages.figures,
    "ledger": ledgers.figures,
    "costs": costs.figures,
}


def main() -> int:
    """Run the given benchmarks; return 1 if one failed. A goal that is not reached is not a failure."""
    options = _options()
    # Like Ctrl-C: everything that was started is ended, and the folder is removed.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    chosen = options.names or list(BENCHMARKS)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="rafflekit-bench-") as folder:
        stock = Stock(Path(folder), QUICK if options.quick else FULL)
        surroundings = machine.surroundings(stock)
        print(*(f"{name}: {value}" for name, value in surroundings), "", report.HEADER, sep="\n")
        findings: list[Finding] = []
        failures = [name for name in chosen if not _run(name, stock, findings)]
    minutes = (time.monotonic() - begun) / 60
    print(f"\n{minutes:.1f} minutes" + (f"; failed: {', '.join(failures)}" if failures else ""))
    if options.report or not (options.names or options.quick):
        written = report.write(options.report or report.PLACE, findings, surroundings, failures, minutes=minutes)
        print(*(f"wrote {path}" for path in written), sep="\n")
    return 1 if failures else 0


def _run(name: str, stock: Stock, findings: list[Finding]) -> bool:
    begun = time.monotonic()
    try:
        for finding in BENCHMARKS[name](stock):
            findings.append(finding)
            if isinstance(finding, Figure | Skipped | Costs):
                print(report.line(finding), flush=True)
    # The outermost edge: one broken benchmark does not cost the figures of the others.
    except Exception as error:
        print(f"{name} FAILED after {time.monotonic() - begun:.0f} s: {error!r}", flush=True)
        return False
    print(f"    ({name}: {time.monotonic() - begun:.0f} s)", file=sys.stderr, flush=True)
    return True


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure rafflekit.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small sizes, to try a benchmark out: no figure counts")
    parser.add_argument("--folder", type=Path, help="where the databases lie (default: the temporary files' folder)")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="write the report of any run into this folder")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
