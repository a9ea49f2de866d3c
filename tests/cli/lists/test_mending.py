"""Refused lines that are changed in their place: the next run gives them tickets, and leaves all others as they are."""

from pathlib import Path

import pytest

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
