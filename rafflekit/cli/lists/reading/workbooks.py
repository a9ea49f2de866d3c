"""Excel files (.xlsx), read by openpyxl row by row. The file is checked before openpyxl sees it.

A cell that a person would not recognise is an `Unclear` text, and only its line is refused.
"""

import re
import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from openpyxl.packaging.manifest import Manifest
from openpyxl.reader.workbook import WorkbookParser
from openpyxl.styles.numbers import builtin_format_code, is_date_format, is_timedelta_format
from openpyxl.utils import get_column_letter

# Its public face hides which formulas have no result, and fills a row up to its last cell, however far that is.
from openpyxl.worksheet._reader import FORMULA_TAG, INLINE_STRING, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import (
    ARC_CONTENT_TYPES,
    ARC_WORKBOOK,
    SHARED_STRINGS,
    SHEET_MAIN_NS,
    STYLES_TYPE,
    XLSM,
    XLSX,
    XLTM,
    XLTX,
)
from openpyxl.xml.functions import fromstring, iterparse

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.reading.archives import Archive, ArchiveWrong
from rafflekit.cli.lists.reading.cells import Unclear, cell_text
from rafflekit.cli.lists.reading.csv_records import RecordWrong, too_many_cells
from rafflekit.cli.spreadsheets import SHEET_ROWS
from rafflekit.cli.words import shortened
from rafflekit.core import limits

_TEXT_TAG, _PLAIN_TAG, _RUN_TAG, _STYLE_TAG, _FORMAT_TAG = (
    f"{{{SHEET_MAIN_NS}}}{name}" for name in ("si", "t", "r", "xf", "numFmt")
)
_FORMATTED_PATH = f"{_RUN_TAG}/{_PLAIN_TAG}"
_STYLES_TAG = f"{{{SHEET_MAIN_NS}}}cellXfs"
# How deep the pieces are in a part that is read piece by piece: `<sst><si>` and `<worksheet><sheetData><row>`.
_TEXTS_AT, _ROWS_AT, _STYLES_AT = 2, 3, 3
# Excel escapes some characters like this. Surrogates are not characters.
_ESCAPED = re.compile("_x((?!d[89a-f])[0-9a-f]{4})_", re.IGNORECASE)
_LONGEST_FORMAT = 255  # in Excel
_STRICT = "{http://purl.oclc.org/ooxml/"
_SHOWN_SHEETS = 20


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the sheets of an Excel file share: texts that are apart from their cells, and the format of each style."""

    archive: Archive
    epoch: datetime
    texts: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    date_styles: set[int] = field(default_factory=set)
    duration_styles: set[int] = field(default_factory=set)


class Sheet:
    """A sheet of an open Excel file, as a table. `hidden_rows` are not blank, but hidden, such as by a filter."""

    def __init__(self, shared: _Shared, part: str, *, title: str, is_visible: bool) -> None:
        """Check the part of the file that is the sheet.

        Raises:
            ArchiveWrong: it is damaged or too large.
        """
        self.title = title
        self.is_visible = is_visible
        self._shared = shared
        self._part = part
        self.hidden_rows = shared.archive.check(part, pieces_at=_ROWS_AT, most_bytes=limits.XLSX_BYTES).hidden_rows

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank, each with its number.

        Raises:
            RecordWrong: the rest of the sheet cannot be read either.
        """
        last = 0
        for number, cells in self._cells():
            if not last < number <= SHEET_ROWS:
                raise RecordWrong(number, "is not in its place; the Excel file is damaged")
            last = number
            row: list[str] = []
            for column, text in cells:
                if not 0 < column <= limits.RECORD_CELLS:
                    raise RecordWrong(number, too_many_cells(column))
                row.extend([""] * (column - len(row)))
                row[column - 1] = text
            if any(map(str.strip, row)):
                yield number, row

    def is_blank(self) -> bool:
        """Return whether no cell has a text."""
        try:
            return next(self.rows(), None) is None
        except RecordWrong:
            return False

    def _cells(self) -> Iterator[tuple[int, list[tuple[int, str]]]]:
        """Yield the number of each row, with the columns and texts of its cells that have one."""
        shared, number = self._shared, 0
        with shared.archive.open(self._part) as source:
            parser = _Parser(
                source,
                shared.texts,
                data_only=True,
                epoch=shared.epoch,
                date_formats=shared.date_styles,
                timedelta_formats=shared.duration_styles,
            )
            rows = parser.parse()
            while True:
                try:
                    with warnings.catch_warnings(action="ignore"):
                        number, cells = next(rows)
                        row = list(self._texts(cells))
                except StopIteration:
                    return
                except Exception as error:
                    # openpyxl has no error for a broken file: anything may come.
                    raise RecordWrong(number + 1, "or one after it is damaged; save the list again") from error
                yield number, row

    def _texts(self, cells: list[dict[str, Any]]) -> Iterator[tuple[int, str]]:
        for cell in cells:
            if text := self._text(cell):
                yield cell["column"], text

    def _text(self, cell: dict[str, Any]) -> str:
        value, kind = cell["value"], cell["data_type"]
        if value is None and kind != "f":
            return ""
        if kind == "n" and self._shared.formats:
            text = cell_text(value, self._shared.formats[cell["style_id"]])
        elif kind == "e":
            text = Unclear.because("has an error", str(value))
        elif kind == "f":
            text = Unclear.because("has a formula without a result; open the list in Excel and save it", "=")
        else:
            text = cell_text(value)
        if isinstance(text, Unclear):
            place = f"{get_column_letter(cell['column'])}{cell['row']}"
            return Unclear.because(f"cell {place} {text.reason}", text)
        return text


class ExcelFile:
    """An open Excel file."""

    def __init__(self, file: BinaryIO, *, name: str) -> None:
        """Check and open an Excel file.

        Raises:
            CommandStopped: it is damaged or too large.
        """
        try:
            with warnings.catch_warnings(action="ignore"):
                self._sheets = list(_sheets(Archive(file)))
        except ArchiveWrong as error:
            raise CommandStopped(f"{name} {error}; save the list as CSV.", status=WRONG_USAGE) from error
        except Exception as error:
            # openpyxl has no error for a broken file: anything may come.
            raise CommandStopped(
                f"{name} is a damaged Excel file; save it again, or as CSV.", status=WRONG_USAGE
            ) from error
        if not self._sheets:
            raise CommandStopped(f"{name} has no sheet with cells.", status=WRONG_USAGE)
        self._name = name

    def choose(self, title: str | None) -> tuple[Sheet, str | None]:
        """Return the sheet to read, and what is wrong if that is not clear.

        Without a title, it is the only one that is visible and not blank.
        """
        if title is not None:
            wanted = [sheet for sheet in self._sheets if sheet.title == title] or [
                sheet for sheet in self._sheets if sheet.title.casefold() == title.strip().casefold()
            ]
            if len(wanted) == 1:
                return wanted[0], None
            problem = (
                f"{self._name} has no sheet {shortened(title)!r}, only {_titles(self._sheets)}; give one as --sheet."
            )
            return self._sheets[0], problem
        filled = [sheet for sheet in self._sheets if not sheet.is_blank()]
        visible = [sheet for sheet in filled if sheet.is_visible]
        if len(visible) > 1:
            problem = f"{self._name} has {len(visible)} sheets; choose one with --sheet: {_titles(visible)}."
            return visible[0], problem
        if filled and not visible:
            problem = f"In {self._name}, only hidden sheets have content; choose one with --sheet: {_titles(filled)}."
            return filled[0], problem
        return (visible or self._sheets)[0], None


def _sheets(archive: Archive) -> Iterator[Sheet]:
    """Yield the sheets of a file. openpyxl only reads where they are, not styles and drawings, which can be large."""
    # Typed as `Any`: the library's types do not know all of it.
    content_types: Any = fromstring(archive.read(ARC_CONTENT_TYPES))
    package: Any = Manifest.from_tree(content_types)
    main = next((part.PartName[1:] for part in map(package.find, (XLSX, XLSM, XLTX, XLTM)) if part), ARC_WORKBOOK)
    if fromstring(archive.read(main)).tag.startswith(_STRICT):
        raise ArchiveWrong("is a 'Strict Open XML' file")
    book = WorkbookParser(archive, main, keep_links=False)
    book.parse()
    shared = _Shared(archive, book.wb.epoch)
    _read_texts(shared, package.find(SHARED_STRINGS))
    _read_formats(shared, package.find(STYLES_TYPE))
    members, seen = set(archive.namelist()), set()
    for sheet, relation in book.find_sheets():
        part = relation.target
        if part not in members or "chartsheet" in relation.Type:
            continue
        if part in seen:
            # Each one would be read again.
            raise ArchiveWrong("has two sheets in one place")
        seen.add(part)
        yield Sheet(shared, part, title=sheet.name, is_visible=sheet.state == "visible")


def _read_texts(shared: _Shared, part: Any) -> None:
    # The cells have elements as well.
    for element, _ in _pieces(shared.archive, part, _TEXT_TAG, _TEXTS_AT, most_elements=limits.XLSX_ELEMENTS // 2):
        shared.texts.append(_unescaped(_content(element)))


def _read_formats(shared: _Shared, part: Any) -> None:
    """Read the format of numbers that each style has."""
    styles: list[int] = []
    codes: dict[int, str] = {}
    # A million: Excel has at most 65,490 formats of cells.
    most = limits.XLSX_ELEMENTS // 5
    for element, around in _pieces(shared.archive, part, None, _STYLES_AT, most_elements=most):
        if element.tag == _FORMAT_TAG:
            codes[int(element.get("numFmtId"))] = element.get("formatCode")[: _LONGEST_FORMAT + 1]
        elif element.tag == _STYLE_TAG and around.tag == _STYLES_TAG:
            styles.append(int(element.get("numFmtId", 0)))
    kinds: dict[str, tuple[bool, bool]] = {}
    for style, number in enumerate(styles):
        code = codes.get(number) or builtin_format_code(number) or f"number {number} of Excel"
        if code not in kinds:
            kinds[code] = is_date_format(code), is_timedelta_format(code)
        shared.formats.append(code)
        for holds, found in zip(kinds[code], (shared.date_styles, shared.duration_styles), strict=True):
            if holds:
                found.add(style)


def _pieces(
    archive: Archive, part: Any, tag: str | None, depth: int, *, most_elements: int
) -> Iterator[tuple[Any, Any]]:
    """Check a part that all sheets share, if the file has it, and yield its elements as `_each` does."""
    if part is None:
        return
    name = part.PartName[1:]
    archive.check(name, pieces_at=depth, most_bytes=limits.XLSX_TEXTS_BYTES, most_elements=most_elements)
    with archive.open(name) as source:
        yield from _each(tag, depth, source)


class _Parser(WorkSheetParser):
    """The parser of openpyxl for rows, and for nothing else of a sheet; it also notices formulas without a result."""

    def parse(self) -> Generator[tuple[int, list[dict[str, Any]]], None, None]:
        for element, _ in _each(ROW_TAG, _ROWS_AT, self.source):
            yield self.parse_row(element)
            # The parser collects the styles of rows.
            self.row_dimensions.clear()

    def parse_cell(self, element: Any) -> dict[str, Any]:
        kind = element.get("t")
        inline = element.find(INLINE_STRING) if kind == "inlineStr" else None
        if inline is not None:
            element.remove(inline)
        cell: dict[str, Any] = super().parse_cell(element)
        if inline is not None:
            cell["value"] = _unescaped(_content(inline))
        elif isinstance(cell["value"], str) and kind != "s":
            # Shared texts were read before.
            cell["value"] = _unescaped(cell["value"])
        elif cell["value"] is None and kind != "str" and element.find(FORMULA_TAG) is not None:
            # A result that is an empty text has its type.
            cell["data_type"] = "f"
        return cell


def _content(element: Any) -> str:
    """Return the text of an element without its formats and its phonetic guide. The library takes ten times longer."""
    texts = [*element.iterfind(_PLAIN_TAG), *element.iterfind(_FORMATTED_PATH)] if len(element) else []
    return "".join(text.text or "" for text in texts)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text) if "_x" in text.lower() else text


def _each(tag: str | None, depth: int, source: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the elements at a depth (1 is the root), each with the one around it, and forget each after its use.

    openpyxl keeps an empty one in memory.
    """
    around: list[Any] = []
    for event, element in iterparse(source, events=("start", "end")):
        if event == "start":
            around.append(element)
            continue
        around.pop()
        if len(around) < depth and around:
            if len(around) == depth - 1 and tag in (None, element.tag):
                yield element, around[-1]
            around[-1].clear()


def _titles(sheets: list[Sheet]) -> str:
    further = " …" if len(sheets) > _SHOWN_SHEETS else ""
    return ", ".join(repr(shortened(sheet.title)) for sheet in sheets[:_SHOWN_SHEETS]) + further
