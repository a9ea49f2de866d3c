"""Sheets of A4 with eight slips each: their order, and the HTML, which is written sheet by sheet.

The order is "cut and stack": the sheets are cut through as one pile, the eight piles are laid on each other, and the
slips are in order. So each place on the sheets has a run of consecutive slips, its pile. A caller gives the eight piles
and can read each separately; nothing has to hold all slips at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from rafflekit.core.models import Raffle
from rafflekit.html.assets import script_text, static_text
from rafflekit.html.links import invitation_fragment
from rafflekit.html.paper.fitting import fitted_invitation, fitted_ticket
from rafflekit.html.rendering import rendered_parts

PLACES = 8
"""The slips on a sheet: two columns of four, each 105 × 74.25 mm."""

STYLE, SCRIPT = "sheets.css", "sheets.js"
"""The assets of a page with sheets."""


class PrintedTicket(NamedTuple):
    """A ticket on paper: its place in the list from 1, number, code, the link in its QR code ("" without), and holder.

    The holder is what the list says of the participant. Only the counterfoil shows it.
    """

    place: int
    number: int
    code: str
    link: str
    holder: str

    # A code is a secret, and a holder may be an address.
    def __repr__(self) -> str:
        return f"PrintedTicket(number={self.number})"


class Invitation(NamedTuple):
    """An invitation on paper: its number, its code, and the link in its QR code; "" if phones cannot open any."""

    number: int
    code: str
    link: str

    # A code is a secret.
    def __repr__(self) -> str:
        return f"Invitation(number={self.number})"


def invitations_with(codes: Sequence[str], *, first: int, address: str | None) -> list[Invitation]:
    """Return invitations with these codes, numbered from `first`; `address` is that of the raffle's page, for links."""
    return [
        Invitation(number, code, "" if address is None else f"{address}{invitation_fragment(code)}")
        for number, code in enumerate(codes, first)
    ]


class PageParts(NamedTuple):
    """What a server offers a page with sheets: the addresses of its assets, and of the page to which it goes back.

    Without it, everything is in the page, so that it is one file.
    """

    stylesheet: str
    script: str
    back: str


def sheets_for(count: int) -> int:
    """Return the number of sheets for that many slips.

    >>> sheets_for(8), sheets_for(9)
    (1, 2)
    """
    return -(-count // PLACES)


def piles_of(count: int) -> list[range]:
    """Return the slips of each of the eight piles, counted from 0; the last piles may have fewer, or none.

    >>> piles_of(9)[:6]
    [range(0, 2), range(2, 4), range(4, 6), range(6, 8), range(8, 9), range(9, 9)]
    """
    height = sheets_for(count)
    return [range(min(pile * height, count), min((pile + 1) * height, count)) for pile in range(PLACES)]


def ticket_sheets(
    raffle: Raffle, piles: Sequence[Iterable[PrintedTicket]], language: str, *, count: int, address: str | None
) -> Iterator[str]:
    """Yield the page with a raffle's tickets, in parts; it holds their codes.

    `count` is the number of all tickets, `piles` are as in `piles_of`, and `address` is that of the raffle's page, if
    phones can open it.
    """
    return _page(
        "paper/tickets.html",
        language,
        raffle,
        piles,
        None,
        count=count,
        address=address,
        fitted=fitted_ticket(raffle, language, address=address),
    )


def invitation_sheets(
    raffle: Raffle,
    invitations: Sequence[Invitation],
    language: str,
    *,
    address: str | None,
    parts: PageParts | None = None,
) -> Iterator[str]:
    """Yield the page with invitations to a raffle, in parts; it holds their codes.

    `address` is that of the raffle's page, if phones can open it.
    """
    count = len(invitations)
    piles = [[invitations[at] for at in pile] for pile in piles_of(count)]
    return _page(
        "paper/invitations.html",
        language,
        raffle,
        piles,
        parts,
        count=count,
        address=address,
        fitted=fitted_invitation(raffle, language, address=address),
    )


def _page(
    template: str,
    language: str,
    raffle: Raffle,
    piles: Sequence[Iterable[object]],
    parts: PageParts | None,
    *,
    count: int,
    **values: object,
) -> Iterator[str]:
    return rendered_parts(
        template,
        language,
        raffle=raffle,
        sheets=zip_longest(*piles),
        count=count,
        pile_count=sum(map(bool, piles_of(count))),
        parts=parts,
        style_text=static_text(STYLE),
        script_text=script_text(SCRIPT),
        **values,
    )
