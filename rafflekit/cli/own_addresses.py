"""The addresses of this machine that other devices of a local network can open."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address

# An address outside, which leads to the network that this machine uses; then some in the usual private networks, and in
# those that Linux, Windows and macOS make when they share their own connection. None of them has to exist.
_NEIGHBOURS = (
    "192.0.2.1",
    *("192.168.254.253", "10.254.254.253", "172.31.254.253"),
    *("10.42.0.253", "192.168.137.253", "192.168.2.253"),
)
_ANY_PORT = 9


def own_addresses() -> list[str]:
    """Return the IPv4 addresses of this machine but loopback ones, private ones first; an empty list without a network.

    Only the system is asked: nothing is sent.
    """
    found = (IPv4Address(address) for address in dict.fromkeys([*_towards_neighbours(), *_of_the_name()]))
    reachable = [each for each in found if not (each.is_loopback or each.is_link_local or each.is_unspecified)]
    return [str(each) for each in sorted(reachable, key=lambda each: not each.is_private)]


def _towards_neighbours() -> Iterator[str]:
    for neighbour in _NEIGHBOURS:
        # Connecting a datagram socket sends nothing; the system chooses the address that it would send from.
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((neighbour, _ANY_PORT))
            yield probe.getsockname()[0]


def _of_the_name() -> list[str]:
    try:
        return socket.gethostbyname_ex(socket.gethostname())[2]
    except OSError:
        return []
