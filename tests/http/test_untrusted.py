"""A proxy that is not trusted: no one behind it has rights, and the log says which setting to change."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from typing import Any

import falcon
import pytest
from falcon import testing

from rafflekit import RaffleEngine
from rafflekit.core.models import Right
from rafflekit.core.settings import MANAGER_IPS, METRICS_IPS, TRUSTED_PROXIES, Settings
from rafflekit.http.access import Access
from rafflekit.http.app import create_app
from rafflekit.http.monitoring.metrics import Metrics
from rafflekit.http.untrusted import FORWARDING_HEADERS
from tests.http.conftest import RAFFLE
from tests.http.environs import ACCESS, BY_FORWARDED, SETTINGS, environ

PEER = "127.0.0.1"
OPEN_HERE = Settings(manager_networks=(ip_network(PEER),), metrics_networks=(ip_network(PEER),))
MANAGERS = [("POST", "/raffles/"), ("PATCH", "{}/")]
MANAGERS += [("POST", f"{{}}/{name}/") for name in ("close", "cancel", "winners", "redeem", "forfeit")]
EXAMPLES = [name.replace("*", "-For" if name == "X-Forwarded*" else "Anything") for name in FORWARDING_HEADERS]


@pytest.fixture
def visitor(engine: RaffleEngine) -> testing.TestClient:
    """A visitor whose requests have the address of this machine, which is a manager's."""
    return testing.TestClient(create_app(engine, OPEN_HERE, metrics=Metrics()), headers={"Host": "127.0.0.1"})


def asked(client: testing.TestClient, method: str, path: str, **how: Any) -> testing.Result:
    return client.simulate_request(method, path, remote_addr=PEER, **how)


@pytest.mark.parametrize("header", [*EXAMPLES, "X-Forwarded", "X-Forwarded-Host", "x_forwarded_for"])
def test_a_forwarding_header_of_a_stranger_takes_all_rights(header: str) -> None:
    sent = environ("198.51.100.1", **{header.replace("-", "_"): ""})

    ACCESS.require(environ("198.51.100.1"), Right.MANAGE)
    for require in (partial(ACCESS.require, right=Right.MANAGE), Access(OPEN_HERE).require_metrics_reader):
        with pytest.raises(falcon.HTTPForbidden):
            require(sent)
    assert ACCESS.allows(environ("198.51.100.1"), Right.MANAGE)
    assert not ACCESS.allows(sent, Right.MANAGE)


@pytest.mark.parametrize("header", ["User-Agent", "Accept", "Viable", "Forwarding", "X-Request-ID", "Cfg", "X-For"])
def test_other_headers_take_no_rights(header: str) -> None:
    ACCESS.require(environ("198.51.100.1", **{header.replace("-", "_"): "203.0.113.7"}), Right.MANAGE)


def test_http_1_0_takes_all_rights_since_bare_proxies_speak_it() -> None:
    ACCESS.require(environ("198.51.100.1") | {"SERVER_PROTOCOL": "HTTP/1.1"}, Right.MANAGE)
    ACCESS.require(environ("198.51.100.1") | {"SERVER_PROTOCOL": "HTTP/2"}, Right.MANAGE)
    for spelled in ("HTTP/1.0", "HTTP/1"):
        with pytest.raises(falcon.HTTPForbidden):
            ACCESS.require(environ("198.51.100.1") | {"SERVER_PROTOCOL": spelled}, Right.MANAGE)
    # A trusted proxy may speak it.
    ACCESS.require(environ("10.0.0.1", x_forwarded_for="198.51.100.1") | {"SERVER_PROTOCOL": "HTTP/1.0"}, Right.MANAGE)


@pytest.mark.parametrize(
    ("access", "headers"),
    [
        (ACCESS, {"x_forwarded_for": "203.0.113.7, 198.51.100.1"}),
        (ACCESS, {"x_forwarded_for": ", 198.51.100.1, 10.0.0.2"}),
        (BY_FORWARDED, {"forwarded": "for=203.0.113.7, for=198.51.100.1"}),
        (BY_FORWARDED, {"forwarded": "proto=http, for=198.51.100.1, for=10.0.0.2"}),
    ],
)
def test_a_second_proxy_behind_a_trusted_one_has_no_rights(access: Access, headers: dict[str, str]) -> None:
    with pytest.raises(falcon.HTTPForbidden) as refusal:
        access.require(environ("10.0.0.1", **headers), Right.MANAGE)

    assert "RAFFLEKIT_TRUSTED_PROXIES does not list, as the list in the header" in str(refusal.value.description)


@pytest.mark.parametrize(
    ("sent", "trace"),
    [
        ({"x_real_ip": "203.0.113.7"}, "the header X-Real-IP"),
        ({"cf_connecting_ip": "203.0.113.7"}, "the header CF-*"),
        ({"x_forwarded_a_code_of_someone": ""}, "the header X-Forwarded*"),
    ],
)
def test_a_refusal_names_the_trace_and_the_setting(sent: dict[str, str], trace: str) -> None:
    access = Access(replace(SETTINGS, metrics_networks=SETTINGS.manager_networks))
    for require, variable in (
        (partial(access.require, right=Right.MANAGE), MANAGER_IPS.name),
        (access.require_metrics_reader, METRICS_IPS.name),
    ):
        with pytest.raises(falcon.HTTPForbidden) as refusal:
            require(environ("198.51.100.1", **sent))
        assert refusal.value.description == (
            f"The request came through a proxy that {TRUSTED_PROXIES.name} does not list, as {trace} shows. Your "
            f"address cannot be determined, so it is not among those in {variable}."
        )


def test_everyone_behind_such_a_proxy_is_one_participant() -> None:
    for address in ("203.0.113.7", "203.0.113.8"):
        assert ACCESS.participant(environ("192.0.2.1", x_forwarded_for=address)) == "192.0.2.1"


def test_a_visitor_behind_a_proxy_here_manages_nothing(visitor: testing.TestClient, engine: RaffleEngine) -> None:
    created = asked(visitor, "POST", "/raffles/", json=RAFFLE)
    path = f"/raffles/{created.json['id']}"
    before = engine.get(created.json["id"])
    body = RAFFLE | {"reason": "rain"}

    for how in ({"headers": {"X-Forwarded-For": "203.0.113.7"}}, {"http_version": "1.0"}):
        for method, address in MANAGERS:
            refused = asked(visitor, method, address.format(path), json=body, **how)
            assert (refused.status_code, TRUSTED_PROXIES.name in refused.json["detail"]) == (403, True)
        named = asked(visitor, "POST", f"{path}/participate", json={"participant": "someone"}, **how)
        assert (named.status_code, TRUSTED_PROXIES.name in named.json["detail"]) == (403, True)
        assert asked(visitor, "GET", "/metrics", **how).status_code == 403
        assert asked(visitor, "GET", path, **how).status_code == 200
    assert asked(visitor, "GET", "/metrics").status_code != 403
    assert (engine.get(created.json["id"]), engine.list().count) == (before, 1)
    assert [asked(visitor, "POST", f"{path}/participate", **how).status_code for _ in range(2)] == [201, 403]


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let minutes pass, as far as the warnings know."""
    now = [1000.0]
    monkeypatch.setattr("rafflekit.http.untrusted.time.monotonic", lambda: now[0])

    def pass_by(count: float) -> None:
        now[0] += 60 * count

    return pass_by


def test_the_log_warns_once_a_minute(caplog: pytest.LogCaptureFixture, minutes: Callable[[float], None]) -> None:
    access = Access(SETTINGS)
    access.participant(environ("198.51.100.1"))
    access.require(environ("198.51.100.1"), Right.MANAGE)
    with pytest.raises(falcon.HTTPForbidden):
        access.require(environ("192.0.2.1"), Right.MANAGE)
    assert caplog.record_tuples == []

    for _ in range(5):
        access.participant(environ("192.0.2.1", x_forwarded_for="203.0.113.7"))
    with pytest.raises(falcon.HTTPForbidden):
        access.require(environ("198.51.100.1", via="1.1 cache"), Right.MANAGE)
    minutes(0.9)
    access.participant(environ("192.0.2.1", x_forwarded_for="203.0.113.7"))
    assert caplog.record_tuples == [
        (
            "rafflekit.http.untrusted",
            logging.WARNING,
            "A request from 192.0.2.0/24 came through a proxy that is not trusted, as the header X-Forwarded* shows. "
            "Everyone behind such a proxy counts as one participant, and no one there is a manager. If it is your "
            "proxy, list its address in RAFFLEKIT_TRUSTED_PROXIES.",
        )
    ]

    minutes(0.2)
    with pytest.raises(falcon.HTTPForbidden):
        access.require_metrics_reader(environ(None, via="1.1 cache"))
    assert len(caplog.messages) == 2
    assert caplog.messages[1].startswith("A request from a socket without an address came through a proxy")
