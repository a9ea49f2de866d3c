"""Who is asking, from which page and under which host: addresses, proxies, managers, whole URLs.

Everything is read from the WSGI environ. Falcon's `remote_addr` says 127.0.0.1 where there is no address, and its
`access_route` believes any sender; here a request whose address cannot be told comes from nobody.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import falcon

from rafflekit.core.settings import (
    ALLOWED_HOSTS,
    MANAGER_IPS,
    METRICS_IPS,
    PROXY_HEADER,
    Network,
    ProxyHeader,
    Settings,
)
from rafflekit.core.tickets.participants import canonical_address
from rafflekit.http import forwarded
from rafflekit.http.forwarded import IpAddress

Environ = Mapping[str, Any]

# RFC 3986, 3.2.2 and 3.2.3: an IPv6 address in brackets, or a name; the port may be empty.
_HOST = re.compile(r"(?:\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{0,5})?")
_ORIGIN = re.compile(r"https?://(.+)")

_SCHEMES = ("http", "https")
_DEFAULT_PORTS = {"http": "80", "https": "443"}

# Fetch Metadata (https://www.w3.org/TR/fetch-metadata/): a page of this very origin, or a person's own doing.
# "same-site" is another host of the domain, which is another's page; an unknown word is not trusted either.
_OWN_PAGES = ("same-origin", "none")


class Access:
    """Tell who is asking, by the settings of a process."""

    def __init__(self, settings: Settings) -> None:
        self._managers = settings.manager_networks
        self._proxies = settings.trusted_proxies
        self._allowed_hosts = settings.allowed_hosts
        self._header = settings.proxy_header
        self._header_key = _key(settings.proxy_header)
        self._metrics_readers = settings.metrics_networks

    def client_address(self, environ: Environ) -> IpAddress | None:
        """Return the address that asks, or None if it cannot be told.

        It is the connection's own, unless that is a trusted proxy's: then the right-most address of the one header
        that counts which is no trusted proxy's. What stands left of it, and in other headers, anybody may have written.
        """
        if not self._is_from_proxy(environ):
            return _peer(environ)
        # Servers join several headers of one name by commas, as the grammar has it.
        for address in forwarded.addresses(self._header, environ.get(self._header_key, "")):
            if address is None or not _is_in(address, self._proxies):
                return address
        return None

    def participant(self, environ: Environ) -> str:
        """Return the text that names the participant who asks: its address.

        Raises:
            HTTPBadRequest: it cannot be told.
        """
        address = self.client_address(environ)
        if address is None:
            raise falcon.HTTPBadRequest(
                description=f"Your address cannot be told, so it cannot take part: {self._why_nobody(environ)}"
            )
        return str(address)

    def require_manager(self, environ: Environ) -> None:
        """Let managers pass.

        Raises:
            HTTPForbidden: the address is no manager's, or cannot be told.
        """
        self._require(environ, self._managers, f"is none of the managers' addresses, which {MANAGER_IPS.name} lists.")

    def require_metrics_reader(self, environ: Environ) -> None:
        """Let those pass who may read the metrics.

        Raises:
            HTTPForbidden: the address is none of theirs, or cannot be told.
        """
        self._require(
            environ, self._metrics_readers, f"may not read the metrics; {METRICS_IPS.name} lists those that may."
        )

    def require_own_page(self, environ: Environ) -> None:
        """Let requests pass that no foreign page can have made a browser send.

        A browser names the page in `Sec-Fetch-Site` and `Origin`, and in `Host` the name that a page may have bent
        to this address (DNS rebinding). Programs that send none of these pass.

        Raises:
            HTTPForbidden: one of them is foreign.
        """
        public_name = None
        # Both, since a proxy may pass on what a page told it that the host is.
        for host in (environ.get("HTTP_HOST"), self._told(environ, "host")):
            # Without one, Granian makes it empty.
            if not host:
                continue
            public_name = _host_name(host)
            if public_name is None or not self._is_own_host(public_name):
                raise _foreign(f"The host {host!r} is not one of this service's.")
        if environ.get("HTTP_SEC_FETCH_SITE", "none") not in _OWN_PAGES:
            raise _foreign("The request comes from a page of another site.")
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and not self._is_own_origin(origin, public_name):
            raise _foreign(f"The request comes from a page of {origin!r}, which is not this service.")

    def base_url(self, environ: Environ) -> str:
        """Return the beginning of this service's whole URLs, without a slash at the end."""
        host = self._told(environ, "host") or environ.get("HTTP_HOST")
        if host is None or not _HOST.fullmatch(host):
            host = _server_host(environ)
        return f"{self._scheme(environ)}://{host}{environ.get('SCRIPT_NAME', '')}"

    def _require(self, environ: Environ, networks: Iterable[Network], refusal: str) -> None:
        address = self.client_address(environ)
        if address is None or not _is_in(address, networks):
            shown = "Your address cannot be told, so it" if address is None else f"Your address {address}"
            raise falcon.HTTPForbidden(description=f"{shown} {refusal}")

    def _why_nobody(self, environ: Environ) -> str:
        if _peer(environ) is None:
            return "its connection has no IP address."
        if self._header_key not in environ:
            return f"the proxy sent no {self._header} header, which is the one that {PROXY_HEADER.name} names."
        return f"the {self._header} header has an entry that is no address, or names trusted proxies only."

    def _is_own_host(self, name: str) -> bool:
        # An address is safe in Host, though not in Origin: nobody can bend an address to another one.
        return canonical_address(name) is not None or _is_loopback(name) or name in self._allowed_hosts

    def _is_own_origin(self, origin: str, own_name: str | None) -> bool:
        found = _ORIGIN.fullmatch(origin)
        name = _host_name(found[1]) if found else None
        if name is None:
            return False
        # A page on the visitor's own machine is another's to a service that is reached under a name or from afar.
        is_own_machine = _is_loopback(name) and (own_name is None or _is_loopback(own_name))
        return name == own_name or is_own_machine or name in self._allowed_hosts

    def _scheme(self, environ: Environ) -> str:
        told = self._told(environ, "proto")
        return told.lower() if told and told.lower() in _SCHEMES else str(environ["wsgi.url_scheme"])

    def _told(self, environ: Environ, what: str) -> str | None:
        """Return the host or the protocol by which a trusted proxy was asked, None if it does not tell.

        The right-most entry is the nearest proxy's; a client may have sent the others.
        """
        if not self._is_from_proxy(environ):
            return None
        if self._header is ProxyHeader.FORWARDED:
            elements = forwarded.elements(environ.get(self._header_key, ""))
            return elements[-1].get(what) if elements else None
        text = environ.get(f"HTTP_X_FORWARDED_{what.upper()}")
        return None if text is None else str(text).rpartition(",")[2].strip(" \t")

    def _is_from_proxy(self, environ: Environ) -> bool:
        peer = _peer(environ)
        return peer is not None and _is_in(peer, self._proxies)


def _key(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


def _peer(environ: Environ) -> IpAddress | None:
    return canonical_address(environ.get("REMOTE_ADDR", ""))


def _is_in(address: IpAddress, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _host_name(host: str) -> str | None:
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower().removesuffix(".") if found else None


def _is_loopback(name: str) -> bool:
    # RFC 6761, 6.3: localhost and every name below it.
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = canonical_address(name)
    return address is not None and address.is_loopback


def _server_host(environ: Environ) -> str:
    name, port = environ["SERVER_NAME"], environ["SERVER_PORT"]
    shown = f"[{name}]" if ":" in name else name
    return shown if port == _DEFAULT_PORTS.get(environ["wsgi.url_scheme"]) else f"{shown}:{port}"


def _foreign(reason: str) -> falcon.HTTPForbidden:
    return falcon.HTTPForbidden(
        description=f"{reason} {ALLOWED_HOSTS.name} lists the names under which this service is reached."
    )
