"""`rendered`: a template filled with values, in a language. Everything that is not a template's own text is escaped."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from rafflekit.core.protocol.dates import write_time
from rafflekit.core.protocol.quoting import visible
from rafflekit.html.languages import texts_in
from rafflekit.html.qr import qr_svg

# Between thousands: a comma in English, a narrow space elsewhere, which no language reads as a decimal mark.
_THOUSANDS = {"en": ","}
_NARROW_SPACE = "\u202f"
_CODE_GROUP = 4


def rendered(template: str, language: str, **values: Any) -> str:
    """Return the HTML of a template in `html/templates`, in one of `languages.LANGUAGES`."""
    return _environment(language).get_template(template).render(values)


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("rafflekit.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(texts_in(language), newstyle=True)  # type: ignore[attr-defined]  # i18n's
    filters: dict[str, Callable[..., str]] = {
        "named": _named,
        "visible": visible,
        "number": partial(numeral, language=language),
        "moment": _moment,
    }
    environment.filters |= filters
    environment.globals |= {"language": language, "qr_svg": qr_svg}
    return environment


def _named(text: str) -> Markup:
    """Return a text that someone gave: what does not show becomes visible, and its direction is its own."""
    return Markup("<bdi>{}</bdi>").format(visible(text))


def numeral(number: int, language: str) -> str:
    """Return a number as people of a language write it.

    >>> numeral(12345, "en")
    '12,345'
    """
    return f"{number:,}".replace(",", _THOUSANDS.get(language, _NARROW_SPACE))


def _moment(moment: datetime) -> Markup:
    """Return a time in UTC, which `times.js` turns into the reader's own."""
    shown = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return Markup('<time datetime="{}">{}</time>').format(write_time(moment), escape(shown))
