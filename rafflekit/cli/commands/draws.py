"""`rafflekit draw`: the draw, which happens once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import outcomes, render, terminal
from rafflekit.cli.asking import Yes, ask
from rafflekit.cli.failures import INTERRUPTED, NO_DATABASE, REFUSED, WRONG_USAGE, CommandStopped, arguments_named
from rafflekit.cli.options import AsJson, ChangedRaffle, DatabaseUrl, open_engine
from rafflekit.cli.ways_out import way_out_explained
from rafflekit.cli.words import counted, duration, local_time
from rafflekit.core.errors import BeaconNotPublished, BeaconUnavailable
from rafflekit.core.lifecycle import is_due
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import Win, count_wins
from rafflekit.core.protocol.entropy import SECRETS, source_of
from rafflekit.core.protocol.entropy.announced import normalised
from rafflekit.core.protocol.quoting import harmless, quoted

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.relays import NoRelayGaveIt

_PRIZES_IN_THE_QUESTION = 10
# A relay has a beacon a moment after it is published.
_RELAYS_NEED_S = 2
# Some relays are late. With --wait, they are asked again for this long, with these pauses.
_RELAYS_MAY_NEED_S = 30
_PAUSE_S = 3

_Value = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="What the announced source gave, such as '3 17 22'. Without it, you are asked."),
]
_Beacon = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="The beacon of the raffle's round (- for standard input), if this machine can reach no relay.",
    ),
]
_Wait = Annotated[bool, typer.Option("--wait", help="Wait for the beacon, then draw.")]


def draw_winners(
    raffle: ChangedRaffle,
    *,
    yes: Yes = False,
    value: _Value = None,
    beacon: _Beacon = None,
    wait: _Wait = False,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Draw the winners of a closed raffle.

    A draw is final: it cannot be repeated or undone. A raffle whose time is over is closed first.
    """
    if value is not None and beacon is not None:
        raise CommandStopped("Give either --value or --beacon: one value decides.", status=WRONG_USAGE)
    given = value if beacon is None else _read_beacon(beacon)
    names = {"value": "--value" if beacon is None else "--beacon"}
    with open_engine(database_url) as engine, arguments_named(names):
        found = engine.find(raffle, whole_name=True)
        is_announced = source_of(found.terms.entropy).is_announced
        with way_out_explained(found), _beacon_explained():
            # Before the questions: if the raffle cannot be drawn, there is nothing to answer.
            wait_s = _check(engine, found, has_value=given is not None, wait=wait)
            if is_announced:
                given = normalised(_ask_for_value(found) if given is None else given)
            if not yes:
                question = _question(found, value=given if is_announced else None, wait_s=wait_s)
                ask(question, why="A draw is final", refused="Nothing was drawn.")
            wins = _drawn(engine, found, given, wait=wait)
    outcomes.print_draw(wins, found, as_json=as_json)


def _check(engine: "RaffleEngine", raffle: Raffle, *, has_value: bool, wait: bool) -> int:
    """Check that a raffle can be drawn, now or after a wait; return the seconds to wait."""
    try:
        engine.check_draw(raffle.id, has_value=has_value)
    except BeaconNotPublished as error:
        if not wait:
            raise
        return error.retry_after_s
    return 0


def _drawn(engine: "RaffleEngine", raffle: Raffle, value: str | None, *, wait: bool) -> Sequence[Win]:
    gives_up_at = None
    while True:
        try:
            with terminal.working(f"Drawing among {counted(raffle.issued, 'ticket')}"):
                return engine.draw(raffle.id, value=value)
        except BeaconNotPublished as error:
            if not wait:
                raise
            _wait_for_beacon(error.retry_after_s + _RELAYS_NEED_S)
        except BeaconUnavailable as error:
            if gives_up_at is None:
                gives_up_at = monotonic() + _RELAYS_MAY_NEED_S
            if not wait or _no_relay_in(error) is None or monotonic() >= gives_up_at:
                raise
            _wait_for_beacon(_PAUSE_S)


def _no_relay_in(error: BeaconUnavailable) -> "NoRelayGaveIt | None":
    """Return what the relays answered, if that is why the beacon is not available."""
    from rafflekit.core.relays import NoRelayGaveIt

    return error.__cause__ if isinstance(error.__cause__, NoRelayGaveIt) else None


def _wait_for_beacon(seconds: int) -> None:
    try:
        with terminal.counting("Waiting for the beacon", seconds) as advance:
            for _ in range(seconds):
                sleep(1)
                advance()
    except KeyboardInterrupt:
        raise CommandStopped("Nothing was drawn.", status=INTERRUPTED) from None


@contextmanager
def _beacon_explained() -> Iterator[None]:
    """Say what to do about a beacon that does not exist yet, or that no relay gives."""
    try:
        yield
    except BeaconUnavailable as error:
        from rafflekit.core.relays import DEFAULT_RELAYS, beacon_url

        cause = _no_relay_in(error)
        if cause is None:
            raise
        stopped = CommandStopped(
            f"No relay gave the beacon of round {cause.round} of drand's quicknet.", status=NO_DATABASE
        )
        url = beacon_url(DEFAULT_RELAYS[0], cause.round)
        stopped.add_note(f"Without a network, save {url} on another machine, and give the file with --beacon FILE.")
        for relay, reason in cause.reasons.items():
            stopped.add_note(f"  {relay}: {reason}")
        raise stopped from error
    except BeaconNotPublished as error:
        comes = f"it comes on {local_time(error.published_at)}, in {duration(error.retry_after_s)}"
        raise CommandStopped(
            f"{error}: {comes}. Draw after that, or with --wait, which waits for it.", status=REFUSED
        ) from error


def _read_beacon(file: str) -> str:
    from rafflekit.cli.sources import read_file
    from rafflekit.core.protocol.entropy.drand import BEACON_CHARACTERS

    try:
        return read_file(file, BEACON_CHARACTERS, parameter="--beacon").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandStopped(f"--beacon: {file} is not a text file.", status=WRONG_USAGE) from error


def _ask_for_value(raffle: Raffle) -> str:
    source = quoted(raffle.terms.source or "")
    if not terminal.can_ask():
        raise CommandStopped(
            f"--value is missing: give what {source} gave; there is no terminal to ask on.", status=WRONG_USAGE
        )
    try:
        return terminal.ask_for_text(f"{source} decides the draw of {quoted(raffle.name)}.\nType what it gave: ")
    except KeyboardInterrupt:
        raise CommandStopped("Nothing was drawn.", status=INTERRUPTED) from None


def _question(raffle: Raffle, *, value: str | None, wait_s: int) -> Iterator[str]:
    tickets = f"{raffle.issued:,} of {raffle.total_tickets:,} tickets"
    if raffle.issued == raffle.total_tickets:
        tickets = counted(raffle.issued, "ticket")
    yield f"{quoted(raffle.name)} has {tickets} for {counted(count_wins(raffle.prizes), 'prize')}:"
    for prize in raffle.prizes[:_PRIZES_IN_THE_QUESTION]:
        yield f"  {prize.amount:,} × {harmless(prize.name)}"
    further = len(raffle.prizes) - _PRIZES_IN_THE_QUESTION
    if further > 0:
        yield f"  … and {further:,} more kinds"
    if is_due(raffle):
        yield "Its time is over: it is closed first, and no more tickets are handed out."
    if raffle.terms.entropy == SECRETS:
        yield render.DRAWN_HERE
    if value is not None:
        yield f"This text decides, exactly as {quoted(raffle.terms.source or '')} gave it:"
        yield f"  {harmless(value)}"
    if wait_s:
        yield f"The beacon that decides comes in {duration(wait_s)}; this command waits for it."
    yield "A draw is final. Draw the winners now? [y/N] "
