"""Refused lines that are changed in their place: the next run gives them tickets, and leaves all others as they are."""

from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from rafflekit import Prize, Raffle, RaffleEngine
from tests.cli.conftest import OnScreen, Terminal
from tests.ticket_lists import after_preview, check_whole_run, rows_of, write_list

TOO_LONG = "x" * 1_001
PEOPLE = ["ann", TOO_LONG, "ann", "bob", "Bob", "cy"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a list whose lines 2, 3 and 5 are refused."""
    monkeypatch.chdir(tmp_path)
    write_list(tmp_path / "people.csv", PEOPLE)
    return tmp_path


@pytest.fixture
def raffle(engine: RaffleEngine) -> Raffle:
    """A raffle of fifty tickets, next to another one in the same database."""
    engine.create("Another raffle", total_tickets=9, prizes=[Prize("tea")])
    return engine.create("Choir", total_tickets=50, prizes=[Prize("cake")])


COMMAND = "participate Choir --from people.csv --out tickets.csv"


def excel_list() -> bytes:
    """Return an Excel file with the columns of a list."""
    book, file = Workbook(write_only=True), BytesIO()
    sheet = book.create_sheet()
    for row in (["name", "mail"], ["Zoë", "zoë@example.org"]):
        sheet.append(row)
    book.save(file)
    return file.getvalue()


def mended(folder: Path, changes: dict[int, str], *more: str) -> list[str]:
    """Change lines of the list, by their numbers, and add more."""
    people = [changes.get(number, name) for number, name in enumerate(PEOPLE, start=1)]
    write_list(folder / "people.csv", [*people, *more])
    return [*people, *more]


def test_mended_lines_get_their_tickets_in_their_place(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle, folder: Path
) -> None:
    terminal(COMMAND)
    before = (folder / "tickets.csv").read_bytes().splitlines()
    people = mended(folder, {2: "eve", 5: "dan"}, "fay")

    done = terminal(COMMAND)

    assert (done.status, done.out, after_preview(done.err)) == (1, "6 tickets, 1 refused; tickets.csv\n", "")
    after = (folder / "tickets.csv").read_bytes().splitlines()
    changed = [number for number, (old, new) in enumerate(zip(before, after, strict=False), start=0) if old != new]
    assert changed == [2, 5]
    assert (folder / "tickets.csv").stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in folder.glob("tickets*")) == ["tickets.csv", "tickets.csv.run"]
    check_whole_run(engine, raffle, people, folder / "tickets.csv")


@pytest.mark.usefixtures("raffle")
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


@pytest.mark.usefixtures("raffle")
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


@pytest.mark.usefixtures("raffle")
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


@pytest.mark.usefixtures("raffle")
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


@pytest.mark.usefixtures("raffle")
def test_doubtful_separators_of_a_resumed_list_are_in_doubt(terminal: Terminal, folder: Path) -> None:
    listed = f"{COMMAND} --column name"
    (folder / "people.csv").write_text("name\tx\nann\tx\n")
    terminal(listed)
    (folder / "people.csv").write_text("name;x,name\nann;x,ann\nbob;x,rob\n")

    refused = terminal(listed)

    assert refused.status == 2
    assert "; give --separator" in refused.err
    assert terminal(f"{listed} --separator ;").out == "2 tickets, 0 refused; tickets.csv\n"


@pytest.mark.usefixtures("raffle")
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

    assert "people.xlsx has no sheet 'Sheet', only 'Gäste'" in terminal(listed).err
    assert terminal(f"{listed} --sheet Gäste").out == "2 tickets, 0 refused; tickets.csv\n"


@pytest.mark.usefixtures("raffle")
@pytest.mark.parametrize("saved", ["semicolons", "utf-8-sig", "utf-16", "xlsx"])
def test_an_output_saved_in_another_program_is_written_again(terminal: Terminal, folder: Path, saved: str) -> None:
    terminal(COMMAND)
    tickets = folder / "tickets.csv"
    whole = tickets.read_bytes()
    mended(folder, {}, "fay")
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
    assert terminal(COMMAND).out == "4 tickets, 3 refused; tickets.csv\n"
    assert tickets.read_bytes().startswith(whole)


@pytest.mark.usefixtures("raffle")
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


@pytest.mark.usefixtures("raffle")
def test_a_lost_output_is_written_again_after_mending(terminal: Terminal, folder: Path) -> None:
    terminal(COMMAND)
    mended(folder, {2: "eve"}, "fay")
    terminal(COMMAND)
    whole = (folder / "tickets.csv").read_bytes()
    (folder / "tickets.csv").unlink()

    terminal(COMMAND)

    assert (folder / "tickets.csv").read_bytes() == whole


@pytest.mark.usefixtures("raffle")
def test_a_header_in_place_of_a_refused_line_gets_no_ticket(terminal: Terminal, folder: Path) -> None:
    write_list(folder / "people.csv", [TOO_LONG, "ann"])
    terminal(COMMAND)
    whole = (folder / "tickets.csv").read_bytes()
    write_list(folder / "people.csv", ["Name", "ann", "bob"])

    refused = terminal(COMMAND)

    assert refused.err == (
        "rafflekit: Line 1 of people.csv, 'Name', looks like a header, but the run began without one. Empty the line, "
        "or give --no-header if it is a participant.\n"
    )
    assert (folder / "tickets.csv").read_bytes() == whole
    write_list(folder / "people.csv", ["", "ann", "bob"])
    assert terminal(COMMAND).out == "2 tickets, 0 refused; tickets.csv\n"


@pytest.mark.usefixtures("raffle")
def test_a_mended_line_can_be_refused_and_mended_again(terminal: Terminal, folder: Path) -> None:
    terminal(COMMAND)
    mended(folder, {2: "CY"})
    refused = terminal(COMMAND)
    mended(folder, {2: "eve"})

    assert after_preview(refused.err).startswith(
        "line 2: This participant already has a ticket: line 2 repeats line 6.\n"
    )
    assert terminal(COMMAND).out == "4 tickets, 2 refused; tickets.csv\n"


@pytest.mark.usefixtures("raffle")
def test_the_row_of_a_refused_line_goes_with_the_line(terminal: Terminal, folder: Path) -> None:
    terminal(COMMAND)
    (folder / "people.csv").write_text("ann\n\nann\nbob\n\ncy\n")

    assert terminal(COMMAND).out == "3 tickets, 1 refused; tickets.csv\n"
    assert [row["line"] for row in rows_of(folder / "tickets.csv")] == ["1", "3", "4", "6"]

    (folder / "people.csv").write_text("ann\neve\nann\nbob\n\ncy\n")

    assert terminal(COMMAND).out == "4 tickets, 1 refused; tickets.csv\n"
    assert [row["line"] for row in rows_of(folder / "tickets.csv")] == ["1", "2", "3", "4", "6"]


@pytest.mark.usefixtures("raffle")
def test_deleting_refused_lines_asks_no_question(screen: OnScreen, terminal: Terminal, folder: Path) -> None:
    terminal(COMMAND)
    (folder / "people.csv").write_text("ann\n\n\nbob\n\ncy\n")

    done = screen(COMMAND)

    assert done.status == 0
    assert "[y/N]" not in done.text


@pytest.mark.usefixtures("raffle")
def test_a_list_can_lose_refused_lines_at_its_end(terminal: Terminal, folder: Path) -> None:
    write_list(folder / "people.csv", ["ann", "ann", TOO_LONG])
    terminal(COMMAND)
    write_list(folder / "people.csv", ["ann"])

    assert terminal(COMMAND).out == "1 ticket, 0 refused; tickets.csv\n"
    assert [row["line"] for row in rows_of(folder / "tickets.csv")] == ["1"]


def test_a_line_may_be_mended_to_ask_for_another_number(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    engine.create("Orders", total_tickets=50, prizes=[Prize("tea")], tickets_each=3)
    orders = "participate Orders --from people.csv --out tickets.csv --column who --count-column n"
    (folder / "people.csv").write_text("who,n\nann,3\ncy,many\nann,2\ndan,4\nbob,1\n")
    first = terminal(orders)
    (folder / "people.csv").write_text("who,n\nann,3\ncy,2\neve,3\ndan,5\nbob,1\n")

    second = terminal(orders)

    assert first.out == "4 tickets, 4 refused; tickets.csv\n"
    assert second.out == "9 tickets, 1 refused; tickets.csv\n"
    assert after_preview(second.err).startswith("line 5: The line asks for 5 tickets; ")
    assert [row["line"] for row in rows_of(folder / "tickets.csv")] == [*"222", *"33", *"444", "5", "6"]


def test_a_refused_line_that_did_not_change_is_not_tried_again(
    terminal: Terminal, engine: RaffleEngine, folder: Path
) -> None:
    engine.create("Choir", total_tickets=2, prizes=[Prize("cake")])
    write_list(folder / "people.csv", ["ann", "bob", "cy", "dan"])
    terminal(COMMAND)
    write_list(folder / "people.csv", ["ann", "bob", "cy", "eve"])

    again = terminal(COMMAND)

    assert again.out == "2 tickets, 2 refused; tickets.csv\n"
    assert after_preview(again.err) == "line 4: Tickets to this raffle are no longer available\n"


@pytest.mark.usefixtures("raffle")
@pytest.mark.parametrize("kept_rows", [0, 2, 5])
def test_nothing_changes_while_tickets_may_have_no_row(terminal: Terminal, folder: Path, kept_rows: int) -> None:
    terminal(COMMAND)
    whole = (folder / "tickets.csv").read_bytes()
    cut = b"".join(whole.splitlines(keepends=True)[: 1 + kept_rows])
    (folder / "tickets.csv").write_bytes(cut)
    run_file = (folder / "tickets.csv.run").read_bytes()
    mended(folder, {2: "eve"})

    refused = terminal(COMMAND)

    assert refused.err == (
        f"rafflekit: people.csv has changed {'after line 1 ' if kept_rows else ''}since the last run began, and "
        "tickets of that run may be missing in tickets.csv. Restore people.csv as it was then and rerun the command. "
        "After that, refused lines may change. A new list needs another --out.\n"
    )
    assert (folder / "tickets.csv").read_bytes() == cut
    assert (folder / "tickets.csv.run").read_bytes() == run_file
    write_list(folder / "people.csv", PEOPLE)
    terminal(COMMAND)
    assert (folder / "tickets.csv").read_bytes() == whole
    mended(folder, {2: "eve"})
    assert terminal(COMMAND).out == "4 tickets, 2 refused; tickets.csv\n"


def test_a_line_mended_after_the_draw_changes_nothing(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle, folder: Path
) -> None:
    terminal(COMMAND)
    files = [(folder / name).read_bytes() for name in ("tickets.csv", "tickets.csv.run")]
    engine.close_raffle(raffle.id)
    engine.draw(raffle.id)
    mended(folder, {2: "eve"})

    refused = terminal(COMMAND)

    assert refused.status == 1
    assert "The raffle has been drawn" in refused.err
    assert [(folder / name).read_bytes() for name in ("tickets.csv", "tickets.csv.run")] == files


def test_refused_lines_can_be_deleted_after_the_draw(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle, folder: Path
) -> None:
    terminal(COMMAND)
    engine.close_raffle(raffle.id)
    engine.draw(raffle.id)
    (folder / "people.csv").write_text("ann\n\n\nbob\n\ncy\n")

    assert terminal(COMMAND).out == "3 tickets, 0 refused; tickets.csv\n"


def test_winners_are_found_in_a_mended_output(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle, folder: Path
) -> None:
    write_list(folder / "people.csv", [TOO_LONG])
    terminal(COMMAND)
    write_list(folder / "people.csv", ["eve"])
    terminal(COMMAND)
    engine.close_raffle(raffle.id)
    engine.draw(raffle.id)

    assert terminal("winners Choir --tickets tickets.csv").out.endswith("\tcake\teve\n")
