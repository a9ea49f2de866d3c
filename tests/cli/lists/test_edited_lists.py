"""A list that is edited while `participate --from` runs: no ticket goes to a line that the preview did not count."""

from pathlib import Path
from typing import Any

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.cli.lists.preview import Preview
from tests.cli.conftest import Session, Terminal
from tests.ticket_lists import check_whole_run, write_list

COMMAND = "participate Choir --from people.csv --out tickets.csv"


@pytest.fixture
def choir(engine: RaffleEngine) -> Raffle:
    """A raffle of a hundred tickets."""
    return engine.create("Choir", total_tickets=100, prizes=[Prize("cake")])


def edit_in_place(path: Path, old: bytes, new: bytes) -> None:
    with path.open("r+b") as file:
        place = file.read().index(old)
        file.seek(place)
        file.write(new)


def test_a_list_edited_while_the_question_waits_starts_no_run(
    terminal: Terminal, engine: RaffleEngine, choir: Raffle, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_list(folder / "people.csv", ["ann", "bob", "cy"])

    def agree(*_: object, **__: object) -> bool:
        edit_in_place(folder / "people.csv", b"bob", b"zed")
        return True

    with monkeypatch.context() as patched:
        patched.setattr(Preview, "agree", agree)
        stopped = terminal(COMMAND)

    sentence = "people.csv was changed while the command ran. Rerun the command: it reads the list anew."
    assert stopped == Session(2, "", f"rafflekit: {sentence}\n")
    assert [file.name for file in folder.glob("tickets*")] == []
    assert engine.get(choir.id).available_tickets == 100
    assert terminal(COMMAND).out == "3 tickets, 0 refused; tickets.csv\n"


def test_no_ticket_goes_to_a_line_changed_during_the_run(
    terminal: Terminal, engine: RaffleEngine, choir: Raffle, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"{'a' * 900} {number}" for number in range(30)]
    write_list(folder / "people.csv", people)
    for module in ("run._LINES_AT_ONCE", "handing_out._LINES_PER_CALL"):
        monkeypatch.setattr(f"rafflekit.cli.lists.{module}", 5)
    ask = RaffleEngine.participate_many

    def edit_and_ask(*arguments: Any) -> Any:
        edit_in_place(folder / "people.csv", b"a 29", b"a 99")
        monkeypatch.setattr(RaffleEngine, "participate_many", ask)
        return ask(*arguments)

    monkeypatch.setattr(RaffleEngine, "participate_many", edit_and_ask)
    stopped = terminal(COMMAND)
    issued = 100 - engine.get(choir.id).available_tickets
    edit_in_place(folder / "people.csv", b"a 99", b"a 29")

    assert stopped.status == 2
    assert "people.csv was changed while the command ran." in stopped.err
    assert 0 < issued < 30
    assert terminal(COMMAND).out == "30 tickets, 0 refused; tickets.csv\n"
    check_whole_run(engine, choir, people, folder / "tickets.csv")
