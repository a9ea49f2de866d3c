"""What `participate --from` shows and asks before the first ticket."""

import sys
from pathlib import Path

import pytest
from openpyxl import Workbook

from rafflekit import Prize, Raffle, RaffleEngine
from tests.cli.conftest import OnScreen, Session, Terminal, without_styles
from tests.ticket_lists import rows_of, write_list

DOUBT = (
    "Line 1, 'Name', looks like a header (a word for the column); give --header, or --no-header if it is a participant."
)


@pytest.fixture(autouse=True)
def choir(engine: RaffleEngine) -> Raffle:
    """A raffle of nine tickets."""
    return engine.create("Choir", total_tickets=9, prizes=[Prize("cake")])


@pytest.fixture(autouse=True)
def _in_its_folder(folder: Path) -> None:
    """Every test runs in the folder, which has a list in doubt."""
    (folder / "people.csv").write_text("Name\nann\nbob\n")


def command(options: str = "", source: str = "people.csv") -> str:
    return f"participate Choir --from {source} --out tickets.csv {options}"


def left(engine: RaffleEngine, raffle: Raffle) -> int:
    return engine.get(raffle.id).available_tickets


def test_what_was_understood_is_one_line(terminal: Terminal, folder: Path) -> None:
    (folder / "people.csv").write_bytes("Nr;E-Mail\n1;zoë@example.org\n2;b;c\n".encode("cp1252"))

    done = terminal(command("--column e-mail --encoding windows-1252"))

    assert done.err.splitlines()[0] == (
        "people.csv: semicolons, Windows-1252, 2 lines, column 'e-mail', first 'zoë@example.org'; 1 ticket wanted, 9 "
        "left."
    )
    assert [row["participant"] for row in rows_of(folder / "tickets.csv")] == ["zoë@example.org", "2;b;c"]


def test_without_a_terminal_a_doubt_names_the_option(
    terminal: Terminal, engine: RaffleEngine, choir: Raffle, folder: Path
) -> None:
    preview = "people.csv: UTF-8, 2 lines, the first line is a header, first 'ann'; 2 tickets wanted, 9 left.\n"

    for options in ("", "--yes", "--dry-run"):
        assert terminal(command(options)) == Session(2, "", f"{preview}rafflekit: {DOUBT}\n")

    assert [file.name for file in folder.iterdir()] == ["people.csv"]
    assert left(engine, choir) == 9
    assert terminal(command("--no-header")).out == "3 tickets, 0 refused; tickets.csv\n"


def test_on_a_terminal_a_person_settles_the_doubt(
    screen: OnScreen, terminal: Terminal, engine: RaffleEngine, choir: Raffle, folder: Path
) -> None:
    refused = screen(command(), answers={"Hand out the tickets? [y/N]": "n\n"}, COLUMNS="200")

    assert refused.status == 1
    assert f"In doubt: {DOUBT}" in without_styles(refused.text)
    assert "If you answer y, the list is read as the first line above says." in refused.text
    assert "No ticket was handed out." in refused.text
    assert [file.name for file in folder.iterdir()] == ["people.csv"]

    agreed = screen(command(), answers={"Hand out the tickets? [y/N]": "y\n"})

    assert agreed.status == 0
    assert [row["participant"] for row in rows_of(folder / "tickets.csv")] == ["ann", "bob"]
    # The answer is in the run file.
    assert terminal(command()) == Session(0, "2 tickets, 0 refused; tickets.csv\n", "")
    contradiction = terminal(command("--no-header")).err
    assert "tickets.csv.run belongs to a run with --header; rerun it that way" in contradiction
    assert left(engine, choir) == 7


def test_a_dry_run_shows_refused_lines_and_leaves_nothing(
    terminal: Terminal, engine: RaffleEngine, choir: Raffle, folder: Path
) -> None:
    (folder / "people.csv").write_text("ann,\n" + "bob,x\n" * 5)

    shown = terminal(command("--dry-run --separator ,"))
    without_output = terminal("participate Choir --from people.csv --dry-run --separator , --json")

    assert (shown.status, shown.out) == (0, "")
    assert without_output == Session(0, '{"lines": 6, "refused": 5, "wanted": 1, "left": 9}\n', shown.err)
    assert shown.err.splitlines() == [
        "people.csv: UTF-8, 6 lines, first 'ann'; 1 ticket wanted, 9 left.",
        *[f"line {number}: The line has 2 columns instead of 1." for number in range(2, 7)],
    ]
    assert [file.name for file in folder.iterdir()] == ["people.csv"]
    assert left(engine, choir) == 9


def test_a_screen_shows_the_first_refused_lines_and_a_file_all(
    screen: OnScreen, terminal: Terminal, folder: Path
) -> None:
    (folder / "people.csv").write_text("ann,\n" + "bob,x\n" * 25)
    listed = command("--separator ,")

    asked = screen(listed, answers={"Hand out the tickets? [y/N]": "n\n"}, COLUMNS="200").text
    shown = screen(f"{listed} --dry-run", COLUMNS="200").text
    written = terminal(f"{listed} --dry-run").err

    assert asked.count("instead of 1.") == 3
    assert "22 more lines cannot get a ticket; --dry-run shows them." in asked
    assert shown.count("instead of 1.") == 20
    assert "5 more lines cannot get a ticket. To see all of them, add '2> refused.txt' to the command." in shown
    assert (written.count("instead of 1."), written.count("more line")) == (25, 0)


def test_a_separator_in_doubt_is_named(terminal: Terminal, folder: Path) -> None:
    (folder / "people.csv").write_text("Ann\nb,c\nd;e\n")

    shown = terminal(command("--dry-run"))

    assert shown.status == 2
    assert shown.err.startswith("people.csv: commas, UTF-8, 3 lines, first 'Ann'; 2 tickets wanted")


@pytest.mark.parametrize(
    ("each", "lists"),
    [
        (1, {"ann\nbob\nann\n": "2 tickets", "ann\nbob\nann\ncy\nBob\ncy\n": "1 more ticket"}),
        (2, {"ann\nann\nann\nbob\n": "3 tickets", "ann\nann\nann\nbob\nbob\nbob\nann\ncy\n": "2 more tickets"}),
    ],
)
def test_only_possible_tickets_are_wanted(
    terminal: Terminal, engine: RaffleEngine, folder: Path, each: int, lists: dict[str, str]
) -> None:
    fair = engine.create("Fair", total_tickets=9, prizes=[Prize("cake")], tickets_each=each)
    listed = "participate Fair --from people.csv --out fair.csv"
    for content, tickets in lists.items():
        (folder / "people.csv").write_text(content)
        before = left(engine, fair)

        shown = terminal(f"{listed} --dry-run --json")
        done = terminal(listed)

        handed_out = before - left(engine, fair)
        assert f"; {tickets} wanted" in shown.err.splitlines()[0] == done.err.splitlines()[0]
        assert f'"wanted": {handed_out},' in shown.out
        assert tickets.startswith(str(handed_out))


def test_mended_lines_are_wanted(terminal: Terminal, folder: Path) -> None:
    too_long = "x" * 1_001
    write_list(folder / "people.csv", ["ann", too_long, "ann", "ANN", "bob", too_long])
    terminal(command())
    write_list(folder / "people.csv", ["ann", "eve", "bob", "", "bob", "", "cy", too_long])

    done = terminal(command())

    assert "; 2 more tickets wanted, 7 left." in done.err.splitlines()[0]
    assert done.out == "4 tickets, 2 refused; tickets.csv\n"


def test_hidden_rows_are_in_doubt_if_the_list_has_changed(screen: OnScreen, terminal: Terminal, folder: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for name in ("Name", "ann", "bob"):
        sheet.append([name])
    sheet.row_dimensions[3].hidden = True
    book.save(folder / "people.xlsx")
    listed = command(source="people.xlsx")

    screen(listed, answers={"Hand out the tickets? [y/N]": "y\n"})
    (folder / "tickets.csv").unlink()
    unchanged = [terminal(f"{listed} {option}") for option in ("--dry-run", "--yes")]
    # As many rows are hidden as before, but not the one that was confirmed.
    sheet.row_dimensions[3].hidden = False
    sheet.append(["cy"])
    sheet.row_dimensions[4].hidden = True
    book.save(folder / "people.xlsx")
    changed = terminal(f"{listed} --yes")
    asked = screen(listed, answers={"Hand out the tickets? [y/N]": "y\n"}, COLUMNS="200")

    assert [done.status for done in unchanged] == [0, 0]
    assert changed.status == 2
    # The header was confirmed, and is in the run file.
    assert "rafflekit: people.xlsx has 1 hidden row, and hidden rows get tickets, too; show them" in changed.err
    assert (asked.status, asked.text.count("In doubt: ")) == (0, 1)
    assert [row["participant"] for row in rows_of(folder / "tickets.csv")] == ["ann", "bob", "cy"]


def test_lines_that_the_engine_will_refuse_are_shown(terminal: Terminal, folder: Path) -> None:
    (folder / "people.csv").write_text(f'name,town\n,Rome\na\x07,Rome\n{"x" * 1_001},Rome\n"Ann\nMiller",Rome\n')
    reasons = [
        "line 2: The participant must not be empty.",
        "line 3: The participant must not contain control characters or line breaks.",
        "line 4: The participant must have at most 1,000 characters, not 1,001.",
    ]

    shown = terminal(command("--column name --dry-run --json"))
    done = terminal(command("--column name"))

    assert shown.out == '{"lines": 4, "refused": 3, "wanted": 1, "left": 9}\n'
    assert "column 'name', first 'Ann Miller'; 1 ticket wanted" in shown.err
    assert shown.err.splitlines()[1:] == reasons == done.err.splitlines()[1:4]
    assert rows_of(folder / "tickets.csv")[3]["participant"] == "Ann Miller"


def test_an_excel_list_is_handed_out_and_resumed(terminal: Terminal, folder: Path) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (["Vorname", "Nachname"], ["Ann", "Miller"], ["Ben", "=1/0"]):
        book.active.append(row)
    book.save(folder / "people.xlsx")

    done = terminal(command("--column Vorname --column Nachname", "people.xlsx"))

    assert (done.status, done.out) == (1, "1 ticket, 1 refused; tickets.csv\n")
    assert done.err.splitlines()[:2] == [
        "people.xlsx: sheet 'Sheet', 2 lines, columns 'Vorname' and 'Nachname', first 'Ann Miller'; 1 ticket wanted, "
        "9 left.",
        "line 3: The line's cell B3 has a formula without a result; open the list in Excel and save it.",
    ]
    book.active.append(["Cy", "Hill"])
    book.save(folder / "people.xlsx")
    assert terminal(command(source="people.xlsx")).out == "2 tickets, 1 refused; tickets.csv\n"
    assert terminal(command()).err == (
        "rafflekit: people.csv is a CSV file, but the run began with an Excel file. Name that file, or give another "
        "--out.\n"
    )


def test_without_the_extra_an_excel_list_says_what_is_missing(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Workbook().save(folder / "people.xlsx")
    monkeypatch.delitem(sys.modules, "rafflekit.cli.lists.reading.workbooks", raising=False)
    monkeypatch.setitem(sys.modules, "openpyxl.packaging.manifest", None)

    sentence = "An Excel list needs the extra 'xlsx'. In the clone of rafflekit, run: pip install '.[xlsx]'"
    assert terminal(command(source="people.xlsx")) == Session(2, "", f"rafflekit: {sentence}\n")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--separator x", "--separator: 'x' is not ',', ';', '|', 'tab' or 'none'."),
        (
            "--encoding idna",
            "--encoding: 'idna' is not an encoding of text files; examples: utf-8, windows-1252, utf-16.",
        ),
    ],
)
def test_values_that_are_not_possible_are_refused(terminal: Terminal, options: str, sentence: str) -> None:
    assert terminal(command(options)) == Session(2, "", f"rafflekit: {sentence}\n")


@pytest.mark.parametrize(
    "option", ["--header", "--no-header", "--separator ,", "--encoding utf-8", "--sheet A", "--yes", "--dry-run"]
)
def test_options_of_a_list_need_a_list(terminal: Terminal, option: str) -> None:
    name = option.split(maxsplit=1)[0].replace("--no-", "--")

    assert terminal(f"participate Choir ann {option}") == Session(
        2, "", f"rafflekit: {name} needs --from, the list of participants.\n"
    )
