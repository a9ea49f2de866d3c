from dataclasses import replace
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any

import falcon
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core.models import Right
from rafflekit.core.settings import MANAGER_IPS, METRICS_IPS, PROXY_HEADER, ProxyHeader, Settings
from rafflekit.http.access import Access
from tests.http.environs import ACCESS, BY_FORWARDED, BY_X_REAL_IP, PROXIES, SETTINGS, environ

EVERY_HEADER = {"x_forwarded_for": "{}", "x_real_ip": "{}", "forwarded": "for={}", "client_ip": "{}", "via": "1.1 {}"}

ADDRESSES = st.one_of(
    st.ip_addresses().map(str), st.integers(0, 255).map("10.0.0.{}".format), st.just("::ffff:10.0.0.9")
)
HOPS = st.one_of(ADDRESSES, ADDRESSES.map("[{}]:443".format), ADDRESSES.map("{}:80".format), st.text(max_size=30))


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
def test_a_direct_clients_address_is_its_connections(peer: str | None, expected: str | None) -> None:
    assert who(peer) == expected


def test_a_forwarding_header_of_a_stranger_does_not_count() -> None:
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
        ("2001:db8::1:443", "2001:db8::1:443"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:443", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("64:ff9b::203.0.113.7", "64:ff9b::cb00:7107"),
        ("\t203.0.113.7 ", "203.0.113.7"),
    ],
)
@pytest.mark.parametrize("proxy", ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8:ffff::1"])
def test_behind_a_proxy_the_right_most_address_counts(proxy: str, forwarded: str, expected: str) -> None:
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
        "[2001:db8::1]443",
        "[2001:db8::1]:",
        "[203.0.113.7]",
        "[]",
        ":80",
        "203.0.113.7:80:80",
        "203.0.113.7%eth0",
        "fe80::1%",
        "203.0.113.7\n",
        "for=203.0.113.7",
        "2001:db8::1%" + "x" * 60,
        "２０３.0.113.7",
    ],
)
def test_an_unreadable_address_is_unknown(forwarded: str | None) -> None:
    assert who("10.0.0.1", forwarded) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" [2001:db8::1]:443\t", "2001:db8::1"),
        ("203.0.113.7, 203.0.113.8", None),
        ("203.0.113.7,", None),
        ("203.0.113.7\x0b", None),
        ("10.0.0.2", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_x_real_ip_is_one_address_or_unknown(header: str, expected: str | None) -> None:
    address = BY_X_REAL_IP.client_address(environ("10.0.0.1", x_real_ip=header))

    assert (address and str(address)) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("for=203.0.113.7", "203.0.113.7"),
        ("for=198.51.100.1, for=203.0.113.7;proto=http, for=10.0.0.2;by=10.0.0.3", "203.0.113.7"),
        ('for="[2001:db8::1]:4711"', "2001:db8::1"),
        ("by=198.51.100.1;for=203.0.113.7", "203.0.113.7"),
        ("for=198.51.100.1, for=unknown", None),
        ("for=198.51.100.1, for=_hidden", None),
        ("for=198.51.100.1, by=203.0.113.7", None),
        ("for=198.51.100.1, for=10.0.0.2", "198.51.100.1"),
        ("for=10.0.0.2", None),
        ('for=198.51.100.1, for="203.0.113.7', None),
        ("", None),
    ],
)
def test_forwarded_is_walked_like_the_other_list(header: str, expected: str | None) -> None:
    address = BY_FORWARDED.client_address(environ("10.0.0.1", forwarded=header))

    assert (address and str(address)) == expected


@pytest.mark.parametrize(
    ("access", "header"),
    [(ACCESS, "x_forwarded_for"), (BY_FORWARDED, "forwarded"), (BY_X_REAL_IP, "x_real_ip")],
)
def test_a_proxy_is_trusted_in_one_header_only(access: Access, header: str) -> None:
    others = {name: form.format("198.51.100.1") for name, form in EVERY_HEADER.items() if name != header}

    assert access.client_address(environ("10.0.0.1", **others)) is None
    right = {header: EVERY_HEADER[header].format("203.0.113.7")}
    assert access.client_address(environ("10.0.0.1", **others | right)) == ip_address("203.0.113.7")


@given(peer=ADDRESSES, hops=st.lists(HOPS, max_size=5))
def test_no_forwarding_header_makes_anyone_a_trusted_proxy(peer: str, hops: list[str]) -> None:
    address = ACCESS.client_address(environ(peer, x_forwarded_for=", ".join(hops)))

    assert address is None or not any(address in network for network in PROXIES)


@given(known=st.ip_addresses(network="203.0.113.0/24"), forged=st.lists(HOPS, max_size=5))
def test_text_left_of_a_proxys_address_does_not_count(known: Any, forged: list[str]) -> None:
    assert who("10.0.0.1", ", ".join([*forged, str(known)])) == str(known)


@pytest.mark.parametrize("peer", ["198.51.100.1", "::ffff:198.51.100.1", "198.51.100.15", "127.0.0.1"])
def test_a_listed_address_is_a_manager(peer: str) -> None:
    ACCESS.require(environ(peer), Right.MANAGE)


def test_a_manager_behind_a_trusted_proxy_is_a_manager() -> None:
    ACCESS.require(environ("10.0.0.1", x_forwarded_for="198.51.100.1"), Right.MANAGE)
    ACCESS.require(environ("10.0.0.1", x_forwarded_for="198.51.100.1, 10.0.0.9"), Right.MANAGE)


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
def test_a_forged_forwarding_header_makes_no_manager(peer: str | None, headers: dict[str, str]) -> None:
    with pytest.raises(falcon.HTTPForbidden) as refusal:
        ACCESS.require(environ(peer, **headers), Right.MANAGE)

    assert refusal.value.description is not None
    assert "MANAGER_IPS" in refusal.value.description


def test_without_settings_there_are_no_managers() -> None:
    with pytest.raises(falcon.HTTPForbidden):
        Access(Settings()).require(environ("127.0.0.1"), Right.MANAGE)


def test_a_refusal_names_the_address_and_the_setting() -> None:
    readers = Access(replace(SETTINGS, metrics_networks=(ip_network("203.0.113.0/28"),)))
    readers.require_metrics_reader(environ("203.0.113.15"))
    for require, variable in (
        (partial(readers.require, right=Right.MANAGE), MANAGER_IPS.name),
        (readers.require_metrics_reader, METRICS_IPS.name),
    ):
        for peer, sentence in (
            ("192.0.2.1", "Your address 192.0.2.1 is not listed in {}."),
            (None, "Your address cannot be determined, so it is not among those in {}."),
        ):
            with pytest.raises(falcon.HTTPForbidden) as refusal:
                require(environ(peer))
            assert refusal.value.description == sentence.format(variable)

    # This setting does not include the managers.
    with pytest.raises(falcon.HTTPForbidden):
        readers.require_metrics_reader(environ("198.51.100.1"))


def test_a_participant_is_named_by_its_address() -> None:
    assert ACCESS.participant(environ("::ffff:192.0.2.1")) == "192.0.2.1"


@pytest.mark.parametrize(
    ("access", "sent", "why"),
    [
        (
            ACCESS,
            environ("10.0.0.1"),
            f"sent no X-Forwarded-For header, the one named in {PROXY_HEADER.name}",
        ),
        (BY_FORWARDED, environ("10.0.0.1", x_forwarded_for="203.0.113.7"), "sent no Forwarded header"),
        (ACCESS, environ("10.0.0.1", x_forwarded_for="unknown"), "the X-Forwarded-For header has an entry that is not"),
        (BY_X_REAL_IP, environ("10.0.0.1", x_real_ip="10.0.0.2"), "or lists only trusted proxies"),
        (ACCESS, environ(None), "your connection has no IP address"),
    ],
)
def test_a_client_without_an_address_learns_why(access: Access, sent: dict[str, Any], why: str) -> None:
    with pytest.raises(falcon.HTTPBadRequest) as refusal:
        access.participant(sent)

    assert refusal.value.description is not None
    assert why in refusal.value.description


def test_a_connection_without_an_address_is_refused_as_such() -> None:
    with pytest.raises(falcon.HTTPBadRequest) as refusal:
        ACCESS.participant(environ("localhost"))

    assert refusal.value.description == (
        "Your address cannot be determined, so you cannot take part: your connection has no IP address."
    )


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        (ProxyHeader.X_FORWARDED_FOR, {"x_forwarded_for": "203.0.113.7"}),
        (ProxyHeader.FORWARDED, {"forwarded": "for=203.0.113.7"}),
        (ProxyHeader.X_REAL_IP, {"x_real_ip": "203.0.113.7"}),
    ],
)
def test_only_the_settings_decide_what_counts(header: ProxyHeader, sent: dict[str, str]) -> None:
    # Made here and not at import, so that a mistake in the making fails this test.
    access = Access(replace(SETTINGS, proxy_header=header))

    assert access.participant(environ("10.0.0.1", **sent)) == "203.0.113.7"
    access.require_own_page(environ(host="raffle.example"))
    with pytest.raises(falcon.HTTPForbidden):
        access.require_own_page(environ(host="another.example"))


def test_the_scope_of_an_address_is_ignored() -> None:
    assert ACCESS.client_address(environ("fe80::2%3")) == ip_address("fe80::2")
