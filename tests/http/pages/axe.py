"""axe-core, the rule book of accessibility, put into a page by the debugger."""

from functools import cache
from pathlib import Path

from tests.http.pages.browser import Page
from tests.missing import skip_without

_FILE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"

# All rules, with the one of WCAG 2.2 that is off by default.
_ALL = "{ resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } }"
_ON_COLOURS = "{ resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block'] }"


def barriers(page: Page, *, colours_only: bool = False) -> list[str]:
    """Return what keeps people from using a page: the rule, the element, and what is wrong with it.

    With `colours_only`, just the rules that a dark page can break where the same page in light keeps them.
    """
    if not page.run("'axe' in window"):
        page.run(f"{_source()}; 0")
    rules = _ON_COLOURS if colours_only else _ALL
    found: list[str] = page.run(
        f"axe.run({rules}).then((found) => found.violations.flatMap((rule) => rule.nodes.map((node) =>"
        " `${rule.id} (${rule.impact}): ${node.html}: ${node.failureSummary}`)))"
    )
    return found


@cache
def _source() -> str:
    if not _FILE.exists():
        skip_without("axe-core", "with npm: make axe")
    return _FILE.read_text(encoding="utf-8")
