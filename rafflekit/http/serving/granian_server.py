"""`run_granian`: the service on Granian, in worker processes that share one listening socket.

Granian speaks HTTP in Rust, starts the workers, replaces one that dies and stops them. What it does not do is here:
the workers share one queue of connections (Granian gives each a socket of its own, so that another server on the same
port goes unnoticed), they are new processes that have opened nothing (a database connection does not survive a fork),
nothing but the announcement is printed, and they stop with their parent, whatever ends it.
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

from rafflekit.core.errors import InvalidSetting, RaffleError
from rafflekit.core.settings import PROXY_HEADER, ProxyHeader, Settings
from rafflekit.http.app import WsgiApp
from rafflekit.http.monitoring.log_lines import Log
from rafflekit.http.monitoring.metrics import remove_shared_folder, shared_counting
from rafflekit.http.serving.failures import CannotServe, WorkersFailed
from rafflekit.http.serving.listening import (
    IDLE_CONNECTIONS,
    KEEP_ALIVE_S,
    STOP_LIMIT_S,
    THREADS,
    Urls,
    listening_socket,
    log_stop,
    room_for_connections,
    urls_of,
)
from rafflekit.http.wsgi import application_from_env

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_BACKLOG = 1024

_GRANIAN_SETTINGS: dict[str, Any] = {
    "interface": Interfaces.WSGI,
    # HTTP/2 without TLS is for clients that know of it beforehand, and a second parser to be wrong.
    "http": HTTPModes.http1,
    "http1_settings": HTTP1Settings(header_read_timeout=KEEP_ALIVE_S * 1000, max_buffer_size=32 * 1024),
    "websockets": False,
    "blocking_threads": THREADS,
    # A new thread is new connections to the database: the longest that Granian allows.
    "blocking_threads_idle_timeout": 600,
    "workers_kill_timeout": int(STOP_LIMIT_S),
    "respawn_failed_workers": True,
    "log_enabled": False,
    # Granian's own configuration would put handlers on standard output, and throw away those that a program has.
    "log_dictconfig": {"incremental": True, "handlers": {}, "loggers": {}},
}

_QUIET_LOG = Log()

_log = logging.getLogger(__name__)


def run_granian(
    environment: Mapping[str, str],
    *,
    host: str,
    port: int,
    workers: int,
    on_listening: Callable[[Urls], None],
    log: Log = _QUIET_LOG,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then answer what is under way and return; a second signal kills.

    Each of the `workers` processes opens the database for itself, with the settings that `environment` has: check
    both beforehand. Call it in the main thread. `port` 0 takes a free port. `on_listening` gets the URLs as soon as
    connections are accepted. `log` is how the workers write theirs. They count together what `/metrics` shows. A stop
    takes at most `STOP_LIMIT_S` seconds, and is logged.

    Raises:
        CannotServe: the server cannot listen at that host and port, or this is Windows.
        InvalidSetting: proxies are trusted and their header is not `Forwarded`.
        WorkersFailed: the workers cannot be kept alive.
    """
    if not hasattr(signal, "pthread_sigmask"):
        raise CannotServe("Granian cannot serve rafflekit on Windows; use waitress.")
    _check_proxy_header(Settings.from_env(environment))
    with listening_socket(host, port) as listener, _new_processes(), shared_counting():
        listener.listen(_BACKLOG)
        # As Granian does with its own sockets, whose connections inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What Granian means by it is connections, each of which holds its place until it is closed.
        most_connections = room_for_connections(IDLE_CONNECTIONS)
        server = _GranianParent(listener, workers=workers, backpressure=most_connections, **_GRANIAN_SETTINGS)
        with _stop_signals(server) as received:
            on_listening(urls_of(listener))
            _serve(server, environment, received, log)
        # Only now does it do what it does to every program.
        for number in received[1:2]:
            os.kill(os.getpid(), number)
        log_stop(received[0])


def _check_proxy_header(settings: Settings) -> None:
    # To Granian, X_Forwarded_For is X-Forwarded-For, and the one that comes last takes the place of the other: whoever
    # gets it past the proxy chooses an address. A name without a dash has no such double.
    if settings.trusted_proxies and settings.proxy_header is not ProxyHeader.FORWARDED:
        header = settings.proxy_header.value
        reason = (
            f"granian cannot tell {header} from {header.replace('-', '_')}, which clients may send; "
            f"have the proxy set {ProxyHeader.FORWARDED} and name that here, or take waitress."
        )
        raise InvalidSetting(PROXY_HEADER.name, header, reason)


def _serve(server: "_GranianParent", environment: Mapping[str, str], received: list[int], log: Log) -> None:
    load = partial(_application, dict(environment))
    try:
        server.serve(spawn_target=partial(_work, log), target_loader=load, wrap_loader=False)
    except SystemExit as failure:
        # A worker that ends while it is told to is no failure.
        if not received:
            raise WorkersFailed(
                "The worker processes end by themselves, again and again; what they said before is the reason."
            ) from failure


class _GranianParent(MPServer):
    """Granian's parent process, on a socket that listens already."""

    def __init__(self, listener: socket.socket, **settings: Any) -> None:
        super().__init__("rafflekit.http.wsgi:application", *listener.getsockname()[:2], **settings)
        self._listener = listener
        # Granian makes Ctrl-C its own, which `_stop_signals` minds, and SIGHUP a restart: a terminal that is closed
        # sends it, and means the end.
        self.on_startup(lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))

    def _init_shared_socket(self) -> None:
        self._shd: Any = _SharedSocket(self._listener)
        self._sso = None

    def _drop_shared_socket(self) -> None:
        # The workers have theirs, until each has taken in who is connected already. In a rush that might never be: from
        # now on whoever is not let in at once must try again a second later, and finds nobody.
        self._listener.listen(0)
        self._listener.close()


class _SharedSocket:
    """The listening socket on its way to a worker, where it becomes Granian's own kind."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def __reduce__(self) -> tuple[Any, ...]:
        return _adopted, (DupFd(self._listener.fileno()),)


def _adopted(inherited: Any) -> SocketHolder:
    # Where Granian's sockets begin to listen in the worker, they are told once more how many may wait.
    waiting = (_BACKLOG,) if sys.platform.startswith(("linux", "freebsd")) else ()
    return SocketHolder(inherited.detach(), False, *waiting)  # type: ignore[call-arg]  # its stub has no constructor


@contextmanager
def _new_processes() -> Iterator[None]:
    """Have Granian start its workers as new processes, not as copies of this one."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method(before, force=True)


@contextmanager
def _stop_signals(server: _GranianParent) -> Iterator[list[int]]:
    """Stop the server on SIGTERM and SIGINT, which are collected in the list that is given.

    They are blocked and waited for in a thread of their own. The workers inherit that: a Ctrl-C, which a terminal
    sends to all of them, reaches the parent only, and no worker ends before it knows how to.
    """
    received: list[int] = []
    ending = threading.Event()

    def wait_for_signals() -> None:
        while True:
            number = signal.sigwait(_STOP_SIGNALS)
            if ending.is_set():
                return
            received.append(number)
            server.signal_handler_interrupt()  # type: ignore[no-untyped-call]  # Granian's, without types
            if len(received) > 1:
                # Some may not have been started yet.
                server.workers_kill_timeout = 1
                for worker in multiprocessing.active_children():
                    worker.kill()

    previous = {number: signal.getsignal(number) for number in (*_STOP_SIGNALS, signal.SIGHUP)}
    # It lets these signals through when it starts, so it starts before they are blocked.
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
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
    """Be a worker, in a process of its own, until SIGTERM, which is blocked as the parent had it."""
    threading.Thread(target=_stop_on_signal, name="stop signal", daemon=True).start()
    threading.Thread(target=_stop_after_parent, name="parent", daemon=True).start()
    try:
        with log.written():
            MPServer._spawn_wsgi_worker(*arguments)
    finally:
        if _is_orphan():
            remove_shared_folder()


def _stop_on_signal() -> None:
    # Granian's handler is called from here, not by Python: Python sees no signal that comes in the moment in which the
    # main thread begins to wait, and it waits for ever.
    number = signal.sigwait([signal.SIGTERM])
    while not callable(handler := signal.getsignal(number)):
        # The worker is not ready yet. Who is connected already wants an answer.
        time.sleep(0.02)
    handler(number, None)


def _stop_after_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    # It was killed, so nobody else would tell, nor put an end to it.
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_LIMIT_S)
    os._exit(1)


def _is_orphan() -> bool:
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def _application(environment: Mapping[str, str]) -> WsgiApp:
    if _is_orphan():
        # What it would count in may be gone, and nobody waits for it.
        raise SystemExit(0)
    try:
        return application_from_env(environment)
    except RaffleError as error:
        _log.error("A worker cannot start: %s", error)
        raise SystemExit(1) from error
