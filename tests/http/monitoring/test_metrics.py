"""`/metrics`: the figures are right, few and complete, and shown only to those who may read them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from falcon import testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import values
from prometheus_client.parser import text_string_to_metric_families

from rafflekit import InvalidSetting, RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http.app import create_app
from rafflekit.http.monitoring import requests as monitoring
from rafflekit.http.monitoring.metrics import Metrics
from tests.http.conftest import MANAGER, PROXY, RAFFLE, SETTINGS, workers_of
from tests.live_server import GUNICORN, LiveServer, Serve, surroundings
from tests.waiting import LIMIT_S, wait_until

OPERATIONS = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
READER = "198.51.100.9"
KEY = {"Idempotency-Key": "a-key-of-sixteen-or-more"}

REQUESTS = "rafflekit_http_requests_total"
PARTICIPATE = "/raffles/{raffle_id}/participate"

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def metered(database_url: str) -> Iterator[testing.TestClient]:
    """A manager's client of an application that counts, with an engine that reports its groups."""
    metrics = Metrics()
    readers = (ip_network(MANAGER), ip_network(READER))
    seen_by = Settings(
        manager_networks=SETTINGS.manager_networks,
        trusted_proxies=SETTINGS.trusted_proxies,
        metrics_networks=readers,
    )
    with RaffleEngine(database_url, on_group=metrics.note_group) as engine:
        app = create_app(engine, seen_by, metrics=metrics)

        def of_one_process(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            # Falcon's client claims to be one of several processes by default.
            return app(environ | {"wsgi.multiprocess": False}, start_response)

        yield testing.TestClient(of_one_process, headers={"Host": "127.0.0.1:8080"})


def read(text: str) -> Figures:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def figures_of(client: testing.TestClient) -> Figures:
    return read(client.simulate_get("/metrics", remote_addr=READER).text)


def figure(figures: Figures, name: str, **labels: str) -> float:
    return figures.get((name, frozenset(labels.items())), 0)


def sell_out(client: testing.TestClient) -> str:
    """Create a raffle of two tickets, try to take part seven times, and return its path."""
    path = f"/raffles/{client.simulate_post('/raffles', json=RAFFLE, remote_addr=MANAGER).json['id']}"
    for host, headers in ((1, KEY), (1, KEY), (1, {}), (2, {}), (3, {}), (1, KEY), (2, {"Idempotency-Key": "short"})):
        client.simulate_post(f"{path}/participate/", remote_addr=f"192.0.2.{host}", headers=headers)
    return path


def test_requests_are_counted_by_method_route_and_status(metered: testing.TestClient) -> None:
    path = sell_out(metered)
    for slash in ("", "/"):
        metered.simulate_get(path + slash)
        metered.simulate_get(f"/nothing/at/all{slash}")
    metered.simulate_get("/raffles/none")
    metered.simulate_delete(path)

    figures = figures_of(metered)

    counted = {labels: value for (name, labels), value in figures.items() if name == REQUESTS}
    assert {(*(value for _, value in sorted(labels)), int(count)) for labels, count in counted.items()} == {
        ("POST", "/raffles", "201", 1),
        ("POST", PARTICIPATE, "201", 4),
        ("POST", PARTICIPATE, "403", 1),
        ("POST", PARTICIPATE, "410", 1),
        ("POST", PARTICIPATE, "400", 1),
        ("GET", "/raffles/{raffle_id}", "200", 2),
        ("GET", "/raffles/{raffle_id}", "404", 1),
        ("GET", "unmatched", "404", 2),
        ("other", "/raffles/{raffle_id}", "405", 1),
    }


def test_stored_tickets_and_refusals_are_counted(metered: testing.TestClient) -> None:
    sell_out(metered)
    metered.simulate_get("/nothing")
    metered.simulate_post("/raffles", json=RAFFLE, remote_addr="192.0.2.1")

    figures = figures_of(metered)

    assert figure(figures, "rafflekit_tickets_issued_total") == 2
    refusals = {dict(labels)["reason"]: value for (name, labels), value in figures.items() if "refusals" in name}
    assert refusals == {
        "already_participated": 1,
        "sold_out": 1,
        "invalid_value": 1,
        "not_found": 1,
        "forbidden": 1,
    }


def test_the_sizes_of_groups_add_up_to_the_callers(metered: testing.TestClient) -> None:
    body = RAFFLE | {"total_tickets": 300}
    path = f"/raffles/{metered.simulate_post('/raffles', json=body, remote_addr=MANAGER).json['id']}/participate/"
    with ThreadPoolExecutor(16) as crowd:
        sources = [f"192.0.{n // 200}.{n % 200}" for n in range(300)]
        answers = list(crowd.map(lambda source: metered.simulate_post(path, remote_addr=source), sources))
    assert {answer.status_code for answer in answers} == {201}

    figures = figures_of(metered)

    assert figure(figures, "rafflekit_group_size_sum") == 300
    assert figure(figures, "rafflekit_tickets_issued_total") == 300
    assert 300 / 16 <= figure(figures, "rafflekit_group_size_count") <= 300


def test_durations_are_sorted_into_buckets_by_route(
    metered: testing.TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for took_s in (0.3, 0.002):
        moments = iter([10.0, 10.0 + took_s])
        with monkeypatch.context() as clock:
            clock.setattr(monitoring, "perf_counter", lambda moments=moments: next(moments))
            metered.simulate_get("/raffles")

    figures = figures_of(metered)

    name, labels = "rafflekit_http_request_duration_seconds", {"method": "GET", "route": "/raffles"}
    bounds = ("0.001", "0.0025", "0.25", "0.5")
    assert [figure(figures, f"{name}_bucket", le=bound, **labels) for bound in bounds] == [0, 1, 1, 2]
    assert figure(figures, f"{name}_sum", **labels) == pytest.approx(0.302)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.one_of(st.sampled_from(["GET", "POST", "PUT", "PROPFIND", "BREW"]), st.text("ABCXYZ-", min_size=1)),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=30).map(lambda text: f"/{text}"),
)
def test_the_number_of_series_does_not_grow_with_what_is_sent(
    metered: testing.TestClient, method: str, path: str
) -> None:
    environ = testing.create_environ("/", method="GET") | {"REQUEST_METHOD": method, "PATH_INFO": path}
    for _ in metered.app(environ, testing.StartResponseMock()):
        pass

    labels = {pair for _, pairs in figures_of(metered) for pair in pairs if pair[0] in ("method", "route")}

    assert {value for name, value in labels if name == "method"} <= {"GET", "HEAD", "OPTIONS", "POST", "other"}
    routes = {value for name, value in labels if name == "route"}
    assert not [route for route in routes if "{" not in route and route not in OPERATIONS and route != "/raffles"]


@pytest.mark.parametrize(
    ("source", "headers", "status"),
    [
        (READER, {}, 200),
        (MANAGER, {}, 200),
        ("192.0.2.1", {}, 403),
        ("192.0.2.1", {"X-Forwarded-For": READER}, 403),
        (PROXY, {}, 403),
        (PROXY, {"X-Forwarded-For": READER}, 200),
        (PROXY, {"X-Forwarded-For": f"{READER}, 192.0.2.1"}, 403),
        ("localhost", {}, 403),
    ],
)
def test_only_permitted_addresses_read_the_metrics(
    metered: testing.TestClient, source: str, headers: dict[str, str], status: int
) -> None:
    for ask in (metered.simulate_get, metered.simulate_head):
        answer = ask("/metrics/", remote_addr=source, headers=headers)

        assert answer.status_code == status
        assert answer.headers["Cache-Control"] == "no-store"
        if status == 403 and answer.content:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "RAFFLEKIT_METRICS_IPS" in answer.json["detail"]


def test_metrics_have_the_methods_of_a_page(metered: testing.TestClient) -> None:
    assert metered.simulate_options("/metrics").headers["Allow"] == "GET, HEAD, OPTIONS"
    assert metered.simulate_post("/metrics").status_code == 405
    page = metered.simulate_get("/metrics", remote_addr=READER)
    assert page.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_an_application_that_does_not_count_has_no_metrics(client: testing.TestClient) -> None:
    assert client.simulate_get("/metrics", remote_addr=MANAGER).status_code == 404


def test_the_docs_have_a_line_for_every_metric_and_no_other(metered: testing.TestClient) -> None:
    sell_out(metered)
    page = metered.simulate_get("/metrics", remote_addr=READER).text

    documented = dict(re.findall(r"^\| `(rafflekit_\w+)` \| (\w+) \|", OPERATIONS, flags=re.MULTILINE))

    assert documented == dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, flags=re.MULTILINE))


def ask(live: LiveServer, *, requests: int) -> None:
    """Send requests at the same time, each on its own connection, so that usually every process gets some."""
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: live.request("GET", "/raffles/").status, range(requests)))
    assert answers == [200] * requests


def listed(live: LiveServer) -> float:
    page = live.request("GET", "/metrics")
    assert page.status == 200
    return figure(read(page.body.decode()), REQUESTS, method="GET", route="/raffles", status="200")


def test_every_granian_worker_shows_the_figures_of_all(serve: Serve) -> None:
    live = serve("--server", "granian", "--workers", "2", MANAGER_IPS="127.0.0.1")
    ask(live, requests=40)

    shown = {listed(live) for _ in range(20)}
    victim = min(workers_of(live.process.pid))
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(workers_of(live.process.pid) - {victim}) == 2)

    assert shown == {40}
    assert {listed(live) for _ in range(10)} == {40}


def test_processes_that_count_alone_do_not_show_their_figures(serve: Serve) -> None:
    live = serve(program=GUNICORN, MANAGER_IPS="127.0.0.1")

    answers = [live.request("GET", "/metrics") for _ in range(4)]

    assert [answer.status for answer in answers] == [503] * 4
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert "PROMETHEUS_MULTIPROC_DIR" in answers[0].json["detail"]


def test_several_processes_count_together_in_a_named_folder(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    live = serve(program=GUNICORN, MANAGER_IPS="127.0.0.1", PROMETHEUS_MULTIPROC_DIR=str(folder))
    raffle = live.request("POST", "/raffles/", RAFFLE).json["id"]
    for host in (1, 2, 3):
        live.request_from(f"127.0.1.{host}", "POST", f"/raffles/{raffle}/participate/")

    def counting() -> set[str]:
        return {file.stem.rpartition("_")[2] for file in folder.iterdir()}

    asked = 0

    def both_have_answered() -> bool:
        nonlocal asked
        ask(live, requests=40)
        asked += 40
        return len(counting()) == 2

    # A process that is still starting gets no requests.
    wait_until(both_have_answered)
    assert {listed(live) for _ in range(10)} == {asked}
    figures = read(live.request("GET", "/metrics").body.decode())
    assert figure(figures, "rafflekit_tickets_issued_total") == 2
    assert figure(figures, "rafflekit_refusals_total", reason="sold_out") == 1
    assert len(counting()) == 2


def test_a_missing_folder_to_count_in_is_a_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", f"{tmp_path}/none")
    # The library decides this when it is imported.
    monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue())

    with pytest.raises(InvalidSetting, match=r"PROMETHEUS_MULTIPROC_DIR is '.*/none': not a folder "):
        Metrics()


@pytest.mark.parametrize("folder", ["none", ""])
def test_a_missing_folder_to_count_in_stops_the_start(tmp_path: Path, database_url: str, folder: str) -> None:
    environment = {"RAFFLEKIT_DATABASE_URL": database_url, "PROMETHEUS_MULTIPROC_DIR": folder}
    done = subprocess.run(
        [sys.executable, "-c", "from rafflekit.http.wsgi import application"],
        cwd=tmp_path,
        env=surroundings() | environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    assert done.returncode == 1
    assert f"InvalidSetting: PROMETHEUS_MULTIPROC_DIR is '{folder}': not a folder in which" in done.stderr
