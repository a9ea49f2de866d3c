"""The benchmarks' servers start with the settings that they are given, and answer a participant and a reader."""

import pytest

from benchmarks import servers
from benchmarks.over_http import bytes_of_answer
from benchmarks.sizes import QUICK
from benchmarks.stock import Stock


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
