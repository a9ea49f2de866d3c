"""The organiser's own list of tickets, as every command reads it that takes `--tickets`."""

import csv
from pathlib import Path

import pytest

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


def write(*rows: tuple[str, str, str]) -> None:
    with open("list.csv", "w", newline="") as file:
        csv.writer(file).writerows([("ticket_number", "participant", "verification_code"), *rows])


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
