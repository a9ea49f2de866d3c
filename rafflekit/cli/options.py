"""The options and arguments that several commands share, and the engine that they open."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.imports import importing
from rafflekit.core import limits
from rafflekit.core.errors import NAMELESS_URL, InvalidSetting
from rafflekit.core.settings import DATABASE_URL, Settings, read_server_url

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine

_DEFAULT_URL = f"Default: {DATABASE_URL.name}, or else {DATABASE_URL.default}."

DatabaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", show_default=False, help=f"{DATABASE_URL.purpose.capitalize()}. {_DEFAULT_URL}"),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print the same JSON as the HTTP API, and nothing else.")]

AsJsonLine = Annotated[bool, typer.Option("--json", help="Print one line of JSON and nothing else.")]

ShownRaffle = Annotated[
    str,
    typer.Argument(
        metavar="RAFFLE",
        help="The raffle's id, the beginning of it, its name, or a part of its name. It must match only one raffle.",
    ),
]
"""For commands that only show something."""

ChangedRaffle = Annotated[
    str,
    typer.Argument(
        metavar="RAFFLE",
        help="The raffle's id, the beginning of it, or its whole name. It must match only one raffle.",
    ),
]
"""For commands that change something, and find their raffle with `whole_name`."""

PageNumber = Annotated[int, typer.Option("--page", metavar="NUMBER", help="The page to show, from 1.")]

PageSize = Annotated[int, typer.Option(metavar="COUNT", help=f"Items per page, at most {limits.PAGE_SIZE:,}.")]

RafflesPageSize = Annotated[
    int, typer.Option(metavar="COUNT", help=f"Raffles per page, at most {limits.RAFFLES_PAGE_SIZE_MOST}.")
]


def read_settings() -> Settings:
    """Return the settings of the environment.

    Raises:
        InvalidSetting: a variable has a wrong value.
    """
    return Settings.from_env(os.environ)


def refuse_standard_output(parameter: str, file: Path) -> None:
    """Check that an output is not `-`: codes and keys belong in a file that only their owner can read.

    Raises:
        CommandStopped: it is; the sentence names the option or argument (`parameter`) that gives it.
    """
    if str(file) == "-":
        raise CommandStopped(f"{parameter} needs a file: it cannot be standard output (-).", status=WRONG_USAGE)


def server_address(url: str) -> str:
    """Return the address of a server that `--url` gives, without a slash at its end.

    Raises:
        CommandStopped: it is not one, or is that of a page, or has more than an address needs.
    """
    try:
        return read_server_url(url)
    except ValueError as error:
        raise CommandStopped(f"--url: {error}", status=WRONG_USAGE) from error


def visitors_address(url: str | None) -> str | None:
    """Return the address at which visitors open the server: of `--url`, or else of `RAFFLEKIT_PUBLIC_URL`; or None.

    Raises:
        CommandStopped: as `server_address`.
        InvalidSetting: a variable has a wrong value.
    """
    return read_settings().public_url if url is None else server_address(url)


@contextmanager
def open_engine(database_url: str | None) -> Iterator["RaffleEngine"]:
    """Give an engine on the database that the option names, or else the environment, or else on the default one."""
    with importing("rafflekit.core.opening"):
        from rafflekit.core.opening import engine_of

    settings = read_settings()
    with named_database(database_url, settings) as url:
        engine = engine_of(settings, url)
    with engine:
        yield engine


@contextmanager
def named_database(database_url: str | None, settings: Settings) -> Iterator[str | None]:
    """Give the URL of the option, or else of the settings; an error of it names where it came from."""
    try:
        yield settings.database_url if database_url is None else database_url
    except InvalidSetting as error:
        if error.variable != NAMELESS_URL:
            raise
        where = DATABASE_URL.name if database_url is None else "--database-url"
        raise InvalidSetting(where, error.value, error.reason) from error
