"""What only Granian does, and how its workers start, stop and clean up."""

import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from rafflekit import RaffleEngine
from rafflekit.http.serving import CannotServe, granian_server
from rafflekit.http.serving.listening import STOP_LIMIT_S
from tests.http.conftest import RAFFLE, command_of, workers_of
from tests.live_server import LiveServer, Serve, is_refused
from tests.programs import run
from tests.waiting import wait_until


@pytest.fixture
def serve(serve: Serve) -> Serve:
    """Start Granian with two workers: call it with environment variables."""
    return partial(serve, "--server", "granian", "--workers", "2")


def test_workers_share_a_database_and_print_nothing(serve: Serve) -> None:
    live = serve(MANAGER_IPS="127.0.0.1")

    created = [live.request("POST", "/raffles/", RAFFLE).status for _ in range(20)]

    assert created == [201] * 20
    assert live.request("GET", "/raffles/").json["count"] == 20
    assert len(workers_of(live.process.pid)) == 2
    assert live.request("GET", "/nothing").status == 404
    assert live.stop() == ""
    assert live.complaints() == ""


def test_a_worker_that_dies_is_replaced(serve: Serve) -> None:
    live = serve()
    assert live.request("GET", "/raffles/").status == 200
    first = workers_of(live.process.pid)
    victim = min(first)

    os.kill(victim, signal.SIGKILL)

    wait_until(lambda: len(workers_of(live.process.pid) - {victim}) == 2)
    assert live.request("GET", "/raffles/").status == 200


def test_workers_do_not_outlive_a_parent_that_is_killed(database: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    live = LiveServer(database, "--server", "granian", "--workers", "2", log=tmp_path / "log", TMPDIR=str(temporary))
    assert live.request("GET", "/raffles/").status == 200
    workers = workers_of(live.process.pid)

    live.process.kill()
    live.process.communicate(timeout=STOP_LIMIT_S)

    wait_until(lambda: is_refused(live.port))
    wait_until(lambda: not any("spawn_main" in command_of(worker) for worker in workers))
    assert (tmp_path / "log").read_text().count("\n") == 1  # the remark that MANAGER_IPS is not set
    assert list(temporary.iterdir()) == []  # where the workers counted together


def test_workers_that_cannot_start_end_the_server(database_url: str, tmp_path: Path) -> None:
    """`run_granian` alone, without the checks before it; in its own process, which it may end."""
    folder = tmp_path / "none"
    program = (
        "from rafflekit import RaffleEngine\n"
        "from rafflekit.http.serving.granian_server import run_granian\n"
        "if __name__ == '__main__':\n"
        f"    with RaffleEngine('{database_url}') as engine:\n"
        f"        run_granian(engine, {{'RAFFLEKIT_DATABASE_URL': 'sqlite:///{folder}/raffles.db'}},"
        " host='127.0.0.1', port=0, workers=1, on_listening=print)\n"
    )
    done = run([sys.executable, "-c", program], text=True)

    *said, last = done.stderr.strip().splitlines()
    assert any("ERROR A worker cannot start: " in line and str(folder) in line for line in said)
    assert last.startswith(
        "rafflekit.http.serving.listening.WorkersFailed: The worker processes keep ending by themselves"
    )
    assert done.stderr.count("Traceback") == 2  # the program's own, with its cause, and none from a worker


def test_without_signal_masks_it_says_so(engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "pthread_sigmask")

    with pytest.raises(CannotServe, match=r"^Granian cannot serve rafflekit on Windows; use waitress\.$"):
        granian_server.run_granian(engine, {}, host="127.0.0.1", port=0, workers=1, on_listening=print)
