"""Excel files as lists: what a person sees in their cells, and files that are made to do harm."""

import io
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from openpyxl import Workbook

from benchmarks.excel_files import write_excel_file
from rafflekit.cli.failures import CommandStopped
from rafflekit.cli.lists.people import Line, ParticipantList
from rafflekit.cli.lists.reading.layout import Columns, Layout
from rafflekit.core import limits

# Smaller than the real limits, which take seconds.
BYTES, PIECE, TEXTS, TOTAL, ELEMENTS = 10_000_000, 500_001, 5_000, 2_000, 1_000
MANY_ATTRIBUTES = " ".join(f"a{number}=''" for number in range(ELEMENTS))
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def saved(*rows: list[object], **sheets: list[list[object]]) -> io.BytesIO:
    """Return an Excel file with rows on its first sheet, and further sheets."""
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    for title, further in sheets.items():
        sheet = book.create_sheet(title)
        for row in further:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file


def with_parts(**parts: str) -> io.BytesIO:
    """Return an Excel file in which some parts have another content."""
    plain, file = io.BytesIO(), io.BytesIO()
    write_excel_file(plain, [["Name"], ["ann"]])
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, parts.get(Path(member).stem, old.read(member)))
    return file


def with_rows(rows: str, before: str = "") -> io.BytesIO:
    return with_parts(sheet1=f"<worksheet {MAIN}>{before}<sheetData>{rows}</sheetData></worksheet>")


def with_sheets(sheets: str) -> io.BytesIO:
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return with_parts(workbook=f'<workbook {MAIN} xmlns:r="{relations}"><sheets>{sheets}</sheets></workbook>')


def cell(place: str, text: str = "ann") -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def lines_of(file: io.BytesIO, *columns: str, header: bool | None = None, sheet: str | None = None) -> list[Line]:
    layout = Layout(Columns(columns), header=header, sheet=sheet)
    return list(ParticipantList(file, name="people.xlsx", layout=layout))


def error_of(file: io.BytesIO, layout: Layout | None = None) -> str:
    with pytest.raises(CommandStopped) as stopped:
        list(ParticipantList(file, name="people.xlsx", layout=layout or Layout()))
    assert stopped.value.status == 2
    return str(stopped.value)


def test_cells_are_read_as_a_person_sees_them() -> None:
    shown: dict[object, str] = {
        49170123456: "49170123456",
        "0049": "0049",
        7.0: "7",
        1.5: "1.5",
        0.1 + 0.2: "0.3",
        -3: "-3",
        True: "TRUE",
        date(2026, 1, 2): "2026-01-02",
        datetime(2026, 1, 2, 9, 30): "2026-01-02 09:30:00",  # noqa: DTZ001 - a spreadsheet knows no time zones
        "דוד,\nכהן\n": "דוד, כהן",
    }

    read = lines_of(saved(["who", "note"], *([value, "x"] for value in shown)), "who")

    assert [(line.participant, line.refusal) for line in read] == [(text, None) for text in shown.values()]


def test_texts_are_read_from_where_excel_keeps_them() -> None:
    file = io.BytesIO()
    write_excel_file(file, [["who"], ["ann"], ["bob"], ["ann"]])

    assert [line.participant for line in lines_of(file, "who")] == ["ann", "bob", "ann"]


def with_format(value: float, number_format: str) -> io.BytesIO:
    """Return an Excel file with a formatted number, and with a text that needs no format."""
    book = Workbook()
    assert book.active is not None
    book.active["A1"] = value
    book.active["A1"].number_format = number_format
    book.active["A2"] = "ann"
    file = io.BytesIO()
    book.save(file)
    return file


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [(1234, "00000", "01234"), (1234, "#,##0", "1234"), (1.5, "0.00", "1.5"), (12, "@", "12"), (7, "0", "7")],
)
def test_zeros_that_a_format_shows_are_kept(value: float, number_format: str, text: str) -> None:
    assert lines_of(with_format(value, number_format), header=False)[0] == Line(1, text)


@pytest.mark.parametrize(
    ("value", "number_format"),
    [(49170, "0000 0000000"), (49170, "000-00000000"), (7, '"0"###0'), (0.5, "0%"), (1.5, "000"), (-7, "000")],
)
def test_a_number_in_a_format_of_its_own_is_refused(value: float, number_format: str) -> None:
    first, second = lines_of(with_format(value, number_format), header=False)

    assert first.refusal == (
        f"The line's cell A1 has a number in the format {number_format!r}; enter what Excel shows as text."
    )
    assert second == Line(2, "ann")


def test_characters_that_excel_escapes_are_read() -> None:
    written = "a_x000D__X000d_b_x005F_x000D_c_x1F3_xD83D_"
    read = "a b_x000D_c_x1F3_xD83D_"
    file = io.BytesIO()
    write_excel_file(file, [["who"], [written]])
    formula = f'<c r="A2" t="str"><f>B1</f><v>{written}</v></c>'

    assert lines_of(file, "who") == [Line(2, read)]
    assert lines_of(with_rows(f'<row r="1">{cell("A1", written)}</row><row r="2">{formula}</row>')) == [
        Line(1, read),
        Line(2, read),
    ]


def test_hidden_rows_are_in_doubt() -> None:
    rows = f"""
        <row r="1">{cell("A1")}</row><row r="2" hidden="1">{cell("A2")}{cell("B2")}</row>
        <row r="3" hidden="1"><c r="A3"/></row><row r="4" hidden="0">{cell("A4")}</row>
        <row r="5" hidden="1"><c r="A5" t="str"><f>B5</f><v> </v></c><c r="B5" t="str"><v/></c></row>
        <row r="6" hidden="true"><c r="A6"><v>7</v></c></row>
    """
    doubtful = ParticipantList(with_rows(rows), name="people.xlsx", layout=Layout(Columns(("1",)), header=False))
    clear = ParticipantList(with_rows(rows.replace('"2" hidden="1"', '"2"').replace("true", "0")), name="people.xlsx")

    assert doubtful.doubts == (
        "people.xlsx has 2 hidden rows, and hidden rows get tickets, too; show them in Excel, or delete those without "
        "a ticket.",
    )
    assert clear.doubts == ()


def test_a_line_has_the_number_of_its_row() -> None:
    assert lines_of(saved([], ["who", "note", None], [], ["ann", None, " "], [None, "x"]), "WHO") == [
        Line(4, "ann"),
        Line(5, ""),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('<c r="A1" t="e"><v>#REF!</v></c>', "cell A1 has an error."),
        (
            '<c r="A1"><f>B1&amp;C1</f></c>',
            "cell A1 has a formula without a result; open the list in Excel and save it.",
        ),
        (
            '<c r="A1"><v>1234567890123456</v></c>',
            "cell A1 has more than 15 digits, and Excel has replaced the others with zeros.",
        ),
        ('<c r="A1"><v>1.5E-7</v></c>', "cell A1 has a number that Excel shows in scientific notation."),
        (cell("A1", "x" * 40_000), "cell A1 has more than 32,767 characters."),
    ],
)
def test_a_cell_that_is_unclear_refuses_its_line_only(content: str, reason: str) -> None:
    first, second = lines_of(with_rows(f'<row r="1">{content}</row><row r="2">{cell("A2")}</row>'), header=False)

    assert first.refusal is not None
    assert first.refusal.startswith(f"The line's {reason}")
    assert len(first.participant) < 100
    assert second == Line(2, "ann")


def test_the_result_of_a_formula_is_read() -> None:
    assert lines_of(with_rows('<row r="1"><c r="A1" t="str"><f>B1&amp;C1</f><v>ann</v></c></row>')) == [Line(1, "ann")]


@pytest.mark.parametrize("result", ["<v></v>", "<v/>", "", "<v> </v>"])
def test_a_formula_with_an_empty_result_is_an_empty_cell(result: str) -> None:
    empty = f'<c r="A2" t="str"><f>IF(B2="","",B2)</f>{result}</c>'

    assert lines_of(
        with_rows(f'<row r="1">{cell("A1")}</row><row r="2">{empty}</row><row r="3">{cell("A3")}</row>')
    ) == [
        Line(1, "ann"),
        Line(3, "ann"),
    ]


def test_a_duration_is_unclear() -> None:
    (line,) = lines_of(saved([timedelta(hours=30)]), header=False)

    assert line.refusal == "The line's cell A1 has a duration; enter what Excel shows as text."


@pytest.mark.parametrize("kind", ["shared", "inline"])
def test_formats_within_a_text_say_nothing(kind: str) -> None:
    content = "<r><rPr><b/></rPr><t>An</t></r><rPh sb='0' eb='1'><t>x</t></rPh><r><t>n </t></r><r/><phoneticPr/>"
    if kind == "inline":
        file = with_rows(f'<row r="1"><c r="A1" t="inlineStr"><is>{content}</is></c><c r="B1" t="inlineStr"/></row>')
    else:
        sheet = '<sheetData><row r="1"><c r="A1" t="s"><v>1</v></c></row></sheetData>'
        file = with_parts(
            sheet1=f"<worksheet {MAIN}>{sheet}</worksheet>",
            sharedStrings=f"<sst {MAIN}><si/><si>{content}</si></sst>",
        )

    assert lines_of(file) == [Line(1, "Ann ")]


def test_an_unclear_cell_of_another_column_does_not_matter() -> None:
    rows = f'<row r="1">{cell("A1")}<c r="B1" t="e"><v>#REF!</v></c></row>'

    assert lines_of(with_rows(rows), "1", header=False) == [Line(1, "ann")]


def test_a_sheet_is_chosen_if_there_are_several() -> None:
    file = saved(["ann"], Empty=[], Guests=[["bob"]])

    assert error_of(file) == "people.xlsx has 2 sheets; choose one with --sheet: 'Sheet', 'Guests'."
    assert (
        error_of(file, Layout(sheet="x"))
        == "people.xlsx has no sheet 'x', only 'Sheet', 'Empty', 'Guests'; give one as --sheet."
    )
    assert lines_of(file, sheet="guests") == [Line(1, "bob")]
    assert lines_of(saved(Guests=[["bob"]])) == [Line(1, "bob")]


@pytest.mark.parametrize("blank", ["one", "several"])
def test_a_hidden_sheet_is_only_read_if_it_is_named(blank: str) -> None:
    book = openpyxl.load_workbook(saved(Notes=[], Old=[["eve"]]))
    book["Old"].sheet_state = "hidden"
    book.move_sheet("Old", -2)
    if blank == "one":
        del book["Notes"]
    file = io.BytesIO()
    book.save(file)

    assert error_of(file) == "In people.xlsx, only hidden sheets have content; choose one with --sheet: 'Old'."
    assert lines_of(file, sheet="old") == [Line(1, "eve")]


def test_a_long_name_of_a_sheet_is_cut() -> None:
    file = with_sheets(f'<sheet name="{"a" * 200_000}" sheetId="1" r:id="rId1"/>')

    wrong = error_of(file, Layout(sheet="b" * 1_000, header=True))

    assert wrong == f"people.xlsx has no sheet '{'b' * 60}…', only '{'a' * 60}…'; give one as --sheet."


def test_a_title_above_the_names_of_columns_is_told() -> None:
    file = saved(["Summer fair"], [], ["Name", "Mail"], ["Ann", "ann@example.org"])

    assert error_of(file, Layout(Columns(("mail",)))) == (
        "Line 1 of people.xlsx has no column 'mail', only 'Summer fair'. If line 3 has the names of the columns, "
        "delete the title above it."
    )


def test_options_of_csv_do_not_fit_an_excel_file() -> None:
    wrong = error_of(saved(["ann"]), Layout(encoding="utf-8"))

    assert wrong == "--encoding is for CSV files, and people.xlsx is an Excel file."


def test_places_that_are_far_away_take_nothing() -> None:
    far = f'<row r="1">{cell("A1")}</row><row r="1048576">{cell("A1048576")}</row>'

    assert lines_of(with_rows(far, '<dimension ref="A1:XFD1048576"/>')) == [Line(1, "ann"), Line(1048576, "ann")]
    wide = with_rows(f'<row r="1">{cell("A1")}</row><row r="7">{cell("XFD7")}</row>')
    assert error_of(wide) == "Line 7 of people.xlsx has 16,384 cells, and at most 1,000 are possible; remove columns."
    beyond = with_rows(f'<row r="1">{cell("A1")}</row><row r="99999999999">{cell("A2")}</row>')
    assert error_of(beyond) == "Line 99999999999 of people.xlsx is not in its place; the Excel file is damaged."


@pytest.mark.parametrize(
    ("part", "content", "sentence"),
    [
        ("sheet1", "\0" * (BYTES + 1), "has more than 10,000,000 bytes when unpacked"),
        ("sheet1", f"<x><y>{'<row/>' * (TOTAL + 1)}", "has too many cells or texts"),
        ("sheet1", f"<x><y><row>{'<c/>' * ELEMENTS}", "has too many cells or texts"),
        ("sheet1", f"<x><y><row><c>{'<row/>' * ELEMENTS}", "has too many cells or texts"),
        ("sheet1", f"<x><y><row><c {MANY_ATTRIBUTES}/>", "has too many cells"),
        ("sheet1", f"<x><y><row><c>{'x' * PIECE}", "has more than 500,000 bytes in one row or text"),
        ("sheet1", f'<x a="{"x" * 400_000}', "has XML that no spreadsheet program writes"),
        ("sheet1", f'<x xmlns="{"x" * 300}"/>', "has XML that no spreadsheet program writes"),
        ("sheet1", "<x>" + "".join(f"<x{number}/>" for number in range(1_000)), "has XML that no spreadsheet program"),
        ("styles", f"<x><y><xf>{'<a>' * (TOTAL // 5)}", "has too many cells or texts"),
        ("workbook", f"<x>{'<a/><row/>' * ELEMENTS}</x>", "has too many cells or texts"),
        ("sheet1", f"<x><{'y' * 300}/>", "has XML that no spreadsheet program writes"),
        ("sheet1", f"<x><y {'y' * 300}=''/>", "has XML that no spreadsheet program writes"),
        ("sharedStrings", f"<x>{'<si/>' * (TOTAL // 2)}", "has too many cells or texts"),
        ("sharedStrings", "\0" * (TEXTS + 1), "has more than 5,000 bytes in 'xl/sharedStrings.xml'"),
        ("styles", f"<x><y>{'<xf/>' * (TOTAL // 5)}", "has too many cells or texts"),
        ("styles", "\0" * (TEXTS + 1), "has more than 5,000 bytes in 'xl/styles.xml'"),
        ("workbook", "\0" * PIECE, "has more than 500,000 bytes in 'xl/workbook.xml'"),
        ("workbook", '<!DOCTYPE x [<!ENTITY a "aaa"><!ENTITY b "&a;&a;">]><x>&b;</x>', "defines entities of XML"),
    ],
    ids=range(19),
)
def test_a_small_file_cannot_become_a_large_one(
    part: str, content: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "XLSX_BYTES", BYTES)
    monkeypatch.setattr(limits, "XLSX_ELEMENTS", TOTAL)
    monkeypatch.setattr(limits, "XLSX_PIECE_ELEMENTS", ELEMENTS)
    monkeypatch.setattr(limits, "XLSX_PIECE_BYTES", PIECE - 1)
    monkeypatch.setattr(limits, "XLSX_TEXTS_BYTES", TEXTS)

    assert error_of(with_parts(**{part: content})).startswith(f"people.xlsx {sentence}")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_excel_files_are_only_unpacked_block_by_block(method: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(saved(["ann"])) as old, zipfile.ZipFile(file, "w", method) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))

    assert error_of(file) == "people.xlsx is compressed in a way that Excel does not read; save the list as CSV."


def test_a_part_cannot_be_read_as_many_sheets() -> None:
    file = with_sheets("".join(f'<sheet name="{name}" sheetId="1" r:id="rId1"/>' for name in "ab"))

    assert error_of(file) == "people.xlsx has two sheets in one place; save the list as CSV."


def test_many_elements_outside_of_rows_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "XLSX_PIECE_ELEMENTS", 200)
    rows = f'<row r="1">{cell("A1")}</row>'

    assert lines_of(with_rows(rows, f"<cols>{'<col/>' * 300}</cols>")) == [Line(1, "ann")]


def test_many_rows_are_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "XLSX_PIECE_BYTES", PIECE - 1)
    rows = "".join(f'<row r="{number}">{cell(f"A{number}", "x" * 1_000)}</row>' for number in range(1, 1_001))

    assert len(lines_of(with_rows(rows))) == 1_000


def test_the_kind_that_is_called_strict_is_named() -> None:
    strict = MAIN.replace(
        "http://schemas.openxmlformats.org/spreadsheetml/2006", "http://purl.oclc.org/ooxml/spreadsheetml"
    )

    assert error_of(with_parts(workbook=f"<workbook {strict}><sheets/></workbook>")) == (
        "people.xlsx is a 'Strict Open XML' file; save the list as CSV."
    )


def test_the_library_reads_xml_without_entities() -> None:
    assert openpyxl.DEFUSEDXML
