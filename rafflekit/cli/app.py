"""The Typer application: the commands in the order of a raffle's life."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from rafflekit import __version__
from rafflekit.cli import terminal
from rafflekit.cli.commands import databases, proofs, witnesses
from rafflekit.cli.commands.audit import audit
from rafflekit.cli.commands.demo import demo
from rafflekit.cli.commands.draws import draw, purge, winners
from rafflekit.cli.commands.raffles import create, list_raffles, show
from rafflekit.cli.commands.serve import serve
from rafflekit.cli.commands.tickets import participate, verify
from rafflekit.core.settings import VARIABLES

_COMMANDS: dict[str, Callable[..., None]] = {
    "create": create,
    "list": list_raffles,
    "show": show,
    "participate": participate,
    "draw": draw,
    "winners": winners,
    "verify": verify,
    "receipt": proofs.receipt,
    "checkpoint": proofs.checkpoint,
    "proof": proofs.proof,
    "audit": audit,
    "purge": purge,
    "serve": serve,
    "backup": databases.backup,
    "doctor": databases.doctor,
    "demo": demo,
}
_COMMANDS_ON_KEYS: dict[str, Callable[..., None]] = {
    "make": proofs.make_key,
    "show": proofs.show_key,
}
_COMMANDS_ON_WITNESSES: dict[str, Callable[..., None]] = {
    "add": witnesses.add,
    "sign": witnesses.sign,
}
_COMMANDS_ON_DATABASES: dict[str, Callable[..., None]] = {
    "status": databases.status,
    "upgrade": databases.upgrade,
}


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; without arguments, show the help.

    Raises:
        RaffleError, CommandStopped, typer.TyperException: for the one who called to explain.
    """
    command = typer.main.get_command(_application())
    try:
        # Not command.main(), which prints and exits by itself; errors are for `failures` to explain.
        with command.make_context("rafflekit", list(arguments) or ["--help"]) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    return 0


def _application() -> typer.Typer:
    # Plain help everywhere: the rich one draws boxes, and gives --help a <bool> as its value.
    application = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    application.callback()(_rafflekit)
    for name, command in _COMMANDS.items():
        application.command(name, epilog=_variables_help() if command is serve else None)(command)
    for name, help_text, commands in (
        ("key", _key, _COMMANDS_ON_KEYS),
        ("witness", _witness, _COMMANDS_ON_WITNESSES),
        ("db", _db, _COMMANDS_ON_DATABASES),
    ):
        group = typer.Typer(rich_markup_mode=None)
        group.callback()(help_text)
        for of_group, command in commands.items():
            group.command(of_group)(command)
        application.add_typer(group, name=name)
    return application


def _print_version(wanted: bool) -> None:
    if wanted:
        terminal.say(f"rafflekit {__version__}")
        raise typer.Exit


def _rafflekit(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Raffles with numbered tickets, and a draw that nobody can predict."""


def _key() -> None:
    """Make the key that signs the ledgers, and show its public half."""


def _witness() -> None:
    """Cosign the closing of somebody else's raffle, and keep cosignatures on one's own."""


def _db() -> None:
    """Look at a database's layout, and upgrade it."""


def _variables_help() -> str:
    lines = [f"{name}: {purpose} (without it: {default})." for name, purpose, default in VARIABLES]
    return "\n\n".join(["Environment variables:", *lines])
