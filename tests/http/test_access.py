from ipaddress import ip_address, ip_network
from typing import Any

import falcon
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core.settings import ALLOWED_HOSTS, Settings
from rafflekit.http.access import Access

PROXIES = (ip_network("10.0.0.0/24"), ip_network("2001:db8:ffff::/48"))
ACCESS = Access(
    Settings(
        manager_networks=(ip_network("198.51.100.0/28"), ip_network("10.0.0.1"), ip_network("127.0.0.1")),
        trusted_proxies=PROXIES,
        allowed_hosts=frozenset({"raffle.example"}),
    )
)

ADDRESSES = st.one_of(
    st.ip_addresses().map(str), st.integers(0, 255).map("10.0.0.{}".format), st.just("::ffff:10.0.0.9")
)
HOPS = st.one_of(ADDRESSES, ADDRESSES.map("[{}]:443".format), ADDRESSES.map("{}:80".format), st.text(max_size=30))


def environ(peer: str | None = "192.0.2.1", **headers: str) -> dict[str, Any]:
    known: dict[str, Any] = {"wsgi.url_scheme": "http", "SERVER_NAME": "here", "SERVER_PORT": "8080"}
    known |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return known if peer is None else known | {"REMOTE_ADDR": peer}


def who(peer: str | None, forwarded: str | None = None) -> str | None:
    sent = environ(peer) if forwarded is None else environ(peer, x_forwarded_for=forwarded)
    address = ACCESS.client_address(sent)
    return None if address is None else str(address)


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("localhost", None),
        ("", None),
        (None, None),
    ],
)
def test_a_connection_comes_from_its_own_address_or_from_nobody(peer: str | None, expected: str | None) -> None:
    assert who(peer) == expected


def test_a_forwarding_header_of_an_untrusted_sender_does_not_count() -> None:
    assert who("192.0.2.1", "198.51.100.1") == "192.0.2.1"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.2,10.0.0.3", "203.0.113.7"),
        ("203.0.113.7, ::ffff:10.0.0.2", "203.0.113.7"),
        ("203.0.113.7:1234", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("\t203.0.113.7 ", "203.0.113.7"),
    ],
)
@pytest.mark.parametrize("proxy", ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8:ffff::1"])
def test_behind_a_trusted_proxy_the_right_most_other_address_asks(proxy: str, forwarded: str, expected: str) -> None:
    assert who(proxy, forwarded) == expected


@pytest.mark.parametrize(
    "forwarded",
    [
        None,
        "",
        "unknown",
        "10.0.0.2",
        "10.0.0.2, 10.0.0.3",
        "203.0.113.7, unknown",
        "203.0.113.7,",
        "203.0.113.7, , 10.0.0.2",
        "203.0.113.7 198.51.100.1",
        "203.0.113.07",
        "[2001:db8::1",
        "[]",
        ":80",
        "２０３.0.113.7",
    ],
)
def test_an_address_that_cannot_be_told_is_nobodys(forwarded: str | None) -> None:
    assert who("10.0.0.1", forwarded) is None


@given(peer=ADDRESSES, hops=st.lists(HOPS, max_size=5))
def test_no_forwarding_header_makes_anyone_a_trusted_proxy(peer: str, hops: list[str]) -> None:
    address = ACCESS.client_address(environ(peer, x_forwarded_for=", ".join(hops)))

    assert address is None or not any(address in network for network in PROXIES)


@given(known=st.ip_addresses(network="203.0.113.0/24"), forged=st.lists(HOPS, max_size=5))
def test_nothing_left_of_the_address_that_a_proxy_wrote_counts(known: Any, forged: list[str]) -> None:
    assert who("10.0.0.1", ", ".join([*forged, str(known)])) == str(known)


@pytest.mark.parametrize("peer", ["198.51.100.1", "::ffff:198.51.100.1", "198.51.100.15", "127.0.0.1"])
def test_a_listed_address_is_a_manager(peer: str) -> None:
    ACCESS.require_manager(environ(peer))


def test_a_manager_behind_a_trusted_proxy_is_a_manager() -> None:
    ACCESS.require_manager(environ("10.0.0.1", x_forwarded_for="192.0.2.1, 198.51.100.1"))


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("198.51.100.16", {}),
        ("localhost", {}),
        (None, {}),
        ("10.0.0.1", {}),
        ("10.0.0.1", {"x_forwarded_for": "10.0.0.1"}),
        ("10.0.0.1", {"x_forwarded_for": "127.0.0.1, nobody"}),
        ("10.0.0.1", {"x_forwarded_for": "198.51.100.1, 192.0.2.1"}),
        ("192.0.2.1", {"x_forwarded_for": "198.51.100.1"}),
        ("192.0.2.1", {"x_real_ip": "198.51.100.1"}),
        ("192.0.2.1", {"forwarded": "for=198.51.100.1"}),
        ("192.0.2.1", {"client_ip": "198.51.100.1"}),
    ],
)
def test_a_forged_forwarding_header_makes_nobody_a_manager(peer: str | None, headers: dict[str, str]) -> None:
    with pytest.raises(falcon.HTTPForbidden) as refusal:
        ACCESS.require_manager(environ(peer, **headers))

    assert refusal.value.description is not None
    assert "MANAGER_IPS" in refusal.value.description


def test_without_settings_nobody_is_a_manager() -> None:
    with pytest.raises(falcon.HTTPForbidden):
        Access(Settings()).require_manager(environ("127.0.0.1"))


def test_a_participant_is_named_by_its_address() -> None:
    assert ACCESS.participant(environ("::ffff:192.0.2.1")) == "192.0.2.1"


def test_whose_address_cannot_be_told_is_told_why_it_cannot_take_part() -> None:
    with pytest.raises(falcon.HTTPBadRequest) as refusal:
        ACCESS.participant(environ("10.0.0.1"))

    assert refusal.value.description is not None
    assert "X-Forwarded-For" in refusal.value.description


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "127.0.0.1:8080"},
        {"host": "[::1]:8080"},
        {"host": "192.0.2.50"},
        {"host": "localhost:8080"},
        {"host": "LOCALHOST."},
        {"host": "raffles.localhost"},
        {"host": "raffle.example"},
        {"host": "Raffle.Example.:443"},
        {"host": "raffle.example", "origin": "https://raffle.example", "sec_fetch_site": "same-origin"},
        {"host": "192.0.2.50:8080", "origin": "http://192.0.2.50:8080"},
        {"host": "127.0.0.1:8080", "origin": "http://localhost:3000"},
        {"host": "127.0.0.1:8080", "origin": "http://[::1]:3000"},
        {"host": "127.0.0.1:8080", "sec_fetch_site": "none"},
    ],
)
def test_programs_and_this_services_own_pages_may_change_things(headers: dict[str, str]) -> None:
    ACCESS.require_own_page(environ(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "raffle.example.evil.example"},
        {"host": "xraffle.example"},
        {"host": "notlocalhost"},
        {"host": "2130706433"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "evil.example, 127.0.0.1"},
        {"host": "127.0.0.1@evil.example"},
        {"host": ""},
        {"host": "127.0.0.1", "sec_fetch_site": "cross-site"},
        {"host": "127.0.0.1", "sec_fetch_site": "same-site"},
        {"host": "127.0.0.1", "sec_fetch_site": "cross-site, none"},
        {"host": "127.0.0.1", "origin": "null"},
        {"host": "127.0.0.1", "origin": ""},
        {"host": "127.0.0.1", "origin": "https://evil.example"},
        {"host": "127.0.0.1", "origin": "https://evil.example, http://127.0.0.1"},
        {"host": "127.0.0.1", "origin": "http://127.0.0.1:80@evil.example"},
        {"host": "127.0.0.1", "origin": "http://6.6.6.6"},
        {"host": "127.0.0.1", "origin": "file://127.0.0.1"},
        {"host": "raffle.example", "origin": "https://raffle.example.evil.example"},
        {"host": "raffle.example", "origin": "http://localhost"},
        {"host": "192.0.2.50:8080", "origin": "http://127.0.0.1:8080"},
    ],
)
def test_a_foreign_page_is_refused_with_the_settings_name(headers: dict[str, str]) -> None:
    with pytest.raises(falcon.HTTPForbidden) as refusal:
        ACCESS.require_own_page(environ(**headers))

    assert refusal.value.description is not None
    assert ALLOWED_HOSTS.name in refusal.value.description


def test_behind_a_trusted_proxy_its_forwarded_host_is_the_one_that_must_be_allowed() -> None:
    ACCESS.require_own_page(environ("10.0.0.1", host="upstream:8080", x_forwarded_host="raffle.example"))
    with pytest.raises(falcon.HTTPForbidden):
        ACCESS.require_own_page(environ("192.0.2.1", host="upstream:8080", x_forwarded_host="raffle.example"))
    with pytest.raises(falcon.HTTPForbidden):
        ACCESS.require_own_page(environ("10.0.0.1", host="localhost", x_forwarded_host="localhost, evil.example"))


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("192.0.2.1", {"host": "raffle.example:8080"}, "http://raffle.example:8080"),
        ("192.0.2.1", {"host": "[::1]:8080"}, "http://[::1]:8080"),
        ("192.0.2.1", {}, "http://here:8080"),
        ("192.0.2.1", {"host": "not a host"}, "http://here:8080"),
        (
            "192.0.2.1",
            {"host": "here", "x_forwarded_proto": "https", "x_forwarded_host": "evil.example"},
            "http://here",
        ),
        (None, {"host": "here", "x_forwarded_proto": "https", "x_forwarded_host": "evil.example"}, "http://here"),
        (
            "10.0.0.1",
            {"host": "up", "x_forwarded_proto": "https", "x_forwarded_host": "raffle.example"},
            "https://raffle.example",
        ),
        ("10.0.0.1", {"host": "up", "x_forwarded_proto": "HTTPS"}, "https://up"),
        ("10.0.0.1", {"host": "up", "x_forwarded_proto": "http, https"}, "https://up"),
        ("10.0.0.1", {"host": "up", "x_forwarded_proto": "javascript"}, "http://up"),
        ("10.0.0.1", {"host": "up", "x_forwarded_host": "evil.example, raffle.example"}, "http://raffle.example"),
        ("10.0.0.1", {"host": "up", "x_forwarded_host": ""}, "http://up"),
    ],
)
def test_whole_urls_begin_with_what_the_client_called(peer: str | None, headers: dict[str, str], expected: str) -> None:
    assert ACCESS.base_url(environ(peer, **headers)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SERVER_PORT": "80"}, "http://here"),
        ({"SERVER_NAME": "::1"}, "http://[::1]:8080"),
        ({"SCRIPT_NAME": "/under"}, "http://here:8080/under"),
        ({"wsgi.url_scheme": "https", "SERVER_PORT": "443"}, "https://here"),
    ],
)
def test_without_a_host_header_whole_urls_begin_with_the_servers_own_name(
    changes: dict[str, str], expected: str
) -> None:
    assert ACCESS.base_url(environ() | changes) == expected


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_host_and_origin_is_either_let_in_or_refused(host: str, origin: str, site: str) -> None:
    try:
        ACCESS.require_own_page(environ(host=host, origin=origin, sec_fetch_site=site))
    except falcon.HTTPForbidden:
        return
    assert site in ("same-origin", "none")


def test_a_scope_of_an_address_says_nothing_about_who_asks() -> None:
    assert ACCESS.client_address(environ("fe80::2%3")) == ip_address("fe80::2")
