"""Texts of a page that are not in the catalogue: it is rendered with every catalogue's text between marks."""

import gettext
import re
from html.parser import HTMLParser

BEGIN, END = "\u27e6", "\u27e7"

# A page's void elements have no end.
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# What people gave, what times.js writes, what is said in signed documents and commands.
_EXEMPT = {"bdi", "time", "code", "pre", "kbd", "samp", "script", "style", "textarea"}
_SPOKEN = {"title", "aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "alt", "placeholder"}
_BUTTONS = {"submit", "button", "reset"}


class Marked(gettext.NullTranslations):
    """A language in which every text stands between marks."""

    def gettext(self, message: str) -> str:
        return f"{BEGIN}{message}{END}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def escaped_texts(html: str) -> list[str]:
    """Return the texts for people in a page that are not between marks."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


def static_text_of(template: str) -> str:
    """Return a template without what is computed or from the catalogue."""
    computed = r"\{#.*?#\}|\{%-?\s*trans\b.*?endtrans\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}"
    return re.sub(computed, "", template, flags=re.DOTALL)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._marks = 0
        # Each open element, and whether its texts are exempt.
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        is_exempt = self._is_exempt() or tag in _EXEMPT or given.get("lang") == "en"
        if not is_exempt:
            self._check_attributes(tag, given)
        if tag not in _VOID:
            self._open.append((tag, is_exempt))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for part in re.split(f"([{BEGIN}{END}])", data):
            if part == BEGIN:
                self._marks += 1
            elif part == END:
                self._marks -= 1
            elif not self._marks and not self._is_exempt():
                self._check(part)

    def _check_attributes(self, tag: str, given: dict[str, str]) -> None:
        for name, value in given.items():
            is_sentence = name.startswith("data-") and re.search(r"[^\W\d_]\s+[^\W\d_]", value)
            is_label = name == "value" and tag in ("input", "button") and given.get("type") in _BUTTONS
            if name in _SPOKEN or is_sentence or is_label:
                self._check(re.sub(f"{BEGIN}.*{END}", "", value, flags=re.DOTALL))

    def _check(self, text: str) -> None:
        if re.search(r"[^\W\d_]", text):
            self.found.append(" ".join(text.split()))

    def _is_exempt(self) -> bool:
        return bool(self._open) and self._open[-1][1]
