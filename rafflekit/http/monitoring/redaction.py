"""Removing from text what a log must not hold: verification codes, passes' tokens, addresses, a request's own secrets.

It is for texts that others wrote: the messages of unforeseen exceptions, and the log lines of libraries.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from rafflekit.core.characters import BLANKS, DASHES, FORMAT
from rafflekit.core.passes import TOKEN_PREFIX

REMOVED = "[removed]"

_IPV4_PREFIX, _IPV6_PREFIX = 24, 48

# Not after a letter or digit, except one that ends an escape in a `repr` ("\n", "\x1b").
_ESCAPE = r"(?<=\\[abfnrtv])|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4})|(?<=\\U[0-9a-f]{8})"
_BEGINS = rf"(?:(?<![0-9A-Za-z])|{_ESCAPE})"

_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
_DASH = f"[{DASHES}{FORMAT}]"
_BLANK = rf"[{BLANKS}\t]"
_GAP = rf"[{DASHES}{FORMAT}{BLANKS}\t]"
# 24 characters as `codes.read` accepts them, in upper or lower case: with dashes and invisible characters anywhere, and
# blanks between groups of four (blanks anywhere would make a code of any sentence). Groups that follow are removed as
# well, since the code may begin later than the match.
_BY_ITSELF = (
    rf"{_BEGINS}(?:[0-9A-Za-z](?:{_DASH}*[0-9A-Za-z]){{23}}|[0-9A-Za-z]{{4}}(?:{_GAP}*[0-9A-Za-z]{{4}}){{5}})"
    r"(?![0-9A-Za-z])"
)
# With letters or digits directly before or after it, a code is recognised by its six groups or by its length. Words can
# look like that, but rarely with a dash in all five places, or with a digit. A hexadecimal hash does, and is excluded.
_WITH_A_DIGIT = rf"(?=(?:[A-Za-z]{_GAP}*+){{0,23}}[0-9])"
_ATTACHED = (
    rf"[0-9A-Za-z]{{4}}(?:{_BLANK}*+{_DASH}{_GAP}*+[0-9A-Za-z]{{4}}){{5}}[0-9A-Za-z]*+|"
    rf"(?=[0-9A-Za-z]{{4}}{_GAP}){_WITH_A_DIGIT}[0-9A-Za-z]{{4}}(?:{_GAP}++[0-9A-Za-z]{{4}}){{5}}[0-9A-Za-z]*+|"
    r"(?<![0-9A-Za-z])(?=[A-Za-z]*+[0-9])(?!(?:0x)?[0-9A-Fa-f]++(?![0-9A-Za-z]))[0-9A-Za-z]{25,}+"
)
_FOLLOWING_GROUPS = rf"(?:{_DASH}+[0-9A-Za-z]+|{_GAP}+[0-9A-Za-z]{{4}}(?![0-9A-Za-z]))*"
# A raffle's id is matched first, and stays.
_CODE = re.compile(rf"{_BEGINS}(?P<uuid>{_UUID})|(?:{_BY_ITSELF}|{_ATTACHED}){_FOLLOWING_GROUPS}")
# Also a part of one, in upper or lower case.
_TOKEN = re.compile(rf"{TOKEN_PREFIX}[0-9a-z]+", re.IGNORECASE)
# Four numbers or more, since there may be a number before or after an address.
_IPV4 = re.compile(rf"(?:(?<!\d)|{_ESCAPE})\d{{1,3}}(?:\.\d{{1,3}}){{3,}}(?!\d)")
# What may be an IPv6 address, with the characters around it: ":2001:db8::1:". No word ends in one. The limits exceed an
# address's length; without them, the work would grow with the square of the text's.
_COLONS = rf"(?:{_BEGINS}[0-9A-Fa-f.]{{1,60}})?:[0-9A-Fa-f.]{{0,60}}:[0-9A-Fa-f.:]*"
# In one pass, so that what replaces an address is not matched again.
_ADDRESS = re.compile(rf"(?P<colons>{_COLONS})|{_IPV4.pattern}")


def network_of(address: IPv4Address | IPv6Address) -> str:
    """Return an address's network, which may be logged: a /24 of IPv4, a /48 of IPv6.

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
    """Return a text without codes, tokens and these secrets (quoted or not), and with networks in place of addresses.

    >>> redacted("0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ was used by 203.0.113.7: 'my key'", ["my key"])
    "[removed] was used by 203.0.113.0/24: '[removed]'"
    """
    # Plain, and as a `repr` shows it; in one pass, so that what replaces one is not searched for another.
    spelled = {spelling for secret in secrets for spelling in (secret, repr(secret)[1:-1])} - {""}
    if spelled:
        longest_first = sorted(spelled, key=len, reverse=True)
        text = re.sub("|".join(map(re.escape, longest_first)), REMOVED, text)
    # Tokens first: a code before one may end in its beginning.
    text = _CODE.sub(lambda found: found["uuid"] or REMOVED, _TOKEN.sub(REMOVED, text))
    return _ADDRESS.sub(_without_address, text)


def _without_address(found: re.Match[str]) -> str:
    return _network_of_ipv4(found) if found["colons"] is None else _network_of_ipv6(found["colons"])


def _network_of_ipv4(found: re.Match[str]) -> str:
    return _network_in(found[0]) or REMOVED


def _network_of_ipv6(run: str) -> str:
    if not run.strip(":."):
        return run
    for candidate in (run, run.strip("."), run.strip(".:"), run.rstrip(".").removesuffix(":"), run.removeprefix(":")):
        network = _network_in(candidate)
        if network is not None:
            return run.replace(candidate, network)
    # A time of day has two colons. With more, or two in a row, it may be an address with something attached.
    return REMOVED if run.count(":") >= 4 or "::" in run else _IPV4.sub(_network_of_ipv4, run)


def _network_in(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return network_of(address) if int(address) else text
