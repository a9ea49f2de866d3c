"""The benchmarks start, and their servers answer."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import servers
from benchmarks.over_http import bytes_of_answer
from benchmarks.sizes import QUICK
from benchmarks.stock import Stock
from tests.waiting import LIMIT_S

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return Stock(tmp_path_factory.mktemp("stock"), QUICK)


@pytest.mark.parametrize("server", ["waitress", "granian"])
def test_a_server_of_the_benchmarks_answers(stock: Stock, server: str) -> None:
    raffle = stock.fresh()

    with servers.rafflekit(raffle.url, server=server) as base:
        detail = f"{base}/raffles/{raffle.raffle}/"
        assert bytes_of_answer("POST", f"{detail}participate/") > 0
        assert bytes_of_answer("GET", detail) > 0


def test_every_benchmark_starts() -> None:
    asked = [sys.executable, "-m", "benchmarks", "--help"]

    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=True)

    assert "codes" in done.stdout
    assert "ledger" in done.stdout
