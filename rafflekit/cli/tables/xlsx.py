"""A table as an Excel file (.xlsx), written row by row by openpyxl.

Every text is a cell of text, so a spreadsheet computes nothing, and telephone numbers keep their zeros. openpyxl
collects the rows in a temporary file that only its owner can read, and deletes it at the end.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.spreadsheets import SHEET_ROWS, is_formula
from rafflekit.cli.tables.table import Value, written
from rafflekit.core.protocol.quoting import visible

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

# Of what `visible` leaves, these have no place in XML 1.0: no program would open the file.
_NOT_XML = re.compile("[\ufffe\uffff]")

# A time or a prize fits; a width cannot follow the content of rows that are written one by one.
_COLUMN_WIDTH = 24


def write_workbook(file: BinaryIO, name: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Write a table as the one sheet of a workbook; its headings stay visible.

    Raises:
        CommandStopped: there are more rows than a sheet has.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    for column in range(1, len(columns) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = _COLUMN_WIDTH
    sheet.append(list(columns))
    try:
        for number, row in enumerate(rows, start=2):
            _check_room(number)
            sheet.append([_cell(sheet, value) for value in row])
    except BaseException:
        # Otherwise Python complains about the half-written sheet on the terminal. Its temporary file goes at the exit.
        with suppress(OSError):
            sheet.close()
        raise
    book.save(file)


def _check_room(number: int) -> None:
    if number > SHEET_ROWS:
        raise CommandStopped(
            f"--out: a sheet of Excel has {SHEET_ROWS:,} rows, and this list has more; write a CSV file.",
            status=WRONG_USAGE,
        )


def _cell(sheet: "WriteOnlyWorksheet", value: Value) -> "Cell | int | None":
    content = written(value)
    if not isinstance(content, str):
        return content
    text = _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", visible(content))
    cell = WriteOnlyCell(sheet, text)
    # openpyxl takes "=1" for a formula, and "#N/A" for an error.
    cell.data_type = "s"
    if is_formula(text):
        # As an apostrophe typed before it: the cell stays text if someone edits it.
        cell.quotePrefix = True
    return cell
