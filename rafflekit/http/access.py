"""Who is asking, from which page and under which host: addresses, proxies, managers and their passes, whole URLs.

Everything is read from the WSGI environ. Without an address, Falcon's `remote_addr` says 127.0.0.1, and its
`access_route` trusts any sender. Here, a client whose address cannot be determined is neither a participant nor a
manager.
"""

import re
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import falcon

from rafflekit.core.models import DeskPass, Right
from rafflekit.core.protocol.quoting import quoted
from rafflekit.core.settings import (
    ALLOWED_HOSTS,
    DESK_PASSES,
    MANAGER_IPS,
    METRICS_IPS,
    PROXY_HEADER,
    TRUSTED_PROXIES,
    Network,
    ProxyHeader,
    Settings,
)
from rafflekit.core.tickets.participants import canonical_address
from rafflekit.http import forwarded
from rafflekit.http.forwarded import IpAddress
from rafflekit.http.untrusted import ProxyWarnings, trace_of_proxy

PASS_COOKIE = "rafflekit_pass"  # noqa: S105 - the name, not the token
"""The cookie with the token of a desk pass."""

# A dict, in which the pass of a request is kept.
_Environ = dict[str, Any]

# RFC 6750, 2.1, and RFC 6265, 4.2.1.
_BEARER = re.compile(r"(?i:bearer) +([^ ]+) *")
_COOKIE = re.compile(rf"(?:^|;) *{PASS_COOKIE}=([^; ]*)")

# RFC 3986, 3.2.2 and 3.2.3: an IPv6 address in brackets, or a name; the port may be empty.
_HOST = re.compile(r"(?:\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{0,5})?")
_ORIGIN = re.compile(r"https?://(.+)")

_SCHEMES = ("http", "https")
_ANY_PORT = 9

# Fetch Metadata (https://www.w3.org/TR/fetch-metadata/): a page of this origin, or an address that a person typed.
# "same-site" is another host of the domain, so a foreign page; an unknown word is not trusted either.
_OWN_PAGES = ("same-origin", "none")


class _Client(NamedTuple):
    """The nearest address that is not a trusted proxy's, and what shows that it is another proxy's (None: nothing)."""

    address: IpAddress | None
    proxy_trace: str | None = None


class Access:
    """Who is asking, and what they may do, by the settings of a process.

    The methods `require…` raise HTTPForbidden, also if the client's address cannot be determined. `find_pass` returns
    the valid desk pass with a token, or None (`Passes.find`).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        find_pass: Callable[[str], DeskPass | None] = lambda _: None,
        peer_is_proxy: bool = False,
    ) -> None:
        self._peer_is_proxy = peer_is_proxy
        self._find_pass = find_pass
        # Of this object, since one request may pass through several applications.
        self._pass_key = f"rafflekit.pass.{id(self):x}"
        self._passes_required = settings.desk_passes_required
        self._managers = settings.manager_networks
        self._proxies = settings.trusted_proxies
        self._allowed_hosts = settings.allowed_hosts
        self._public_url = settings.public_url
        self._header = settings.proxy_header
        self._header_key = f"HTTP_{settings.proxy_header.upper().replace('-', '_')}"
        self._metrics_readers = settings.metrics_networks
        self._warnings = ProxyWarnings()

    def client_address(self, environ: _Environ) -> IpAddress | None:
        """Return the client's address, or None if it cannot be determined.

        It is the connection's own, unless that is a trusted proxy's. Then it is the right-most address in the
        configured header that is not a trusted proxy's. Clients may have written everything to the left of it, and
        all other headers.
        """
        return self._client(environ).address

    def participant(self, environ: _Environ) -> str:
        """Return the text that names the participant: the client's address.

        People behind a proxy that is not trusted are one participant, since no one vouches for what it says.

        Raises:
            HTTPBadRequest: it cannot be determined.
        """
        address, trace = self._client(environ)
        if trace is not None:
            self._warnings.warn(address, trace)
        if address is None:
            raise falcon.HTTPBadRequest(
                description=f"Your address cannot be determined, so you cannot take part: {self._why_unknown(environ)}"
            )
        return str(address)

    def allows(self, environ: _Environ, right: Right) -> bool:
        """Return whether the client is a manager who has a right."""
        if not self._has_managers_address(environ):
            return False
        if not self._passes_required:
            return True
        shown = self._shown_pass(environ)
        return shown is not None and shown.allows(right)

    def require(self, environ: _Environ, right: Right) -> DeskPass | None:
        """Let managers pass who have a right; return the valid desk pass that they show, if any.

        A manager is a client with a listed address. If the settings require desk passes, it also has to show one with
        the right; otherwise, an address has every right, and a pass only says who it is.
        """
        self.require_address(environ)
        # After the address, so that strangers cannot make the database look tokens up.
        shown = self._shown_pass(environ)
        if self._passes_required:
            if shown is None:
                raise falcon.HTTPForbidden(description=_why_no_pass(environ))
            if not shown.allows(right):
                raise falcon.HTTPForbidden(
                    description=f"The desk pass {quoted(shown.name)} may {' and '.join(sorted(shown.may))} only; this "
                    f"needs a pass that may {right}."
                )
        return shown

    def pass_of(self, environ: _Environ) -> DeskPass | None:
        """Return the valid desk pass that a client with a manager's address shows; None if it shows none."""
        return self._shown_pass(environ) if self._has_managers_address(environ) else None

    def shows_token(self, environ: _Environ) -> bool:
        """Return whether a request shows the token of a desk pass, valid or not."""
        return any(_tokens(environ))

    def require_address(self, environ: _Environ) -> None:
        """Let clients pass with a manager's address, whether they show a desk pass or not."""
        self._require(environ, self._managers, MANAGER_IPS.name)

    def is_encrypted(self, environ: _Environ) -> bool:
        """Return whether the client uses HTTPS, as far as this service or a trusted proxy knows."""
        return self._scheme(environ) == "https"

    def require_metrics_reader(self, environ: _Environ) -> None:
        """Let clients pass that may read the metrics."""
        self._require(environ, self._metrics_readers, METRICS_IPS.name)

    def require_own_page(self, environ: _Environ) -> None:
        """Let requests pass that no foreign page can have made a browser send.

        A browser names the page in `Sec-Fetch-Site` and `Origin`, and in `Host` the name under which it reached this
        service, which a page can choose (DNS rebinding). Programs that send none of these pass.
        """
        public_name = None
        # Both, since a proxy may pass on a host that a page chose.
        for host in (environ.get("HTTP_HOST"), self._forwarded(environ, "host")):
            # Granian makes a missing one empty.
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

    def require_own_form(self, environ: _Environ) -> None:
        """Let forms pass that a page of this service sent: unlike JSON, any site's page can make a browser send one.

        Every browser names the page of a form in `Origin`.
        """
        self.require_own_page(environ)
        if not environ.get("HTTP_ORIGIN"):
            raise _foreign("The form does not say from which page it comes (Origin); programs send JSON.")

    def base_url(self, environ: _Environ) -> str:
        """Return the start of this service's URLs, without a slash at the end: of whole URLs, or else of paths.

        The host of a whole URL is this machine or a listed name. A proxy may give the answer to other clients as well,
        so behind one, only a listed name counts, and a port leads to paths: the client may have chosen both.
        """
        path = str(environ.get("SCRIPT_NAME", ""))
        host = self._forwarded(environ, "host") or environ.get("HTTP_HOST") or ""
        name = _host_name(host)
        if name is None:
            return path
        if self._is_from_proxy(environ) or trace_of_proxy(environ) is not None:
            is_own = name in self._allowed_hosts and host.lower() in (name, f"{name}.")
        else:
            is_own = name in self._allowed_hosts or _is_this_machine(name)
        return f"{self._scheme(environ)}://{host}{path}" if is_own else path

    def visitors_url(self, environ: _Environ) -> str | None:
        """Return the start of URLs that the phones of visitors can open; None if it is not known.

        It is the one of the settings, or else the one at which this page was opened, unless only this machine can open
        that. Call it for a form only after `require_own_form`.
        """
        path = str(environ.get("SCRIPT_NAME", ""))
        if self._public_url is not None:
            return f"{self._public_url}{path}"
        # Behind a proxy that the settings do not name, only the browser knows the service's address. What a GET says
        # of it was not checked.
        origin = environ.get("HTTP_ORIGIN") if environ.get("REQUEST_METHOD") == "POST" else None
        base = f"{origin}{path}" if origin else self.base_url(environ)
        name = urlsplit(base).hostname
        return base if name and not _is_loopback(name) else None

    def _has_managers_address(self, environ: _Environ) -> bool:
        address, trace = self._client(environ)
        return address is not None and trace is None and _is_in(address, self._managers)

    def _shown_pass(self, environ: _Environ) -> DeskPass | None:
        """Return the valid desk pass of a request, which is looked up once."""
        if self._pass_key not in environ:
            passes = map(self._find_pass, _tokens(environ))
            environ[self._pass_key] = next((found for found in passes if found is not None), None)
        shown: DeskPass | None = environ[self._pass_key]
        return shown

    def _client(self, environ: _Environ) -> _Client:
        if not self._is_from_proxy(environ):
            return _Client(_peer(environ), trace_of_proxy(environ))
        # Servers join several headers of one name by commas, as the grammar has it.
        hops = forwarded.addresses(self._header, environ.get(self._header_key, ""))
        for address in hops:
            if address is None or not _is_in(address, self._proxies):
                is_proxy = any(True for _ in hops)
                return _Client(address, f"the list in the header {self._header}" if is_proxy else None)
        return _Client(None)

    def _require(self, environ: _Environ, networks: Iterable[Network], variable: str) -> None:
        address, trace = self._client(environ)
        if address is None or trace is not None:
            reason = f"Your address cannot be determined, so it is not among those in {variable}."
            if trace is not None:
                self._warnings.warn(address, trace)
                cause = f"The request came through a proxy that {TRUSTED_PROXIES.name} does not list, as {trace} shows."
                reason = f"{cause} {reason}"
            raise falcon.HTTPForbidden(description=reason)
        if not _is_in(address, networks):
            raise falcon.HTTPForbidden(description=f"Your address {address} is not listed in {variable}.")

    def _why_unknown(self, environ: _Environ) -> str:
        if not self._is_from_proxy(environ):
            return "your connection has no IP address."
        if self._header_key not in environ:
            return f"the proxy sent no {self._header} header, the one named in {PROXY_HEADER.name}."
        return f"the {self._header} header has an entry that is not an address, or lists only trusted proxies."

    def _is_own_host(self, name: str) -> bool:
        # An IP address is safe in Host (DNS cannot make it point elsewhere), though not in Origin.
        return canonical_address(name) is not None or _is_loopback(name) or name in self._allowed_hosts

    def _is_own_origin(self, origin: str, own_name: str | None) -> bool:
        found = _ORIGIN.fullmatch(origin)
        name = _host_name(found[1]) if found else None
        if name is None:
            return False
        # A page on the visitor's own machine is foreign to a service that is reached under a name or from afar.
        is_own_machine = _is_loopback(name) and (own_name is None or _is_loopback(own_name))
        return name == own_name or is_own_machine or name in self._allowed_hosts

    def _scheme(self, environ: _Environ) -> str:
        given = self._forwarded(environ, "proto")
        return given.lower() if given and given.lower() in _SCHEMES else str(environ["wsgi.url_scheme"])

    def _forwarded(self, environ: _Environ, what: str) -> str | None:
        """Return the host or the protocol of the request to a trusted proxy; None if the proxy does not send it.

        The right-most entry is the nearest proxy's; a client may have sent the others.
        """
        if not self._is_from_proxy(environ):
            return None
        if self._header is ProxyHeader.FORWARDED:
            elements = forwarded.elements(environ.get(self._header_key, ""))
            return elements[-1].get(what) if elements else None
        text = environ.get(f"HTTP_X_FORWARDED_{what.upper()}")
        return None if text is None else str(text).rpartition(",")[2].strip(" \t")

    def _is_from_proxy(self, environ: _Environ) -> bool:
        peer = _peer(environ)
        return self._peer_is_proxy or (peer is not None and _is_in(peer, self._proxies))


def _tokens(environ: _Environ) -> Iterator[str]:
    """Yield the tokens that a request shows: that of a program and that of a browser, at most one of each."""
    for pattern, key in ((_BEARER.fullmatch, "HTTP_AUTHORIZATION"), (_COOKIE.search, "HTTP_COOKIE")):
        found = pattern(environ.get(key, ""))
        if found is not None:
            yield found[1]


def _why_no_pass(environ: _Environ) -> str:
    if any(_tokens(environ)):
        return "This desk pass is not known here, or it has expired or been revoked. Ask for a new one."
    return (
        f"A desk pass is needed here, as {DESK_PASSES.name} says. Open the link of your pass on this device, or send "
        "its token in the header Authorization."
    )


def _peer(environ: _Environ) -> IpAddress | None:
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


def _is_this_machine(name: str) -> bool:
    """Return whether a host is a loopback name or one of this machine's addresses."""
    if _is_loopback(name):
        return True
    address = canonical_address(name)
    if address is None:
        return False
    # A machine reaches its own address from that address. Connecting a datagram socket sends nothing.
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), _ANY_PORT))
            return canonical_address(probe.getsockname()[0]) == address
    except OSError:
        return False


def _foreign(reason: str) -> falcon.HTTPForbidden:
    return falcon.HTTPForbidden(description=f"{reason} {ALLOWED_HOSTS.name} lists the names of this service.")
