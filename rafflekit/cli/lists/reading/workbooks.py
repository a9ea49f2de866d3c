"""Excel files (.xlsx), read by openpyxl row by row. The file is checked before openpyxl sees it.

A cell that a person would not recognise is an `Unclear` text, and only its line is refused.
"""

import warnings
from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any, BinaryIO

from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils import get_column_letter

# Its public face hides which formulas have no result, and fills a row up to its last cell, however far that is.
from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.reading.archives import LAST_ROW, ArchiveWrong, check_archive
from rafflekit.cli.lists.reading.cells import Unclear, cell_text
from rafflekit.cli.lists.reading.csv_records import RecordWrong, too_many_cells
from rafflekit.core import limits

_ROWS_AT_ONCE = 500
_TEXT_TAG = f"{{{SHEET_MAIN_NS}}}si"


class Sheet:
    """A sheet of an open Excel file, as a table."""

    def __init__(self, sheet: Any) -> None:
        # Typed as `Any`: some of what is needed is not in the library's types.
        self.title: str = sheet.title
        self.is_visible = sheet.sheet_state == "visible"
        self._sheet = sheet
        self._formats: dict[int, str] = {}

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank, each with its number.

        Raises:
            RecordWrong: the rest of the sheet cannot be read either.
        """
        last = 0
        for number, cells in self._cells():
            if not last < number <= LAST_ROW:
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
        book = self._sheet.parent
        with self._sheet._get_source() as source:
            parser = _Parser(
                source,
                self._sheet._shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            rows = parser.parse()
            number = 0
            while True:
                try:
                    with warnings.catch_warnings(action="ignore"):
                        some = [(number, self._texts(cells)) for number, cells in islice(rows, _ROWS_AT_ONCE)]
                except Exception as error:
                    # openpyxl has no error for a broken file: anything may come.
                    raise RecordWrong(number + 1, "or one after it is damaged; save the list again") from error
                if not some:
                    return
                yield from some
                number = some[-1][0]

    def _texts(self, cells: list[dict[str, Any]]) -> list[tuple[int, str]]:
        return [(cell["column"], text) for cell in cells if (text := self._text(cell))]

    def _text(self, cell: dict[str, Any]) -> str:
        value, kind = cell["value"], cell["data_type"]
        if value is None and kind != "f":
            return ""
        if kind == "n" and cell["style_id"]:
            text = cell_text(value, self._format_of(cell))
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

    def _format_of(self, cell: dict[str, Any]) -> str:
        style = cell["style_id"]
        if style not in self._formats:
            self._formats[style] = ReadOnlyCell(self._sheet, **cell).number_format
        return self._formats[style]


class Workbook:
    """An open Excel file."""

    def __init__(self, file: BinaryIO, *, name: str) -> None:
        """Check and open an Excel file.

        Raises:
            CommandStopped: it is damaged or too large.
        """
        try:
            check_archive(file)
            with warnings.catch_warnings(action="ignore"):
                reader = _Reader(file, read_only=True, data_only=True, keep_links=False)
                reader.read()
            self._sheets = [Sheet(sheet) for sheet in reader.wb.worksheets]
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
            return self._sheets[0], f"{self._name} has no sheet {title!r}, only {_titles(self._sheets)}."
        filled = [sheet for sheet in self._sheets if sheet.is_visible]
        if len(filled) > 1:
            filled = [sheet for sheet in filled if not sheet.is_blank()]
        if len(filled) > 1:
            return filled[0], f"{self._name} has {len(filled)} sheets; choose one with --sheet: {_titles(filled)}."
        return (filled or self._sheets)[0], None


class _Parser(WorkSheetParser):
    """The parser of openpyxl for rows, and for nothing else of a sheet; it also notices formulas without a result."""

    def parse(self) -> Generator[tuple[int, list[dict[str, Any]]], None, None]:
        for element in _each(ROW_TAG, self.source):
            yield self.parse_row(element)
            # The parser collects the styles of rows.
            self.row_dimensions.clear()

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None:
            cell["data_type"] = "f"
        return cell


class _Reader(ExcelReader):
    """The reader of openpyxl, which reads the texts that are apart from their cells one by one."""

    def read_strings(self) -> None:
        package: Any = self.package
        part = package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = [_shared_text(element) for element in _each(_TEXT_TAG, source)]


def _shared_text(element: Any) -> str:
    text: Any = Text.from_tree(element)
    # As openpyxl does: Excel escapes an underscore that begins something like an escape.
    return str(text.content).replace("x005F_", "")


def _each(tag: str, source: Any) -> Iterator[Any]:
    """Yield the elements with a tag, and forget each after its use: openpyxl keeps an empty one in memory."""
    around: list[Any] = []
    for event, element in iterparse(source, events=("start", "end")):
        if event == "start":
            around.append(element)
            continue
        around.pop()
        if element.tag == tag:
            yield element
            if around:
                around[-1].clear()


def _titles(sheets: list[Sheet]) -> str:
    return ", ".join(repr(sheet.title) for sheet in sheets)
