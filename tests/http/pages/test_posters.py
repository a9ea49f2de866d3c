"""The poster in a browser, and as it is printed."""

import re
from pathlib import Path
from typing import Any

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.html.poster import poster
from tests.http.conftest import Post
from tests.http.pages.browser import NewPage
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
    cut = "[...document.querySelectorAll('.sheet, .prizes')].map((each) => each.scrollHeight - each.clientHeight)"
    assert page.run(cut) == [0, 0]
    assert page.complaints == []
