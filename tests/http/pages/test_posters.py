"""The poster in a browser, and as it is printed."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.html.poster import poster
from tests.html.paper.words import WORDS, of_words
from tests.http.conftest import Post
from tests.http.pages.browser import NewPage, Page
from tests.http.pages.conftest import Show

LATER = datetime(2100, 1, 1, tzinfo=UTC)
LONG = "Weihnachtsfeier " * 12 + "Feier 20"
TEXTS = dict.fromkeys(("promoter", "address", "licence", "note", "collection", "source"), LONG)


def test_the_poster_has_names_as_text_and_a_qr_code(show: Show, post: Post) -> None:
    name = "<script>alert(1)</script>\u202e"
    body = {"name": name, "total_tickets": 1, "prizes": [{"name": name, "amount": 1}], "promoter": name}
    raffle = post("/raffles/", json=body).json["id"]

    page = show(f"/raffles/{raffle}/poster/", host="raffle.example")

    assert f"http://raffle.example/raffles/{raffle}/" in page.text
    assert "<svg" in page.text
    # No phone can open an address of this machine alone.
    assert "<svg" not in show(f"/raffles/{raffle}/poster/").text
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text
    assert not re.search(r"<style|<script>| style=", page.text)


def poster_of(raffle: Raffle, language: str) -> str:
    """Return a poster with a QR code, made when its raffle was created."""
    page = f"https://raffles.example.org/raffles/{raffle.id}/"
    return poster(raffle, language, now=raffle.created_at, address=page).html


def test_the_poster_of_a_raffle_that_is_over_invites_no_one(show: Show, engine: RaffleEngine) -> None:
    times = {"opens_at": datetime(2020, 1, 1, tzinfo=UTC), "closes_at": LATER, "draw_at": LATER}
    ids = [
        engine.create(
            "Fair", total_tickets=9, prizes=[Prize("hug")], price="£7", promoter="Club", tickets_each=8, **times
        ).id
        for _ in range(4)
    ]
    for raffle in ids[1:]:
        engine.participate(raffle, "ann")
    for raffle in ids[1:3]:
        engine.close_raffle(raffle)
    engine.draw(ids[2])
    engine.cancel(ids[3], "<rain>")

    running, closed, drawn, cancelled = [
        show(f"/raffles/{raffle}/poster/", host="raffle.example").text for raffle in ids
    ]

    assert all(text in running for text in ("£7", "Tickets until", "up to 8", "Draw:", "After the draw, anyone can"))
    assert "Tickets from" not in running
    for page in (closed, drawn, cancelled):
        assert not any(text in page for text in ("£7", "get your ticket", "Tickets until", "up to 8", "There are 9"))
    assert "no more tickets are handed out" in closed
    assert "1 ticket takes part in the draw" in closed
    assert "Draw: <time" in closed
    assert "Drawn on <time" in drawn
    assert "1 ticket took part" in drawn
    assert not any(text in page for page in (drawn, cancelled) for text in ("2100", "After the draw, anyone"))
    assert "This raffle was called off" in cancelled
    assert "<bdi>&lt;rain&gt;</bdi>" in cancelled
    assert "<svg" not in cancelled
    assert "To check the draw" not in cancelled
    assert f"/raffles/{ids[3]}/poster/" not in show(f"/desk/raffles/{ids[3]}/").text


def test_the_poster_announces_no_draw_that_is_overdue(engine: RaffleEngine) -> None:
    raffle = engine.create("Fair", total_tickets=1, prizes=[Prize("hug")], draw_at=LATER)

    before, after = (poster(raffle, "en", now=LATER + timedelta(seconds=late)).html for late in (-1, 0))

    assert ("Draw: <time" in before, "Draw: <time" in after) == (True, False)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("shape", "terms"),
    [
        *(((count, length), {}) for count, length in ((1, 20), (5, 60), (30, 34), (1000, 200))),
        *(((count, 200), TEXTS) for count in (1, 10, 30)),
    ],
)
def test_the_poster_is_one_sheet_of_a4(
    engine: RaffleEngine, new_page: NewPage, tmp_path: Path, shape: tuple[int, int], terms: dict[str, Any]
) -> None:
    count, length = shape
    prizes = [Prize((f"Prize {number}, " + "chocolate " * 20)[:length].strip()) for number in range(count)]
    options = {**terms, "entropy": "announced"} if terms else {}
    raffle = engine.create(LONG, total_tickets=1000, prizes=prizes, **options)
    file = tmp_path / "poster.html"
    file.write_text(poster_of(raffle, "en"))
    page = new_page()
    page.open(file.as_uri())

    page.print_pdf(tmp_path / "poster.pdf")

    printed = (tmp_path / "poster.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    [(width, height)] = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", printed)
    assert (round(float(width)), round(float(height))) == (595, 842)
    assert most_cut(page) == 0
    assert page.run("document.querySelector('.prizes .name').textContent") == prizes[0].name
    assert page.complaints == []


def most_cut(page: Page) -> int:
    """Return how many pixels of the sheet or its prizes do not show: in height, or in width for too many columns."""
    parts = "[...document.querySelectorAll('.sheet, .prizes')]"
    sizes = "Math.max(each.scrollHeight - each.clientHeight, each.scrollWidth - each.clientWidth)"
    return int(page.run(f"Math.max(...{parts}.map((each) => {sizes}))"))


def test_the_poster_names_the_longest_prizes(engine: RaffleEngine) -> None:
    longest = ("A WEEKEND FOR TWO WITH BREAKFAST AND SPA IN THE GRAND HOTEL MÜGGELTURM AM WASSER " * 3)[:200]
    word = ("Donaudampfschifffahrtsgesellschaftskapitän" * 5)[:200]
    texts = dict.fromkeys((*TEXTS, "price"), longest.strip())
    named = []
    for name, prizes in (("W" * 200, [Prize(word)] * 3), (longest, [Prize(longest.strip(), 9)] * 40)):
        raffle = engine.create(
            name.strip(), total_tickets=1000, prizes=prizes, entropy="announced", draw_at=LATER, **texts
        )
        made = poster(raffle, "en", now=raffle.created_at, address="https://raffles.example.org/raffles/1/")
        named.append((made.named, made.more))

    assert named == [(3, 0), (6, 9 * 34)]


@pytest.mark.browser
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_the_poster_has_room_for_all_scripts(
    engine: RaffleEngine, new_page: NewPage, tmp_path: Path, words: str
) -> None:
    random, page = Random(18), new_page()
    for count, characters in ((3, 60), (12, 40), (40, 30), (80, 60)):
        prizes = [Prize(of_words(words, characters, random), random.choice([1, 20, 500])) for _ in range(count)]
        texts = {field: of_words(words, characters, random) for field in TEXTS if field != "source"}
        name = of_words(words, characters, random)
        raffle = engine.create(name, total_tickets=100_000, prizes=prizes, claim_days=14, **texts)
        file = tmp_path / "poster.html"
        file.write_text(poster_of(raffle, "de"))
        page.open(file.as_uri())

        assert most_cut(page) == 0
        assert page.run("document.querySelectorAll('.prizes li').length") >= min(count, 4)


@pytest.mark.browser
def test_the_poster_names_sixty_prizes_in_columns(engine: RaffleEngine, new_page: NewPage, tmp_path: Path) -> None:
    prizes = [Prize(f"Preis Nummer {number}", (1, 20, 500)[number % 3]) for number in range(60)]
    raffle = engine.create("Fair", total_tickets=100_000, prizes=prizes)
    file = tmp_path / "poster.html"
    file.write_text(poster(raffle, "de", now=raffle.created_at).html)
    page = new_page()
    page.open(file.as_uri())

    names = "[...document.querySelectorAll('.prizes .name')]"
    assert page.run(f"{names}.map((each) => each.textContent)") == [prize.name for prize in prizes]
    assert len(set(page.run(f"{names}.map((each) => each.getBoundingClientRect().left)"))) <= 3
    assert most_cut(page) == 0
