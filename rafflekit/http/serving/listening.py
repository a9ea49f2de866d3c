"""What every server of `rafflekit serve` has in common: the socket that it listens on, its URL, its time to stop."""

import errno
import os
import socket
from contextlib import suppress

from rafflekit.core.errors import InvalidSetting

STOP_LIMIT_S = 25.0
"""How long a stop waits for answers under way: less than the 30 s after which Kubernetes kills."""

KEEP_ALIVE_S = 75
"""How long a connection may wait for its next request: more than the 60 s for which proxies keep one, so that the side
that sends requests is the one to close."""

CONNECTIONS = 800
"""Connections of waitress, which looks at each of them in every turn of its loop; then those that wait make room."""

IDLE_CONNECTIONS = 16_384
"""Connections of a process of Granian, which does not look at them, and does not make room either."""

THREADS = 16
"""Requests of a process at a time. A thread waits for the database most of its time; SQLite's one writer keeps more
than these from being of use."""

# In use, or one of the low ports that only root may take: another one will do.
_PORT_ERRORS = (errno.EADDRINUSE, errno.EACCES, errno.EPERM)


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; `port` 0 takes a free one.

    Of a host's several addresses the first is taken, an IPv4 one if there is one.

    Raises:
        InvalidSetting: the host cannot be listened on, or the port is taken.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # UnicodeError: a label that is empty or too long for DNS.
    except (OSError, UnicodeError) as error:
        raise InvalidSetting("host", host, "no address of this machine; try 127.0.0.1.") from error
    family, _, _, _, place = min(found, key=lambda entry: entry[0] is not socket.AF_INET)
    try:
        return socket.create_server((place[0], port), family=family)
    except OSError as error:
        variable, value = ("port", str(port)) if error.errno in _PORT_ERRORS else ("host", host)
        reason = f"{host} port {port} cannot be listened on: {os.strerror(error.errno or 0)}; try another."
        raise InvalidSetting(variable, value, reason) from error


def room_for_connections(wanted: int) -> int:
    """Return how many connections this process may have, `wanted` at most: each is an open file, and so are others.

    The limit of open files, often 1,024, is raised for that as far as the system allows.
    """
    # Windows has no such limit, and no such module.
    with suppress(ImportError, OSError, ValueError):
        import resource

        files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        # A quarter more: the database's files, and answers that wait in files of their own.
        needed = wanted * 5 // 4
        if 0 <= files < needed:
            files = needed if most < 0 else min(needed, most)
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
            return files * 4 // 5
    return wanted


def url_of(listener: socket.socket) -> str:
    """Return the URL at which a listening socket is reached."""
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
