"""Pages of lists: where a page begins and whether it exists; and how names are searched (pure)."""

import unicodedata
from collections.abc import Sequence

from rafflekit.core import limits
from rafflekit.core.errors import PageNotFound
from rafflekit.core.models import Item, Page


def items_before(page: int, page_size: int, *, most: int = limits.PAGE_SIZE) -> int:
    """Return the number of items before a page of at most `most` items.

    Raises:
        InvalidValue: `page` or `page_size` breaks a limit.
        PageNotFound: no list can have this many pages.
    """
    limits.check_page(page, page_size, most=most)
    if page > limits.PAGE_NUMBER:
        raise PageNotFound
    return (page - 1) * page_size


def page_of(items: Sequence[Item], count: int, number: int, size: int) -> Page[Item]:
    """Return a page of a list of `count` items.

    Raises:
        PageNotFound: the list ends before it; page 1 always exists.
    """
    if not items and number > 1:
        raise PageNotFound
    return Page(tuple(items), count, number, size)


def folded(name: str) -> str:
    """Return a name in the form that is searched: composed Unicode, without letter case."""
    return unicodedata.normalize("NFC", name).casefold()
