"""`rendered`: a template filled with values, in a language. Everything that is not a template's own text is escaped."""

import gettext
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from rafflekit.core.protocol.dates import write_time
from rafflekit.core.protocol.quoting import visible
from rafflekit.html.languages import texts_in
from rafflekit.html.qr import page_qr_svg, qr_svg
from rafflekit.html.refusals import Refusals

# Between thousands: a comma in English, a narrow space elsewhere, which no language reads as a decimal mark.
_THOUSANDS = {"en": ","}
_NARROW_SPACE = "\u202f"
_TIMES = {"en": "%Y-%m-%d %H:%M UTC", "de": "%d.%m.%Y, %H:%M UTC"}


def rendered(template: str, language: str, **values: Any) -> str:
    """Return the HTML of a template in `html/templates`, in one of `languages.LANGUAGES`."""
    return _environment(language).get_template(template).render(values)


def rendered_parts(template: str, language: str, **values: Any) -> Iterator[str]:
    """Yield what `rendered` returns, in parts, as soon as each is known; values may be iterators."""
    return _environment(language).get_template(template).generate(values)


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("rafflekit.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        # The templates are installed with the program, and looking for changes takes a tenth of a page's time.
        auto_reload=False,
    )
    # Not Jinja's own functions, which look everything up again for each text: a third of a page's time.
    texts = _Texts(texts_in(language))
    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # of the extension
    environment.globals |= {"_": texts.gettext, "gettext": texts.gettext, "ngettext": texts.ngettext}
    filters: dict[str, Callable[..., str]] = {
        "named": _named,
        "visible": visible,
        "number": partial(numeral, language=language),
        "moment": partial(_moment, language=language),
    }
    refusals = Refusals(language, texts.gettext, filters)
    environment.filters |= filters | {"reason": refusals.reason}
    environment.globals |= {"language": language, "refusal": refusals.shown, "loss": refusals.loss}
    environment.globals |= {"qr_svg": qr_svg, "page_qr_svg": page_qr_svg}
    return environment


class _Texts:
    """The texts of a language as templates call them: HTML, with escaped values in the place of `%(name)s`."""

    def __init__(self, translations: gettext.NullTranslations) -> None:
        self._translations = translations
        self._without_values: dict[str, Markup] = {}

    def gettext(self, message: str, /, **values: object) -> Markup:
        """Return a text with these values."""
        if values:
            return Markup(self._translations.gettext(message)) % values  # noqa: S704
        found = self._without_values.get(message)
        if found is None:
            found = self._without_values[message] = Markup(self._translations.gettext(message)) % {}  # noqa: S704
        return found

    def ngettext(self, singular: str, plural: str, number: int, /, **values: object) -> Markup:
        """Return a text in the form that goes with a number, which is a value as well: `num`."""
        return Markup(self._translations.ngettext(singular, plural, number)) % ({"num": number} | values)  # noqa: S704


def _named(text: str) -> Markup:
    """Return a text that someone gave: what does not show becomes visible, and its direction is its own."""
    return Markup(f"<bdi>{escape(visible(text))}</bdi>")  # noqa: S704


def numeral(number: int, language: str) -> str:
    """Return a number as people of a language write it.

    >>> numeral(12345, "en")
    '12,345'
    """
    return f"{number:,}".replace(",", _THOUSANDS.get(language, _NARROW_SPACE))


def _moment(moment: datetime, language: str) -> Markup:
    """Return a time in UTC, which `times.js` turns into the reader's own."""
    shown = moment.astimezone(UTC).strftime(_TIMES.get(language, _TIMES["en"]))
    return Markup('<time datetime="{}">{}</time>').format(write_time(moment), shown)
