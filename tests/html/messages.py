"""`make messages`: bring the catalogues of the pages up to date, and compile them.

Texts come from the templates; errors, HTTP and `refusals` add the sentences that pages translate. Afterwards, a new
text has no translation: write it into the catalogue and run this again. The compiled catalogues are in the repository,
so that no one else needs Babel.
"""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import falcon
from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import rafflekit.html
from rafflekit.core import errors
from rafflekit.html.languages import DOMAIN, LANGUAGES, SOURCE_LANGUAGE
from rafflekit.html.refusals import DEFAULT_REASONS, SENTENCES

FOLDER = Path(rafflekit.html.__file__).parent
TRANSLATED = tuple(language for language in LANGUAGES if language != SOURCE_LANGUAGE)

STATUSES = (400, 403, 404, 405, 413, 415, 421, 500, 503)
"""The statuses of problems that have only a status, whose phrase is then the heading of their page."""

_EXTRACTORS = [("templates/**.html", "jinja2.ext.babel_extract")]
# It says nothing, and would change every time.
_DATE = datetime(2026, 1, 1, tzinfo=UTC)


def source_catalogue() -> Catalog:
    """Return all texts of the pages, without translations."""
    catalogue = Catalog(
        fuzzy=False, header_comment="# The texts of the pages; `make messages` keeps the list up to date."
    )
    for file, _line, text, comments, context in extract_from_dir(FOLDER, _EXTRACTORS, comment_tags=("NOTE:",)):
        catalogue.add(text, locations=[(file, 0)], auto_comments=comments, context=context)
    for kind in error_classes():
        catalogue.add(kind.sentence, locations=[("core/errors.py", 0)])
    for sentence in (*SENTENCES, *DEFAULT_REASONS):
        catalogue.add(sentence, locations=[("refusals.py", 0)])
    for status in STATUSES:
        catalogue.add(phrase_of(status), locations=[("http/problems.py", 0)])
    return catalogue


def error_classes(of: type[errors.RaffleError] = errors.RaffleError) -> Iterator[type[errors.RaffleError]]:
    """Yield the errors of the core."""
    for kind in of.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from error_classes(kind)


def phrase_of(status: int) -> str:
    """Return the phrase of an HTTP status."""
    return falcon.code_to_http_status(status).partition(" ")[2]


def read_catalogue(language: str) -> Catalog:
    """Return the translations into a language."""
    file = po_file(language)
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as opened:
        return read_po(opened, locale=language)


def po_file(language: str) -> Path:
    """Return the file with the translations into a language; the compiled ones are next to it, in `.mo`."""
    return FOLDER / "locales" / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def compiled(catalogue: Catalog) -> bytes:
    """Return a catalogue as gettext reads it."""
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def missing(catalogue: Catalog) -> list[Message]:
    """Return the texts of a catalogue that have no translation, or an uncertain one."""
    return [each for each in catalogue if each.id and (each.fuzzy or not all(_forms(each)))]


def _forms(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple | list) else (message.string,)


def main() -> int:
    """Update and compile every catalogue; return 1 if a translation is missing."""
    status = 0
    for language in TRANSLATED:
        catalogue = read_catalogue(language)
        catalogue.update(source_catalogue(), no_fuzzy_matching=True, update_header_comment=True)
        catalogue.obsolete.clear()
        catalogue.fuzzy = False
        catalogue.creation_date = catalogue.revision_date = _DATE
        catalogue.project, catalogue.version = "rafflekit", DOMAIN
        catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
        file = po_file(language)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as opened:
            write_po(opened, catalogue, width=120, sort_by_file=True, include_lineno=False)
        file.with_suffix(".mo").write_bytes(compiled(catalogue))
        for message in missing(catalogue):
            status = 1
            print(f"{language}: no translation: {message.id!r}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
