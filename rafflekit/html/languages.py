"""The languages of the pages: which one a reader gets, and its texts.

English is the language of the templates. Every other one is a gettext catalogue in `locales/`, compiled by
`make messages`.
"""

import gettext
import re
from functools import cache, lru_cache
from importlib.resources import files

SOURCE_LANGUAGE = "en"
"""The language of the templates, which needs no catalogue."""

LANGUAGES = (SOURCE_LANGUAGE, "de")
"""All languages, as HTML and HTTP name them (BCP 47)."""

DOMAIN = "pages"
"""The name of the catalogues."""

# RFC 9110, 12.5.4: a range of languages, perhaps with its weight.
_RANGE = re.compile(
    r"\s*(?P<language>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*"
    r"(?:;\s*q\s*=\s*(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?"
)
_HEADER_CHARACTERS = 300


def preferred_language(header: str) -> str:
    """Return the language of ours that an Accept-Language header prefers; English if it names none.

    >>> preferred_language("de-AT,de;q=0.9,en;q=0.8"), preferred_language("fr"), preferred_language("en, de;q=0.1")
    ('de', 'en', 'en')
    """
    # Before the cache, which would otherwise keep long ones.
    return _preferred(header[:_HEADER_CHARACTERS])


@lru_cache(1024)
def _preferred(header: str) -> str:
    best, weight_of_best = SOURCE_LANGUAGE, 0.0
    for entry in header.split(","):
        found = _RANGE.fullmatch(entry)
        if found is None:
            continue
        language = found["language"].partition("-")[0].lower()
        weight = float(found["weight"] or 1)
        if language in LANGUAGES and weight > weight_of_best:
            best, weight_of_best = language, weight
    return best


@cache
def texts_in(language: str) -> gettext.NullTranslations:
    """Return the texts of a language."""
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    catalogue = files("rafflekit.html").joinpath("locales", language, "LC_MESSAGES", f"{DOMAIN}.mo")
    with catalogue.open("rb") as file:
        return gettext.GNUTranslations(file)
