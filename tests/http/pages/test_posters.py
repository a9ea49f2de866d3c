"""The poster in a browser, and as it is printed."""

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.html.poster import poster
from tests.html.paper.words import WORDS, of_words
from tests.http.conftest import Post
from tests.http.pages.browser import NewPage, Page
from tests.http.pages.conftest import Show

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


def test_the_poster_of_a_raffle_that_is_over_invites_no_one(show: Show, engine: RaffleEngine) -> None:
    closed, cancelled = (engine.create("Fair", total_tickets=2, prizes=[Prize("hug")]).id for _ in range(2))
    engine.participate(closed, "ann")
    engine.close_raffle(closed)
    engine.cancel(cancelled, "<rain>")
    pages = [show(f"/raffles/{raffle}/poster/", host="raffle.example").text for raffle in (closed, cancelled)]

    for page in pages:
        assert "get your ticket" not in page
    assert "no more tickets are handed out" in pages[0]
    assert "This raffle was called off" in pages[1]
    assert "<bdi>&lt;rain&gt;</bdi>" in pages[1]
    assert "<svg" not in pages[1]
    assert f"/raffles/{cancelled}/poster/" not in show(f"/desk/raffles/{cancelled}/").text


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
    file.write_text(poster(raffle, "en", address=f"https://raffles.example.org/raffles/{raffle.id}/"))
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
        file.write_text(poster(raffle, "de", address=f"https://raffles.example.org/raffles/{raffle.id}/"))
        page.open(file.as_uri())

        assert most_cut(page) == 0
        assert page.run("document.querySelectorAll('.prizes li').length") >= min(count, 4)


@pytest.mark.browser
def test_the_poster_names_sixty_prizes_in_columns(engine: RaffleEngine, new_page: NewPage, tmp_path: Path) -> None:
    prizes = [Prize(f"Preis Nummer {number}", (1, 20, 500)[number % 3]) for number in range(60)]
    raffle = engine.create("Fair", total_tickets=100_000, prizes=prizes)
    file = tmp_path / "poster.html"
    file.write_text(poster(raffle, "de"))
    page = new_page()
    page.open(file.as_uri())

    names = "[...document.querySelectorAll('.prizes .name')]"
    assert page.run(f"{names}.map((each) => each.textContent)") == [prize.name for prize in prizes]
    assert len(set(page.run(f"{names}.map((each) => each.getBoundingClientRect().left)"))) <= 3
    assert most_cut(page) == 0
