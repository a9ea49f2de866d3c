"""`run_waitress`: the service on waitress, from the first connection to a clean stop.

At a stop, waitress's own `run` gives its threads five seconds, cancels the requests that wait for one, and does not
send the answers in its buffers. Here its loop continues, without the listening socket, until no client waits any more.
"""

import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]  # waitress has no types
from waitress.adjustments import Adjustments  # type: ignore[import-untyped]  # no types
from waitress.task import ThreadedTaskDispatcher  # type: ignore[import-untyped]  # no types

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.settings import Settings
from rafflekit.http.app import WsgiApp, create_app
from rafflekit.http.monitoring.metrics import Metrics
from rafflekit.http.serving.closing import due_raffles_closed
from rafflekit.http.serving.listening import (
    STOP_LIMIT_S,
    THREADS,
    WAITING_CONNECTIONS,
    Urls,
    is_hang_up,
    is_tcp,
    listening_socket,
    log_stop,
    stop_signals,
    urls_of,
)
from rafflekit.http.serving.unix_socket import UnixSocket, listening_unix_socket
from rafflekit.http.serving.waitress_connections import Channel, WaitressServer

_SILENCE_S = 5.0
"""How long a stop waits for the next bytes of a request that has begun to arrive."""

_TURN_S = 0.25
"""How long a turn of the loop waits for an event before the server looks after its connections again."""

_WAITRESS_SETTINGS: dict[str, Any] = {
    "backlog": WAITING_CONNECTIONS,
    # Forwarding headers must reach the application, where `access` decides which of them count.
    "clear_untrusted_proxy_headers": False,
    # Above the application's own limits, so that the application answers 413, as a problem.
    "max_request_body_size": 2 * 1024 * 1024,
    # Enough for a long Idempotency-Key and the headers of a few proxies; the default is 256 KiB per connection.
    "max_request_header_size": 32 * 1024,
    # Everything stays in memory, where `waitress_connections` limits all of it together: no temporary files, and no
    # thread that waits until a client has read.
    "inbuf_overflow": sys.maxsize,
    "outbuf_overflow": sys.maxsize,
    "outbuf_high_watermark": sys.maxsize,
    # Answers name no server and no version, and never hold a traceback.
    "ident": None,
    "expose_tracebacks": False,
}


def run_waitress(
    engine: RaffleEngine,
    settings: Settings,
    *,
    host: str,
    port: int,
    unix_socket: UnixSocket | None = None,
    on_listening: Callable[[Urls], None],
    metrics: Metrics | None = None,
) -> None:
    """Serve until SIGTERM, SIGHUP or Ctrl-C, then finish the requests in progress and return; a second signal kills.

    Meanwhile, the raffles whose time is over are closed. Call it in the main thread, the only one in which Python
    handles signals. `port` 0 takes a free port; a `unix_socket` replaces host and port, and its clients are
    trusted proxies. `on_listening` gets the URLs as soon as connections are accepted;
    `metrics`, if given, are shown at `/metrics`. A stop takes at most `STOP_LIMIT_S` seconds, and is logged.

    Raises:
        CannotServe: the server cannot listen there.
    """
    application = create_app(engine, settings, metrics=metrics, peer_is_proxy=unix_socket is not None)
    with listening_unix_socket(unix_socket) if unix_socket else listening_socket(host, port) as listener:
        connections: dict[int, Any] = {}
        server = _server_on(listener, application, connections)
        try:
            with _stop_signals(server.pull_trigger) as received, due_raffles_closed(engine):
                on_listening(urls_of(listener))
                while not received:
                    _turn(server, connections, wait_s=_TURN_S)
                _finish(server, connections)
                log_stop(received[0])
        finally:
            wasyncore.close_all(connections)


def _server_on(listener: socket.socket, application: WsgiApp, connections: dict[int, Any]) -> WaitressServer:
    # waitress warns about every request that waits for a thread, and in a rush all of them do.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    name = listener.getsockname()[0] if is_tcp(listener) else "localhost"
    adjustments = Adjustments(sockets=[listener], server_name=name, **_WAITRESS_SETTINGS)
    # An answer up to this size is sent by one system call; otherwise waitress sends header and body separately.
    # Deprecated as an argument, without a replacement.
    adjustments.send_bytes = 64 * 1024
    threads = ThreadedTaskDispatcher()
    threads.set_thread_count(THREADS)
    return WaitressServer(
        application,
        connections,
        _sock=listener,
        dispatcher=threads,
        adj=adjustments,
        sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        bind_socket=False,
    )


@contextmanager
def _stop_signals(wake: Callable[[], None]) -> Iterator[list[int]]:
    """Collect the signals that stop a server in the list that is yielded; a second one does what it did before."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if not received:
            received.append(number)
            wake()
        elif not is_hang_up(number):
            signal.signal(number, previous[number])
            signal.raise_signal(number)

    previous = {number: signal.signal(number, note) for number in stop_signals()}
    try:
        yield received
    finally:
        for number, what in previous.items():
            signal.signal(number, what)


def _turn(server: WaitressServer, connections: dict[int, Any], *, wait_s: float) -> None:
    server.tend()
    # select() fails on file numbers above 1,023, poll() does not.
    wasyncore.loop(wait_s, use_poll=True, map=connections, count=1)


def _finish(server: WaitressServer, connections: dict[int, Any]) -> None:
    deadline = time.monotonic() + STOP_LIMIT_S
    server.stop_listening()
    idle: set[Any] = set()
    while server.active_channels and time.monotonic() < deadline:
        for channel in server.active_channels.values():
            _announce_close(channel)
        _turn(server, connections, wait_s=0 if idle else 0.1)
        still_idle = {channel for channel in server.active_channels.values() if not _is_under_way(channel)}
        # Only those idle twice in a row: in between, a request that had already arrived has been read.
        for channel in still_idle & idle:
            channel.handle_close()
        idle = still_idle
    server.task_dispatcher.shutdown(timeout=max(0.1, deadline - time.monotonic()))


def _announce_close(channel: Channel) -> None:
    # Makes waitress answer "Connection: close" and close after the answer; a busy client would never end otherwise.
    with channel.requests_lock:
        if channel.requests and not channel.unread:
            channel.requests[-1].headers["CONNECTION"] = "close"


def _is_under_way(channel: Channel) -> bool:
    arriving = channel.request is not None and time.time() - channel.last_activity < _SILENCE_S
    return bool(channel.requests or channel.unread or channel.total_outbufs_len or arriving)
