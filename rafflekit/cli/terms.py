"""The terms of a raffle as people give them: the options of `create` and `edit`, and a file in TOML (`--from`).

An empty text removes an option. The engine checks the values; its errors name the option, or the file and the key.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from rafflekit.cli.failures import PARAMETERS, WRONG_USAGE, CommandStopped
from rafflekit.cli.parameters import number_given
from rafflekit.cli.sources import read_file
from rafflekit.cli.words import time_given
from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.entropy import SECRETS
from rafflekit.core.protocol.entropy.announced import Announced
from rafflekit.core.protocol.entropy.drand import DrandQuicknet
from rafflekit.core.protocol.terms import TEXTS, TIMES, EntryRule, Options
from rafflekit.core.written_prizes import read_prize

TicketCount = Annotated[
    int | None, typer.Option("--tickets", metavar="COUNT", help="The number of tickets. They are numbered from 1.")
]
Prizes = Annotated[
    list[str] | None,
    typer.Option(
        "--prize",
        metavar="PRIZE",
        help="A prize as NAME or NAME:AMOUNT. Repeat for each prize, in draw order. "
        "If a name ends in ':<number>', add the amount: 'radio 1:5:1'.",
    ),
]
Entropy = Annotated[
    str | None,
    typer.Option(
        metavar="SOURCE",
        help=f"Source of randomness: '{SECRETS}' (this machine), '{DrandQuicknet.name}' (public, and beyond your "
        f"control) or '{Announced.name}' (a value that everyone sees at --source). Default: {SECRETS}.",
    ),
]
Delay = Annotated[
    str | None,
    typer.Option(
        metavar="SECONDS",
        help=f"With {DrandQuicknet.name}: seconds from the closing to the beacon. "
        f"Default: {DrandQuicknet.delay.default}.",
    ),
]
ValueSource = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="TEXT",
        help=f"With {Announced.name}: where everyone will see the value, such as 'ten dice, rolled on stage'.",
    ),
]
Rule = Annotated[
    str | None,
    typer.Option(
        "--entry",
        metavar="RULE",
        help=f"Who may take a ticket over HTTP: '{EntryRule.ADDRESS}' (each IP address), '{EntryRule.INVITATION}' "
        f"(people with an invitation) or '{EntryRule.DESK}' (only people to whom you give one). Default: "
        f"{EntryRule.ADDRESS}.",
    ),
]
TicketsEach = Annotated[
    str | None,
    typer.Option(
        "--each",
        metavar="COUNT",
        help=f"How many tickets one participant may have, at most {limits.TICKETS_EACH:,}. Default: 1.",
    ),
]
Opens = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="When the first ticket is handed out, in local time: 2026-12-05T18:00."),
]
Closes = Annotated[
    str | None, typer.Option(metavar="TIME", help="From when on no more tickets are handed out, in local time.")
]
DrawAt = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="When the draw is planned, in local time. The draw does not start by itself."),
]
ClaimDays = Annotated[
    str | None, typer.Option(metavar="DAYS", help="Days after the draw in which a prize must be redeemed.")
]
Collection = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Where and when prizes are collected, such as 'at the bar until 21:00'."),
]
Promoter = Annotated[str | None, typer.Option(metavar="TEXT", help="Who runs the raffle.")]
Address = Annotated[str | None, typer.Option(metavar="TEXT", help="The address of the promoter.")]
Price = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="The price of a ticket, such as '£1'. Needs --promoter and --draw-at."),
]
Licence = Annotated[str | None, typer.Option(metavar="TEXT", help="The licence or registration of the raffle.")]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="What else participants should know.")]
TermsFile = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="A TOML file with the terms, named as in the JSON (name, total_tickets, prizes …). Arguments override it.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show the raffle; store nothing.")]

_NUMBERS = ("delay_s", "tickets_each", "claim_days")
# An option without its value is None; these terms always have one.
_REQUIRED = ("name", "total_tickets", "prizes")
_KEYS = (*_REQUIRED, *Options.__annotations__)
_SHOWN = 50


class GivenTerms(NamedTuple):
    """Terms that were given: their `values`, and the `names` by which people know them."""

    values: dict[str, Any]
    names: dict[str, str]

    def require_all(self) -> None:
        """Check that the terms that every raffle has are there.

        Raises:
            CommandStopped: one of them is missing.
        """
        for field in _REQUIRED:
            if field not in self.values:
                raise CommandStopped(
                    f"{PARAMETERS[field]} is missing: give it, or a file that has '{field}' with --from.",
                    status=WRONG_USAGE,
                )


def terms_given(options: Sequence[Any], file: Path | None) -> GivenTerms:
    """Return the terms in a file and those of the options, which take precedence.

    `options` has a value for each of `Terms`' announced fields, in their order; None is not given.

    Raises:
        CommandStopped: the file cannot be read, or has an unknown key.
        InvalidValue: a value is not a number, a time or a prize.
    """
    written = {} if file is None else _read_file(file)
    given = {
        field: _value(field, value) for field, value in zip(_KEYS, options, strict=True) if value not in (None, [], ())
    }
    in_file = {} if file is None else {field: f"{field} in {file.name}" for field in written if field not in given}
    return GivenTerms(written | given, {field: f"--{field}" for field in TEXTS} | in_file)


def _value(field: str, text: Any) -> Any:
    if field == "prizes":
        return [read_prize(each) for each in text]
    if field in _REQUIRED:
        return text
    if text == "":
        return None
    if field in TIMES:
        return time_given(field, text)
    if field in _NUMBERS:
        try:
            return number_given(text)
        except ValueError as error:
            raise InvalidValue(field, str(error)) from error
    return text


def _read_file(file: Path) -> dict[str, Any]:
    content = read_file(str(file), limits.CREATE_BODY_BYTES, parameter="--from")
    if len(content) > limits.CREATE_BODY_BYTES:
        raise _stopped(file, f"is larger than {limits.CREATE_BODY_BYTES:,} bytes")
    import tomllib

    try:
        written = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _stopped(file, "is not a text file in UTF-8") from error
    # tomllib's own error, a number with too many digits, or lists that are nested too deeply.
    except (ValueError, RecursionError) as error:
        raise _stopped(file, f"is not TOML: {error}") from error
    _check_keys(file, written, _KEYS)
    return {field: _written_value(file, field, value) for field, value in written.items()}


def _written_value(file: Path, field: str, value: Any) -> Any:
    if value == "" and field not in _REQUIRED:
        return None
    if field in TIMES:
        return time_given(f"{field} in {file.name}", value)
    return _prizes(file, value) if field == "prizes" else value


def _prizes(file: Path, value: Any) -> list[Prize]:
    if not isinstance(value, list) or not all(isinstance(each, dict) and "name" in each for each in value):
        raise InvalidValue(
            f"prizes in {file.name}", 'must be a list such as [{ name = "Dinner", amount = 30 }, { name = "Bike" }].'
        )
    for each in value:
        _check_keys(file, each, ("name", "amount"))
    return [Prize(**each) for each in value]


def _check_keys(file: Path, written: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in written:
        if key not in known:
            raise _stopped(file, f"has the unknown key {key[:_SHOWN]!r}; the keys are {', '.join(known)}")


def _stopped(file: Path, problem: str) -> CommandStopped:
    return CommandStopped(f"--from: {file} {problem}.", status=WRONG_USAGE)
