"""Arguments and options: their conversion to values, the errors for wrong ones, and how the help shows them.

Typer uses pydantic for the conversion, whose import takes longer than the rest of a short command. pydantic's errors,
and the types and ranges in Typer's help, are written for programmers.
"""

import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from rafflekit.core.written_numbers import read_whole_number

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter, Parameter

_SIGNED = re.compile(r"(?P<sign>[-+]?)(?P<number>.*)", re.DOTALL)
_SHOWN = 50
_PUNCTUATION = frozenset(",;|")
# What Typer adds to the help of a parameter: its default, its range, and whether it is required.
_EXTRAS = re.compile(r"  \[(?:default: (?P<default>[^;\]]*))?[^\]]*\]$")


class PlainCommand(TyperCommand):
    """A command whose parameters are converted here, and explained in plain words."""

    def get_params(self, ctx: "Context") -> list["Parameter"]:
        """Return the parameters, the option --help among them."""
        return _converted_here(super().get_params(ctx))

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Read the arguments; every error knows its command, even if the parser omits it."""
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            if getattr(error, "ctx", None) is None:
                setattr(error, "ctx", ctx)  # noqa: B010 - not every such error declares it
            raise

    def collect_usage_pieces(self, ctx: "Context") -> list[str]:
        """Return the words of the usage line: arguments, required options, and a word for the other options."""
        parameters: list[Any] = self.get_params(ctx)
        arguments = [each for each in parameters if each.param_type_name == "argument"]
        required = [each for each in parameters if each.param_type_name == "option" and each.required]
        return [
            *(each.metavar if each.required else f"[{each.metavar}]" for each in arguments),
            *(f"{each.opts[0]} {each.metavar}" for each in required),
            "[OPTIONS]",
        ]

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the arguments and the options, each with its help and its default."""
        for heading, kind in (("Arguments", "argument"), ("Options", "option")):
            rows = [_explained(each, ctx) for each in self.get_params(ctx) if each.param_type_name == kind]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


class PlainGroup(TyperGroup):
    """A group of commands whose own parameters are converted here."""

    def get_params(self, ctx: "Context") -> list["Parameter"]:
        """Return the parameters, the option --help among them."""
        return _converted_here(super().get_params(ctx))


def _converted_here(parameters: list["Parameter"]) -> list["Parameter"]:
    for parameter in parameters:
        descriptor = getattr(parameter, "type_descriptor", None)
        annotation = getattr(descriptor, "annotation", None)
        is_choice = isinstance(annotation, type) and issubclass(annotation, Enum)
        convert = _choice if is_choice else _CONVERTERS.get(annotation)
        if convert is not None:
            # A private attribute: Typer makes its own converter only if this one is missing. A version of Typer that
            # does not know it converts with pydantic.
            setattr(parameter, "_runtime_param", _Converter(convert))  # noqa: B010 - see above
    return parameters


class _Converter:
    """Converts one parameter, in place of Typer's converter."""

    def __init__(self, convert: Callable[[Any, Any], Any]) -> None:
        self._convert = convert

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value of the given text, or of the default."""
        if value is None:
            return () if param.multiple else None
        try:
            return self._convert(value, param)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from error


def _explained(parameter: Any, ctx: "Context") -> tuple[str, str]:
    name, text = parameter.get_help_record(ctx)
    if parameter.param_type_name == "argument":
        name = parameter.metavar
    return name, _EXTRAS.sub(lambda extras: f" Default: {extras['default']}." if extras["default"] else "", text)


def _choice(value: Any, param: Any) -> Enum:
    choices: type[Enum] = param.type_descriptor.annotation
    try:
        return choices(value)
    except ValueError as error:
        names = [choice.value for choice in choices]
        # A comma among commas is not seen.
        shown = names if _PUNCTUATION.isdisjoint("".join(names)) else map(repr, names)
        raise ValueError(f"{str(value)[:_SHOWN]!r} is not one of {', '.join(shown)}.") from error


def _whole_number(value: Any, param: Any) -> int:
    least, most = param.type_descriptor.parameter_info.min, param.type_descriptor.parameter_info.max
    number = number_given(str(value))
    if (least is not None and number < least) or (most is not None and number > most):
        text = str(value)
        raise ValueError(f"{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''} is not between {least} and {most}.")
    return number


def number_given(text: str) -> int:
    """Return the whole number that a person typed, as `read_whole_number` reads it, or its negative.

    Raises:
        ValueError: the text is not a whole number, or could be another one.
    """
    signed = _SIGNED.fullmatch(text.strip())
    assert signed is not None
    number = read_whole_number(signed["number"])
    if number is None:
        raise ValueError(f"{text[:_SHOWN]!r} is not a whole number.")
    # The engine refuses negative numbers, and says what is possible.
    return -number if signed["sign"] == "-" else number


def _path(value: Any, _param: Any) -> Path:
    # Otherwise, an empty text would mean the current folder.
    if value == "":
        raise ValueError("it must not be empty.")
    return Path(value)


_CONVERTERS: dict[Any, Callable[[Any, Any], Any]] = {
    str: lambda value, _: value,
    bool: lambda value, _: value,
    int: _whole_number,
    Path: _path,
    list[str]: lambda value, _: list(value),
}
