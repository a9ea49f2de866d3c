"""Lists and outputs that another program has saved: a run resumes the list, and refuses the output."""

import codecs
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from rafflekit import Prize, Raffle, RaffleEngine
from tests.cli.conftest import Terminal
from tests.ticket_lists import rows_of, write_list

PEOPLE = ["ann", "ann", "Zoë"]
COMMAND = "participate Choir --from people.csv --out tickets.csv"


@pytest.fixture(autouse=True)
def raffle(engine: RaffleEngine) -> Raffle:
    """A raffle of fifty tickets."""
    return engine.create("Choir", total_tickets=50, prizes=[Prize("cake")])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a list whose second line is refused."""
    monkeypatch.chdir(tmp_path)
    write_list(tmp_path / "people.csv", PEOPLE)
    return tmp_path


def excel_list() -> bytes:
    """Return an Excel file with the columns of a list."""
    book, file = Workbook(write_only=True), BytesIO()
    sheet = book.create_sheet()
    for row in (["name", "mail"], ["Zoë", "zoë@example.org"]):
        sheet.append(row)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("separator", "encoding", "options"),
    [
        (",", "utf-8", ""),
        (";", "cp1252", "--encoding windows-1252"),
        (",", "cp1252", "--encoding windows-1252"),
        (";", "utf-8", "--separator ;"),
        ("\t", "utf-16", ""),
    ],
)
def test_a_list_may_be_mended_in_another_program(
    terminal: Terminal, folder: Path, separator: str, encoding: str, options: str
) -> None:
    listed = f"{COMMAND} --column mail"
    (folder / "people.csv").write_text("name;mail\nZoë;zoë@example.org\nAnn;\n")
    first = terminal(listed)
    mended = "name;mail\nZoë;zoë@example.org\nAnn;änn@example.org\n".replace(";", separator)
    (folder / "people.csv").write_bytes(mended.encode(encoding))

    assert first.out == "1 ticket, 1 refused; tickets.csv\n"
    assert terminal(f"{listed} {options}").out == "2 tickets, 0 refused; tickets.csv\n"


@pytest.mark.parametrize(
    ("saved", "sentence", "way_out"),
    [
        (
            "name,mail\nZoë,zoë@example.org\n".encode("cp1252"),
            'Line 2 of people.csv is not UTF-8. Is it Windows-1252? Then "Zo\\xeb" is "Zoë"; if that is right, give '
            "--encoding windows-1252.",
            "--encoding windows-1252",
        ),
        ("name,tel\nZoë,7\n".encode(), "Line 1 of people.csv has no column 'mail', only 'name', 'tel'.", ""),
        (
            "sep=,\nname;mail\nZoë;zoë@example.org\n".encode(),
            "Line 2 of people.csv has no column 'mail', only 'name;mail'. The first line of people.csv says that "
            "commas separate the columns.",
            "",
        ),
        (
            excel_list(),
            "people.csv is an Excel file, but the run began with a CSV file. Name that file, or give another --out.",
            "",
        ),
        (b"%PDF-1.7", "people.csv is a PDF; save the list as .xlsx or as CSV (UTF-8) in the program that made it.", ""),
    ],
)
def test_a_list_that_cannot_be_resumed_says_only_why(
    terminal: Terminal, folder: Path, saved: bytes, sentence: str, way_out: str
) -> None:
    (folder / "people.csv").write_text("name;mail\nZoë;zoë@example.org\n")
    terminal(f"{COMMAND} --column mail")
    (folder / "people.csv").write_bytes(saved)

    assert terminal(COMMAND).err == f"rafflekit: {sentence}\n"
    if way_out:
        assert terminal(f"{COMMAND} {way_out}").out == "1 ticket, 0 refused; tickets.csv\n"


@pytest.mark.parametrize("options", ["", "--encoding windows-1252 --separator ;"])
@pytest.mark.parametrize(("separator", "encoding"), [(";", "utf-8"), (",", "utf-8-sig"), (",", "utf-8")])
def test_a_list_of_another_encoding_may_become_utf_8(
    terminal: Terminal, folder: Path, *, separator: str, encoding: str, options: str
) -> None:
    before = "name;mail\nZoë;zoë@example.org\n"
    (folder / "people.csv").write_bytes(before.encode("cp1252"))
    terminal(f"{COMMAND} --column mail --encoding windows-1252 --separator ;")
    after = f"{before}Ann;änn@example.org\n".replace(";", separator)
    (folder / "people.csv").write_bytes(after.encode(encoding))

    assert terminal(f"{COMMAND} {options}").out == "2 tickets, 0 refused; tickets.csv\n"
    assert [row["participant"] for row in rows_of(folder / "tickets.csv")] == ["zoë@example.org", "änn@example.org"]


@pytest.mark.parametrize("options", ["", "--encoding windows-1252", "--encoding windows-1252 --separator ;"])
@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_list_may_keep_its_encoding_and_change_its_separator(
    terminal: Terminal, folder: Path, *, separator: str, options: str
) -> None:
    before = "name;mail\nZoë;zoë@example.org\n"
    (folder / "people.csv").write_bytes(before.encode("cp1252"))
    terminal(f"{COMMAND} --column mail --encoding windows-1252 --separator ;")
    after = f"{before}Ann;änn@example.org\n".replace(";", separator)
    (folder / "people.csv").write_bytes(after.encode("cp1252"))

    assert terminal(f"{COMMAND} {options}").out == "2 tickets, 0 refused; tickets.csv\n"
    (folder / "people.csv").write_bytes(after.replace("mail", "tel").encode("cp1252"))
    assert terminal(f"{COMMAND} {options}").err == (
        "rafflekit: Line 1 of people.csv has no column 'mail', only 'name', 'tel'.\n"
    )


def test_doubtful_separators_of_a_resumed_list_are_in_doubt(terminal: Terminal, folder: Path) -> None:
    listed = f"{COMMAND} --column name"
    (folder / "people.csv").write_text("name\tx\nann\tx\n")
    terminal(listed)
    (folder / "people.csv").write_text("name;x,name\nann;x,ann\nbob;x,rob\n")

    refused = terminal(listed)

    assert refused.status == 2
    assert "; give --separator" in refused.err
    assert terminal(f"{listed} --separator ;").out == "2 tickets, 0 refused; tickets.csv\n"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_list_that_got_columns_needs_the_name_of_one(terminal: Terminal, folder: Path, separator: str) -> None:
    write_list(folder / "people.csv", ["ann"])
    terminal(COMMAND)
    (folder / "people.csv").write_text("ann;1\nbob;2\n".replace(";", separator))

    assert terminal(COMMAND).err == (
        "rafflekit: Line 1 of people.csv has 2 columns: 'ann', '1'. Choose one with --column NUMBER, such as "
        "--column 1. If each line is one participant, give --separator none.\n"
    )
    assert terminal(f"{COMMAND} --column 1").out == "2 tickets, 0 refused; tickets.csv\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_new_lines_are_read_as_in_a_new_list(terminal: Terminal, folder: Path, separator: str) -> None:
    write_list(folder / "people.csv", ["ann", "bob"])
    terminal(COMMAND)
    (folder / "people.csv").write_text(f"ann\nbob\nann{separator}Rome\ncy\n")

    assert terminal(COMMAND).out == "3 tickets, 1 refused; tickets.csv\n"
    assert rows_of(folder / "tickets.csv")[2]["refusal"] == "The line has 2 columns instead of 1."


def test_a_new_separator_that_cannot_be_recognised_is_advised(terminal: Terminal, folder: Path) -> None:
    command = f"{COMMAND} --no-header --column 1"
    (folder / "people.csv").write_text("ann,Rome\nbob,Oslo\n")
    terminal(command)
    (folder / "people.csv").write_text("ann;Rome\nbob;Oslo\ncy;Kyiv\n")

    refused = terminal(command)

    assert "or another separator, give --column or --separator." in refused.err
    assert terminal(f"{command} --separator ;").out == "3 tickets, 0 refused; tickets.csv\n"


@pytest.mark.parametrize("added", ["cy", "cyr"])
@pytest.mark.parametrize("options", ["", "--encoding utf-16-le"])
def test_utf_16_that_was_saved_as_utf_8_is_recognised(
    terminal: Terminal, folder: Path, added: str, options: str
) -> None:
    before = "ann\nbob\n".encode("utf-16-le")
    (folder / "people.csv").write_bytes(before if options else codecs.BOM_UTF16_LE + before)
    assert terminal(f"{COMMAND} {options}").out == "2 tickets, 0 refused; tickets.csv\n"
    write_list(folder / "people.csv", ["ann", "bob", added])

    assert terminal(COMMAND).out == "3 tickets, 0 refused; tickets.csv\n"


def test_a_sheet_may_be_renamed(terminal: Terminal, folder: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Zoë"])
    book.save(folder / "people.xlsx")
    listed = COMMAND.replace("people.csv", "people.xlsx")
    terminal(listed)
    sheet.title = "Gäste"
    sheet.append(["Ann"])
    book.save(folder / "people.xlsx")

    assert "people.xlsx has no sheet 'Sheet', only 'Gäste'; give one as --sheet." in terminal(listed).err
    assert terminal(f"{listed} --sheet Gäste").out == "2 tickets, 0 refused; tickets.csv\n"


@pytest.mark.parametrize("saved", ["semicolons", "utf-8-sig", "utf-16", "xlsx"])
def test_an_output_saved_in_another_program_is_written_again(terminal: Terminal, folder: Path, saved: str) -> None:
    terminal(COMMAND)
    tickets = folder / "tickets.csv"
    whole = tickets.read_bytes()
    write_list(folder / "people.csv", [*PEOPLE, "fay"])
    if saved == "semicolons":
        tickets.write_bytes(whole.replace(b",", b";").replace(b"\n", b"\r\n"))
    else:
        tickets.write_bytes(b"PK\x03\x04" if saved == "xlsx" else whole.decode().encode(saved))
    before = tickets.read_bytes()

    refused = terminal(COMMAND)

    assert refused.err == (
        "rafflekit: tickets.csv is not as the run wrote it: another program has saved it in its own format. Move the "
        "file away and rerun the command: until the draw, it writes the same numbers and codes again.\n"
    )
    assert tickets.read_bytes() == before
    tickets.rename(folder / "moved.csv")
    assert terminal(COMMAND).out == "3 tickets, 1 refused; tickets.csv\n"
    assert tickets.read_bytes().startswith(whole)


@pytest.mark.parametrize("is_complete", [True, False])
def test_an_output_with_changed_texts_is_written_again(terminal: Terminal, folder: Path, *, is_complete: bool) -> None:
    write_list(folder / "people.csv", ["01701234567", "Miller; Ann"])
    terminal(f"{COMMAND} --separator none")
    tickets = folder / "tickets.csv"
    whole = tickets.read_bytes()
    # LibreOffice drops zeros before numbers, and quotes around semicolons.
    saved = whole.replace(b"0170", b"170").replace(b'"', b"")
    tickets.write_bytes(saved if is_complete else b"".join(saved.splitlines(keepends=True)[:-1]))
    write_list(folder / "people.csv", ["01701234567", "Miller; Ann", "Cy"])

    refused = terminal(COMMAND)

    assert refused.err == (
        "rafflekit: tickets.csv is not as the run wrote it: line 2 does not match line 1 of people.csv, which has not "
        "changed. Move the file away and rerun the command: until the draw, it writes the same numbers and codes "
        "again.\n"
    )
    tickets.rename(folder / "moved.csv")
    assert terminal(COMMAND).out == "3 tickets, 0 refused; tickets.csv\n"
    assert tickets.read_bytes().startswith(whole)
