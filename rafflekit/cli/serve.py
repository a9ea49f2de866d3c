"""`rafflekit serve`: the HTTP face, started from the terminal; the only import of `rafflekit.http` is here."""

from typing import Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.options import DatabaseUrl, open_engine, read_settings
from rafflekit.core.settings import MANAGER_IPS

_OPTIONAL_LIBRARIES = {"falcon", "msgspec", "waitress"}


def serve(
    *,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 8080,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve the raffles over HTTP until Ctrl-C."""
    try:
        from rafflekit.http.server import run
    except ModuleNotFoundError as error:
        if error.name not in _OPTIONAL_LIBRARIES:
            raise
        raise CommandStopped(
            f"The HTTP service needs {error.name}; pip install 'rafflekit[http]' installs it.", status=WRONG_USAGE
        ) from error

    settings = read_settings()
    with open_engine(database_url, settings=settings) as engine:
        if not settings.manager_networks:
            terminal.remark(
                f"{MANAGER_IPS.name} is not set, so nobody can create or draw over HTTP; "
                f"{MANAGER_IPS.name}=127.0.0.1 would let this machine."
            )
        run(
            engine,
            settings,
            host=host,
            port=port,
            on_listening=lambda url: terminal.say(f"rafflekit serves {engine.database_url} at {url} (Ctrl-C stops it)"),
        )
