"""Languages: which one a reader gets, and catalogues that are complete and compiled."""

import gettext
import io
import re

import pytest
from babel.messages import Catalog, Message

from rafflekit.html.languages import LANGUAGES, preferred_language, texts_in
from tests.html import messages
from tests.html.escaped import escaped_texts, static_text_of

_FOLDER = messages.FOLDER / "templates"
TEMPLATES = sorted(str(file.relative_to(_FOLDER)) for file in _FOLDER.rglob("*.html"))


@pytest.fixture(scope="module", params=messages.TRANSLATED)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    """The translations into a language."""
    return messages.read_catalogue(request.param)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH", "de"),
        ("DE-at;q=0.9, en;q=0.8", "de"),
        ("en-GB, de;q=0.9", "en"),
        ("de;q=0.3, en;q=0.7", "en"),
        ("fr-FR, fr;q=0.9, de;q=0.5, en;q=0.4", "de"),
        ("fr, es", "en"),
        ("*", "en"),
        ("de;q=0", "en"),
        ("de;q=0, en", "en"),
        ("de;q=2", "en"),
        ("de;q=nan, ;;;, =, \u00e9", "en"),
        ("x" * 10_000 + ", de", "en"),
    ],
)
def test_the_reader_gets_the_preferred_language(header: str, language: str) -> None:
    assert preferred_language(header) == language


def test_a_catalogue_has_every_text_and_no_other(catalogue: Catalog) -> None:
    texts = {message.id for message in messages.source_catalogue() if message.id}

    assert {message.id for message in catalogue if message.id} == texts, "run: make messages"
    assert messages.missing(catalogue) == []
    assert not catalogue.obsolete


def test_every_error_and_phrase_is_a_text() -> None:
    texts = messages.source_catalogue()

    for kind in messages.error_classes():
        assert kind.sentence in texts
    for status in messages.STATUSES:
        assert messages.phrase_of(status) in texts


def test_translations_keep_placeholders_and_markup(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            texts, translations = forms(message.id), forms(message.string)
            assert list(message.check(catalogue)) == []
            assert {tuple(parts_of(each)) for each in translations} == {tuple(parts_of(each)) for each in texts}, texts


def test_compiled_catalogues_are_those_of_the_sources(catalogue: Catalog) -> None:
    language = str(catalogue.locale)
    compiled = gettext.GNUTranslations(io.BytesIO(messages.compiled(catalogue)))

    assert language in LANGUAGES
    assert texts_of(texts_in(language)) == texts_of(compiled), "run: make messages"


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_have_no_text_past_the_catalogue(template: str) -> None:
    source = (_FOLDER / template).read_text(encoding="utf-8")

    assert escaped_texts(static_text_of(source)) == []


def forms(text: Message | str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the forms of a text: one, or one per plural."""
    return text if isinstance(text, tuple) else (str(text),)


def parts_of(text: str) -> list[str]:
    """Return what a translation must keep: placeholders and tags."""
    return sorted(re.findall(r"%\(\w+\)[a-z]|<[^>]+>", text))


def texts_of(translations: gettext.NullTranslations) -> dict[object, str]:
    """Return all translations without the catalogue's heading."""
    assert isinstance(translations, gettext.GNUTranslations)
    return {text: translation for text, translation in translations._catalog.items() if text}  # type: ignore[attr-defined]  # gettext has no other way
