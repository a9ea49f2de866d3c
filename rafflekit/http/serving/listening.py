"""What both servers have in common: the socket that they listen on, its URLs, their limits, how they fail and stop."""

import errno
import logging
import os
import signal
import socket
from contextlib import suppress
from typing import NamedTuple

from rafflekit.core.protocol.documents import PROOF_BYTES

STOP_LIMIT_S = 25.0
"""How long a stop waits for requests in progress: less than the 30 s after which Kubernetes kills."""

KEEP_ALIVE_S = 75
"""How long a connection may wait for its next request: more than the 60 s for which proxies keep one, so that it is the
proxy that closes it."""

CONNECTIONS = 800
"""Connections of waitress, which looks at each of them in every turn of its loop. When all are in use, idle
ones are closed."""

WAITING_CONNECTIONS = 4_096
"""Connections that wait to be accepted: as many as Linux allows by default. In a rush, each connection beyond them is
refused in a way that its client may notice only after a minute."""

IDLE_CONNECTIONS = 16_384
"""Connections of a Granian process, which does not look at each of them, and does not make room either."""

ANSWER_BYTES = PROOF_BYTES
"""The longest answer, without its headers: a proof. All others have at most 2 MiB. waitress, which keeps whole answers
in memory, breaks off a longer one."""

ANSWER_GRACE_S = 30
"""How long a client may leave its answer unread before waitress looks at how much of it was taken …"""

ANSWER_BYTES_PER_S = 32 * 1024
"""… and how much a client has to take per second from then on. So the longest answer takes at most 286 s."""

KEPT_BYTES = 64 * 1024 * 1024
"""What waitress keeps in memory for all its clients together: requests that arrive, and answers until they are sent.
When it is used up, those connections with more than their share that have kept it waiting longest are closed."""

SOCKET_BUFFER_BYTES = 128 * 1024
"""What the system keeps for a connection in each direction. By itself it takes up to 4 MiB of an answer that no one
reads, and this memory is not the process's. It is enough for 1 MiB/s to the other side of the world."""

THREADS = 16
"""Requests that a process serves at a time. A thread mostly waits for the database; with SQLite's one writer, more of
them would not help."""

_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # recognised here, not chosen

# Windows has no SIGHUP.
_HANG_UP: int | None = getattr(signal, "SIGHUP", None)

_log = logging.getLogger(__name__)


class CannotServe(Exception):
    """The server cannot listen at that host and port, or does not run on this system."""


class WorkersFailed(Exception):
    """The workers ended by themselves as soon as they were started; what they logged says why."""


class Urls(NamedTuple):
    """The URLs of a service: the one to open on this machine, and what other machines open if they can reach it."""

    here: str
    elsewhere: str | None


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; `port` 0 takes a free one.

    Of several addresses of a host, the first IPv4 one is taken, or else the first.

    Raises:
        CannotServe: the host is not an address of this machine, or the port is taken or reserved.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, place = min(found, key=lambda entry: entry[0] is not socket.AF_INET)
        listener = socket.create_server((place[0], port), family=family)
    # UnicodeError: a label that is empty or too long for DNS.
    except (OSError, UnicodeError) as error:
        raise CannotServe(_why_not(error, host, port)) from error
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        # Connections inherit it. Linux doubles it, for its own needs.
        listener.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
    return listener


def is_tcp(listener: socket.socket) -> bool:
    """Return whether a socket has a host and a port; a Unix socket has a path."""
    return listener.family in (socket.AF_INET, socket.AF_INET6)


def urls_of(listener: socket.socket) -> Urls:
    """Return the URLs at which a listening socket is reached; of a Unix socket, its path as nginx spells it."""
    if not is_tcp(listener):
        return Urls(f"unix:{listener.getsockname()}", None)
    address, port = listener.getsockname()[:2]
    here = _EVERY_ADDRESS.get(address, address)
    shown = f"[{here}]" if ":" in here else here
    return Urls(f"http://{shown}:{port}", f"http://<this machine's address>:{port}" if here != address else None)


def stop_signals() -> list[int]:
    """Return the signals that stop a server; SIGHUP, which a closed terminal sends, is not in there under `nohup`."""
    numbers: list[int] = [signal.SIGTERM, signal.SIGINT]
    if _HANG_UP is not None and signal.getsignal(_HANG_UP) is not signal.SIG_IGN:
        numbers.append(_HANG_UP)
    return numbers


def is_hang_up(number: int) -> bool:
    """Return whether a signal is SIGHUP, which a closed terminal may send twice: the second one must not kill."""
    return number == _HANG_UP


def log_stop(number: int) -> None:
    """Log which signal stopped the server."""
    _log.info("Stopped by %s.", "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name)


def room_for_connections(wanted: int) -> int:
    """Return how many connections this process may have, at most `wanted`: each of them is an open file.

    The limit of open files, often 1,024, is raised as far as needed and as the system allows.
    """
    # Windows has neither the limit nor the module.
    with suppress(ImportError, OSError, ValueError):
        import resource

        files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        # A quarter more: for the database's files.
        needed = wanted * 5 // 4
        if 0 <= files < needed:
            files = needed if most < 0 else min(needed, most)
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
            return files * 4 // 5
    return wanted


def _why_not(error: OSError | UnicodeError, host: str, port: int) -> str:
    if isinstance(error, (socket.gaierror, UnicodeError)) or error.errno == errno.EADDRNOTAVAIL:
        return f"The host {host!r} is not an address of this machine; try 127.0.0.1."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is already in use; choose another port."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} of {host} may only be used by an administrator; choose one above 1023."
    return f"The server cannot listen at port {port} of {host}: {os.strerror(error.errno or 0)}."
