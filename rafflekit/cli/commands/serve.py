"""`rafflekit serve`: starts the HTTP service; the only import of `rafflekit.http` in the command line is here."""

import logging
import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.extras import extra_for
from rafflekit.cli.failures import UNEXPECTED, WRONG_USAGE, CommandStopped
from rafflekit.cli.options import DatabaseUrl, named_database, read_settings
from rafflekit.cli.own_addresses import own_addresses
from rafflekit.cli.qr import show_qr_code
from rafflekit.core.settings import MANAGER_IPS, PUBLIC_URL, VARIABLES, Settings

if TYPE_CHECKING:
    from rafflekit.http.serving import Urls

_MOST_WORKERS = 128
_THIS_MACHINE = "127.0.0.1"
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - only with --lan, which says so

EPILOG = "\n\n".join(
    ["Environment variables:", *(f"{name}: {purpose} (default: {default})." for name, purpose, default in VARIABLES)]
)
"""The end of the help."""

_own_log = logging.getLogger(__name__)


class LogFormat(StrEnum):
    """The form of a line in the log."""

    HUMAN = "human"
    JSON = "json"


class Server(StrEnum):
    """The HTTP server."""

    WAITRESS = "waitress"
    GRANIAN = "granian"


_Host = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", show_default=False, help=f"The address to listen on. Default: {_THIS_MACHINE}."),
]
_Lan = Annotated[
    bool,
    typer.Option(
        "--lan",
        help="Listen on every address of this machine, for the phones of a local network, and show what they open.",
    ),
]
_Port = Annotated[
    int, typer.Option(metavar="PORT", min=0, max=65535, help="The port to listen on; 0 takes a free one.")
]
_UnixSocket = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        show_default=False,
        help="Listen on this Unix socket instead, for a proxy on the same machine. Everyone who may open it (the owner "
        "and the group) counts as a trusted proxy.",
    ),
]
_UnixSocketGroup = Annotated[
    str | None,
    typer.Option(
        metavar="GROUP", show_default=False, help="The group of the Unix socket; without it, this account's group."
    ),
]
_ServerName = Annotated[
    Server,
    typer.Option(
        metavar="NAME", help="The HTTP server: 'waitress' (one process) or 'granian' (faster, one or more processes)."
    ),
]
_Workers = Annotated[
    int,
    typer.Option(
        metavar="COUNT",
        min=1,
        max=_MOST_WORKERS,
        help=f"With granian: the number of processes, at most {_MOST_WORKERS}.",
    ),
]
_LogFormat = Annotated[
    LogFormat | None,
    typer.Option(
        metavar="FORMAT",
        show_default=False,
        help="Log every request: 'human' (for people) or 'json' (one object per line). Without it, requests are "
        "logged for people, and only on a terminal.",
    ),
]


def serve_raffles(
    *,
    host: _Host = None,
    lan: _Lan = False,
    port: _Port = 8080,
    unix_socket: _UnixSocket = None,
    unix_socket_group: _UnixSocketGroup = None,
    server: _ServerName = Server.WAITRESS,
    workers: _Workers = 1,
    log_format: _LogFormat = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve the raffles over HTTP.

    The server runs until Ctrl-C. It closes raffles when their time is over.
    """
    if server is Server.WAITRESS and workers > 1:
        raise CommandStopped(
            f"waitress is one process, so --workers {workers} needs --server granian.", status=WRONG_USAGE
        )
    if unix_socket_group is not None and unix_socket is None:
        raise CommandStopped("--unix-socket-group needs --unix-socket.", status=WRONG_USAGE)
    place = _place_of(host, unix_socket, lan=lan)
    settings = read_settings()
    addresses = own_addresses() if lan else []

    def announce(shown_database_url: str, urls: "Urls") -> None:
        _remark_on(settings, place, log_format)
        terminal.say(f"rafflekit serves {shown_database_url} at {urls.here} (Ctrl-C stops it)")
        if urls.elsewhere is not None:
            if lan:
                _show_own_addresses(urls.here, addresses)
            else:
                terminal.say(f"Other machines reach it at {urls.elsewhere}")
            if server is Server.GRANIAN:
                terminal.remark(
                    "Granian needs a proxy that reads whole requests: without one, slow clients can stop it."
                )

    with extra_for("The HTTP service"), named_database(database_url, settings) as url:
        from rafflekit.http.serving import CannotServe, Log, UnixSocket, WorkersFailed, serve_until_stopped

        form = LogFormat.HUMAN if log_format is None else log_format
        try:
            serve_until_stopped(
                _environment_with(addresses, port, settings),
                database_url=url,
                server=server.value,
                workers=workers,
                host=place,
                port=port,
                unix_socket=None if unix_socket is None else UnixSocket(unix_socket, unix_socket_group),
                log=Log(form.value, requests=log_format is not None or terminal.is_terminal(sys.stderr)),
                on_listening=announce,
            )
        except CannotServe as error:
            raise CommandStopped(str(error), status=WRONG_USAGE) from error
        except WorkersFailed as error:
            raise CommandStopped(str(error), status=UNEXPECTED) from error


def _place_of(host: str | None, unix_socket: Path | None, *, lan: bool) -> str:
    """Return the address to listen on."""
    for option, given in (("--host", host), ("--unix-socket", unix_socket)):
        if lan and given is not None:
            raise CommandStopped(f"Give either --lan or {option}: each says where to listen.", status=WRONG_USAGE)
    if lan:
        return _EVERY_ADDRESS
    return _THIS_MACHINE if host is None else host


def _environment_with(addresses: Sequence[str], port: int, settings: Settings) -> dict[str, str]:
    """Return the environment in which QR codes lead phones to this machine, also on pages that are opened on it."""
    if not addresses or port == 0 or settings.public_url is not None:
        return {**os.environ}
    return {**os.environ, PUBLIC_URL.name: f"http://{addresses[0]}:{port}"}


def _show_own_addresses(here: str, addresses: Sequence[str]) -> None:
    terminal.say(f"It listens on every address of this machine ({_EVERY_ADDRESS}).")
    port = here.rpartition(":")[2]
    urls = [f"http://{address}:{port}/" for address in addresses]
    if not urls:
        terminal.say(
            "No address for phones was found. Connect this machine to the local network and start again, or look its "
            f"address up in the network settings: phones open http://<address>:{port}/"
        )
        return
    for url in urls:
        terminal.say(f"Phones on the local network open {url}")
    show_qr_code(urls[0])


def _remark_on(settings: Settings, host: str, log_format: LogFormat | None) -> None:
    sentence = settings.danger_at(host)
    if not settings.manager_networks:
        sentence = f"{MANAGER_IPS.name} is not set, so no one can create or draw over HTTP; the command line can."
    if sentence is None:
        return
    # A program that reads the log expects JSON in every line.
    if log_format is LogFormat.JSON:
        _own_log.warning(sentence)
    else:
        terminal.remark(sentence)
