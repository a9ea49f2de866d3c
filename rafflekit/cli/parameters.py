"""How the words of a command line become values, and what is said of one that cannot.

Typer uses pydantic for that. Its import takes longer than the rest of a short command, and its sentences are written
for programmers.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from typer._click import Context, Parameter

# Python reads at most 4,300 digits. Whether a number is possible is for the engine to say.
_WHOLE_NUMBER = re.compile(r"\s*[-+]?[0-9]{1,4000}\s*")
_SHOWN = 50


class PlainCommand(TyperCommand):
    """A command whose parameters are converted here."""

    def get_params(self, ctx: "Context") -> list["Parameter"]:
        """Return the parameters, the option --help among them."""
        return _converted_here(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """A group of commands whose own parameters are converted here."""

    def get_params(self, ctx: "Context") -> list["Parameter"]:
        """Return the parameters, the option --help among them."""
        return _converted_here(super().get_params(ctx))


def _converted_here(parameters: list["Parameter"]) -> list["Parameter"]:
    for parameter in parameters:
        descriptor = getattr(parameter, "type_descriptor", None)
        convert = _CONVERTERS.get(getattr(descriptor, "annotation", None))
        if convert is not None:
            # Private: Typer makes a converter of its own only if there is none. A Typer without this attribute does not
            # mind it, and converts with pydantic.
            setattr(parameter, "_runtime_param", _Converter(convert))  # noqa: B010 - see above
    return parameters


class _Converter:
    """Converts one parameter, in the place where Typer keeps what does."""

    def __init__(self, convert: Callable[[Any, Any], Any]) -> None:
        self._convert = convert

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value of the text that was given, or of the default."""
        if value is None:
            return () if param.multiple else None
        try:
            return self._convert(value, param)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from error


def _whole_number(value: Any, param: Any) -> int:
    least, most = param.type_descriptor.parameter_info.min, param.type_descriptor.parameter_info.max
    if not _WHOLE_NUMBER.fullmatch(str(value)):
        raise ValueError(f"{str(value)[:_SHOWN]!r} is not a whole number.")
    number = int(value)
    if (least is not None and number < least) or (most is not None and number > most):
        raise ValueError(f"{number} is not between {least} and {most}.")
    return number


_CONVERTERS: dict[Any, Callable[[Any, Any], Any]] = {
    str: lambda value, _: value,
    bool: lambda value, _: value,
    int: _whole_number,
    Path: lambda value, _: Path(value),
    list[str]: lambda value, _: list(value),
}
