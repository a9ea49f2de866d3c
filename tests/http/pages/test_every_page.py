"""What holds for every page: no barriers, no sideways scrolling, small and fast, and nothing to complain about."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.http.pages.axe import barriers
from tests.http.pages.browser import Look, Page
from tests.http.pages.chromium import Chromium
from tests.http.pages.fairground import Fairground
from tests.http.pages.scenes import SCENES

pytestmark = pytest.mark.browser

PHONE = Look(width=390)
NARROW, WIDE = 320, 1100
MOST_BYTES = 50_000
ERROR_PAGES = {"taken", "wrong-code", "nothing-there", "desk-mistakes"}
"""Scenes that are errors, of whose status Chromium complains."""


@dataclass(frozen=True)
class Visit:
    """A scene that someone entered on a phone, and what happened meanwhile."""

    name: str
    page: Page
    shifts: list[float]
    loaded: list[str]
    complaints: list[str]


@pytest.fixture(scope="module", params=SCENES)
def visit(request: pytest.FixtureRequest, fairground: Fairground, browser: Chromium) -> Iterator[Visit]:
    """Enter a scene once for all tests; each looks at it in its own way."""
    name: str = request.param
    with Page(browser, PHONE) as page:
        fairground.enter(page, SCENES[name])
        moved = shifts(page)
        yield Visit(name, page, moved, [request["url"] for request in page.requests], list(page.complaints))


def test_a_page_is_small_and_does_not_jump(visit: Visit) -> None:
    assert visit.page.run("performance.getEntriesByType('navigation')[0].encodedBodySize") <= MOST_BYTES
    blocking = "(entry) => entry.renderBlockingStatus === 'blocking'"
    assert visit.page.run(f"performance.getEntriesByType('resource').filter({blocking}).length") <= 1
    assert visit.shifts == []


def test_a_page_loads_nothing_from_other_hosts(visit: Visit) -> None:
    here = visit.page.run("location.origin")
    loaded = [url for url in visit.loaded if not url.startswith("data:")]
    assert [url for url in loaded if not url.startswith(f"{here}/")] == []
    assert [said for said in visit.complaints if visit.name not in ERROR_PAGES or "status of 4" not in said] == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_page_has_no_barriers(visit: Visit, width: int, dark: bool) -> None:
    visit.page.look(Look(width=width, dark=dark))

    assert barriers(visit.page, colours_only=dark) == []


def test_a_page_never_scrolls_sideways(visit: Visit) -> None:
    page = visit.page
    page.look(Look(width=NARROW))
    assert overflow(page) == 0
    assert cut_codes(page) == []

    # A window of 640 pixels at 200 %; then with only the text twice as large.
    page.look(Look(width=NARROW, scale=2))
    assert overflow(page) == 0
    page.look(Look(width=2 * NARROW))
    page.run("void (document.documentElement.style.fontSize = '200%')")
    assert overflow(page) == 0
    page.run("void (document.documentElement.style.fontSize = '')")


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
