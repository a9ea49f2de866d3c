"""What clients do to a server's connections, and what is visible of these from outside."""

import socket
import struct
from pathlib import Path

from tests.live_server import LiveServer

SLOW_S = 10.0
"""Less than the time that a server gives a connection: a later answer has waited for another connection."""


def exchange(connection: socket.socket, more: bytes) -> bytes | None:
    """Send a little more, and return what has come, or None if the server has closed."""
    connection.settimeout(0.02)
    try:
        connection.sendall(more)
        return connection.recv(65536) or None
    except TimeoutError:
        return b""
    except ConnectionError:
        return None


def server_socket(live: LiveServer, client: tuple[str, int]) -> list[str]:
    """Return what Linux shows of the server's end of a client's connection (proc(5), /proc/net/tcp), or nothing."""
    address = socket.inet_aton(client[0])[::-1].hex().upper()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{live.port:04X}") and fields[2] == f"{address}:{client[1]:04X}":
            return fields
    return []


def holds(live: LiveServer, client: tuple[str, int]) -> bool:
    """Return the inode of the server's end of a client's connection, or 0 if it is closed."""
    return (server_socket(live, client) or ["0"] * 10)[9] != "0"


def leaves_unread(live: LiveServer, connection: socket.socket) -> bool:
    """Send one more byte, and return whether the server leaves it unread."""
    connection.sendall(b"G")
    return not server_socket(live, connection.getsockname())[4].endswith(":00000000")


def vanish(connection: socket.socket) -> None:
    """Break a connection off: the other side gets a reset (RST) when it sends something."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
