"""Which pages may make a browser change something."""

from typing import Any

import falcon
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core.settings import ALLOWED_HOSTS
from rafflekit.http.access import Access
from tests.http.environs import ACCESS, BY_FORWARDED, environ


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "127.0.0.1:8080"},
        {"host": "[::1]:8080"},
        {"host": "192.0.2.50"},
        {"host": "localhost:8080"},
        {"host": "localhost:"},
        {"host": ""},
        {"host": "LOCALHOST."},
        {"host": "raffles.localhost"},
        {"host": "raffle.example"},
        {"host": "Raffle.Example.:443"},
        {"host": "raffle.example", "origin": "https://raffle.example", "sec_fetch_site": "same-origin"},
        {"host": "192.0.2.50:8080", "origin": "http://192.0.2.50:8080"},
        {"host": "127.0.0.1:8080", "origin": "http://localhost:3000"},
        {"host": "127.0.0.1:8080", "origin": "http://[::1]:3000"},
        {"host": "127.0.0.1:8080", "sec_fetch_site": "none"},
        {"host": "192.0.2.50", "origin": "https://raffle.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://127.0.0.1:3000"},
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
        {"host": "evil.raffle.example"},
        {"host": "notlocalhost"},
        {"host": "2130706433"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "evil.example, 127.0.0.1"},
        {"host": "127.0.0.1@evil.example"},
        {"host": "[127.0.0.1]"},
        {"host": "[localhost]"},
        {"host": "::1"},
        {"host": "[fe80::1%25eth0]"},
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
        {"host": "raffle.example", "origin": "https://evilraffle.example"},
        {"host": "raffle.example", "origin": "https://evil.raffle.example"},
        {"host": "raffle.example", "origin": "http://localhost"},
        {"host": "", "origin": "https://evil.example"},
        {"host": "192.0.2.50:8080", "origin": "http://127.0.0.1:8080"},
    ],
)
def test_a_foreign_page_is_refused_with_the_settings_name(headers: dict[str, str]) -> None:
    with pytest.raises(falcon.HTTPForbidden) as refusal:
        ACCESS.require_own_page(environ(**headers))

    assert refusal.value.description is not None
    assert ALLOWED_HOSTS.name in refusal.value.description


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"host": "evil.example"}, "The host 'evil.example' is not one of this service's."),
        ({"sec_fetch_site": "same-site"}, "The request comes from a page of another site."),
        (
            {"host": "127.0.0.1", "origin": "https://evil.example"},
            "The request comes from a page of 'https://evil.example', which is not this service.",
        ),
    ],
)
def test_a_refusal_says_what_was_foreign(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(falcon.HTTPForbidden) as refusal:
        ACCESS.require_own_page(environ(**headers))

    hint = f"{ALLOWED_HOSTS.name} lists the names of this service."
    assert refusal.value.description == f"{reason} {hint}"


@pytest.mark.parametrize(
    ("access", "headers"),
    [
        (ACCESS, {"x_forwarded_host": "{}"}),
        (ACCESS, {"x_forwarded_host": "localhost, {}"}),
        (BY_FORWARDED, {"forwarded": "for=192.0.2.9;host={}"}),
        (BY_FORWARDED, {"forwarded": 'for=192.0.2.9;host=localhost, for=10.0.0.2;Host="{}"'}),
    ],
)
def test_the_host_that_a_proxy_names_must_be_this_services(access: Access, headers: dict[str, str]) -> None:
    def sent(peer: str, name: str, **others: str) -> dict[str, Any]:
        return environ(peer, **{header: form.format(name) for header, form in headers.items()}, **others)

    access.require_own_page(sent("10.0.0.1", "raffle.example", host="10.0.0.9", origin="https://raffle.example"))
    access.require_own_page(sent("192.0.2.1", "evil.example", host="10.0.0.9"))
    for header, others in (
        ("evil.example", {"host": "10.0.0.9"}),
        ("evil.example", {"host": ""}),
        # A page whose evil.example points to the proxy may send any header, and the proxy may pass it on.
        ("raffle.example", {"host": "evil.example"}),
        ("raffle.example", {"host": "10.0.0.9", "origin": "http://evil.example"}),
    ):
        with pytest.raises(falcon.HTTPForbidden):
            access.require_own_page(sent("10.0.0.1", header, **others))


@pytest.mark.parametrize("header", ["Xraffle.example", "raffle.example\x0b", "raffle.example, evil.example"])
def test_only_blanks_are_stripped_from_a_proxys_host(header: str) -> None:
    ACCESS.require_own_page(environ("10.0.0.1", x_forwarded_host="evil.example,\traffle.example "))
    with pytest.raises(falcon.HTTPForbidden):
        ACCESS.require_own_page(environ("10.0.0.1", x_forwarded_host=header))


def test_behind_a_proxy_own_pages_are_of_the_host_it_names() -> None:
    def sent(origin: str) -> dict[str, Any]:
        return environ("10.0.0.1", host="10.0.0.9", x_forwarded_host="192.0.2.50", origin=origin)

    ACCESS.require_own_page(sent("http://192.0.2.50"))
    with pytest.raises(falcon.HTTPForbidden):
        ACCESS.require_own_page(sent("http://10.0.0.9"))


def test_only_forwarded_counts_if_it_is_configured() -> None:
    others = {"x_forwarded_host": "evil.example", "x_forwarded_proto": "https"}
    sent = environ("10.0.0.1", host="raffle.example", forwarded="for=192.0.2.9", **others)

    BY_FORWARDED.require_own_page(sent)
    assert BY_FORWARDED.base_url(sent) == "http://raffle.example"


def test_a_silent_proxy_leaves_host_and_protocol_unchanged() -> None:
    sent = environ("10.0.0.1", host="raffle.example")

    for access in (ACCESS, BY_FORWARDED):
        access.require_own_page(sent)
        assert access.base_url(sent) == "http://raffle.example"


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_host_and_origin_is_either_let_in_or_refused(host: str, origin: str, site: str) -> None:
    try:
        ACCESS.require_own_page(environ(host=host, origin=origin, sec_fetch_site=site))
    except falcon.HTTPForbidden:
        return
    assert site in ("same-origin", "none")
