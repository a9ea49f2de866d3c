"""`rafflekit simulate`."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from rafflekit.cli.commands import simulations
from rafflekit.core.simulation import Simulation
from tests.cli.conftest import Session, Terminal
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def folder(folder: Path) -> Path:
    """The empty folder in which the commands run."""
    return folder


def test_simulate_shows_how_often_tickets_won(terminal: Terminal) -> None:
    done = terminal("simulate --tickets 20 --prize hamper --prize tea:3 --runs 1000")

    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "20 tickets, 4 prizes, drawn 1,000 times: each ticket won 200.0 times on average."
    head, *rows = lines[2 : lines.index("", 2)]
    assert head == "times won  tickets  by chance"
    assert sum(int(row.split()[1]) for row in rows) == 20
    assert lines[-1].startswith("Chi-square is ")


def test_simulate_stores_nothing(terminal: Terminal, folder: Path) -> None:
    assert terminal("simulate --tickets 3 --prize tea --runs 100").status == 0
    assert list(folder.iterdir()) == []


def test_simulate_draws_a_picture(terminal: Terminal, folder: Path) -> None:
    assert terminal("simulate --tickets 20 --prize tea --runs 1000 --svg fair.svg").status == 0

    picture = ElementTree.parse(folder / "fair.svg")
    assert picture.getroot().tag == "{http://www.w3.org/2000/svg}svg"
    again = terminal("simulate --tickets 20 --prize tea --runs 1000 --svg fair.svg")
    assert again == Session(2, "", "rafflekit: --svg: fair.svg already exists; name a new file.\n")


def test_simulate_prints_json(terminal: Terminal) -> None:
    shape = json.loads(terminal("simulate --tickets 4 --prize tea --runs 100 --json").out)

    assert sum(shape["times_won"]) == 100
    assert (shape["total_tickets"], shape["wins"], shape["runs"], shape["degrees_of_freedom"]) == (4, 1, 100, 3)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("--tickets 3 --prize tea --runs 0", "--runs: must be at least 1."),
        ("--tickets 0 --prize tea", "--tickets: must be at least 1."),
        ("--tickets 1000001 --prize tea", "--tickets: must be at most 1,000,000."),
        ("--tickets 2000000000000 --prize tea", "--tickets: must be at most 1,000,000."),
        ("--tickets 2 --prize tea --svg fair.png", "--svg: must end with .svg."),
    ],
)
def test_simulate_refuses_wrong_options(terminal: Terminal, options: str, problem: str) -> None:
    assert terminal(f"simulate {options}") == Session(2, "", f"rafflekit: {problem}\n")


@pytest.mark.parametrize(
    ("runs", "times_won", "sentence"),
    [
        (1_000, [496, 504], "there is no sign that any ticket is favoured."),
        (1_000, [545, 455], "That is seldom, but happens: simulate again"),
        (1_000, [700, 300], "Fewer than one in a million fair simulations are so uneven"),
        (1_000, [10] * 100, "Fewer than one in a million fair simulations are so even"),
        (20, [10, 10], "there is no sign that any ticket is favoured."),
        (10_000, [5_000, 5_000], "there is no sign that any ticket is favoured."),
        (30, [10, 10, 10], "there is no sign that any ticket is favoured."),
        (80, [10] * 8, "there is no sign that any ticket is favoured."),
        (10, [4, 6], "give --runs 20 or more."),
        (11, [10, *[11] * 999], "give --runs 10000 or more."),
        (10, [10, 10], "Every ticket wins in every draw"),
    ],
)
def test_simulate_says_what_its_figures_mean(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, runs: int, times_won: list[int], sentence: str
) -> None:
    counted = Simulation(runs, sum(times_won) // runs, times_won)
    monkeypatch.setattr(simulations, "simulate", lambda *_arguments, **_options: counted)

    assert sentence in terminal("simulate --tickets 2 --prize tea").out


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_simulation_and_its_processes(end: signal.Signals) -> None:
    command = [
        sys.executable,
        "-m",
        "rafflekit",
        *["simulate", "--tickets", "9", "--prize", "tea:4", "--runs", "900000000"],
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, text=True) as running:
        parent = psutil.Process(running.pid)
        # Each of them draws.
        wait_until(lambda: any(sum(worker.cpu_times()[:2]) > 0.2 for worker in parent.children()))
        workers = parent.children()
        os.kill(running.pid, end)
        _, err = running.communicate(timeout=60)

    assert running.returncode == 128 + end
    assert "Traceback" not in err
    assert psutil.wait_procs(workers, timeout=60)[1] == []
