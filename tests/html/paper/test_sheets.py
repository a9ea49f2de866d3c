"""Tickets and invitations as a browser prints them: the sheets, the cuts, the order after cutting, and what fits."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.html.paper.sheets import (
    PLACES,
    PrintedTicket,
    invitation_sheets,
    invitations_with,
    piles_of,
    sheets_for,
    ticket_sheets,
)
from tests.html.paper.printed import printed
from tests.http.pages.browser import NewPage, Page

PAGE = "https://raffles.example.org/raffles/b3b0c6a1-5f0e-4f43-9d0a-1f4a7c0e2a11/"
TIMES = {"draw_at": datetime(2030, 12, 20, 18, tzinfo=UTC), "closes_at": datetime(2030, 12, 20, 17, tzinfo=UTC)}
TEXTS = ("collection", "promoter", "address", "price", "licence", "note")
LONGEST = {
    "latin": "Weihnachtsfeier der Freiwilligen Feuerwehr ",
    "one word": "Feuerwehrweihnachtsfeier",
    "capitals": "SOMMERFEST WASSERWACHT MURNAU AM SEE ",
    "wide": "夏祭り抽選会",
    "right to left": "قرعة الصيف في القرية ",
    "emoji": "🎉👨‍👩‍👧",
}


def code_of(place: int) -> str:
    return f"{place:04}-M2XA-9TRC-W4ND-H8ZP-3VBE"


def link_of(place: int) -> str:
    return f"{PAGE}#t={1000 - place}&c={code_of(place)}"


def html_of(raffle: Raffle, count: int, *, holder: str = "Ann", language: str = "en") -> str:
    tickets = [
        PrintedTicket(place, 1000 - place, code_of(place), link_of(place), holder) for place in range(1, count + 1)
    ]
    piles = [[tickets[at] for at in pile] for pile in piles_of(count)]
    return "".join(ticket_sheets(raffle, piles, language, count=count, address=PAGE))


def most_cut(page: Page, kind: str) -> int:
    """Return how many pixels of the height of these elements do not show, at most."""
    elements = f"[...document.querySelectorAll({json.dumps(kind)})]"
    return int(page.run(f"Math.max(...{elements}.map((each) => each.scrollHeight - each.clientHeight))"))


@pytest.mark.browser
@pytest.mark.parametrize("count", [1, 8, 9, 17])
def test_cut_and_stacked_tickets_are_in_order(
    engine: RaffleEngine, new_page: NewPage, tmp_path: Path, count: int
) -> None:
    raffle = engine.create("Fair", total_tickets=1000, prizes=[Prize("ham", 3)])
    file = tmp_path / "tickets.html"
    file.write_text(html_of(raffle, count))

    sheets = printed(new_page(), file)

    assert [sheet.size_mm for sheet in sheets] == [(210, 297)] * sheets_for(count)
    stacked = [(sheet, cell) for cell in range(PLACES) for sheet in sheets]
    full = [place for place in stacked if place[0].text_in(place[1])]
    assert [sheet.codes_in(cell) for sheet, cell in full] == [[link_of(place)] for place in range(1, count + 1)]
    for place, (sheet, cell) in enumerate(full, 1):
        text = sheet.text_in(cell)
        # The number is on the ticket and on the counterfoil, the code on the ticket only.
        assert (text.count(str(1000 - place)), text.count(code_of(place)[:14])) == (2, 1)
        assert f"{place} / {count}" in text
    assert all(sheet.codes_in(cell) == [] for sheet, cell in stacked if (sheet, cell) not in full)


def test_the_sheets_say_how_many_piles_there_are(engine: RaffleEngine) -> None:
    raffle = engine.create("Fair", total_tickets=1000, prizes=[Prize("ham", 3)])

    said = {count: html_of(raffle, count).partition("Lay the ")[2][:7] for count in (1, 3, 18, 64)}

    assert said == {1: "", 3: "3 piles", 18: "6 piles", 64: "8 piles"}


@pytest.mark.browser
def test_cut_marks_are_where_the_cuts_are(engine: RaffleEngine, new_page: NewPage, tmp_path: Path) -> None:
    raffle = engine.create("Fair", total_tickets=1000, prizes=[Prize("ham", 3)])
    file = tmp_path / "tickets.html"
    file.write_text(html_of(raffle, 8))

    [sheet] = printed(new_page(), file)

    cuts = [74.25, 148.5, 222.75]
    marks = [(105, 3), (105, 293), *((x, y) for y in cuts for x in (3, 103.5, 106.5, 207))]
    assert all(sheet.darkest(x, y) < 128 for x, y in marks)
    # Half a millimetre beside the lines, and between the marks, there is nothing.
    beside = [(104.3, 3), (105.7, 3), *((3, y + by) for y in cuts for by in (-0.7, 0.7))]
    between = [(105, 40), *((x, y) for y in cuts for x in (50, 150))]
    assert all(sheet.darkest(x, y) > 240 for x, y in [*beside, *between])


@pytest.mark.browser
@pytest.mark.parametrize("text", LONGEST.values(), ids=LONGEST)
def test_the_longest_texts_keep_their_place(engine: RaffleEngine, new_page: NewPage, tmp_path: Path, text: str) -> None:
    longest = (text * 200)[:200].strip()
    raffle = engine.create(
        longest,
        total_tickets=1000,
        prizes=[Prize(longest)] * 30,
        claim_days=14,
        **dict.fromkeys(TEXTS, longest),
        **TIMES,
    )
    tickets, invitations = tmp_path / "tickets.html", tmp_path / "invitations.html"
    tickets.write_text(html_of(raffle, 8, holder=longest * 5, language="de"))
    invited = invitations_with([code_of(place) for place in range(1, 9)], first=1, address=PAGE)
    invitations.write_text("".join(invitation_sheets(raffle, invited, "de", address=PAGE)))
    page = new_page()

    for file, links in ((tickets, map(link_of, range(1, 9))), (invitations, (each.link for each in invited))):
        [sheet] = printed(page, file)

        assert [sheet.codes_in(cell) for cell in range(PLACES)] == [[link] for link in links]
        assert all("30" in sheet.text_in(cell) for cell in range(PLACES))
        assert most_cut(page, ".slip, .stub, .face, .legal, .main, [class^=name]") == 0
        # A pixel is a quarter of a millimetre; lines of such small letters are rounded to whole ones.
        assert most_cut(page, ".terms") <= 1


@pytest.mark.browser
def test_names_in_capitals_are_never_cut(new_page: NewPage, engine: RaffleEngine, tmp_path: Path) -> None:
    random = Random(18)
    words = [*("SOMMERFEST", "WASSERWACHT", "MURNAU", "AM", "SEE", "WM", "GROSSE", "TOMBOLA"), "MWWM", "Wow!", "2030"]
    raffle = engine.create("Fair", total_tickets=1000, prizes=[Prize("ham", 3)])
    names = ["SOMMERFEST WASSERWACHT MURNAU AM SEE"]
    names += [" ".join(random.choices(words, k=random.randint(2, 25)))[:200].strip() for _ in range(99)]
    sheets = [html_of(replace(raffle, terms=replace(raffle.terms, name=name)), 1) for name in names]
    file = tmp_path / "tickets.html"
    file.write_text("".join(sheets))
    page = new_page()

    page.open(file.as_uri())

    assert most_cut(page, "[class^=name]") == 0


@pytest.mark.browser
def test_cut_and_stacked_invitations_are_in_order(engine: RaffleEngine, new_page: NewPage, tmp_path: Path) -> None:
    raffle = engine.create("Fair", total_tickets=1000, prizes=[Prize("ham", 3)], entry="invitation", **TIMES)
    codes = engine.invitations(raffle.id, 10, first=5)
    invitations = invitations_with(codes, first=5, address=PAGE)
    file = tmp_path / "invitations.html"
    file.write_text("".join(invitation_sheets(raffle, invitations, "de", address=PAGE)))

    first, second = printed(new_page(), file)

    stacked = [(sheet, cell) for cell in range(PLACES) for sheet in (first, second)]
    assert [sheet.codes_in(cell) for sheet, cell in stacked[:10]] == [[f"{PAGE}#i={code}"] for code in codes]
    assert all(f"Einladung {number} " in sheet.text_in(cell) for number, (sheet, cell) in enumerate(stacked[:10], 5))
