"""Proxies that are not trusted: how a request shows that it came through one, and the warning about it in the log.

Everyone behind such a proxy has the proxy's address. If that address is a manager's, every visitor would be a manager,
so a request that shows such a proxy gets no rights. Anyone can make a request look like this, and loses rights by it.
"""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from rafflekit.core.settings import TRUSTED_PROXIES
from rafflekit.http.forwarded import IpAddress
from rafflekit.http.monitoring.redaction import network_of

FORWARDING_HEADERS = (
    *("Forwarded", "Forwarded-For", "Via", "CDN-Loop", "X-Forwarded*", "X-Original-*", "X-Varnish", "X-Envoy-*"),
    *("X-Scheme", "Front-End-Https", "Surrogate-Capability", "Ali-CDN-*", "X-Sucuri-*", "Incap-*", "Akamai-*"),
    *("X-Real-IP", "X-Client-IP", "Client-IP", "True-Client-IP", "X-Cluster-Client-IP", "X-Originating-IP"),
    *("X-Remote-IP", "X-Remote-Addr", "X-ProxyUser-IP", "Proxy-Client-IP", "WL-Proxy-*", "Tailscale-*"),
    *("CF-*", "Fastly-*", "Fly-*", "CloudFront-*", "X-Amz-Cf-*", "X-Azure-*", "X-ARR-*"),
    *("X-AppEngine-*", "X-Vercel-*", "X-NF-*", "DO-Connecting-IP"),
)
"""The headers that reverse proxies, load balancers and CDNs add to a request; `*` stands for any end of the name."""

_HTTP_1_0 = ("HTTP/1.0", "HTTP/1")
"""How servers call it; the second is Granian's name."""

_WARNING_EVERY_S = 60.0

_log = logging.getLogger(__name__)


def _key(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"


_NAMES = {_key(name): name for name in FORWARDING_HEADERS if not name.endswith("*")}
_BEGINNINGS = {_key(name.removesuffix("*")): name for name in FORWARDING_HEADERS if name.endswith("*")}
_ANY_BEGINNING = tuple(_BEGINNINGS)


def trace_of_proxy(environ: Mapping[str, Any]) -> str | None:
    """Return what shows that a request came through a proxy, or None if nothing does.

    nginx adds no header unless its configuration says so, but before version 1.30 it speaks HTTP/1.0 by default, which
    no browser does. A proxy that adds no header and speaks HTTP/1.1, as nginx 1.30 does, cannot be noticed.
    """
    for key in environ:
        # This is asked for every ticket, and most keys are not headers.
        if key.startswith("HTTP_") and (key in _NAMES or key.startswith(_ANY_BEGINNING)):
            # The name in the list, since the client may have chosen the end of its own.
            name = _NAMES.get(key) or next(_BEGINNINGS[each] for each in _ANY_BEGINNING if key.startswith(each))
            return f"the header {name}"
    return "the use of HTTP/1.0" if environ.get("SERVER_PROTOCOL") in _HTTP_1_0 else None


class ProxyWarnings:
    """Warn about proxies that are not trusted, at most once a minute, since anyone can cause the warning."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet_until = float("-inf")

    def warn(self, address: IpAddress | None, trace: str) -> None:
        """Log that a request came through a proxy: the network of its address, and what shows it."""
        with self._lock:
            now = time.monotonic()
            if now < self._quiet_until:
                return
            self._quiet_until = now + _WARNING_EVERY_S
        _log.warning(
            "A request from %s came through a proxy that is not trusted, as %s shows. Everyone behind such a proxy "
            "counts as one participant, and no one there is a manager. If it is your proxy, list its address in %s.",
            "a socket without an address" if address is None else network_of(address),
            trace,
            TRUSTED_PROXIES.name,
        )
