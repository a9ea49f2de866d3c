"""`run_granian`: the service on Granian, in worker processes that share one listening socket.

Granian speaks HTTP in Rust, starts the workers, replaces those that die, and stops them. This module adds the rest. The
workers share one queue of connections; Granian gives each its own socket, so that another server on the same port would
go unnoticed. They are new processes that have opened nothing, since a database connection does not survive a fork.
Nothing but the announcement is printed. And the workers stop with their parent, whatever ends it.
"""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.reduction import DupFd
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from rafflekit.core.engine import RaffleEngine
from rafflekit.core.errors import InvalidSetting, RaffleError
from rafflekit.core.settings import PROXY_HEADER, ProxyHeader, Settings
from rafflekit.http.app import WsgiApp
from rafflekit.http.monitoring.log_lines import Log
from rafflekit.http.monitoring.metrics import remove_shared_folder, shared_counting
from rafflekit.http.serving import listening
from rafflekit.http.serving.closing import due_raffles_closed
from rafflekit.http.serving.unix_socket import UnixSocket, listening_unix_socket
from rafflekit.http.wsgi import application_from_env

_GRANIAN_SETTINGS: dict[str, Any] = {
    "interface": Interfaces.WSGI,
    # HTTP/2 without TLS is only for clients that know of it in advance, and a second parser that may be wrong.
    "http": HTTPModes.http1,
    "http1_settings": HTTP1Settings(header_read_timeout=listening.KEEP_ALIVE_S * 1000, max_buffer_size=32 * 1024),
    "websockets": False,
    "blocking_threads": listening.THREADS,
    # A new thread opens new connections to the database, so threads are kept as long as Granian allows.
    "blocking_threads_idle_timeout": 600,
    "workers_kill_timeout": int(listening.STOP_LIMIT_S),
    "respawn_failed_workers": True,
    "log_enabled": False,
    # Granian's own configuration would write to standard output, and remove the handlers that a program has.
    "log_dictconfig": {"incremental": True, "handlers": {}, "loggers": {}},
}

_QUIET_LOG = Log()

_log = logging.getLogger(__name__)


def run_granian(
    engine: RaffleEngine,
    environment: Mapping[str, str],
    *,
    host: str,
    port: int,
    unix_socket: UnixSocket | None = None,
    workers: int,
    on_listening: Callable[[listening.Urls], None],
    log: Log = _QUIET_LOG,
) -> None:
    """Serve until SIGTERM, SIGHUP or Ctrl-C, then finish the requests in progress and return; a second signal kills.

    Each of the `workers` processes opens the database for itself, with the settings in `environment`: check both first.
    This process closes the raffles whose time is over, on its own `engine`; the workers do not inherit it. Call this in
    the main thread. `port` 0 takes a free port; a `unix_socket` replaces host and port, and its clients are
    trusted proxies. `on_listening` gets the URLs as soon as connections are accepted. `log` says how the workers write
    their log. They count together what `/metrics` shows. A stop takes at most `STOP_LIMIT_S` seconds, and is logged.

    Raises:
        CannotServe: the server cannot listen there, or this is Windows.
        InvalidSetting: proxies are trusted and their header is not `Forwarded`.
        WorkersFailed: the workers cannot be kept alive.
    """
    if not hasattr(signal, "pthread_sigmask"):
        raise listening.CannotServe("Granian cannot serve rafflekit on Windows; use waitress.")
    _check_proxy_header(Settings.from_env(environment), is_behind_proxy=unix_socket is not None)
    place = listening_unix_socket(unix_socket) if unix_socket else listening.listening_socket(host, port)
    with place as listener, _new_processes(), shared_counting():
        listener.listen(listening.WAITING_CONNECTIONS)
        if unix_socket is None:
            _set_tcp_options(listener)
        # Granian's `backpressure` limits connections, each of which counts until it is closed.
        most_connections = listening.room_for_connections(listening.IDLE_CONNECTIONS)
        server = _GranianParent(listener, workers=workers, backpressure=most_connections, **_GRANIAN_SETTINGS)
        # Its thread inherits the block of the signals.
        with _stop_signals(server) as received, due_raffles_closed(engine):
            on_listening(listening.urls_of(listener))
            load = partial(_application, dict(environment), peer_is_proxy=unix_socket is not None)
            _serve(server, load, received, log)
        # A second signal now has its usual effect.
        for number in received[1:2]:
            os.kill(os.getpid(), number)
        listening.log_stop(received[0])


def _check_proxy_header(settings: Settings, *, is_behind_proxy: bool) -> None:
    # To Granian, X_Forwarded_For is the same as X-Forwarded-For, and the last one wins: a client that gets it past the
    # proxy could choose its address. A name without a dash cannot be imitated like that.
    if (is_behind_proxy or settings.trusted_proxies) and settings.proxy_header is not ProxyHeader.FORWARDED:
        header = settings.proxy_header.value
        reason = (
            f"Granian confuses {header} with {header.replace('-', '_')}, which clients may send; "
            f"let the proxy set {ProxyHeader.FORWARDED} and name that header here, or use waitress."
        )
        raise InvalidSetting(PROXY_HEADER.name, header, reason)


def _set_tcp_options(listener: socket.socket) -> None:
    """Set what connections inherit."""
    # As on Granian's own sockets.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Granian has no time limit for answers. With this, Linux closes a connection whose client takes nothing so long.
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, listening.KEEP_ALIVE_S * 1000)


def _serve(server: "_GranianParent", load: Callable[[], WsgiApp], received: list[int], log: Log) -> None:
    try:
        server.serve(spawn_target=partial(_work, log), target_loader=load, wrap_loader=False)
    except SystemExit as failure:
        # It is not a failure when workers end because of a stop.
        if not received:
            raise listening.WorkersFailed(
                "The worker processes keep ending by themselves; the lines above say why."
            ) from failure


class _GranianParent(MPServer):
    """Granian's parent process, on a socket that is already listening."""

    def __init__(self, listener: socket.socket, **settings: Any) -> None:
        # Only for its own log, which is off; a Unix socket has neither address nor port.
        place = listener.getsockname()[:2] if listening.is_tcp(listener) else ()
        super().__init__("rafflekit.http.wsgi:application", *place, **settings)
        self._listener = listener
        # Granian sets its own handlers, and restarts at SIGHUP. `_stop_signals` blocks the signals, so that these
        # handlers have no effect, except for a SIGHUP that is ignored: that one stays ignored.
        before = signal.getsignal(signal.SIGHUP)
        self.on_startup(lambda: signal.signal(signal.SIGHUP, before))

    def _init_shared_socket(self) -> None:
        self._shd: Any = _SharedSocket(self._listener)
        self._sso = None

    def _drop_shared_socket(self) -> None:
        # Each worker keeps its copy of the socket until it has accepted the clients that are already connected. In a
        # rush that might never end; with a queue of 0, new clients are turned away and then find the port closed.
        self._listener.listen(0)
        self._listener.close()


class _SharedSocket:
    """The listening socket on its way to a worker, where it becomes one of Granian's."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def __reduce__(self) -> tuple[Any, ...]:
        return _adopted, (DupFd(self._listener.fileno()), not listening.is_tcp(self._listener))


def _adopted(inherited: Any, is_unix: bool) -> SocketHolder:
    # On these systems, Granian's sockets start to listen in the worker, and need the length of the queue again.
    waiting = (listening.WAITING_CONNECTIONS,) if sys.platform.startswith(("linux", "freebsd")) else ()
    return SocketHolder(inherited.detach(), is_unix, *waiting)  # type: ignore[call-arg]  # its stub has no constructor


@contextmanager
def _new_processes() -> Iterator[None]:
    """Make Granian start its workers as new processes instead of forks of this one."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method(before, force=True)


@contextmanager
def _stop_signals(server: _GranianParent) -> Iterator[list[int]]:
    """Stop the server on the signals for that, which are collected in the list that is yielded.

    They are blocked, and a thread waits for them. The workers inherit the block: a Ctrl-C, which a terminal sends to
    all processes, takes effect only in the parent, and no worker ends before it is able to stop properly.
    """
    received: list[int] = []
    ending = threading.Event()

    def wait_for_signals() -> None:
        while True:
            number = signal.sigwait(numbers)
            if ending.is_set():
                return
            if received and listening.is_hang_up(number):
                continue
            received.append(number)
            server.signal_handler_interrupt()  # type: ignore[no-untyped-call]  # Granian's, without types
            if len(received) > 1:
                # For workers that have not been started yet.
                server.workers_kill_timeout = 1
                for worker in multiprocessing.active_children():
                    worker.kill()

    numbers = listening.stop_signals()
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    # It has to outlive a closed terminal, so it inherits the block of SIGHUP. Its start unblocks the other signals.
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    waiter = threading.Thread(target=wait_for_signals, name="stop signals", daemon=True)
    waiter.start()
    try:
        yield received
    finally:
        ending.set()
        assert waiter.ident is not None
        signal.pthread_kill(waiter.ident, signal.SIGTERM)
        waiter.join()
        for number, what in previous.items():
            signal.signal(number, what)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _work(log: Log, *arguments: Any) -> None:
    """Be a worker until SIGTERM, in a separate process that inherits the parent's blocked signals."""
    threading.Thread(target=_stop_on_signal, name="stop signal", daemon=True).start()
    threading.Thread(target=_stop_after_parent, name="parent", daemon=True).start()
    try:
        with log.written():
            MPServer._spawn_wsgi_worker(*arguments)
    finally:
        if _is_orphan():
            remove_shared_folder()


def _stop_on_signal() -> None:
    # Granian's handler is called from here and not by Python, which misses a signal that arrives just as the main
    # thread starts to wait; that thread would then wait indefinitely.
    number = signal.sigwait([signal.SIGTERM])
    while not callable(handler := signal.getsignal(number)):
        # The worker is not ready yet, but clients that are already connected expect an answer.
        time.sleep(0.02)
    handler(number, None)


def _stop_after_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    # The parent was killed, so nothing else stops this worker.
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(listening.STOP_LIMIT_S)
    os._exit(1)


def _is_orphan() -> bool:
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def _application(environment: Mapping[str, str], *, peer_is_proxy: bool) -> WsgiApp:
    if _is_orphan():
        # The folder that it would count in may be gone, and no parent waits for it.
        raise SystemExit(0)
    try:
        return application_from_env(environment, peer_is_proxy=peer_is_proxy)
    except RaffleError as error:
        _log.error("A worker cannot start: %s", error)
        raise SystemExit(1) from error
