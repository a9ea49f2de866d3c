"""`rafflekit simulate`: draw the same raffle many times, to see how evenly its tickets win."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pool
from pathlib import Path
from signal import SIG_DFL, SIG_IGN, SIGINT, SIGTERM, signal
from typing import Annotated

import typer

from rafflekit.cli import terminal
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.histogram import BLOCK, COLUMNS, bars_of, lines_of, svg_of
from rafflekit.cli.new_files import check_new, new_file
from rafflekit.cli.options import AsJsonLine
from rafflekit.cli.printing import print_json
from rafflekit.cli.signals import ending_as_with_ctrl_c
from rafflekit.cli.words import counted
from rafflekit.core.prizes import count_wins
from rafflekit.core.simulation import Simulation, Spread, simulate
from rafflekit.core.written_prizes import read_prize

# With at least this number of wins, several processes save more time than their start takes.
_WORTH_A_POOL = 500_000

_SELDOM, _NEVER = 1 / 100, 1 / 1_000_000
# `Simulation.chance` may be half of the true chance there.
_SURELY_NEVER = _NEVER / 10
_WRONG = "so something is wrong here. Please report it."


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
    if svg is not None:
        # Now, because the draws may take long.
        check_new(svg, option="--svg")
        if svg.suffix.lower() != ".svg":
            raise CommandStopped("--svg: must end with .svg.", status=WRONG_USAGE)
    with terminal.counting("Drawing", runs) as advance, _spread(count_wins(named) * runs) as spread:
        done = simulate(tickets, named, runs=runs, spread=spread, progress=advance)
    title = f"{counted(tickets, 'ticket')}, {counted(count_wins(named), 'prize')}, drawn {counted(runs, 'time')}"
    bars = bars_of(done)
    if svg is not None:
        with new_file(svg, is_private=False, option="--svg") as file:
            file.write(svg_of(bars, title, _measured(done)).encode())
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


@contextmanager
def _spread(wins: int) -> Iterator[Spread]:
    """Give what computes the parts of a simulation; its processes end with it."""
    if wins < _WORTH_A_POOL:
        yield map
        return
    with ending_as_with_ctrl_c(), Pool(initializer=_obey_the_first_process) as pool:
        yield pool.imap_unordered


def _obey_the_first_process() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the first one, which ends the others by SIGTERM."""
    signal(SIGINT, SIG_IGN)
    signal(SIGTERM, SIG_DFL)


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
    if done.runs_needed is None:
        return "Every ticket wins in every draw, so there is nothing to compare."
    if done.chance is None or done.chance_of_less is None:
        return f"These are too few draws to say whether that is even: give --runs {done.runs_needed} or more."
    return f"{_measured(done)} {_meaning(done.chance, done.chance_of_less)}"


def _meaning(chance: float, chance_of_less: float) -> str:
    if chance < _SURELY_NEVER:
        return f"Fewer than one in a million fair simulations are so uneven, {_WRONG}"
    if chance_of_less < _NEVER:
        return f"Fewer than one in a million fair simulations are so even, {_WRONG}"
    if chance < _SELDOM:
        return (
            f"About one in {1 / chance:,.0f} fair simulations is at least as uneven. That is seldom, but happens: "
            "simulate again, and report it if it happens again."
        )
    often = f"About {100 * chance:.0f} of 100 fair simulations are at least as uneven"
    return f"{often}: there is no sign that any ticket is favoured."
