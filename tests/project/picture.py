"""The picture at the head of the README: part of its session, drawn as a terminal in SVG."""

from collections.abc import Iterable
from html import escape

from tests.project.session import DOCS, Step

PICTURE = DOCS / "session.svg"

_COMMANDS = ("rafflekit create", "rafflekit participate", "rafflekit draw")
_CHARACTER_WIDTH, _LINE_HEIGHT, _MARGIN, _BAR = 8.43, 18, 20, 36
_GREEN, _GREY = "#9ece6a", "#d5d9e0"
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


def picture_of(steps: Iterable[Step]) -> str:
    """Return an SVG of the first step of each command in the picture, with its output."""
    lines: list[tuple[str, str]] = []
    for beginning in _COMMANDS:
        step = next(step for step in steps if step.command.startswith(beginning))
        lines += [(_GREEN, f"$ {step.command}"), *((_GREY, line) for line in step.output.splitlines())]
    width = round(max(len(line) for _, line in lines) * _CHARACTER_WIDTH) + 2 * _MARGIN
    height = _BAR + len(lines) * _LINE_HEIGHT + _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">',
            f'<rect width="{width}" height="{height}" rx="8" fill="#1c2128"/>',
            *(
                f'<circle cx="{_MARGIN + place * 18}" cy="18" r="5.5" fill="{colour}"/>'
                for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
            ),
            f'<g font-family="{_FONT}" font-size="14">',
            *(_text(number, colour, line) for number, (colour, line) in enumerate(lines) if line),
            "</g>",
            "</svg>\n",
        ]
    )


def _text(number: int, colour: str, line: str) -> str:
    # The length is given, so that the frames stay closed in every font; renderers would drop repeated plain spaces.
    shown = escape(line, quote=False).replace(" ", "\N{NO-BREAK SPACE}")
    y, length = _BAR + (number + 1) * _LINE_HEIGHT - 5, len(line) * _CHARACTER_WIDTH
    return f'<text x="{_MARGIN}" y="{y}" textLength="{length:.1f}" fill="{colour}">{shown}</text>'
