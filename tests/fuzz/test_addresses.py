"""Addresses, networks and hosts: any text is read as other programs read it, or not at all."""

import socket
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import falcon
from hypothesis import strategies as st

from rafflekit import InvalidSetting
from rafflekit.core.settings import Settings
from rafflekit.core.tickets.participants import canonical_address, normalise
from tests.fuzz.cases import damaged, fuzz, outcome
from tests.http.environs import ACCESS, environ

ADDRESSES = st.ip_addresses() | st.integers(0, 2**32 - 1).map(lambda number: IPv6Address(number | 0xFFFF << 32))
SPELLED = ADDRESSES.map(str) | ADDRESSES.map(lambda address: address.exploded.upper())
TEXTS = damaged(SPELLED | st.just("fe80::1%eth0"), alphabet="0123456789aAfFgx.:%[]/ \u0663\n") | st.text()
NETWORKS = st.one_of(
    SPELLED,
    st.ip_addresses(v=4, network="10.0.0.0/8").map(lambda address: f"{ip_network(f'{address}/20', strict=False)}"),
    st.ip_addresses(v=6).map(lambda address: f"{ip_network(f'{address}/56', strict=False)}"),
)
HOSTS = ["raffle.example", "127.0.0.1", "[::1]", "localhost", "a.localhost.", "evil.example", "192.0.2.50"]
OWN = ("raffle.example", "localhost", "127.0.0.1", "::1")


def by_the_c_library(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address as inet_pton does; IPv4-mapped ones are IPv4."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            address = ip_address(socket.inet_pton(family, text))
        except (OSError, ValueError):
            continue
        return getattr(address, "ipv4_mapped", None) or address
    return None


@fuzz(text=TEXTS)
def test_an_address_is_what_the_c_library_takes_for_one(text: str) -> None:
    address, zone, _ = text.partition("%")
    expected = by_the_c_library(address)
    read = canonical_address(text)

    # The C library knows no zones here.
    assert read == expected or (zone and read is None)
    assert read is None or canonical_address(str(read)) == read


@fuzz(text=TEXTS | st.text(st.characters(categories=["L", "M", "N", "Z", "P"])))
def test_a_normalised_participant_stays_the_same(text: str) -> None:
    spelling = normalise(text)

    assert normalise(spelling) == spelling
    assert normalise(f"\t {text}\n") == spelling


@fuzz(one=ADDRESSES, other=ADDRESSES, bit=st.sampled_from([0, 1, 32, 63, 64, 65, 127]))
def test_only_addresses_in_one_ipv6_64_are_one_participant(
    one: IPv4Address | IPv6Address, other: IPv4Address | IPv6Address, bit: int
) -> None:
    def group(address: IPv4Address | IPv6Address) -> tuple[int, int]:
        number = int(address)
        if address.version == 6 and number >> 32 != 0xFFFF:
            return 6, number >> 64
        return 4, number & 0xFFFFFFFF

    neighbour = IPv6Address(int(one) ^ 1 << bit) if one.version == 6 else other
    for pair in ((one, other), (one, neighbour)):
        names = {normalise(str(address)) for address in pair}
        assert len(names) == len({group(address) for address in pair})


@fuzz(texts=st.lists(damaged(NETWORKS, alphabet="0123456789af.:/, %;"), max_size=3))
def test_a_list_of_networks_is_read_whole_or_stops_the_start(texts: list[str]) -> None:
    value = ",".join(texts)
    environment = {"MANAGER_IPS": value, "RAFFLEKIT_TRUSTED_PROXIES": value}

    settings = outcome(InvalidSetting, lambda: Settings.from_env(environment))

    if isinstance(settings, InvalidSetting):
        assert (settings.variable, settings.value in value) == ("MANAGER_IPS", True)
        return
    networks = settings.manager_networks
    assert len(networks) == (len(value.split(",")) if value.strip() else 0)
    written = ",".join(map(str, networks))
    assert Settings.from_env({"MANAGER_IPS": written}).manager_networks == networks == settings.trusted_proxies


@fuzz(text=damaged(st.sampled_from(HOSTS), alphabet="aZ0.-_,:[] /\xfc\u212a") | st.text())
def test_a_setting_is_read_whole_or_stops_the_start(text: str) -> None:
    for variable in ("RAFFLEKIT_ALLOWED_HOSTS", "RAFFLEKIT_PROXY_HEADER"):
        settings = outcome(InvalidSetting, partial(Settings.from_env, {variable: text}))
        if isinstance(settings, InvalidSetting):
            assert (settings.variable, settings.value in text) == (variable, True)
        else:
            again = {variable: ",".join(settings.allowed_hosts) if "HOSTS" in variable else settings.proxy_header}
            assert Settings.from_env(again) == settings


@fuzz(
    host=st.sampled_from(HOSTS) | damaged(st.sampled_from(HOSTS), alphabet="a.:@[]/%, 1"),
    other=st.none() | st.sampled_from(HOSTS),
    front=st.sampled_from(["", "", "a", "a.", "user@", "[", "evil.example/"]),
    back=st.sampled_from(
        ["", "", ":8080", ".", ".evil.example", "@evil.example", "/", "?", "#", "\\", ":", ", http://a"]
    ),
)
def test_an_admitted_page_is_on_one_of_our_hosts_for_urllib_too(
    host: str, other: str | None, front: str, back: str
) -> None:
    origin = f"http://{front}{other or host}{back}"
    try:
        ACCESS.require_own_page(environ(host=host, origin=origin))
    except falcon.HTTPForbidden:
        return
    name, own = urlsplit(origin).hostname, urlsplit(f"//{host}").hostname
    assert name is not None
    assert own is not None
    name, own = name.removesuffix("."), own.removesuffix(".")
    assert own in OWN or own.endswith(".localhost") or by_the_c_library(own) is not None
    assert name in OWN or name.endswith(".localhost") or name == own


@fuzz(
    peer=st.sampled_from(["192.0.2.1", "10.0.0.1"]),
    host=damaged(st.sampled_from(HOSTS), alphabet="a.:@[]/%, 1"),
    named=st.just("") | damaged(st.sampled_from(HOSTS), alphabet="a.:@[]/%, 1"),
)
def test_a_whole_url_is_on_one_of_our_hosts_for_urllib_too(peer: str, host: str, named: str) -> None:
    url = urlsplit(ACCESS.base_url(environ(peer, host=host, x_forwarded_host=named)))

    name = (url.hostname or "").removesuffix(".")
    address = by_the_c_library(name)
    if peer == "10.0.0.1":
        assert url.netloc.lower() in ("", "raffle.example", "raffle.example.")
    else:
        assert name in ("", *OWN) or name.endswith(".localhost") or (address is not None and address.is_loopback)
    assert (url.scheme, url.path) in (("", ""), ("http", ""))
