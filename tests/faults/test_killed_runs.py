"""`participate --from` is killed at any moment and rerun; the result is that of one undisturbed run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from tests import programs
from tests.ticket_lists import check_whole_run, rows_of, write_list

# Longer than others wait: a whole run is to end, which hashes a code for each of its lines.
LIMIT_S = 120
LINES = 3_000
# Every hundredth line names a participant who already has a ticket.
PEOPLE = [f"participant {number - 50 if number % 100 == 99 else number}" for number in range(LINES)]

# Sends itself a signal when the place is reached for the n-th time.
SIGNALLED_AT_A_PLACE = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from rafflekit.cli import main
from rafflekit.cli.lists import output, run
from rafflekit.cli.lists.output import TicketFile, TicketWriter
from rafflekit.core.engine import RaffleEngine

place, left, signal_number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def signalling(original):
    def call(*arguments, **keywords):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal_number)
        return original(*arguments, **keywords)
    return call

if place == "commit":  # The engine asks the clock inside the transaction.
    RaffleEngine.__init__.__kwdefaults__["clock"] = signalling(lambda: datetime.now(UTC))
else:
    owner, name = {
        "sync of the key": (run, "sync"),
        "kept rows": (TicketWriter, "copy"),
        "sync of all rows": (output, "sync"),
        "replacement": (Path, "replace"),
        "sync of the name": (output, "sync_name"),
        "end": (run.TicketRun, "end"),
        "append": (TicketFile, "append"),
        "row": (TicketWriter, "write"),
        "flush": (TicketWriter, "flush"),
        "sync of the rows": (TicketWriter, "sync"),
    }[place]
    setattr(owner, name, signalling(getattr(owner, name)))
sys.exit(main(sys.argv[4:]))
"""

WITH_SMALL_FILES = """
import resource, sys
from rafflekit.cli import main
most = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
sys.exit(main())
"""


@pytest.fixture
def raffle(engine: RaffleEngine) -> Raffle:
    """A raffle with more tickets than lines, next to another one in the same database."""
    engine.create("Another raffle", total_tickets=9, prizes=[Prize("tea")])
    return engine.create("Foobar", total_tickets=LINES + 10, prizes=[Prize("hug", 5)])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A path for the output, next to the list."""
    write_list(tmp_path / "people.csv", PEOPLE)
    return tmp_path / "tickets.csv"


@pytest.fixture
def arguments(raffle: Raffle, out: Path, database_url: str) -> list[str]:
    """The command's arguments."""
    people = str(out.with_name("people.csv"))
    return ["participate", str(raffle.id), "--from", people, "--out", str(out), "--database-url", database_url]


def run(arguments: Sequence[str], program: Sequence[str] = ("-m", "rafflekit")) -> subprocess.CompletedProcess[bytes]:
    return programs.run([sys.executable, *program, *arguments])


def signal_at(place: str, times: int, arguments: Sequence[str], number: int) -> subprocess.CompletedProcess[bytes]:
    return run([place, str(times), str(int(number)), *arguments], program=["-c", SIGNALLED_AT_A_PLACE])


def kill_at_each(places: Sequence[tuple[str, int]], arguments: Sequence[str]) -> None:
    """Run once for each place, and kill the run there when it is reached for the n-th time."""
    for place, times in places:
        killed = signal_at(place, times, arguments, signal.SIGKILL)
        assert killed.returncode == -signal.SIGKILL, (place, killed.stderr)


def test_a_run_killed_at_every_place_loses_and_doubles_nothing(
    engine: RaffleEngine, raffle: Raffle, out: Path, arguments: list[str]
) -> None:
    places = [("sync of the key", 1), ("append", 1), ("commit", 1), ("row", 1), ("row", 2), ("flush", 1)]
    places += [("row", 300), ("commit", 2), ("row", 500), ("row", 1), ("sync of the rows", 1)]

    kill_at_each(places, arguments)
    done = run(arguments)

    assert (done.returncode, done.stdout.decode()) == (1, f"2,970 tickets, 30 refused; {out}\n")
    check_whole_run(engine, raffle, PEOPLE, out)


def test_mending_killed_at_every_place_loses_and_doubles_nothing(
    engine: RaffleEngine, raffle: Raffle, out: Path, arguments: list[str]
) -> None:
    """First, every tenth line is refused and every hundredth repeats a participant. Then all of these are mended."""
    source = out.with_name("people.csv")
    write_list(source, ["x" * 1_001 if number % 10 == 5 else name for number, name in enumerate(PEOPLE)])
    first = run(arguments)
    people = [f"participant {number}" for number in range(LINES)]
    write_list(source, people)
    places = [("sync of the key", 1), ("kept rows", 1), ("commit", 1), ("row", 1), ("kept rows", 500), ("row", 200)]
    later_places = [("sync of all rows", 1), ("replacement", 1), ("sync of the name", 1), ("append", 1), ("end", 1)]

    kill_at_each(places, arguments)
    # Line 6 has a ticket by now, and no row with it yet.
    write_list(source, [*people[:5], "someone else", *people[6:]])
    changed = run(arguments)
    write_list(source, people)
    kill_at_each(later_places, arguments)
    done = run(arguments)

    assert first.stdout.decode() == f"2,670 tickets, 330 refused; {out}\n"
    assert changed.returncode == 2
    assert b"tickets of that run may be missing in tickets.csv" in changed.stderr
    assert (done.returncode, done.stdout.decode()) == (0, f"3,000 tickets, 0 refused; {out}\n")
    assert sorted(file.name for file in out.parent.glob("tickets*")) == ["tickets.csv", "tickets.csv.run"]
    check_whole_run(engine, raffle, people, out)


def test_a_run_killed_from_outside_loses_and_doubles_nothing(
    engine: RaffleEngine, raffle: Raffle, out: Path, arguments: list[str]
) -> None:
    kills = 0
    for size in (1, 30_000, 60_000, 90_000, 120_000):
        with programs.Program([sys.executable, "-m", "rafflekit", *arguments], stderr=subprocess.DEVNULL) as process:
            ends_at = time.monotonic() + LIMIT_S
            while process.poll() is None and not (out.exists() and out.stat().st_size >= size):
                assert time.monotonic() < ends_at
                os.sched_yield()
            process.kill()
        kills += process.returncode == -signal.SIGKILL
    done = run(arguments)

    assert kills
    assert done.returncode == 1
    check_whole_run(engine, raffle, PEOPLE, out)


@pytest.mark.parametrize("ending", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_run_stopped_by_a_signal_can_be_resumed(
    engine: RaffleEngine, raffle: Raffle, out: Path, arguments: list[str], ending: tuple[signal.Signals, int]
) -> None:
    number, status = ending
    interrupted = signal_at("row", 1_500, arguments, number)
    done = run(arguments)

    assert interrupted.returncode == status
    assert b"Rerun the same command to resume; nothing is lost.\n" in interrupted.stderr
    assert b"Traceback" not in interrupted.stderr
    assert done.returncode == 1
    check_whole_run(engine, raffle, PEOPLE, out)


def test_a_run_stopped_by_a_full_disk_can_be_resumed(out: Path, arguments: list[str]) -> None:
    """Files may not grow beyond a limit that the database, which keeps nothing of refused lines, stays far below."""
    people = [*(f"participant {number}" for number in range(20)), *(f"{'x' * 999} {number}" for number in range(2_500))]
    source = out.with_name("people.csv")
    write_list(source, people)
    size = source.stat().st_size

    # The rows have more bytes than the lines.
    limited = run([str(size), *arguments], program=["-c", WITH_SMALL_FILES])
    left = rows_of(out)
    done = run(arguments)

    assert limited.returncode == 74
    assert limited.stderr.decode().splitlines()[-2:] == [
        f"rafflekit: The output could not be written: File too large: {out}. What was done before is kept.",
        "Rerun the same command to resume; nothing is lost.",
    ]
    assert 20 < len(left) < 2_520
    assert done.stdout.decode() == f"20 tickets, 2,500 refused; {out}\n"
    assert [int(row["line"]) for row in rows_of(out)] == list(range(1, 2_521))


def test_a_list_without_room_for_its_copy_starts_no_run(
    engine: RaffleEngine, raffle: Raffle, out: Path, arguments: list[str]
) -> None:
    program = ["-c", WITH_SMALL_FILES]
    write_list(out.with_name("people.csv"), [f"{'x' * 900} {number}" for number in range(2_000)])

    limited = run([str(2**20), *arguments], program=program)
    dry = [argument for argument in arguments if argument not in ("--out", str(out))]
    dry_run = run([str(2**20), *dry, "--dry-run"], program=program)

    assert limited.stderr.decode() == (
        f"rafflekit: --out: no file can be written in the folder {out.parent}: File too large.\n"
    )
    assert dry_run.stderr.decode() == (
        "rafflekit: people.csv cannot be copied to a temporary file: File too large. TMPDIR names the folder for it.\n"
    )
    assert (limited.returncode, dry_run.returncode) == (74, 74)
    assert [file.name for file in out.parent.glob("tickets*")] == []
    assert engine.get(raffle.id).available_tickets == raffle.total_tickets
