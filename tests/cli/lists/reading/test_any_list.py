"""Whatever a list is, it is read as a spreadsheet reads it, or refused with a sentence."""

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from benchmarks.excel_files import write_excel_file
from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.people import Line, ParticipantList
from rafflekit.cli.lists.reading.columns import width_of
from rafflekit.cli.lists.reading.layout import Columns, Layout
from tests.ticket_lists import on_one_line

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252")
QUOTINGS = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)

# Longer than any text of the rows, since a line that repeats the header is refused.
HEADER = ["no", "attendee", "town"]

texts = st.text(
    st.characters(codec="cp1252", exclude_categories=("Cc", "Cs")) | st.sampled_from('";,|\t\n'), max_size=6
)
tables = st.lists(st.lists(texts, min_size=2, max_size=3), min_size=1, max_size=6)
pieces = st.sampled_from(
    [b"ann", b"\xfc", b"\0", b'"', b"\r", b"\n", b",", b";", b"\t", b"|", b"\xff\xfe", b"sep=", b" "]
)


def read(content: bytes, layout: Layout) -> list[Line]:
    return list(ParticipantList(io.BytesIO(content), name="people", layout=layout))


def expected(rows: list[list[str]]) -> list[str | None]:
    """Return the second cell of each row that is not blank, or None for a row that is wider than the header."""
    return [
        None if width_of(row) > len(HEADER) else on_one_line(row[1] if len(row) > 1 else "")
        for row in rows
        if any(map(str.strip, row))
    ]


def is_utf_8(content: bytes) -> bool:
    """Return whether bytes are UTF-8 with other letters than ASCII has: "Â©" in Windows-1252 is "©"."""
    with suppress(UnicodeDecodeError):
        return not content.decode("utf-8").isascii()
    return False


def found(lines: list[Line]) -> list[str | None]:
    return [None if line.refusal else line.participant for line in lines]


@example(rows=[["", "Â\xa0"]], separator=",", encoding="cp1252", quoting=csv.QUOTE_MINIMAL, ends="\n")
@given(
    rows=tables,
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(ENCODINGS),
    quoting=st.sampled_from(QUOTINGS),
    ends=st.sampled_from(["\n", "\r\n"]),
)
def test_a_list_is_read_as_it_was_written_or_is_in_doubt(
    rows: list[list[str]], separator: str, encoding: str, quoting: int, ends: str
) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=separator, quoting=quoting, lineterminator=ends).writerows([HEADER, *rows])
    content = written.getvalue().encode(encoding)
    layout = Layout(Columns((HEADER[1],)), encoding="windows-1252" if encoding == "cp1252" else None)

    if layout.encoding and is_utf_8(content):
        with pytest.raises(CommandStopped, match="people is UTF-8"):
            read(content, layout)
        return
    people = ParticipantList(io.BytesIO(content), name="people", layout=layout)

    assert people.layout.separator == separator
    assert found(list(people)) == expected(rows)


@given(rows=tables)
def test_an_excel_list_is_read_as_it_was_written(rows: list[list[str]]) -> None:
    # A text with "=" would be a formula.
    rows = [[text.replace("=", "-") for text in row] for row in rows]
    file = io.BytesIO()
    write_excel_file(file, [HEADER, *rows])

    lines = read(file.getvalue(), Layout(Columns((HEADER[1],))))

    assert found(lines) == expected(rows)


@settings(max_examples=200)
@given(content=st.lists(pieces | st.binary(max_size=4)).map(b"".join), column=st.sampled_from([(), ("ann",), ("1",)]))
def test_any_bytes_are_read_or_refused_with_a_sentence(content: bytes, column: tuple[str, ...]) -> None:
    for layout in (Layout(Columns(column)), Layout(Columns(column), header=False, separator=";", encoding="utf-16")):
        with suppress(CommandStopped):
            read(content, layout)


def excel_file() -> bytes:
    book = Workbook()
    assert book.active is not None
    book.active.append(["ann"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# Made once: a file has the time in it.
EXCEL = excel_file()


@given(changes=st.dictionaries(st.integers(0, 4_000), st.integers(0, 255), min_size=1, max_size=8))
def test_a_damaged_excel_file_is_read_or_refused(changes: dict[int, int]) -> None:
    content = bytearray(EXCEL)
    for position, byte in changes.items():
        content[position] = byte

    with suppress(CommandStopped):
        read(bytes(content), Layout())
