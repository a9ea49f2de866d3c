"""`rafflekit create`, `edit`, `list` and `show`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from rafflekit.cli import render, terminal, terms
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped, arguments_named
from rafflekit.cli.options import (
    AsJson,
    ChangedRaffle,
    DatabaseUrl,
    PageNumber,
    RafflesPageSize,
    ShownRaffle,
    open_engine,
)
from rafflekit.cli.words import counted
from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.lifecycle import is_drawn
from rafflekit.core.models import State
from rafflekit.core.written_prizes import amount_hint


def create_raffle(
    name: Annotated[str | None, typer.Argument(metavar="NAME", show_default=False, help="The raffle's name.")] = None,
    *,
    tickets: terms.TicketCount = None,
    prize: terms.Prizes = None,
    entropy: terms.Entropy = None,
    delay: terms.Delay = None,
    source: terms.ValueSource = None,
    entry: terms.Rule = None,
    each: terms.TicketsEach = None,
    opens: terms.Opens = None,
    closes: terms.Closes = None,
    draw_at: terms.DrawAt = None,
    claim_days: terms.ClaimDays = None,
    collection: terms.Collection = None,
    promoter: terms.Promoter = None,
    address: terms.Address = None,
    price: terms.Price = None,
    licence: terms.Licence = None,
    note: terms.Note = None,
    file: terms.TermsFile = None,
    dry_run: terms.DryRun = False,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Create a raffle.

    NAME, --tickets and --prize are needed, here or in the file of --from. Until the first ticket, 'rafflekit edit'
    changes anything.

    Example: rafflekit create "Foobar raffle" --tickets 15 --prize "invisibility:1" --prize "warm hug:3"
    """
    others = (name, tickets, prize, entropy, delay, source, entry, each, opens, closes, draw_at, claim_days)
    texts = (collection, promoter, address, price, licence, note)
    given = terms.terms_given((*others, *texts), file)
    given.require_all()
    wanted = {field: value for field, value in given.values.items() if value is not None}
    with open_engine(database_url) as engine, _explained(given.names, prize):
        raffle = engine.check_terms(**wanted) if dry_run else engine.create(**wanted)
    render.print_new_raffle(raffle, is_draft=dry_run, as_json=as_json)


def edit_raffle(
    raffle: ChangedRaffle,
    *,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The raffle's new name.")] = None,
    tickets: terms.TicketCount = None,
    prize: terms.Prizes = None,
    entropy: terms.Entropy = None,
    delay: terms.Delay = None,
    source: terms.ValueSource = None,
    entry: terms.Rule = None,
    each: terms.TicketsEach = None,
    opens: terms.Opens = None,
    closes: terms.Closes = None,
    draw_at: terms.DrawAt = None,
    claim_days: terms.ClaimDays = None,
    collection: terms.Collection = None,
    promoter: terms.Promoter = None,
    address: terms.Address = None,
    price: terms.Price = None,
    licence: terms.Licence = None,
    note: terms.Note = None,
    file: terms.TermsFile = None,
    dry_run: terms.DryRun = False,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Change a raffle that has no tickets yet.

    Terms that are not named do not change. An empty value removes an option: --closes "". With --prize, all prizes
    are replaced.
    """
    others = (name, tickets, prize, entropy, delay, source, entry, each, opens, closes, draw_at, claim_days)
    texts = (collection, promoter, address, price, licence, note)
    given = terms.terms_given((*others, *texts), file)
    if not given.values:
        raise CommandStopped("Nothing to change: give at least one option, such as --tickets.", status=WRONG_USAGE)
    with open_engine(database_url) as engine:
        found = engine.find(raffle, whole_name=True)
        with _explained({"name": "--name"} | given.names, prize):
            changed = engine.change(found.id, dry_run=dry_run, **given.values)
    render.print_changed_raffle(changed, is_draft=dry_run, as_json=as_json)


@contextmanager
def _explained(names: Mapping[str, str], prizes: Sequence[str] | None) -> Iterator[None]:
    """Use these names of fields, and say which of the prizes may have been misread."""
    with arguments_named(names):
        try:
            yield
        except InvalidValue as error:
            hint = amount_hint(prizes or ())
            if not hint or not error.field.startswith("prizes"):
                raise
            raise InvalidValue(error.field, f"{error.reason} {hint}") from error


def list_raffles(
    *,
    name: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only raffles with this text in their name, in upper or lower case."),
    ] = None,
    drawn: Annotated[
        bool | None, typer.Option("--drawn/--not-drawn", help="Only raffles that have been drawn, or have not.")
    ] = None,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help=f"Only raffles in this state: {', '.join(State)}.")
    ] = None,
    page: PageNumber = 1,
    page_size: RafflesPageSize = limits.RAFFLES_PAGE_SIZE,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """List the raffles, newest first."""
    with open_engine(database_url) as engine, arguments_named({"name": "--name"}):
        found = engine.list(page=page, page_size=page_size, name=name, winners_drawn=drawn, state=state)
    is_filtered = (name, drawn, state) != (None, None, None)
    render.print_raffles(found, is_filtered=is_filtered, as_json=as_json)


def show_raffle(raffle: ShownRaffle, *, as_json: AsJson = False, database_url: DatabaseUrl = None) -> None:
    """Show one raffle."""
    with open_engine(database_url) as engine:
        found = engine.find(raffle)
        unredeemed = engine.winners(found.id, page_size=1, unredeemed=True).count
    render.print_raffle(found, as_json=as_json)
    if is_drawn(found) and not as_json:
        terminal.remark(
            f"{counted(unredeemed, 'prize')} not redeemed yet; 'rafflekit winners --unredeemed' lists them."
            if unredeemed
            else "No prize is left to redeem."
        )
