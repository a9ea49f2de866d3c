"""The settings from the environment, read once and checked: only the faces call `Settings.from_env(os.environ)`.

A value that cannot be read stops the program at its start, with the variable, the value and the reason.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from rafflekit.core import limits
from rafflekit.core.errors import InvalidSetting

if TYPE_CHECKING:
    from rafflekit.core.protocol.codes import CodeHasher

Network = IPv4Network | IPv6Network


class Variable(NamedTuple):
    """An environment variable: its name, its purpose, and its default."""

    name: str
    purpose: str
    default: str


DATABASE_URL = Variable(
    "RAFFLEKIT_DATABASE_URL",
    "where the raffles are stored, e.g. sqlite:////srv/raffles.db or postgresql://user@host/raffles",
    "a file in the user's data folder",
)
MANAGER_IPS = Variable(
    "MANAGER_IPS",
    "addresses and networks of the managers, who may create and draw over HTTP, separated by commas",
    "no managers",
)
DESK_PASSES = Variable(
    "RAFFLEKIT_DESK_PASSES",
    "'required' if a manager needs a desk pass as well as a listed address",
    "an address is enough",
)
TRUSTED_PROXIES = Variable(
    "RAFFLEKIT_TRUSTED_PROXIES",
    "addresses and networks of trusted proxies, separated by commas",
    "no proxies",
)
PROXY_HEADER = Variable(
    "RAFFLEKIT_PROXY_HEADER",
    "the one header in which those proxies send the client's address: X-Forwarded-For, Forwarded or X-Real-IP",
    "X-Forwarded-For",
)
ALLOWED_HOSTS = Variable(
    "RAFFLEKIT_ALLOWED_HOSTS",
    "host names of this service, separated by commas",
    "only IP addresses and localhost",
)
PUBLIC_URL = Variable(
    "RAFFLEKIT_PUBLIC_URL",
    "the address at which visitors open this service, for links and QR codes, e.g. https://raffle.example; its host "
    "counts as listed in RAFFLEKIT_ALLOWED_HOSTS",
    "the address at which a page is opened",
)
SIGNING_KEY = Variable(
    "RAFFLEKIT_SIGNING_KEY",
    "file with the key that signs the raffles' ledgers; all servers of a database need the same one",
    "a file next to a SQLite database, created when first needed; on PostgreSQL, a server does not start",
)
KEY_NAME = "rafflekit"
"""The default name of a signing key in its signatures."""

METRICS_IPS = Variable(
    "RAFFLEKIT_METRICS_IPS",
    "addresses and networks that may read /metrics, separated by commas",
    "the addresses in MANAGER_IPS",
)
DRAND_RELAYS = Variable(
    "RAFFLEKIT_DRAND_RELAYS",
    "URLs of the drand relays to fetch beacons from, separated by commas",
    "drand's own relays",
)
IPV6_PREFIX = Variable(
    "RAFFLEKIT_IPV6_PREFIX",
    "bits of an IPv6 address that say which participant it is, from 48 (a site) to 128 (a single address)",
    str(limits.IPV6_PREFIX),
)
ARGON2_TIME_COST = Variable("RAFFLEKIT_ARGON2_TIME_COST", "Argon2id passes for the hash of a verification code", "1")
ARGON2_MEMORY_KIB = Variable(
    "RAFFLEKIT_ARGON2_MEMORY_KIB", "Argon2id memory for the hash of a verification code, in KiB", "8"
)

VARIABLES = (
    DATABASE_URL,
    MANAGER_IPS,
    DESK_PASSES,
    TRUSTED_PROXIES,
    PROXY_HEADER,
    ALLOWED_HOSTS,
    PUBLIC_URL,
    SIGNING_KEY,
    DRAND_RELAYS,
    METRICS_IPS,
    IPV6_PREFIX,
    ARGON2_TIME_COST,
    ARGON2_MEMORY_KIB,
)
"""All variables that are read, for help texts and docs."""

# A host's name has no underscores, but the names of many containers do.
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_REQUIRED = "required"
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


class ProxyHeader(StrEnum):
    """A header in which proxies pass the client's address."""

    X_FORWARDED_FOR = "X-Forwarded-For"
    FORWARDED = "Forwarded"
    X_REAL_IP = "X-Real-IP"


@dataclass(frozen=True)
class Settings:
    """The settings of one process. None, or an empty tuple of relays, means the engine's default."""

    # It may hold a password.
    database_url: str | None = field(default=None, repr=False)
    manager_networks: tuple[Network, ...] = ()
    desk_passes_required: bool = False
    trusted_proxies: tuple[Network, ...] = ()
    proxy_header: ProxyHeader = ProxyHeader.X_FORWARDED_FOR
    allowed_hosts: frozenset[str] = frozenset()
    public_url: str | None = None
    """Without a slash at its end."""
    signing_key: Path | None = None
    drand_relays: tuple[str, ...] = ()
    metrics_networks: tuple[Network, ...] = ()
    ipv6_prefix: int = limits.IPV6_PREFIX
    code_hasher: "CodeHasher | None" = None

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from an environment.

        Raises:
            InvalidSetting: a value cannot be read.
        """
        managers = _networks(environment, MANAGER_IPS)
        public_url = _public_url(environment)
        return cls(
            database_url=environment.get(DATABASE_URL.name, "").strip() or None,
            manager_networks=managers,
            desk_passes_required=_desk_passes_required(environment),
            trusted_proxies=_networks(environment, TRUSTED_PROXIES),
            proxy_header=_proxy_header(environment),
            allowed_hosts=_allowed_hosts(environment, public_url),
            public_url=public_url,
            signing_key=Path(key) if (key := environment.get(SIGNING_KEY.name, "").strip()) else None,
            metrics_networks=_networks(environment, METRICS_IPS) or managers,
            ipv6_prefix=_ipv6_prefix(environment),
            drand_relays=_drand_relays(environment),
            code_hasher=_code_hasher(environment),
        )

    def danger_at(self, host: str) -> str | None:
        """Return why strangers may be managers of a server that listens at `host`, or None."""
        here = [manager for manager in self.manager_networks if any(manager.overlaps(network) for network in _LOOPBACK)]
        if not here or self.trusted_proxies or self.desk_passes_required or is_loopback_host(host):
            return None
        return (
            f"{MANAGER_IPS.name} includes this machine ({here[0]}), and other machines can reach this server. Behind a "
            f"proxy on this machine, everyone would be a manager. List the proxy in {TRUSTED_PROXIES.name}, or remove "
            f"this machine from {MANAGER_IPS.name}: the command line needs no manager."
        )


_NO_SERVER = "must be the address of a server, such as https://raffles.example.org."
_MORE_THAN_A_SERVER = (
    "must be the address of a server alone, without a page, a user name, a password, a query or a fragment"
)
_PASSWORD = re.compile("//.*@")
_OWN_PAGES = frozenset({"raffles", "desk", "docs"})
"""The first parts of the paths of pages, as they are copied from a browser."""


def read_server_url(text: str) -> str:
    """Return the address of a server without a slash at its end: of its root, or of the path under which it is mounted.

    It has a scheme, a host and perhaps a port and a path, and no characters that would break a link where it is pasted.

    Raises:
        ValueError: it is not one; the text says what to give, and never repeats a password.
    """
    if not text.isascii() or not text.isprintable() or set(text) & set(" \"'<>,;"):
        raise ValueError(_NO_SERVER)
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise ValueError(_NO_SERVER) from error
    if not is_address:
        raise ValueError(_NO_SERVER)
    mounted_at = list(takewhile(lambda part: part not in _OWN_PAGES, parts.path.rstrip("/").split("/")))
    server = f"{text.partition('://')[0]}://{parts.netloc.rpartition('@')[2]}{'/'.join(mounted_at)}".rstrip("/")
    if text.rstrip("/") != server:
        raise ValueError(f"{_MORE_THAN_A_SERVER}; give {server}.")
    return server


def is_loopback_host(host: str) -> bool:
    """Return whether only this machine can reach a host, which is a name or an IP address, perhaps in brackets."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _networks(environment: Mapping[str, str], variable: Variable) -> tuple[Network, ...]:
    return tuple(_network(variable, text) for text in _entries(environment, variable))


def _entries(environment: Mapping[str, str], variable: Variable) -> list[str]:
    text = environment.get(variable.name, "")
    if not text.strip():
        return []
    entries = [entry.strip() for entry in text.split(",")]
    if "" in entries:
        raise InvalidSetting(variable.name, text, "an entry between the commas is empty; remove that comma.")
    return entries


def _network(variable: Variable, text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        wrong = "it has host bits set" if "host bits" in str(error) else "not an IP address or network"
        reason = f"{wrong}; give addresses (192.0.2.7) or networks (192.0.2.0/24), separated by commas."
        raise InvalidSetting(variable.name, text, reason) from error
    if "%" in text:
        raise InvalidSetting(variable.name, text, "a zone (%…) does not identify a client; remove it.")
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    # Mapped addresses share their first 96 bits, and so does a network that begins with one.
    return network if mapped is None else IPv4Network((int(mapped), network.prefixlen - 96))


def _desk_passes_required(environment: Mapping[str, str]) -> bool:
    text = environment.get(DESK_PASSES.name, "")
    if text.strip() not in ("", _REQUIRED):
        raise InvalidSetting(DESK_PASSES.name, text, f"must be {_REQUIRED!r}, or not set.")
    return bool(text.strip())


def _proxy_header(environment: Mapping[str, str]) -> ProxyHeader:
    text = environment.get(PROXY_HEADER.name, "").strip() or PROXY_HEADER.default
    # The names of headers ignore case (RFC 9110, 5.1).
    for header in ProxyHeader:
        if text.lower() == header.lower():
            return header
    raise InvalidSetting(PROXY_HEADER.name, text, f"must be one of {', '.join(ProxyHeader)}.")


def _host(variable: Variable, text: str) -> str:
    name = text.lower().removesuffix(".")
    if not (text.isascii() and _HOST_NAME.fullmatch(name)):
        reason = "not a host name; give names in ASCII (raffle.example, xn--…), without scheme, port or path."
        raise InvalidSetting(variable.name, text, reason)
    return name


def _public_url(environment: Mapping[str, str]) -> str | None:
    text = environment.get(PUBLIC_URL.name, "").strip()
    if not text:
        return None
    try:
        return read_server_url(text)
    except ValueError as error:
        raise InvalidSetting(PUBLIC_URL.name, _PASSWORD.sub("//…@", text), str(error)) from error


def _allowed_hosts(environment: Mapping[str, str], public_url: str | None) -> frozenset[str]:
    listed = {_host(ALLOWED_HOSTS, text) for text in _entries(environment, ALLOWED_HOSTS)}
    public = None if public_url is None else urlsplit(public_url).hostname
    return frozenset(listed | {public} if public is not None else listed)


def _drand_relays(environment: Mapping[str, str]) -> tuple[str, ...]:
    text = environment.get(DRAND_RELAYS.name, "")
    if not text.strip():
        return ()
    # Imported only when needed, because it imports the network modules.
    from rafflekit.core.relays import RelayWrong, read_relays

    try:
        return read_relays(text)
    except RelayWrong as error:
        raise InvalidSetting(DRAND_RELAYS.name, error.text, error.reason) from error


def _code_hasher(environment: Mapping[str, str]) -> "CodeHasher | None":
    given = {
        parameter: variable
        for parameter, variable in (("time_cost", ARGON2_TIME_COST), ("memory_kib", ARGON2_MEMORY_KIB))
        if environment.get(variable.name, "").strip()
    }
    if not given:
        return None
    # Imported only when needed: help texts name these variables without argon2.
    from rafflekit.core.protocol.codes import CodeHasher

    # The defaults are the least that Argon2 accepts.
    costs = {
        parameter: _whole_number(variable, environment[variable.name], least=int(variable.default))
        for parameter, variable in given.items()
    }
    try:
        return CodeHasher(**costs)
    except InvalidSetting as error:
        names = " or ".join(variable.name for variable in given.values())
        values = ", ".join(environment[variable.name] for variable in given.values())
        raise InvalidSetting(names, values, error.reason) from error


def _ipv6_prefix(environment: Mapping[str, str]) -> int:
    least, most = limits.IPV6_PREFIXES
    text = environment.get(IPV6_PREFIX.name, "").strip() or IPV6_PREFIX.default
    return _whole_number(IPV6_PREFIX, text, least=least, most=most)


def _whole_number(variable: Variable, text: str, *, least: int, most: int | None = None) -> int:
    if not _WHOLE_NUMBER.fullmatch(text.strip()):
        raise InvalidSetting(variable.name, text, "not a whole number of at most 9 digits.")
    if int(text) < least:
        raise InvalidSetting(variable.name, text, f"too small; the minimum is {least}.")
    if most is not None and int(text) > most:
        raise InvalidSetting(variable.name, text, f"too large; the maximum is {most}.")
    return int(text)
