"""What fits on a slip: how large its letters are, which prizes it names, and that Chromium cuts nothing off."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.html.paper.fitting import Fitted, fitted_ticket
from rafflekit.html.paper.measuring import printed_lines
from rafflekit.html.paper.sheets import PrintedTicket, invitation_sheets, invitations_with, ticket_sheets
from tests.html.paper.words import WORDS, of_words
from tests.http.pages.browser import NewPage, Page

PAGE = "https://raffles.example.org/raffles/b3b0c6a1-5f0e-4f43-9d0a-1f4a7c0e2a11/"
CODE = "0001-M2XA-9TRC-W4ND-H8ZP-3VBE"
ORDINARY = {
    "draw_at": datetime(2030, 12, 20, 18, tzinfo=UTC),
    "closes_at": datetime(2030, 12, 20, 17, tzinfo=UTC),
    "claim_days": 14,
    "collection": "am Stand der Feuerwehr bis 21:00 Uhr",
    "promoter": "Freiwillige Feuerwehr Oberdorf e. V.",
    "address": "Hauptstraße 1, 12345 Oberdorf",
    "price": "2 €, 10 € für sechs",
    "licence": "Az. 12/34-2026, Ordnungsamt Oberdorf",
    "note": "Der Erlös geht an die Jugendfeuerwehr.",
}
TEXTS = ("collection", "promoter", "address", "price", "licence", "note")
PRIZES = [
    Prize("Wochenende für zwei Personen im Hotel Alpenblick in Garmisch-Partenkirchen"),
    Prize("Rundflug über das Voralpenland, gestiftet vom Aeroclub"),
    Prize("Gutschein der Buchhandlung Müller über 50 Euro", 3),
    Prize("Präsentkorb vom Hofladen Huber", 5),
    Prize("Trostpreis", 20),
]


@pytest.fixture
def raffle(engine: RaffleEngine) -> Raffle:
    """A raffle with the ordinary texts."""
    return engine.create("Dorffest 2026", total_tickets=1000, prizes=PRIZES, **ORDINARY)


def with_terms(raffle: Raffle, **terms: Any) -> Raffle:
    return replace(raffle, terms=replace(raffle.terms, **terms))


def ticket_of(raffle: Raffle) -> Fitted:
    return fitted_ticket(raffle, "de", address=PAGE)


def assert_nothing_is_cut(page: Page, file: Path) -> None:
    page.open(file.as_uri())
    parts = json.dumps(".stub, .face, .main, .main > div, .terms, .legal, [class^=name]")
    cut = f"[...document.querySelectorAll({parts})].map((each) => each.scrollHeight - each.clientHeight)"
    assert max(page.run(cut)) <= 0


def test_an_ordinary_ticket_has_every_prize_in_large_letters(raffle: Raffle) -> None:
    few = [Prize("Ein Fernseher 55 Zoll mit Wandhalterung"), Prize("Kinogutschein", 5), Prize("Flasche Wein", 20)]
    many = [Prize(f"{word}{number}") for number in range(5) for word in ("Kuchen", "Wein", "Honig", "Ball")]

    for prizes in (PRIZES, few, many):
        ticket = ticket_of(with_terms(raffle, prizes=prizes))
        assert ticket.points >= 6
        assert (len(ticket.prizes), ticket.more, ticket.shortened) == (len(prizes), 0, ())


def test_a_ticket_names_as_many_prizes_as_fit(raffle: Raffle) -> None:
    prizes = [Prize(f"Kuchen Nummer {number}", 2) for number in range(60)]

    ticket = ticket_of(with_terms(raffle, prizes=prizes))

    assert ticket.points == 6
    assert 8 < len(ticket.prizes) < 60
    assert ticket.more == 2 * (60 - len(ticket.prizes))
    assert f"und {ticket.more} weitere Preise" in ticket.terms


LITTLE_SNORING = {
    "draw_at": datetime(2027, 7, 5, 18, tzinfo=UTC),
    "closes_at": datetime(2027, 7, 5, 17, 30, tzinfo=UTC),
    "claim_days": 30,
    "collection": "at the bar until 21:00, then by phone 01328 555 018",
    "promoter": "Friends of Little Snoring Village Hall",
    "address": "The Old Forge, 3 Church Lane, Little Snoring, NR21 0HZ",
    "price": "£1 each, 6 for £5",
    "licence": "North Norfolk District Council SL/2026/118",
    "note": "Over 16s only. No cash alternative.",
}
LONG_PRIZES = [
    "Weekend for two with breakfast in the Grand Hotel Brighton, given by Miller & Sons Estate Agents",
    "Hot-air balloon flight over the Norfolk Broads for one person, given by Broadland Balloons Ltd",
    "Family ticket to Banham Zoo, given by the Friends of Little Snoring Primary School, valid until 2028",
    "Hand-made quilt by the ladies of the Tuesday Craft Circle, about two metres by two metres forty",
]


@pytest.mark.browser
def test_an_ordinary_ticket_uses_its_room(engine: RaffleEngine, new_page: NewPage, tmp_path: Path) -> None:
    name, prizes = "Little Snoring Summer Fair Grand Raffle 2027", [Prize(each) for each in LONG_PRIZES]
    raffle = engine.create(name, total_tickets=800, prizes=prizes, **LITTLE_SNORING)
    ticket = fitted_ticket(raffle, "en", address=PAGE)
    printed = PrintedTicket(1, 999, CODE, f"{PAGE}#t=999&c={CODE}", "Ann")
    file = tmp_path / "slips.html"
    file.write_text("".join(ticket_sheets(raffle, [[printed], *[[]] * 7], "en", count=1, address=PAGE)))
    page = new_page()

    assert_nothing_is_cut(page, file)

    assert (ticket.points, len(ticket.prizes)) == (6, 3)
    edges = "['.terms', '.legal'].map((each) => document.querySelector(each).getBoundingClientRect())"
    line = "parseFloat(getComputedStyle(document.querySelector('.terms')).lineHeight)"
    # The fourth prize would need two.
    assert page.run(f"(([terms, legal]) => (legal.top - terms.bottom) / {line})({edges})") < 2


def test_the_longest_texts_end_with_an_ellipsis(raffle: Raffle) -> None:
    longest = ("Freiwillige Feuerwehr " * 10)[:200].strip()
    texts = dict.fromkeys(("collection", "promoter", "address", "note"), longest)

    ticket = ticket_of(with_terms(raffle, prizes=[Prize(longest)] * 9, **texts))

    assert ticket.points == 5
    assert ticket.shortened == ["collection", "note", "prize"]
    assert (ticket.texts["promoter"], ticket.texts["licence"]) == (longest, ORDINARY["licence"])
    assert str(ticket.texts["note"]).endswith("Feuerwehr…")
    assert ticket.prizes[0].name.startswith("Freiwillige Feuerwehr Freiwillige")
    assert ticket.more == 8


@pytest.mark.browser
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_chromium_cuts_nothing_off(new_page: NewPage, tmp_path: Path, raffle: Raffle, words: str) -> None:
    random = Random(18)
    slips: list[str] = []
    for characters in (20, 40, 60, 90, 130, 200):
        texts = {name: of_words(words, random.randint(characters // 2, characters), random) for name in TEXTS}
        prizes = [Prize(of_words(words, characters, random), 1 + number % 3) for number in range(240 // characters)]
        each = with_terms(raffle, name=of_words(words, characters, random), prizes=prizes, tickets_each=1000, **texts)
        invitations = invitations_with([CODE], first=1, address=PAGE)
        slips.extend(invitation_sheets(each, invitations, "de", address=PAGE))
        for language in ("de", "en"):
            ticket = PrintedTicket(1, 999, CODE, f"{PAGE}#t=999&c={CODE}", "Ann")
            slips.extend(ticket_sheets(each, [[ticket], *[[]] * 7], language, count=1, address=PAGE))
    file = tmp_path / "slips.html"
    file.write_text("".join(slips))

    assert_nothing_is_cut(new_page(), file)


@pytest.mark.browser
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_no_text_has_more_lines_than_estimated(new_page: NewPage, tmp_path: Path, words: str) -> None:
    random = Random(18)
    texts = [of_words(words, random.randint(10, 400), random) for _ in range(100)]
    sizes = [random.choice([5, 6, 6.25, 8]) for _ in texts]
    file = tmp_path / "texts.html"
    style = "width: 67mm; line-height: 20px; overflow-wrap: anywhere; font-family: Arial, Helvetica, 'Liberation Sans'"
    paragraphs = [
        f'<p style="{style}; font-size: {size}pt"><bdi>{escape(text)}</bdi>'
        for text, size in zip(texts, sizes, strict=True)
    ]
    file.write_text("<!doctype html><meta charset=utf-8>" + "".join(paragraphs))
    page = new_page()
    page.open(file.as_uri())

    lines = page.run("[...document.querySelectorAll('p')].map((each) => Math.round(each.clientHeight / 20))")

    estimated = [printed_lines(escape(text), points=size, width_mm=67) for text, size in zip(texts, sizes, strict=True)]
    assert [text for text, most, found in zip(texts, estimated, lines, strict=True) if found > most] == []
