"""The servers, waitress and Granian, and `serve_until_stopped`, which runs either of them.

Importing this package imports neither server: each is loaded when it is started.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from rafflekit.core.opening import serving_engine_of
from rafflekit.core.settings import DATABASE_URL, Settings
from rafflekit.http.monitoring.log_lines import Log
from rafflekit.http.serving.listening import CannotServe, Urls, WorkersFailed
from rafflekit.http.serving.unix_socket import UnixSocket

__all__ = ["CannotServe", "Log", "UnixSocket", "Urls", "WorkersFailed", "serve_until_stopped"]


def serve_until_stopped(
    environment: Mapping[str, str],
    *,
    database_url: str | None,
    server: Literal["waitress", "granian"],
    workers: int,
    host: str,
    port: int,
    unix_socket: UnixSocket | None,
    log: Log,
    on_listening: Callable[[str, Urls], None],
) -> None:
    """Serve the raffles over HTTP until SIGTERM, SIGHUP or Ctrl-C; call it in the main thread.

    `environment` holds the settings; a `database_url` replaces the one in there. `workers` is the number of Granian's
    processes. `port` 0 takes a free port; a `unix_socket` replaces host and port, and its clients are proxies.
    Meanwhile the log is written on standard error, as `log` says. `on_listening` is called as soon as connections are
    accepted, with the database's URL (without its password) and those of the service.

    Raises:
        InvalidSetting: a setting cannot be read, or a shared database has no key to sign receipts with.
        SigningKeyUnavailable, SchemaMismatch, StorageUnavailable: the key or the database cannot be used.
        CannotServe: the server cannot listen there, or does not run on this system.
        WorkersFailed: Granian's workers cannot be kept alive.
        ModuleNotFoundError: the server, or a library that it needs, is not installed.
    """
    where: dict[str, Any] = {"host": host, "port": port, "unix_socket": unix_socket}
    settings = Settings.from_env(environment)
    url = settings.database_url if database_url is None else database_url
    with log.written():
        if server == "granian":
            from rafflekit.http.serving.granian_server import run_granian

            if url is not None:
                environment = {**environment, DATABASE_URL.name: url}
            # What cannot work is reported here, once, and not by every worker.
            with serving_engine_of(settings, url) as engine:
                announce = partial(on_listening, engine.database_url)
                run_granian(engine, environment, **where, workers=workers, on_listening=announce, log=log)
        else:
            from rafflekit.http.monitoring.metrics import Metrics
            from rafflekit.http.serving.waitress_server import run_waitress

            metrics = Metrics()
            with serving_engine_of(settings, url, on_group=metrics.note_group) as engine:
                announce = partial(on_listening, engine.database_url)
                run_waitress(engine, settings, **where, on_listening=announce, metrics=metrics)
