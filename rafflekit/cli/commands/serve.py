"""`rafflekit serve`: the HTTP face, started from the terminal; the only imports of `rafflekit.http` are here."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.failures import UNEXPECTED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import DatabaseUrl, named_database, read_settings
from rafflekit.core.settings import DATABASE_URL, MANAGER_IPS, Settings

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.tickets.issuing import GroupObserver
    from rafflekit.http.monitoring.log_lines import Log

_MOST_WORKERS = 128

# Library → the extra that installs it.
_OPTIONAL_LIBRARIES = {
    **dict.fromkeys(("falcon", "msgspec", "prometheus_client", "waitress"), "http"),
    "granian": "granian",
}

_own_log = logging.getLogger(__name__)


class LogFormat(StrEnum):
    """How a line of the log looks."""

    HUMAN = "human"
    JSON = "json"


class Server(StrEnum):
    """What speaks HTTP."""

    WAITRESS = "waitress"
    GRANIAN = "granian"


def serve(
    *,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 8080,
    server: Annotated[
        Server, typer.Option(help="What speaks HTTP: waitress is one process, granian is faster and may be several.")
    ] = Server.WAITRESS,
    workers: Annotated[
        int, typer.Option(metavar="COUNT", min=1, max=_MOST_WORKERS, help="How many processes answer, with granian.")
    ] = 1,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(
            show_default=False,
            help="Log every request, in lines for people or one JSON object each. "
            "Without it, requests are logged for people, and only on a terminal.",
        ),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve the raffles over HTTP until Ctrl-C."""
    if server is Server.WAITRESS and workers > 1:
        raise CommandStopped(
            f"waitress is one process, so --workers {workers} needs --server granian.", status=WRONG_USAGE
        )
    with _log(log_format) as log:
        if server is Server.GRANIAN:
            _serve_on_granian(host, port, workers=workers, database_url=database_url, log=log)
        else:
            _serve_on_waitress(host, port, database_url=database_url, log=log)


def _serve_on_waitress(host: str, port: int, *, database_url: str | None, log: "Log") -> None:
    with _libraries():
        from rafflekit.http.monitoring.metrics import Metrics
        from rafflekit.http.serving.waitress_server import run

    settings = read_settings()
    metrics = Metrics()
    with _open_to_serve(database_url, settings, on_group=metrics.note_group) as engine:
        _remark_on(settings, log)
        run(
            engine,
            settings,
            host=host,
            port=port,
            on_listening=lambda url: _announce(engine.database_url, url),
            metrics=metrics,
        )


def _serve_on_granian(host: str, port: int, *, workers: int, database_url: str | None, log: "Log") -> None:
    with _libraries():
        from rafflekit.http.serving.granian_server import WorkersFailed, run

    settings = read_settings()
    # Opened and closed again: what cannot work is said here, once, and not by every worker.
    with _open_to_serve(database_url, settings) as engine:
        shown_url = engine.database_url
    _remark_on(settings, log)
    try:
        run(
            os.environ if database_url is None else os.environ | {DATABASE_URL.name: database_url},
            host=host,
            port=port,
            workers=workers,
            on_listening=lambda url: _announce(shown_url, url),
            log=log,
        )
    except WorkersFailed as error:
        raise CommandStopped(str(error), status=UNEXPECTED) from error


def _open_to_serve(
    database_url: str | None, settings: Settings, *, on_group: "GroupObserver | None" = None
) -> "RaffleEngine":
    from rafflekit.core.opening import serving_engine_of

    with named_database(database_url, settings) as url:
        return serving_engine_of(settings, url, on_group=on_group)


@contextmanager
def _libraries() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        extra = _OPTIONAL_LIBRARIES.get(library)
        if extra is None:
            raise
        raise CommandStopped(
            f"The HTTP service needs {library}; pip install 'rafflekit[{extra}]' installs it.", status=WRONG_USAGE
        ) from error


@contextmanager
def _log(log_format: LogFormat | None) -> Iterator["Log"]:
    """Write the log as it is asked for, or else as suits standard error, and give what the server is to know of it."""
    with _libraries():
        from rafflekit.http.monitoring.log_lines import Log

    is_watched = terminal.is_terminal(sys.stderr)
    form = LogFormat.HUMAN if log_format is None else log_format
    log = Log(form=form.value, requests=log_format is not None or is_watched)
    with log.written():
        yield log


def _remark_on(settings: Settings, log: "Log") -> None:
    if not settings.manager_networks:
        _remark(
            log,
            f"{MANAGER_IPS.name} is not set, so nobody can create or draw over HTTP; "
            f"{MANAGER_IPS.name}=127.0.0.1 would let this machine.",
        )


def _remark(log: "Log", sentence: str) -> None:
    # A program that reads the log reads every line of it.
    if log.form == LogFormat.JSON.value:
        _own_log.warning(sentence)
    else:
        terminal.remark(sentence)


def _announce(database_url: str, url: str) -> None:
    terminal.say(f"rafflekit serves {database_url} at {url} (Ctrl-C stops it)")
