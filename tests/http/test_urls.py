"""The URLs that the service gives itself: whole ones only with a host of its own, which no stranger can choose."""

import socket
from dataclasses import replace

import pytest
from falcon import testing

from rafflekit.core.settings import ALLOWED_HOSTS
from rafflekit.http.access import Access
from tests.http.conftest import MANAGER, PROXY, RAFFLE, SETTINGS, Post
from tests.http.environs import ACCESS, BY_FORWARDED, environ


def address_of_this_machine() -> str:
    """Return the address from which this machine reaches others; without a network, it is 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent.
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@pytest.mark.parametrize(
    "host",
    [
        "raffle.example",
        "Raffle.Example:8080",
        "raffle.example.",
        "localhost:8080",
        "raffles.localhost",
        "127.0.0.1:8080",
        "127.9.9.9",
        "[::1]:8080",
        f"{address_of_this_machine()}:8080",
    ],
)
def test_urls_are_whole_under_a_host_of_this_service(host: str) -> None:
    assert ACCESS.base_url(environ(host=host)) == f"http://{host}"
    assert ACCESS.base_url(environ(host=host) | {"wsgi.url_scheme": "https"}) == f"https://{host}"
    assert ACCESS.base_url(environ(host=host) | {"SCRIPT_NAME": "/under"}) == f"http://{host}/under"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "raffle.example.evil.example",
        "xraffle.example",
        "notlocalhost",
        "2130706433",
        "not a host",
        "127.0.0.1@evil.example",
        "evil.example/127.0.0.1",
        "203.0.113.66",
        "203.0.113.66:8080",
        "[2001:db8::66]",
        "0.0.0.0:8080",
        "255.255.255.255",
        "224.0.0.1",
        "[::]",
        "[ff02::1]",
        "",
    ],
)
def test_urls_are_paths_under_a_foreign_host(host: str) -> None:
    assert ACCESS.base_url(environ(host=host)) == ""
    assert ACCESS.base_url(environ(host=host) | {"SCRIPT_NAME": "/under"}) == "/under"


def test_urls_are_paths_where_no_address_can_be_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", refuse)

    assert ACCESS.base_url(environ(host="[2001:db8::1]")) == ""


def test_urls_are_paths_without_a_host() -> None:
    assert ACCESS.base_url(environ()) == ""


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("for=192.0.2.9;proto=https;host=raffle.example", "https://raffle.example"),
        ('proto="HTTPS";host="raffle.example"', "https://raffle.example"),
        ("proto=http;host=evil.example, proto=https;host=raffle.example", "https://raffle.example"),
        ("proto=https;host=raffle.example, for=192.0.2.9", ""),
        ("proto=https;host=raffle.example;", "https://raffle.example"),
        ("proto=ftp;host=raffle.example", "http://raffle.example"),
        ("proto=https;host=evil.example", ""),
        ("proto=https;host=not/a/host", ""),
        ('proto=https;host=raffle.example, for="', ""),
    ],
)
def test_the_nearest_element_of_forwarded_counts(header: str, expected: str) -> None:
    assert BY_FORWARDED.base_url(environ("10.0.0.1", host="up", forwarded=header)) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "up", "x_forwarded_proto": "https", "x_forwarded_host": "raffle.example"}, "https://raffle.example"),
        ({"host": "up", "x_forwarded_host": "evil.example, raffle.example"}, "http://raffle.example"),
        ({"host": "raffle.example", "x_forwarded_proto": "HTTPS"}, "https://raffle.example"),
        ({"host": "raffle.example", "x_forwarded_proto": "http, https"}, "https://raffle.example"),
        ({"host": "raffle.example", "x_forwarded_proto": "javascript"}, "http://raffle.example"),
        ({"host": "raffle.example", "x_forwarded_host": ""}, "http://raffle.example"),
        ({"host": "raffle.example", "x_forwarded_host": "evil.example"}, ""),
        ({"host": "raffle.example", "x_forwarded_host": "raffle.example, evil.example"}, ""),
        # What the client may choose: a port of a listed host, and what each client's own machine is called.
        ({"host": "raffle.example:6379"}, ""),
        ({"host": "up", "x_forwarded_host": "raffle.example:6379"}, ""),
        ({"host": "127.0.0.1:6379"}, ""),
        ({"host": "localhost"}, ""),
        ({"host": "[::1]"}, ""),
    ],
)
def test_behind_a_proxy_only_a_listed_name_is_a_host(headers: dict[str, str], expected: str) -> None:
    assert ACCESS.base_url(environ("10.0.0.1", **headers)) == expected


@pytest.mark.parametrize("trace", [{"x_real_ip": "203.0.113.7"}, {"via": "1.1 cache"}])
def test_a_proxy_that_is_not_trusted_chooses_no_host(trace: dict[str, str]) -> None:
    for host in ("evil.example", "localhost:6379", "raffle.example:6379"):
        assert ACCESS.base_url(environ(host=host, x_forwarded_host="raffle.example", **trace)) == ""
    assert ACCESS.base_url(environ(host="raffle.example", x_forwarded_proto="https", **trace)) == (
        "http://raffle.example"
    )


@pytest.mark.parametrize("peer", ["192.0.2.1", None])
def test_a_strangers_forwarded_host_does_not_count(peer: str | None) -> None:
    assert ACCESS.base_url(environ(peer, host="evil.example", x_forwarded_host="raffle.example")) == ""


@pytest.mark.parametrize("host", ["evil.example", "203.0.113.66:8080"])
def test_a_foreign_host_comes_back_nowhere(client: testing.TestClient, post: Post, host: str) -> None:
    for _ in range(2):
        created = post("/raffles/", json=RAFFLE)
    foreign = {"Host": host, "X-Forwarded-Host": host}
    winners = f"/raffles/{created.json['id']}/winners"

    first = client.simulate_get("/raffles", query_string="page_size=1", headers=foreign)
    second = client.simulate_get("/raffles", query_string="page_size=1&page=2", headers=foreign)
    behind = client.simulate_get(
        "/raffles", query_string="page_size=1", headers=foreign | {"X-Forwarded-For": MANAGER}, remote_addr=PROXY
    )

    assert first.json["next"] == behind.json["next"] == "/raffles/?page_size=1&page=2"
    assert second.json["previous"] == "/raffles/?page_size=1&page=1"
    following = client.simulate_get(first.json["next"])
    assert following.json["results"] == second.json["results"]
    for answer in (first, second, behind, client.simulate_get(winners, headers=foreign)):
        assert host not in answer.text + str(answer.headers)


def test_a_new_raffle_is_at_a_path_under_a_foreign_address(post: Post) -> None:
    # An IP address in Host may change things, since no page can choose it.
    created = post("/raffles/", json=RAFFLE, headers={"Host": "203.0.113.66"})
    refused = post("/raffles/", json=RAFFLE, headers={"Host": "evil.example"})

    assert created.headers["Location"] == f"/raffles/{created.json['id']}/"
    assert (refused.status_code, ALLOWED_HOSTS.name in refused.json["detail"]) == (403, True)


@pytest.mark.parametrize(
    ("public_url", "host", "origin", "expected"),
    [
        (None, "127.0.0.1:8080", None, None),
        (None, "localhost:8080", "http://localhost:8080", None),
        (None, "raffle.example", None, "http://raffle.example"),
        (None, "app:8080", "https://raffle.example", "https://raffle.example"),
        (None, "evil.example", None, None),
        ("https://fair.example/raffles", "127.0.0.1:8080", None, "https://fair.example/raffles"),
        ("http://192.0.2.7:8080", "evil.example", "https://evil.example", "http://192.0.2.7:8080"),
    ],
)
def test_codes_for_phones_lead_where_phones_can_go(
    public_url: str | None, host: str, origin: str | None, expected: str | None
) -> None:
    access = Access(replace(SETTINGS, public_url=public_url))
    form = environ(host=host) | {"REQUEST_METHOD": "POST"} | ({"HTTP_ORIGIN": origin} if origin else {})

    assert access.visitors_url(form) == expected


@pytest.mark.parametrize("origin", ["http://evil.example", "http://["])
def test_no_code_leads_to_an_origin_that_is_not_checked(origin: str) -> None:
    asked = environ(host="raffle.example") | {"REQUEST_METHOD": "GET", "HTTP_ORIGIN": origin}

    assert Access(SETTINGS).visitors_url(asked) == "http://raffle.example"
