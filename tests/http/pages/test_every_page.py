"""What holds for every page: no barriers, no sideways scrolling, small and fast, and nothing to complain about."""

from itertools import product

import pytest

from tests.http.pages.axe import barriers
from tests.http.pages.browser import Look, NewPage, Page
from tests.http.pages.fairground import Fairground
from tests.http.pages.scenes import SCENES

pytestmark = pytest.mark.browser

PHONE, DESKTOP = 320, 1100
MOST_BYTES = 50_000
ERROR_PAGES = {"taken", "wrong-code", "nothing-there", "desk-mistakes"}
"""Scenes that are errors, of whose status Chromium complains."""


@pytest.mark.parametrize("name", SCENES)
def test_a_page_has_no_barriers(fairground: Fairground, new_page: NewPage, name: str) -> None:
    page = new_page()
    fairground.enter(page, SCENES[name])

    for width, dark in product((PHONE, DESKTOP), (False, True)):
        page.look(Look(width=width, dark=dark))
        assert barriers(page) == []


@pytest.mark.parametrize("name", SCENES)
def test_a_page_never_scrolls_sideways(fairground: Fairground, new_page: NewPage, name: str) -> None:
    page = new_page(width=PHONE)
    fairground.enter(page, SCENES[name])
    assert overflow(page) == 0
    assert cut_codes(page) == []

    # A window of 640 pixels at 200 %; then with only the text twice as large.
    page.look(Look(width=PHONE, scale=2))
    assert overflow(page) == 0
    page.look(Look(width=2 * PHONE))
    page.run("void (document.documentElement.style.fontSize = '200%')")
    assert overflow(page) == 0


@pytest.mark.parametrize("name", SCENES)
def test_a_page_is_small_and_does_not_jump(fairground: Fairground, new_page: NewPage, name: str) -> None:
    page = new_page(width=390)
    fairground.enter(page, SCENES[name])

    assert page.run("performance.getEntriesByType('navigation')[0].encodedBodySize") <= MOST_BYTES
    blocking = "(entry) => entry.renderBlockingStatus === 'blocking'"
    assert page.run(f"performance.getEntriesByType('resource').filter({blocking}).length") <= 1
    assert shifts(page) == []


@pytest.mark.parametrize("name", SCENES)
def test_a_page_loads_nothing_from_other_hosts(fairground: Fairground, new_page: NewPage, name: str) -> None:
    page = new_page()
    fairground.enter(page, SCENES[name])

    here = page.run("location.origin")
    loaded = [request["url"] for request in page.requests if not request["url"].startswith("data:")]
    assert [url for url in loaded if not url.startswith(f"{here}/")] == []
    assert [said for said in page.complaints if name not in ERROR_PAGES or "status of 4" not in said] == []


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    width: int = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def cut_codes(page: Page) -> list[str]:
    """Return the fields for codes in which the end of a code cannot be seen."""
    cut: list[str] = page.run(
        "[...document.querySelectorAll('input.code')].filter((field) => { const kept = field.value;"
        " field.value = 'WWWW-WWWW-WWWW-WWWW-WWWW-WWWW'; const width = field.scrollWidth; field.value = kept;"
        " return width > field.clientWidth; }).map((field) => `${field.id}: ${field.clientWidth}`)"
    )
    return cut


def shifts(page: Page) -> list[float]:
    """Return by how much the parts of a page have moved after they were painted."""
    page.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")
    moved: list[float] = page.run(
        "new Promise((done) => { const moved = [];"
        " new PerformanceObserver((list) => moved.push(...list.getEntries().map((entry) => entry.value)))"
        " .observe({ type: 'layout-shift', buffered: true }); setTimeout(() => done(moved), 50); })"
    )
    return moved
