"""The Typer application: finds the one command that was called, builds it and runs it; or shows the help."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rafflekit import __version__
from rafflekit.cli import terminal
from rafflekit.cli.commands import COMMANDS, HEADINGS, Command
from rafflekit.cli.parameters import PlainCommand, PlainGroup

if TYPE_CHECKING:
    from typer._click import Command as Built
    from typer._click import Context, HelpFormatter


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; without arguments, show the help.

    Raises:
        RaffleError, CommandStopped, typer.TyperException: for the caller to explain.
    """
    program = typer.main.get_command(_program())
    try:
        # Not program.main(), which prints and exits by itself; errors are for `failures` to explain.
        with program.make_context("rafflekit", list(arguments) or ["--help"]) as context:
            program.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    return 0


class _Program(PlainGroup):
    """All commands: known by their names, each imported and built when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": dict.fromkeys(COMMANDS)})

    def get_command(self, ctx: "Context", cmd_name: str) -> "Built | None":
        """Build the command that was called."""
        found = COMMANDS.get(cmd_name)
        return None if found is None else _built(cmd_name, found)

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the commands under their headings, then the options."""
        width = max(map(len, COMMANDS))
        for heading, commands in HEADINGS.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), command.summary) for name, command in commands.items()])
        options = [record for option in self.get_params(ctx) if (record := option.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(options)


def _program() -> typer.Typer:
    # Plain help everywhere: the rich one draws boxes, and gives --help a <bool> as its value.
    program = typer.Typer(
        cls=_Program,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        subcommand_metavar="COMMAND …",
        options_metavar="",
        epilog="'rafflekit COMMAND --help' explains a command and its options.",
    )
    program.callback()(_rafflekit)
    return program


def _built(name: str, command: Command) -> "Built":
    module = import_module(f"{__package__}.commands.{command.family}")
    application = typer.Typer(
        cls=PlainGroup,
        add_completion=False,
        rich_markup_mode=None,
        subcommand_metavar="COMMAND …",
        options_metavar="",
    )
    if command.function is None:
        for of_group, function in module.GROUP.items():
            application.command(of_group, cls=PlainCommand)(function)
        application.callback(help=command.summary)(_nothing_itself)
    else:
        application.command(name, cls=PlainCommand, epilog=getattr(module, "EPILOG", None))(
            getattr(module, command.function)
        )
    return typer.main.get_command(application)


def _nothing_itself() -> None:
    pass


def _print_version(wanted: bool) -> None:
    if wanted:
        terminal.say(f"rafflekit {__version__}")
        raise typer.Exit


def _rafflekit(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Raffles with numbered tickets, and a draw that no one can predict."""
