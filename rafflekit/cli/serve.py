"""`rafflekit serve`: the HTTP face, started from the terminal; the only imports of `rafflekit.http` are here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.failures import UNEXPECTED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import DatabaseUrl, open_engine, read_settings
from rafflekit.core.settings import DATABASE_URL, MANAGER_IPS, Settings

_MOST_WORKERS = 128

# Library → the extra that installs it.
_OPTIONAL_LIBRARIES = {"falcon": "http", "msgspec": "http", "waitress": "http", "granian": "granian"}


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
    database_url: DatabaseUrl = None,
) -> None:
    """Serve the raffles over HTTP until Ctrl-C."""
    if server is Server.GRANIAN:
        _serve_on_granian(host, port, workers=workers, database_url=database_url)
    elif workers > 1:
        raise CommandStopped(
            f"waitress is one process, so --workers {workers} needs --server granian.", status=WRONG_USAGE
        )
    else:
        _serve_on_waitress(host, port, database_url=database_url)


def _serve_on_waitress(host: str, port: int, *, database_url: str | None) -> None:
    with _libraries():
        from rafflekit.http.server import run

    settings = read_settings()
    with open_engine(database_url, settings=settings) as engine:
        _remark_on(settings)
        run(
            engine,
            settings,
            host=host,
            port=port,
            on_listening=lambda url: _announce(engine.database_url, url),
        )


def _serve_on_granian(host: str, port: int, *, workers: int, database_url: str | None) -> None:
    with _libraries():
        from rafflekit.http.granian_server import WorkersFailed, run

    settings = read_settings()
    # Opened and closed again: what cannot work is said here, once, and not by every worker.
    with open_engine(database_url, settings=settings) as engine:
        shown_url = engine.database_url
    _remark_on(settings)
    try:
        run(
            os.environ if database_url is None else os.environ | {DATABASE_URL.name: database_url},
            host=host,
            port=port,
            workers=workers,
            on_listening=lambda url: _announce(shown_url, url),
        )
    except WorkersFailed as error:
        raise CommandStopped(str(error), status=UNEXPECTED) from error


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


def _remark_on(settings: Settings) -> None:
    if not settings.manager_networks:
        terminal.remark(
            f"{MANAGER_IPS.name} is not set, so nobody can create or draw over HTTP; "
            f"{MANAGER_IPS.name}=127.0.0.1 would let this machine."
        )


def _announce(database_url: str, url: str) -> None:
    terminal.say(f"rafflekit serves {database_url} at {url} (Ctrl-C stops it)")
