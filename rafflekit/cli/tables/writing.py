"""Tables in files: which formats there are, how each is written, and what CSV asks of its readers.

CSV follows RFC 4180, so its lines end with CR LF: Excel, LibreOffice and every library read them, and older Windows
programs read nothing else. It begins with a byte order mark, without which Excel shows `ZoÃ«` for Zoë.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from rafflekit.cli.extras import extra_for
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.spreadsheets import Separator, defused
from rafflekit.cli.tables.table import Table, Value, written
from rafflekit.core.protocol.quoting import quoted, visible


class TableFormat(StrEnum):
    """A format of a table; its value is also the ending of its files."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class CsvStyle:
    """How a CSV file is written."""

    separator: Separator = Separator.COMMA
    encoding: str = "utf-8-sig"


def format_of(out: Path, given: TableFormat | None) -> TableFormat:
    """Return the format of a file: the given one, or else that of its ending.

    Raises:
        CommandStopped: no format has this ending.
    """
    if given is not None:
        return given
    try:
        return TableFormat(out.suffix.removeprefix(".").lower())
    except ValueError:
        *most, last = (f".{each}" for each in TableFormat)
        raise CommandStopped(
            f"--out: the ending of {out.name} names no format; end it with {', '.join(most)} or {last}, or give "
            "--format.",
            status=WRONG_USAGE,
        ) from None


def write_table(file: BinaryIO, table: Table, *, form: TableFormat, style: CsvStyle) -> int:
    """Write a table into a file, row by row; return the number of rows.

    Raises:
        CommandStopped: the encoding has no such character, an extra is missing, or a sheet has no room.
    """
    counted = _Counted(table.rows)
    if form is TableFormat.XLSX:
        _write_xlsx(file, table, counted)
    else:
        write = _write_csv if form is TableFormat.CSV else _JSON_WRITERS[form]
        # JSON is UTF-8 without a mark: RFC 8259.
        encoding = style.encoding if form is TableFormat.CSV else "utf-8"
        with TextIOWrapper(file, encoding=encoding, newline="") as text:
            write(text, table.columns, counted, style)
    return counted.rows


def _write_xlsx(file: BinaryIO, table: Table, rows: "_Counted") -> None:
    with extra_for("An Excel file"):
        from rafflekit.cli.tables.xlsx import write_workbook
    write_workbook(file, table.name, table.columns, rows)


class _Counted:
    """Rows that are counted as they pass."""

    def __init__(self, rows: Iterator[Sequence[Value]]) -> None:
        self.rows = 0
        self._rows = rows

    def __iter__(self) -> Iterator[Sequence[Value]]:
        for row in self._rows:
            self.rows += 1
            yield row


def _write_csv(text: TextIOWrapper, columns: Sequence[str], rows: _Counted, style: CsvStyle) -> None:
    writer = csv.writer(text, delimiter=style.separator.character, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        try:
            writer.writerow([_csv_cell(value) for value in row])
        except UnicodeEncodeError as error:
            raise _not_encodable(error, row, style.encoding) from error


def _csv_cell(value: Value) -> str | int | None:
    return defused(visible(value)) if isinstance(value, str) else written(value)


def _not_encodable(error: UnicodeEncodeError, row: Sequence[Value], encoding: str) -> CommandStopped:
    character = error.object[error.start]
    inside = next((each for each in row if isinstance(each, str) and character in each), character)
    return CommandStopped(
        f"--encoding: {encoding} has no character {quoted(character)} (U+{ord(character):04X}), which is in "
        f"{quoted(inside)}; leave --encoding out, or give utf-8-sig.",
        status=WRONG_USAGE,
    )


def _write_json(text: TextIOWrapper, columns: Sequence[str], rows: _Counted, _style: CsvStyle) -> None:
    between = "[\n"
    for row in rows:
        text.write(f"{between}{_json_object(columns, row)}")
        between = ",\n"
    text.write("\n]\n" if rows.rows else "[]\n")


def _write_json_lines(text: TextIOWrapper, columns: Sequence[str], rows: _Counted, _style: CsvStyle) -> None:
    for row in rows:
        text.write(f"{_json_object(columns, row)}\n")


def _json_object(columns: Sequence[str], row: Sequence[Value]) -> str:
    return json.dumps(dict(zip(columns, map(written, row), strict=True)), ensure_ascii=False)


_JSON_WRITERS: dict[TableFormat, Callable[[TextIOWrapper, Sequence[str], _Counted, CsvStyle], None]] = {
    TableFormat.JSON: _write_json,
    TableFormat.JSONL: _write_json_lines,
}
