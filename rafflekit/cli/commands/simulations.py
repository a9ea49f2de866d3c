"""`rafflekit simulate`: draw the same raffle many times, to see how evenly its tickets win."""

import os
from contextlib import nullcontext
from math import ceil
from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.histogram import BLOCK, COLUMNS, bars_of, lines_of, svg_of
from rafflekit.cli.new_files import new_file
from rafflekit.cli.options import AsJsonLine
from rafflekit.cli.printing import print_json
from rafflekit.cli.words import counted
from rafflekit.core.prizes import count_wins
from rafflekit.core.simulation import WINS_EACH, Simulation, simulate
from rafflekit.core.written_prizes import read_prize

_SELDOM, _NEVER = 1 / 100, 1 / 1_000_000
_WRONG = "in less than 1 of 1,000,000 simulations, so something is wrong here. Please report it."


def simulate_raffle(
    *,
    tickets: Annotated[int, typer.Option("--tickets", metavar="COUNT", help="The number of tickets.")],
    prizes: Annotated[
        list[str],
        typer.Option("--prize", metavar="PRIZE", help="A prize as NAME or NAME:AMOUNT. Repeat for each prize."),
    ],
    runs: Annotated[int, typer.Option(metavar="COUNT", help="How many times the raffle is drawn.")] = 10_000,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new file for the chart, as an SVG picture.")
    ] = None,
    as_json: AsJsonLine = False,
) -> None:
    """Draw a raffle many times, to see how fair it is.

    The draws are real ones, made in memory; nothing is stored. The chart shows how many tickets won how often, and
    beside it what chance alone gives.
    """
    named = [read_prize(prize) for prize in prizes]
    # Opened first: if it cannot be made, nobody waits for the draws in vain.
    with nullcontext() if svg is None else new_file(svg, is_private=False, option="--svg") as picture:
        with terminal.counting("Drawing", runs) as advance:
            done = simulate(tickets, named, runs=runs, processes=os.cpu_count() or 1, progress=advance)
        title = f"{counted(tickets, 'ticket')}, {counted(count_wins(named), 'prize')}, drawn {counted(runs, 'time')}"
        bars = bars_of(done)
        if picture is not None:
            picture.write(svg_of(bars, title, _measured(done)).encode())
    if as_json:
        print_json(_shape(done))
        return
    terminal.say(f"{title}: each ticket won {done.expected:,.1f} times on average.", wraps=True)
    terminal.say("")
    for line in lines_of(bars, has_blocks=terminal.has_room_for(COLUMNS, of=BLOCK)):
        terminal.say(line)
    terminal.say("")
    least, most = min(done.times_won), max(done.times_won)
    if least < most:
        terminal.say(
            f"Ticket {done.times_won.index(most) + 1} won most often, {counted(most, 'time')}; "
            f"ticket {done.times_won.index(least) + 1} least often, {counted(least, 'time')}.",
            wraps=True,
        )
    terminal.say(_verdict(done), wraps=True)


def _shape(done: Simulation) -> dict[str, object]:
    return {
        "total_tickets": len(done.times_won),
        "wins": done.wins,
        "runs": done.runs,
        "chi_square": done.chi_square,
        "degrees_of_freedom": done.degrees_of_freedom,
        "chance": done.chance,
        "times_won": list(done.times_won),
    }


def _measured(done: Simulation) -> str:
    if done.chi_square is None:
        return ""
    return f"Chi-square is {done.chi_square:,.1f} at {counted(done.degrees_of_freedom, 'degree')} of freedom."


def _verdict(done: Simulation) -> str:
    if done.wins == len(done.times_won):
        return "Every ticket wins in every draw, so there is nothing to compare."
    if done.chance is None:
        enough = ceil(WINS_EACH * len(done.times_won) / done.wins)
        return f"These are too few draws to say whether that is even: give --runs {enough} or more."
    return f"{_measured(done)} {_meaning(done.chance)}"


def _meaning(chance: float) -> str:
    if chance < _NEVER:
        return f"Fair draws are so uneven {_WRONG}"
    if chance > 1 - _NEVER:
        return f"Fair draws are so even {_WRONG}"
    if chance < _SELDOM:
        return (
            f"Fair draws are at least as uneven in 1 of {1 / chance:,.0f} simulations. That is seldom, but happens: "
            "simulate again, and report it if it happens again."
        )
    return (
        f"Fair draws are at least as uneven in {100 * chance:.0f} of 100 simulations: there is no sign that any ticket "
        "is favoured."
    )
