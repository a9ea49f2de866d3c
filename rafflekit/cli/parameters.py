"""How the words of a command line become values, and what is said of one that cannot.

Typer uses pydantic for that. Its import takes longer than the rest of a short command, and its sentences are written
for programmers.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

# Python reads no more than 4,300 digits, and no number of a raffle has as many as these.
_WHOLE_NUMBER = re.compile(r"\s*[-+]?[0-9]{1,100}\s*")
_SHOWN = 50


def convert_plainly(command: Any) -> None:
    """Let a built command convert the types known here by itself; the others are left to Typer."""
    for parameter in command.params:
        descriptor = getattr(parameter, "type_descriptor", None)
        convert = _CONVERTERS.get(getattr(descriptor, "annotation", None))
        if convert is not None:
            # Private, and asked by Typer before it makes one of its own. A Typer without it converts with pydantic.
            parameter._runtime_param = _Converter(convert)


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
