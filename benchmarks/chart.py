"""The chart of cost against size, as SVG: one panel per question, sizes on a logarithmic axis, µs from zero."""

from collections.abc import Sequence
from html import escape
from math import log10
from statistics import median

from benchmarks.ratio import Series

WIDTH, HEIGHT = 960, 420
LEFT, RIGHT, TOP, BOTTOM, BETWEEN = 70, 20, 100, 60, 40
COLOURS = ("#0b6e99", "#b3541e", "#4c8a2f", "#7a4fa3", "#a3264f")

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_STYLE = (
    "text{font-family:system-ui,sans-serif;font-size:13px;fill:#222}"
    ".title{font-size:16px;font-weight:600}.grid{stroke:#ddd}.axis{stroke:#666}.small{font-size:12px;fill:#555}"
)


def svg(series: Sequence[Series]) -> str:
    """Return the chart of all series: points at the medians of the rounds, bars from the lowest to the highest."""
    panels = list(dict.fromkeys(one.panel for one in series))
    highest = _round_up(max(max(values) for one in series for _, values in one.points))
    width = (WIDTH - LEFT - RIGHT - BETWEEN * (len(panels) - 1)) / len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img">',
        "<title>Cost of a ticket against the size of the raffle</title>",
        f'<style>{_STYLE}</style><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(LEFT, 26, "Cost of a ticket, against the size of the raffle", kind="title"),
        _text(LEFT, 46, "µs per ticket; median of the rounds, bars from the lowest to the highest", kind="small"),
    ]
    for place, panel in enumerate(panels):
        of_panel = [one for one in series if one.panel == panel]
        parts += _panel(LEFT + place * (width + BETWEEN), width, panel, of_panel, highest, first=place == 0)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(left: float, width: float, name: str, series: Sequence[Series], highest: float, *, first: bool) -> list[str]:
    bottom = HEIGHT - BOTTOM
    sizes = sorted({size for one in series for size, _ in one.points})
    decades = [_decade(size, sizes) for size in sizes]
    # Half a point of room on both sides, so that bars do not lie on the axis.
    margin = (decades[-1] - decades[0]) / 12 or 1

    def x_of(size: int) -> float:
        return left + width * (_decade(size, sizes) - decades[0] + margin) / (decades[-1] - decades[0] + 2 * margin)

    def y_of(cost: float) -> float:
        return bottom - (bottom - TOP) * cost / highest

    parts = []
    for step in range(6):
        cost = highest * step / 5
        parts.append(_line(left, y_of(cost), left + width, y_of(cost), "axis" if step == 0 else "grid"))
        if first:
            parts.append(_text(left - 8, y_of(cost) + 4, f"{cost:,.0f}", anchor="end"))
    if first:
        parts.append(_text(18, (TOP + bottom) / 2, "µs per ticket", anchor="middle", turned=True))
    for size in sizes:
        parts.append(_line(x_of(size), bottom, x_of(size), bottom + 5, "axis"))
        parts.append(_text(x_of(size), bottom + 20, _spelled(size), anchor="middle"))
    parts.append(_text(left + width / 2, bottom + 44, name, anchor="middle"))
    for place, one in enumerate(series):
        colour = COLOURS[place % len(COLOURS)]
        parts += _curve([(x_of(size), [y_of(cost) for cost in costs]) for size, costs in one.points], colour)
        parts += _legend(left + place % 2 * width / 2, TOP - 36 + place // 2 * 18, one.name, colour)
    return parts


def _curve(points: Sequence[tuple[float, Sequence[float]]], colour: str) -> list[str]:
    middle = " ".join(f"{x:.1f},{median(ys):.1f}" for x, ys in points)
    parts = [f'<polyline points="{middle}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for x, ys in points:
        parts.append(f'<line x1="{x:.1f}" y1="{min(ys):.1f}" x2="{x:.1f}" y2="{max(ys):.1f}" stroke="{colour}"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{median(ys):.1f}" r="4" fill="{colour}"/>')
    return parts


def _legend(left: float, top: float, name: str, colour: str) -> list[str]:
    return [
        f'<line x1="{left:.1f}" y1="{top - 4:.1f}" x2="{left + 18:.1f}" y2="{top - 4:.1f}" stroke="{colour}" '
        'stroke-width="3"/>',
        _text(left + 24, top, name, kind="small"),
    ]


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, *, kind: str = "", anchor: str = "start", turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(text)}</text>'


def _decade(size: int, sizes: Sequence[int]) -> float:
    """Return the logarithm of a size; 0 is one step before the smallest."""
    return log10(size) if size else log10(min(one for one in sizes if one)) - 1


def _spelled(size: int) -> str:
    """Spell a size: 0, 1,000, 10⁹."""
    if size < 1_000_000:
        return f"{size:,}"
    digits = round(log10(size))
    return f"10{str(digits).translate(_RAISED)}" if size == 10**digits else f"{size:,}"


def _round_up(value: float) -> float:
    """Return the next number that divides into five round steps."""
    step = float(10 ** int(log10(value)))
    return next(step * factor for factor in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 8, 10) if step * factor >= value)
