"""The copy of a list that `participate --from` reads: the tickets go to the people whom the preview showed."""

import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from rafflekit import Prize, RaffleEngine
from rafflekit.cli.lists.people import open_list
from rafflekit.cli.lists.preview import Preview
from rafflekit.cli.lists.reading.layout import Columns, Layout
from tests import programs
from tests.cli.conftest import Terminal
from tests.ticket_lists import rows_of, write_list

# Their texts do not compress, so that the files are longer than any buffer.
PEOPLE = [sha256(bytes([number % 256, number // 256])).hexdigest() for number in range(400)]
OTHERS = [text[::-1] for text in PEOPLE]


@pytest.fixture(autouse=True)
def choir(engine: RaffleEngine) -> None:
    """A raffle of a thousand tickets."""
    engine.create("Choir", total_tickets=1_000, prizes=[Prize("cake")])


def write(path: Path, people: list[str]) -> None:
    if path.suffix == ".csv":
        write_list(path, people)
        return
    book = Workbook(write_only=True)
    sheet = book.create_sheet("People")
    for name in people:
        sheet.append([name])
    book.save(path)


def save_in_place(path: Path) -> None:
    write(path, OTHERS)


def replace(path: Path) -> None:
    new = path.with_stem("new")
    write(new, OTHERS)
    new.replace(path)


def truncate(path: Path) -> None:
    path.write_bytes(b"")


def edited_at_the_question(edit: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    def agree(*_: object, **__: object) -> None:
        edit()

    monkeypatch.setattr(Preview, "agree", agree)


def edited_in_the_midst(edit: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rafflekit.cli.lists.handing_out._LINES_PER_CALL", 50)
    ask = RaffleEngine.participate_many

    def edit_and_ask(*arguments: Any) -> Any:
        monkeypatch.setattr(RaffleEngine, "participate_many", ask)
        edit()
        return ask(*arguments)

    monkeypatch.setattr(RaffleEngine, "participate_many", edit_and_ask)


@pytest.mark.parametrize("name", ["people.csv", "people.xlsx"])
@pytest.mark.parametrize("change", [save_in_place, replace, truncate, Path.unlink])
@pytest.mark.parametrize("edited", [edited_at_the_question, edited_in_the_midst])
def test_tickets_go_to_the_people_in_the_preview(
    terminal: Terminal,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    name: str,
    change: Callable[[Path], None],
    edited: Callable[[Callable[[], None], pytest.MonkeyPatch], None],
) -> None:
    write(folder / name, PEOPLE)
    before = (folder / name).read_bytes()
    edited(lambda: change(folder / name), monkeypatch)

    done = terminal(f"participate Choir --from {name} --out tickets.csv")

    assert (done.status, done.out) == (0, "400 tickets, 0 refused; tickets.csv\n")
    assert [row["participant"] for row in rows_of(folder / "tickets.csv")] == PEOPLE
    assert not (folder / name).exists() or (folder / name).read_bytes() != before


@pytest.mark.parametrize("name", ["people.csv", "people.xlsx"])
@pytest.mark.parametrize("begun", [1, 60])
def test_a_list_may_grow_by_any_number_of_people(terminal: Terminal, folder: Path, *, name: str, begun: int) -> None:
    command = f"participate Choir --from {name} --out tickets.csv"
    early, late, repeated, mended = PEOPLE[:begun], PEOPLE[begun:], PEOPLE[0], OTHERS[0]
    for people in ([*early, repeated], [*early, repeated, *late], [*early, mended, *late, *OTHERS[1:]]):
        write(folder / name, people)
        terminal(command)
        assert [row["participant"] for row in rows_of(folder / "tickets.csv")] == people


def test_a_list_can_be_read_by_turns(folder: Path) -> None:
    written = {
        "people.csv": PEOPLE,
        "people.xlsx": PEOPLE,
        "utf-16.csv": PEOPLE,
        "wide.csv": [f"{text};x" for text in PEOPLE],
    }
    for name, people in written.items():
        write(folder / name, people)
    (folder / "utf-16.csv").write_text("".join(f"{text}\n" for text in PEOPLE), encoding="utf-16")

    for name, people in written.items():
        columns = Columns(("1",)) if name == "wide.csv" else Columns()
        with open_list(folder / name, layout=Layout(columns, header=False), most_each=1) as listed:
            turns = zip(listed, listed, strict=True)
            assert all(one == other for one, other in turns)
            assert [line.participant for line in listed] == [text.removesuffix(";x") for text in people]


def test_the_next_run_compares_the_new_list(terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = "participate Choir --from people.csv --out tickets.csv"
    people = folder / "people.csv"
    write_list(people, ["ann", "bob"])
    with monkeypatch.context() as patched:
        edited_at_the_question(lambda: write_list(people, ["ann", "bobby", "cy"]), patched)
        terminal(command)

    refused = terminal(command)
    write_list(people, ["ann", "bob", "cy"])
    done = terminal(command)

    assert refused.err == (
        "rafflekit: Line 2 of people.csv does not match line 3 of tickets.csv, which has a ticket. Restore people.csv: "
        "lines with tickets must stay as they are and where they are. Only refused lines may change, and new lines go "
        "to the end. A new list needs another --out.\n"
    )
    assert (done.status, done.out) == (0, "3 tickets, 0 refused; tickets.csv\n")


def test_a_list_can_come_from_standard_input(folder: Path) -> None:
    write_list(folder / "people.csv", ["ann", "bob", "ann", "cy"])
    arguments = ["participate", "Choir", "--from", "-", "--out", "tickets.csv"]
    reading, writing = os.pipe()
    os.write(writing, (folder / "people.csv").read_bytes())
    os.close(writing)

    done = programs.run([sys.executable, "-m", "rafflekit", *arguments], stdin=reading)
    os.close(reading)

    assert done.stdout == b"3 tickets, 1 refused; tickets.csv\n"
    assert done.stderr.startswith(b"the list: UTF-8, 4 lines, first 'ann', ")


def test_a_folder_that_takes_no_file_is_named(terminal: Terminal, folder: Path) -> None:
    write_list(folder / "people.csv", ["ann"])

    refused = terminal("participate Choir --from people.csv --out /proc/tickets.csv")

    assert refused.status == 74
    assert refused.err.startswith("rafflekit: --out: no file can be written in the folder /proc: ")
    assert refused.err.count("\n") == 1
