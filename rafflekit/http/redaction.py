"""What a log must not hold, taken out of a text: verification codes, addresses, and what a request calls secret.

Meant for texts that others wrote: the messages of exceptions that nobody foresaw, and the lines of libraries.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

REMOVED = "[removed]"

_IPV4_PREFIX, _IPV6_PREFIX = 24, 48

# Six groups of four, as `codes` spells them, with and without dashes, in any letter case; not the end of a raffle's id.
_CODE = re.compile(r"(?<![\w-])(?:[0-9A-Za-z]{4}-?){5}[0-9A-Za-z]{4}(?![\w-])")
_IPV4 = re.compile(r"(?<!\d)(?<!\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
# Whatever could be an IPv6 address with what stands before and behind it: ":2001:db8::1:". No word ends in one.
_COLONS = re.compile(r"(?:(?<!\w)[0-9A-Fa-f.]+)?:[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*")


def network_of(address: IPv4Address | IPv6Address) -> str:
    """Return the network of an address, which may be logged: a /24 of IPv4, a /48 of IPv6.

    >>> network_of(IPv4Address("203.0.113.7")), network_of(IPv6Address("2001:db8:1:2::3"))
    ('203.0.113.0/24', '2001:db8:1::/48')
    """
    if isinstance(address, IPv4Address):
        return f"{str(address).rpartition('.')[0]}.0/{_IPV4_PREFIX}"
    if address.ipv4_mapped:
        return network_of(address.ipv4_mapped)
    hidden_bits = 128 - _IPV6_PREFIX
    return f"{IPv6Address(int(address) >> hidden_bits << hidden_bits)}/{_IPV6_PREFIX}"


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without codes, with networks in place of addresses, and without these secrets, quoted or not.

    >>> redacted("0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ came from 203.0.113.7: 'my key'", ["my key"])
    "[removed] came from 203.0.113.0/24: '[removed]'"
    """
    for secret in secrets:
        # As it is, and as a `repr` shows it.
        for spelling in (secret, repr(secret)[1:-1]):
            text = text.replace(spelling, REMOVED)
    text = _CODE.sub(REMOVED, text)
    # IPv6 first: the address may end in an IPv4 one.
    return _IPV4.sub(_network_of_ipv4, _COLONS.sub(_network_of_ipv6, text))


def _network_of_ipv4(found: re.Match[str]) -> str:
    return _network_in(found[0]) or REMOVED


def _network_of_ipv6(found: re.Match[str]) -> str:
    run = found[0]
    if not run.strip(":."):
        return run
    for candidate in (run, run.strip("."), run.strip(".:"), run.rstrip(".").removesuffix(":"), run.removeprefix(":")):
        network = _network_in(candidate)
        if network is not None:
            return run.replace(candidate, network)
    # A time of day has two colons. With more, or two in a row, it may be an address with something else at its ends.
    return REMOVED if run.count(":") >= 4 or "::" in run else run


def _network_in(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return network_of(address) if int(address) else text
