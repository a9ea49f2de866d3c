"""Pages that are rendered once and sent many times, with a few places that differ from one answer to the next."""

import re
from collections.abc import Callable
from dataclasses import replace
from secrets import token_hex
from typing import NamedTuple
from uuid import UUID

from rafflekit.core.models import Raffle, State
from rafflekit.html.rendering import numeral
from rafflekit.http.kept import etag_of

_MOST_KEPT = 200

# No text that anyone gives can contain them.
SLOTS = {name: f"slot-{token_hex(16)}" for name in ("left", "left_shown", "idempotency_key")}
"""What a page is rendered with in place of what differs."""

_SLOT = re.compile("(" + "|".join(SLOTS.values()) + ")")
_NAMES = {mark: name for name, mark in SLOTS.items()}

_Shown = tuple[Raffle, object]


class PageKey(NamedTuple):
    """Whose page it is, and for whom."""

    raffle_id: UUID
    language: str
    root: str
    is_manager: bool
    may_redeem: bool = False


class RenderedPage:
    """A page in pieces, between which the slots are filled."""

    def __init__(self, html: str, language: str) -> None:
        *pieces, self._end = _SLOT.split(html)
        self._language = language
        self._pieces = [(text, _NAMES[mark]) for text, mark in zip(pieces[::2], pieces[1::2], strict=True)]
        self._hash = etag_of("".join(text for text, _ in self._pieces).encode() + self._end.encode()).strip('"')

    def filled(self, *, left: int, idempotency_key: str) -> str:
        """Return the page with a number of tickets left and a key; both need no escaping."""
        texts = {
            "left": str(left),
            "left_shown": numeral(left, self._language),
            "idempotency_key": idempotency_key,
        }
        return "".join([part for text, name in self._pieces for part in (text, texts[name])]) + self._end

    def html(self) -> str:
        """Return a page that has no slots."""
        return self._end

    def etag(self, left: int) -> str:
        """Return the entity tag: a weak one, since a browser may keep its page with the key that it got before."""
        return f'W/"{self._hash}-{left}"'


class KeptPages:
    """The last page of each raffle in each language, for any number of threads."""

    def __init__(self) -> None:
        self._pages: dict[PageKey, tuple[_Shown, RenderedPage]] = {}

    def get(self, key: PageKey, shown: _Shown, render: Callable[[], str]) -> RenderedPage:
        """Return the page of what is shown, which is rendered if it shows something else than before."""
        raffle, more = shown
        if raffle.state is State.OPEN:
            # Then the number of tickets handed out appears only in slots.
            shown = replace(raffle, issued=0), more
        kept = self._pages.get(key)
        if kept is not None and kept[0] == shown:
            return kept[1]
        page = RenderedPage(render(), key.language)
        if len(self._pages) >= _MOST_KEPT:
            self._pages.clear()
        self._pages[key] = shown, page
        return page
