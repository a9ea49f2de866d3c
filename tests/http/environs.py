"""Requests as a WSGI server passes them on, and settings that decide who may do what."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from rafflekit.core.settings import ProxyHeader, Settings
from rafflekit.http.access import Access

PROXIES = (ip_network("10.0.0.0/24"), ip_network("2001:db8:ffff::/48"))
SETTINGS = Settings(
    manager_networks=(ip_network("198.51.100.0/28"), ip_network("10.0.0.1"), ip_network("127.0.0.1")),
    trusted_proxies=PROXIES,
    allowed_hosts=frozenset({"raffle.example"}),
)
ACCESS = Access(SETTINGS)
BY_FORWARDED = Access(replace(SETTINGS, proxy_header=ProxyHeader.FORWARDED))
BY_X_REAL_IP = Access(replace(SETTINGS, proxy_header=ProxyHeader.X_REAL_IP))


def environ(peer: str | None = "192.0.2.1", **headers: str) -> dict[str, Any]:
    known: dict[str, Any] = {"wsgi.url_scheme": "http", "SERVER_NAME": "here", "SERVER_PORT": "8080"}
    known |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return known if peer is None else known | {"REMOTE_ADDR": peer}
