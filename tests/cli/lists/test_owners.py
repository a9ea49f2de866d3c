"""The organiser's own list of tickets, as every command reads it that takes `--tickets`."""

import csv
from pathlib import Path

import pytest

from benchmarks.excel_files import write_excel_file
from rafflekit import Prize, RaffleEngine
from tests.cli.conftest import Session, Terminal

COMMANDS = {
    "export": "export Fair winners --tickets list.csv -o out.csv",
    "winners": "winners Fair --tickets list.csv",
    "print winners": "print winners Fair --tickets list.csv -o out.html",
    "print tickets": "print tickets Fair --tickets list.csv -o out.html",
}
EVERY_COMMAND = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)

Codes = dict[int, str]


@pytest.fixture(autouse=True)
def folder(folder: Path) -> Path:
    """The empty folder in which the commands run."""
    return folder


@pytest.fixture
def codes(engine: RaffleEngine) -> Codes:
    """The codes of a drawn raffle by number; its two tickets won, and were Ann's and Bob's."""
    raffle = engine.create("Fair", total_tickets=2, prizes=[Prize("tea", 2)])
    tickets = [engine.participate(raffle.id, who) for who in ("Ann", "Bob")]
    engine.draw(raffle.id)
    return {ticket.number: ticket.verification_code for ticket in tickets}


def write(
    *rows: tuple[str, str, str], encoding: str = "utf-8", separator: str = ",", quoting: int = csv.QUOTE_MINIMAL
) -> None:
    with open("list.csv", "w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator, quoting=quoting)
        writer.writerows([("ticket_number", "participant", "verification_code"), *rows])


@EVERY_COMMAND
def test_numbers_and_codes_are_read_as_spreadsheets_save_them(
    terminal: Terminal, folder: Path, codes: Codes, command: str
) -> None:
    (first, code), (second, other) = codes.items()
    refused = ("", "Eve", "")
    write((f"00{first}", "Ann", code), refused, (f" {second} ", "Bob", other.lower().replace("-", " ")))

    done = terminal(command)

    assert done.status == 0
    text = done.out + "".join(file.read_text() for file in folder.glob("out.*"))
    assert "Ann" in text
    assert "Bob" in text


@pytest.mark.parametrize(
    ("encoding", "separator", "quoting"),
    [
        ("utf-8", ",", csv.QUOTE_ALL),
        ("utf-8", ";", csv.QUOTE_ALL),
        ("utf-8-sig", ";", csv.QUOTE_MINIMAL),
        ("utf-8-sig", "|", csv.QUOTE_ALL),
        ("utf-16", "\t", csv.QUOTE_MINIMAL),
        ("utf-16", "\t", csv.QUOTE_ALL),
    ],
)
def test_a_list_is_read_in_the_form_in_which_it_was_saved(
    terminal: Terminal, codes: Codes, encoding: str, separator: str, quoting: int
) -> None:
    rows = [(str(number), who, code) for (number, code), who in zip(codes.items(), ["Jürgen", "Ann; Bob"], strict=True)]
    write(*rows, encoding=encoding, separator=separator, quoting=quoting)

    done = terminal("winners Fair --tickets list.csv")

    assert done.status == 0
    assert "Jürgen" in done.out
    assert "Ann; Bob" in done.out


@pytest.mark.usefixtures("codes")
def test_the_letters_of_names_are_not_guessed(terminal: Terminal) -> None:
    write(("1", "Ann", ""), ("2", "Jürgen", ""), encoding="cp1252", separator=";")

    assert terminal("winners Fair --tickets list.csv").err == (
        "rafflekit: --tickets: Line 3 of list.csv is not UTF-8; save the file as CSV UTF-8.\n"
    )


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize("kind", ["an Excel file", "not a CSV file"])
def test_a_list_that_was_saved_as_another_kind_is_refused(terminal: Terminal, folder: Path, kind: str) -> None:
    if kind == "an Excel file":
        with (folder / "list.csv").open("wb") as file:
            write_excel_file(file, [["ticket_number", "participant", "verification_code"], ["1", "Ann", ""]])
    else:
        (folder / "list.csv").write_bytes(b"%PDF-1.7")

    assert terminal("winners Fair --tickets list.csv").err == (
        f"rafflekit: --tickets: list.csv is {kind}; save it as CSV UTF-8, or give the file that 'participate --from' "
        "wrote.\n"
    )


@EVERY_COMMAND
@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "list.csv has no tickets."),
        ([("", "Ann", "")], "list.csv has no tickets."),
        (
            [("1", "Ann", "{1}"), ("2", "Bob", "{2}"), ("1.456", "Cy", "{1}")],
            "'1.456' in list.csv is not a ticket number; use the file as rafflekit wrote it.",
        ),
        (
            [("1", "Ann", "{1}"), ("2", "Bob", "{2}"), ("1", "Mallory", "{1}")],
            "ticket 1 is in list.csv twice; remove one of the lines.",
        ),
        (
            [("1", "Mallory", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"), ("2", "Bob", "{2}"), ("01", "Ann", "{1}")],
            "ticket 1 is in list.csv twice; remove one of the lines.",
        ),
        (
            [("1", "Ann", "{2}"), ("2", "Bob", "{2}")],
            "the code of ticket 1 in list.csv is not that of this raffle's ticket; is it the list of another raffle?",
        ),
        (
            [("7", "Ann", "{1}")],
            "the code of ticket 7 in list.csv is not that of this raffle's ticket; is it the list of another raffle?",
        ),
    ],
)
def test_every_command_refuses_the_same_lists(
    terminal: Terminal, codes: Codes, command: str, rows: list[tuple[str, str, str]], complaint: str
) -> None:
    spelled = {f"{{{number}}}": code for number, code in codes.items()}
    write(*((number, who, spelled.get(code, code)) for number, who, code in rows))

    assert terminal(command) == Session(2, "", f"rafflekit: --tickets: {complaint}\n")
    assert [file.name for file in Path().iterdir()] == ["list.csv"]
