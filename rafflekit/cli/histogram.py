"""How many tickets won how often, as bars: on a terminal, and as an SVG. A mark shows what chance alone gives."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil, exp, lgamma, log
from typing import NamedTuple

from rafflekit.core.simulation import Simulation

BLOCK = "█"
"""What bars are made of on a terminal, with eighths of it at their ends."""

COLUMNS = 72
"""The columns that a chart needs on a terminal."""

_MOST_BARS = 15
_BAR_COLUMNS = 36
_EIGHTHS = " ▏▎▍▌▋▊▉"
_PLAIN = "#"

_WIDTH, _ROW, _TOP, _LEFT, _RIGHT = 640, 24, 64, 110, 120
_STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1f2328}.title{font-size:18px;font-weight:600}"
    ".bar{fill:#0b6e99}.chance{stroke:#b3541e;stroke-width:3}"
)


class Bar(NamedTuple):
    """The tickets that won from `least` to `most` times: how many there are, and how many chance alone gives."""

    least: int
    most: int
    tickets: int
    expected: float

    @property
    def name(self) -> str:
        """The range, as people read it."""
        return f"{self.least:,}" if self.least == self.most else f"{self.least:,}–{self.most:,}"


def bars_of(simulation: Simulation) -> Sequence[Bar]:
    """Return the bars of a simulation, from the fewest wins to the most."""
    tickets = Counter(simulation.times_won)
    least, most = min(tickets), max(tickets)
    width = ceil((most - least + 1) / _MOST_BARS)
    return [_bar(start, start + width - 1, tickets, simulation) for start in range(least, most + 1, width)]


def lines_of(bars: Sequence[Bar], *, has_blocks: bool) -> Iterator[str]:
    """Yield the lines of the chart as text; without blocks, its bars are ASCII."""
    names = ["times won", *(bar.name for bar in bars)]
    counts = ["tickets", *(f"{bar.tickets:,}" for bar in bars)]
    chances = ["by chance", *(f"{bar.expected:,.1f}" for bar in bars)]
    longest = max(bar.tickets for bar in bars)
    drawn = ["", *(_drawn(bar.tickets / longest, has_blocks=has_blocks) for bar in bars)]
    widths = [max(map(len, column)) for column in (names, counts, chances)]
    for name, count, chance, blocks in zip(names, counts, chances, drawn, strict=True):
        yield f"{name:>{widths[0]}}  {count:>{widths[1]}}  {chance:>{widths[2]}}  {blocks}".rstrip()


def svg_of(bars: Sequence[Bar], title: str, caption: str) -> str:
    """Return the chart as an SVG document."""
    height = _TOP + _ROW * (len(bars) + 2)
    scale = (_WIDTH - _LEFT - _RIGHT) / max(1, *(max(bar.tickets, bar.expected) for bar in bars))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{title}</title><style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="16" y="30">{title}</text>',
        f'<text x="{_LEFT - 10}" y="{_TOP - 8}" text-anchor="end">times won</text>',
        f'<text x="{_LEFT}" y="{_TOP - 8}">tickets (mark: by chance)</text>',
    ]
    for row, bar in enumerate(bars):
        top = _TOP + row * _ROW
        end, mark = _LEFT + scale * bar.tickets, _LEFT + scale * bar.expected
        parts.append(
            f'<text x="{_LEFT - 10}" y="{top + 16}" text-anchor="end">{bar.name}</text>'
            f'<rect class="bar" x="{_LEFT}" y="{top + 3}" width="{scale * bar.tickets:.1f}" height="{_ROW - 6}"/>'
            f'<path class="chance" d="M{mark:.1f} {top}v{_ROW}"/>'
            f'<text x="{max(end, mark) + 8:.1f}" y="{top + 16}">{bar.tickets:,}</text>'
        )
    parts.append(f'<text x="16" y="{height - 16}">{caption}</text></svg>')
    return "\n".join(parts) + "\n"


def _bar(least: int, most: int, tickets: Counter[int], simulation: Simulation) -> Bar:
    chance = sum(_chance_of(times, simulation) for times in range(least, most + 1))
    return Bar(least, most, sum(tickets[times] for times in range(least, most + 1)), len(simulation.times_won) * chance)


def _chance_of(times: int, simulation: Simulation) -> float:
    """Return the chance that a ticket wins so often: binomial, since each draw is new."""
    runs, tickets = simulation.runs, len(simulation.times_won)
    if simulation.wins == tickets or times > runs:
        return float(times == runs)
    ways = lgamma(runs + 1) - lgamma(times + 1) - lgamma(runs - times + 1)
    return exp(ways + times * log(simulation.wins / tickets) + (runs - times) * log(1 - simulation.wins / tickets))


def _drawn(part: float, *, has_blocks: bool) -> str:
    if not has_blocks:
        return _PLAIN * round(part * _BAR_COLUMNS)
    whole, eighths = divmod(round(part * _BAR_COLUMNS * 8), 8)
    return (BLOCK * whole + _EIGHTHS[eighths]).rstrip()
