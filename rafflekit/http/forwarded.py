"""What proxies say about their clients: X-Forwarded-For, Forwarded (RFC 7239) and X-Real-IP, read strictly.

This module only reads the headers; which of them counts, and how far, is for `access`. An entry that cannot be read is
None, never skipped: Falcon's own `Request.forwarded` continues after the next comma, where a stranger may have written.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from rafflekit.core.settings import ProxyHeader
from rafflekit.core.tickets.participants import canonical_address

IpAddress: TypeAlias = IPv4Address | IPv6Address

_BLANK = " \t"

# Enough for dozens of hops, and little work when a client sends nonsense.
_MOST_CHARACTERS = 4_096
# Longer than any address with its zone and its port.
_LONGEST_NODE = 80

# An IPv6 address in brackets or an IPv4 address, and a port; RFC 7239, 6.2 has ports that hide themselves (`_x`).
_NODE = re.compile(r"(?:\[([^\[\]]*:[^\[\]]*)\]|([^:\[\]]*))(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?")

# RFC 9110, 5.6: a token, a quoted string; neither has obs-text (%x80-FF), which is not needed here.
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # a grammar's token
_QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t !-~])*"'
_PAIR = re.compile(rf"({_TOKEN})=({_TOKEN}|{_QUOTED})")
_SEPARATOR = re.compile(r"[ \t]*([;,])[ \t]*")
_ESCAPED = re.compile(r"\\(.)")


def addresses(header: ProxyHeader, text: str) -> Iterator[IpAddress | None]:
    """Yield the addresses in a header, the nearest hop first; None for a hop that cannot be read or hides itself."""
    if header is ProxyHeader.FORWARDED:
        return (_node(element.get("for", "")) for element in reversed(elements(text) or [{}]))
    # A server joins several X-Real-IP headers to a list, which is not an address.
    hops = text.split(",") if header is ProxyHeader.X_FORWARDED_FOR else [text]
    return (_hop(hop.strip(_BLANK)) for hop in reversed(hops))


def elements(text: str) -> list[dict[str, str]] | None:
    """Return the elements of a Forwarded header, each with its parameters (lower case); None if it breaks the grammar.

    A header of more than 4,096 characters is not read. All of it is read, from the left, since a comma in quotes does
    not separate. A stray quote anywhere makes the number of quotes odd, which invalidates the whole header, so it
    cannot hide or reveal an element.
    """
    if len(text) > _MOST_CHARACTERS:
        return None
    text = text.strip(_BLANK)
    found: list[dict[str, str]] = [{}]
    position = 0
    while True:
        pair = _PAIR.match(text, position)
        if pair:
            name, value = pair[1].lower(), pair[2]
            # RFC 7239, 4: no parameter twice.
            if name in found[-1]:
                return None
            found[-1][name] = _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
            position = pair.end()
        if position == len(text):
            return found
        separator = _SEPARATOR.match(text, position)
        if separator is None:
            return None
        if separator[1] == ",":
            found.append({})
        position = separator.end()


def _hop(text: str) -> IpAddress | None:
    # Outside RFC 7239, an IPv6 address may come without brackets, and then without a port.
    return canonical_address(text) or _node(text)


def _node(text: str) -> IpAddress | None:
    # With many colons, the expression takes time in the square of the text's length.
    found = _NODE.fullmatch(text) if len(text) <= _LONGEST_NODE else None
    return canonical_address(found[1] or found[2]) if found else None
