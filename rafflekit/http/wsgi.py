"""`rafflekit.http.wsgi:application`, for any WSGI server.

Importing this module opens nothing. Reading `application` reads the environment and checks that the database can be
opened, so that a server with wrong settings does not start. Each process then opens the database for itself, at its
first request: a database connection does not survive a fork, and a server may fork its workers before or after it reads
`application` (gunicorn with or without `--preload`).
"""

import atexit
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from rafflekit.core.errors import RaffleError
from rafflekit.core.opening import serving_engine_of
from rafflekit.core.settings import Settings
from rafflekit.http.app import WsgiApp, create_app, create_refusing_app
from rafflekit.http.monitoring.metrics import Metrics, check_shared_folder


def application_from_env(environment: Mapping[str, str], *, peer_is_proxy: bool = False) -> WsgiApp:
    """Return an application with the settings and the database of an environment, for this process only.

    `peer_is_proxy` is as in `create_app`. The database is closed when the process ends.

    Raises:
        InvalidSetting: a value cannot be read, or a shared database has no key to sign receipts with.
        SigningKeyUnavailable: the key next to the database is missing or cannot be used.
        SchemaMismatch, StorageUnavailable: the database cannot be used.
    """
    settings = Settings.from_env(environment)
    metrics = Metrics()
    engine = serving_engine_of(settings, settings.database_url, on_group=metrics.note_group)
    process = os.getpid()

    def close() -> None:
        # A forked child inherits this call, and must not touch its parent's connections.
        if os.getpid() == process:
            engine.close()

    atexit.register(close)
    return create_app(engine, settings, metrics=metrics, peer_is_proxy=peer_is_proxy)


class ForkSafeApplication:
    """A WSGI application that a process may inherit: the first request in a process opens the database.

    Raises what `application_from_env` raises; later, in a request, that is a 503.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._settings = Settings.from_env(environment)
        check_shared_folder()
        serving_engine_of(self._settings, self._settings.database_url).close()
        self._application: WsgiApp | None = None
        self._inherited: list[WsgiApp] = []
        self._opening = threading.Lock()
        # Windows has no fork.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._start_afresh)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        application = self._application or self._opened()
        return application(environ, start_response)

    def _opened(self) -> WsgiApp:
        with self._opening:
            if self._application is None:
                try:
                    self._application = application_from_env(self._environment)
                except RaffleError as error:
                    # Not stored: the next request tries again.
                    return create_refusing_app(error, self._settings)
            return self._application

    def _start_afresh(self) -> None:
        # A forked child must neither use nor close what it inherits; dropping it would close it.
        if self._application is not None:
            self._inherited.append(self._application)
            self._application = None
        # A thread that does not exist in the child may hold the old one.
        self._opening = threading.Lock()


@cache
def __getattr__(name: str) -> ForkSafeApplication:
    if name == "application":
        return ForkSafeApplication(os.environ)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
