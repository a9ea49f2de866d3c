"""The output of what comes after the draw: wins, verifications, the queue, and prizes that pass on."""

import sys
from collections.abc import Iterator, Mapping, Sequence

from rafflekit.cli import terminal
from rafflekit.cli.printing import print_fields, print_json, print_rich, print_row, remark_on_pages, yes_or_no
from rafflekit.cli.words import counted
from rafflekit.core import limits, shapes
from rafflekit.core.lifecycle import is_drawn
from rafflekit.core.models import Page, Raffle, Verification
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.forfeits import Why
from rafflekit.core.protocol.quoting import harmless

Owners = Mapping[int, str]
"""The participants of tickets, by the tickets' numbers."""

LAPSES = "The prize lapses: no ticket is left that has not won."
"""What happens to a forfeited prize that no ticket can take over."""


def print_draw(wins: Sequence[Win], raffle: Raffle, *, as_json: bool) -> None:
    """Print every win of a draw; on a terminal the first page of them."""
    if as_json:
        print_json([shapes.win_shape(win) for win in wins])
    elif terminal.is_terminal(sys.stdout):
        first = Page(wins[: limits.WINNERS_PAGE_SIZE], count=len(wins), number=1, size=limits.WINNERS_PAGE_SIZE)
        _show_wins(first, raffle)
        if first.has_next:
            terminal.remark(
                f"{len(first.items):,} of {len(wins):,} winners; 'rafflekit winners {raffle.id} --page 2' shows more."
            )
    else:
        for win in wins:
            print_row(*_columns(win))


def print_winners(page: Page[Win], raffle: Raffle, *, owners: Owners | None, is_filtered: bool, as_json: bool) -> None:
    """Print a page of wins, with the participants if they are known: None for a ticket that is not in their list."""
    if as_json:
        results = [
            {**_shape(win), **({} if owners is None else {"participant": owners.get(win.ticket_number)})}
            for win in page.items
        ]
        print_json({**shapes.win_page_shape(page), "results": results})
        return
    if not is_drawn(raffle):
        terminal.remark("The winners have not been drawn yet.")
    elif not page.items and is_filtered:
        terminal.remark("Every prize has been redeemed or forfeited.")
    elif terminal.is_terminal(sys.stdout):
        _show_wins(page, raffle, owners=owners, is_filtered=is_filtered)
    else:
        for win in page.items:
            print_row(*_columns(win, owners))
    if raffle.terms.claim_days is None and any(win.why == Why.UNCLAIMED for win in page.items):
        terminal.remark("No deadline to collect the prizes was announced.")
    remark_on_pages(page, "winner", "winners")


def print_verification(verification: Verification, ticket_number: int, *, as_json: bool) -> None:
    """Print what a genuine ticket won, and what has happened to the prize."""
    shape = shapes.verification_shape(verification)
    if as_json:
        print_json(shape)
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        print_rich(panels.verification_panel(verification, ticket_number))
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        terminal.say(str(panels.verification_sentence(verification)), wraps=True)
    else:
        for name, value in shape.items():
            if value is not None:
                print_fields((name, yes_or_no(value) if isinstance(value, bool) else harmless(str(value))))


def print_queue(page: Page[int], raffle: Raffle, *, as_json: bool) -> None:
    """Print a page of the tickets that take over the next forfeited prizes."""
    if as_json:
        print_json(shapes.queue_page_shape(page))
        return
    if not page.items:
        terminal.remark("Every ticket has won: a prize that is forfeited now lapses.")
    elif terminal.has_room_for_boxes():
        from rafflekit.cli import panels

        print_rich(panels.queue_table(page, raffle))
    elif terminal.is_terminal(sys.stdout):
        from rafflekit.cli import panels

        for line in panels.queue_lines(page, raffle):
            terminal.say(line, wraps=True)
    else:
        for number in page.items:
            print_row(number)
    remark_on_pages(page, "ticket", "tickets")


def print_heir(heir: Win | None, *, as_json: bool) -> None:
    """Print the win that takes the place of a forfeited one."""
    if as_json:
        print_json(None if heir is None else shapes.win_shape(heir))
    elif heir is None:
        terminal.say(LAPSES, wraps=True)
    elif terminal.is_terminal(sys.stdout):
        terminal.say(heir_sentence(heir), wraps=True)
    else:
        print_fields(*((name, harmless(str(value))) for name, value in shapes.win_shape(heir).items()))


def print_heirs(heirs: Sequence[Win | None], *, as_json: bool) -> None:
    """Print the wins that take the place of several forfeited ones."""
    if as_json:
        print_json([None if heir is None else shapes.win_shape(heir) for heir in heirs])
        return
    for heir in heirs:
        if heir is not None and terminal.is_terminal(sys.stdout):
            terminal.say(heir_sentence(heir), wraps=True)
        elif heir is not None:
            print_row(*_columns(heir))
    lapsed = sum(heir is None for heir in heirs)
    if not heirs:
        terminal.remark("No prize was left to pass on.")
    elif lapsed:
        terminal.remark(f"{counted(lapsed, 'prize')} {'lapses' if lapsed == 1 else 'lapse'}: no ticket is left.")


def heir_sentence(heir: Win) -> str:
    """Return who takes a prize over."""
    return f"Ticket {heir.ticket_number} takes the place of ticket {heir.in_place_of}: {harmless(heir.prize)}"


def _columns(win: Win, owners: Owners | None = None) -> Iterator[object]:
    """Yield the number, the prize, the participant if there is a list, and `name: value` for what happened since."""
    yield win.ticket_number
    yield win.prize
    if owners is not None:
        yield owners.get(win.ticket_number, "")
    for name, value in _shape(win).items():
        if name not in ("ticket_number", "prize"):
            yield f"{name}: {value}"


def _shape(win: Win) -> dict[str, object]:
    """Return the public shape of a win, and the names of the passes, which are for the operator."""
    passes = {"redeemed_by": win.redeemed_by, "forfeited_by": win.forfeited_by}
    return {**shapes.win_shape(win), **{field: name for field, name in passes.items() if name is not None}}


def _show_wins(page: Page[Win], raffle: Raffle, *, owners: Owners | None = None, is_filtered: bool = False) -> None:
    from rafflekit.cli import panels

    listed = panels.ListedWins(page, raffle, owners, is_filtered=is_filtered)
    if terminal.has_room_for_boxes():
        print_rich(panels.wins_table(listed))
    else:
        for line in panels.win_lines(listed):
            terminal.say(line, wraps=True)
