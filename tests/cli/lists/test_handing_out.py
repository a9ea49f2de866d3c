"""`rafflekit participate --from`: tickets for a whole list."""

import errno
import json
import re
import stat
from pathlib import Path

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from tests.cli.conftest import OnScreen, Process, Session, Terminal, without_styles
from tests.ticket_lists import ADVICE, after_preview, check_whole_run, rows_of, write_list


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a list of three people, one of them twice."""
    monkeypatch.chdir(tmp_path)
    write_list(tmp_path / "people.csv", ["ann", "bob", "ann", "cy"])
    return tmp_path


@pytest.fixture
def large(engine: RaffleEngine) -> Raffle:
    """A raffle of a hundred tickets, next to another one in the same database."""
    engine.create("Another raffle", total_tickets=9, prizes=[Prize("tea")])
    return engine.create("Large", total_tickets=100, prizes=[Prize("tea", 3)])


def command(raffle: Raffle, options: str = "") -> str:
    return f"participate {raffle.id} --from people.csv --out tickets.csv {options}"


def test_everyone_in_the_list_gets_one_ticket_with_a_true_code(
    terminal: Terminal, engine: RaffleEngine, large: Raffle, folder: Path
) -> None:
    status, out, err = terminal(command(large))

    assert (status, out) == (1, "3 tickets, 1 refused; tickets.csv\n")
    assert after_preview(err) == "line 3: This participant already has a ticket: line 3 repeats line 1.\n" + ADVICE
    check_whole_run(engine, large, ["ann", "bob", "ann", "cy"], folder / "tickets.csv")


def test_json_is_one_line_with_the_counts(terminal: Terminal, large: Raffle) -> None:
    assert json.loads(terminal(command(large, "--json")).out) == {"tickets": 3, "refused": 1, "out": "tickets.csv"}


def test_a_run_without_a_refusal_is_a_success(terminal: Terminal, large: Raffle, folder: Path) -> None:
    write_list(folder / "people.csv", ["ann"])

    preview = "people.csv: UTF-8, 1 line, first 'ann'; 1 ticket wanted, 100 left.\n"
    assert terminal(command(large)) == Session(0, "1 ticket, 0 refused; tickets.csv\n", preview)


def test_a_named_column_is_read(terminal: Terminal, large: Raffle, folder: Path) -> None:
    (folder / "people.csv").write_text('city,"e-mail"\n"New\nYork",ann\nOslo,bob\nRome,cy,dan\nBern\n')

    status, out, err = terminal(command(large, "--column e-mail"))

    assert (status, out) == (1, "2 tickets, 2 refused; tickets.csv\n")
    assert after_preview(err) == (
        "line 5: The line has 3 columns instead of 2.\nline 6: The participant must not be empty.\n" + ADVICE
    )
    assert [
        (row["line"], row["participant"], bool(row["verification_code"])) for row in rows_of(Path("tickets.csv"))
    ] == [
        ("2", "ann", True),
        ("4", "bob", True),
        ("5", "Rome,cy,dan", False),
        ("6", "", False),
    ]


def test_a_sold_out_raffle_refuses_the_rest_of_the_list(terminal: Terminal, raffle: Raffle, folder: Path) -> None:
    write_list(folder / "people.csv", [f"ann{number}" for number in range(30)])

    status, out, err = terminal(command(raffle))

    assert (status, out) == (1, "3 tickets, 27 refused; tickets.csv\n")
    *shown, rest = after_preview(err).splitlines()
    assert shown == [f"line {number}: Tickets to this raffle are no longer available" for number in range(4, 24)]
    assert rest == "7 more lines were refused; the output has the reason in each row."
    assert [row["refusal"] for row in rows_of(folder / "tickets.csv")[3:]] == [
        "Tickets to this raffle are no longer available"
    ] * 27


def test_a_sold_out_raffle_gives_no_advice_on_refused_lines(terminal: Terminal, raffle: Raffle, folder: Path) -> None:
    write_list(folder / "people.csv", ["ann", "bob", "ann", "cy"])

    done = terminal(command(raffle))

    assert after_preview(done.err) == "line 3: This participant already has a ticket: line 3 repeats line 1.\n"


def test_a_finished_run_changes_nothing_when_repeated(
    terminal: Terminal, engine: RaffleEngine, large: Raffle, folder: Path
) -> None:
    first = terminal(command(large))
    written = (folder / "tickets.csv").read_bytes()

    again = terminal(command(large))

    assert again == Session(first.status, first.out, "")
    assert (folder / "tickets.csv").read_bytes() == written
    assert engine.get(large.id).available_tickets == 97


def test_lines_added_later_get_their_tickets_on_the_next_run(
    terminal: Terminal, engine: RaffleEngine, large: Raffle, folder: Path
) -> None:
    terminal(command(large))
    written = (folder / "tickets.csv").read_bytes()
    with (folder / "people.csv").open("a") as file:
        file.write("dan\nbob\n")

    status, out, err = terminal(command(large))

    assert (status, out) == (1, "4 tickets, 2 refused; tickets.csv\n")
    assert after_preview(err) == "line 6: This participant already has a ticket: line 6 repeats line 2.\n" + ADVICE
    assert (folder / "tickets.csv").read_bytes().startswith(written)
    check_whole_run(engine, large, ["ann", "bob", "ann", "cy", "dan", "bob"], folder / "tickets.csv")


def test_a_lost_output_is_written_again(terminal: Terminal, engine: RaffleEngine, large: Raffle, folder: Path) -> None:
    terminal(command(large))
    written = (folder / "tickets.csv").read_bytes()
    (folder / "tickets.csv").unlink()

    terminal(command(large))

    assert (folder / "tickets.csv").read_bytes() == written
    assert engine.get(large.id).available_tickets == 97


def test_a_run_after_the_draw_says_what_is_lost(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    raffle = engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
    write_list(folder / "people.csv", ["ann", "bob"])
    assert terminal(command(raffle)).status == 0
    whole = (folder / "tickets.csv").read_bytes()
    engine.draw(raffle.id)
    again = terminal(command(raffle))
    (folder / "tickets.csv").unlink()
    too_late = terminal(command(raffle))

    assert again.status == 0
    assert too_late.status == 1
    assert "The raffle has been drawn" in too_late.err
    assert "the code of that ticket is lost" in too_late.err
    assert not (folder / "tickets.csv").exists()
    assert whole.count(b"\n") == 3


def test_a_first_run_after_the_draw_leaves_no_file(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    engine.participate(raffle.id, "ann")
    engine.draw(raffle.id)
    write_list(folder / "people.csv", ["ann", "bob"])

    assert terminal(command(raffle)).status == 1

    assert [file.name for file in folder.iterdir() if file.name.startswith("tickets")] == []


def test_a_file_that_cannot_be_written_is_named(terminal: Terminal, large: Raffle, folder: Path) -> None:
    write_list(folder / "people.csv", ["ann"])
    (folder / "tickets.csv.run").mkdir()

    stopped = terminal(command(large))

    assert stopped.status == 74
    assert "Is a directory: tickets.csv.run." in stopped.err


@pytest.mark.usefixtures("loose_umask")
def test_only_the_owner_can_read_files_with_codes(terminal: Terminal, large: Raffle, folder: Path) -> None:
    folder.chmod(0o700)

    terminal(command(large))

    for name in ("tickets.csv", "tickets.csv.run"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_neither_a_code_nor_the_key_is_printed(terminal: Terminal, large: Raffle, folder: Path) -> None:
    printed = str([terminal(command(large)), terminal(command(large, "--json"))])

    assert not [
        row for row in rows_of(folder / "tickets.csv") if row["verification_code"] in printed and row["refusal"] == ""
    ]
    assert json.loads((folder / "tickets.csv.run").read_text().splitlines()[0])["key"] not in printed


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ("ann\nbert\nann\ncy\ndan\n", "Line 2 of people.csv does not match line 3 of tickets.csv, which has a ticket."),
        ("zoe\nann\nbob\nann\ncy\n", "Line 1 of people.csv does not match line 2 of tickets.csv, which has a ticket."),
        ("ann\nbob\n", "Line 4 is missing in people.csv, and line 5 of tickets.csv has its ticket."),
        ("ann\nbob\nann\nCy\ndan\n", "people.csv has changed after line 3 since the last run began"),
    ],
)
def test_a_changed_list_is_refused_by_its_line(
    terminal: Terminal, large: Raffle, folder: Path, changed: str, sentence: str
) -> None:
    terminal(command(large))
    if "has changed after line 3" in sentence:  # whose ticket was issued but not written
        written = (folder / "tickets.csv").read_bytes()
        (folder / "tickets.csv").write_bytes(written[: written.index(b"4,cy")])
    written = (folder / "tickets.csv").read_bytes()
    (folder / "people.csv").write_text(changed)

    status, out, err = terminal(command(large))

    assert (status, out) == (2, "")
    assert err.startswith(f"rafflekit: {sentence}")
    assert "Restore people.csv" in err
    assert err.endswith("refused lines may change. A new list needs another --out.\n") == ("after line 3" in sentence)
    assert (folder / "tickets.csv").read_bytes() == written
    assert terminal(f"show {large.id}").out.count("available_tickets: 97") == 1


def test_a_list_saved_in_another_form_is_the_same(terminal: Terminal, large: Raffle, folder: Path) -> None:
    first = terminal(command(large))
    (folder / "people.csv").write_bytes(b'\xef\xbb\xbf"ann"\n"bob"\n"ann"\n"cy"')

    again = terminal(command(large))

    assert again == Session(first.status, first.out, "")


def test_a_broken_list_is_refused_before_the_first_ticket(
    terminal: Terminal, engine: RaffleEngine, large: Raffle, folder: Path
) -> None:
    (folder / "people.csv").write_bytes(b"ann\nbob\nb\xfcb\n")

    status, out, err = terminal(command(large))

    assert (status, out) == (2, "")
    assert err == (
        'rafflekit: Line 3 of people.csv is not UTF-8. Is it Windows-1252? Then "b\\xfcb" is "b\xfcb"; if that is '
        "right, give --encoding windows-1252.\n"
    )
    assert [path.name for path in folder.glob("tickets*")] == []
    assert engine.get(large.id).available_tickets == 100


def test_the_output_of_another_raffle_is_not_changed(
    terminal: Terminal, engine: RaffleEngine, large: Raffle, raffle: Raffle, folder: Path
) -> None:
    terminal(command(large))
    written = (folder / "tickets.csv").read_bytes()

    status, _, err = terminal(command(raffle))

    assert status == 2
    assert err == (f"rafflekit: tickets.csv.run belongs to raffle {large.id}; give this raffle's list another --out.\n")
    assert (folder / "tickets.csv").read_bytes() == written
    assert engine.get(raffle.id).available_tickets == 3


def test_a_damaged_excel_file_is_refused_before_any_output(
    terminal: Terminal, engine: RaffleEngine, large: Raffle, folder: Path
) -> None:
    (folder / "people.csv").rename(folder / "people.xlsx")
    (folder / "people.xlsx").write_bytes(b"PK\x03\x04\x14\x00")

    refused = terminal(f"participate {large.id} --from people.xlsx --out tickets.csv")

    sentence = "people.xlsx is damaged, or not an Excel file; save the list as .xlsx or as CSV (UTF-8)."
    assert refused == Session(2, "", f"rafflekit: {sentence}\n")
    assert [file.name for file in folder.glob("tickets*")] == []
    assert engine.get(large.id).available_tickets == 100


def test_a_full_disk_is_named_before_the_advice_to_resume(
    terminal: Terminal, large: Raffle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("rafflekit.cli.lists.output.sync", fill_up)

    status, _, err = terminal(command(large))

    assert status == 74
    assert err.splitlines()[-2:] == [
        "rafflekit: The output could not be written: No space left on device: tickets.csv. What was done before is "
        "kept.",
        "Rerun the same command to resume; nothing is lost.",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "WHO is missing: name a participant, or give --invitation or a list with --from."),
        ("ann --from people.csv --out tickets.csv", "Give either WHO or --from: one participant, or a list."),
        ("--from people.csv", "--from needs --out, the file for the tickets."),
        ("--out tickets.csv", "--out needs --from, the list of participants."),
        ("ann --column who", "--column needs --from, the list of participants."),
        ("ann --count-column n", "--count-column needs --from, the list of participants."),
        (
            "--from people.csv --out tickets.csv --count-column n",
            "--count-column needs --column, the column of the participants.",
        ),
        (
            "--from people.csv --out tickets.csv --count 2",
            "--count does not work with --from; --count-column reads a number from each line.",
        ),
        (
            "--from people.csv --out tickets.csv --invitation CODE",
            "Give either --invitation or --from: one participant, or a list.",
        ),
        (
            "--from people.csv --out tickets.csv --idempotency-key 1234567890123456",
            "--idempotency-key does not work with --from; a run makes a key for each line.",
        ),
        ("--from none.csv --out tickets.csv", "--from: none.csv cannot be read (No such file or directory)."),
        ("--from . --out tickets.csv", "--from: . is neither a regular file nor a pipe."),
        (
            "--from people.csv --out tickets.XLSX",
            "--out: the tickets are written as CSV; give a name such as tickets.csv.",
        ),
        ("--from people.csv --out people.csv", "--out is the list itself; name another file."),
        ("--from people.csv --out ./people.csv", "--out is the list itself; name another file."),
        (
            "--from people.csv --out ''",
            "Invalid value for '--out': it must not be empty. 'rafflekit participate --help' says more.",
        ),
        (
            "--from people.csv --out .",
            "--out: . is not a regular file.",
        ),
        ("--from people.csv --out none/tickets.csv", "--out: there is no folder none."),
    ],
)
def test_options_that_exclude_each_other_are_refused(
    terminal: Terminal, large: Raffle, folder: Path, arguments: str, sentence: str
) -> None:
    before = (folder / "people.csv").read_bytes()

    assert terminal(f"participate {large.id} {arguments}") == Session(2, "", f"rafflekit: {sentence}\n")
    assert (folder / "people.csv").read_bytes() == before


def test_a_terminal_shows_the_progress_and_the_refusals(screen: OnScreen, large: Raffle) -> None:
    status, text = screen(command(large, "--yes"))

    shown = without_styles(text)
    assert status == 1
    assert "Handing out tickets" in shown
    assert "0/4" in shown
    lines = [line.strip() for line in re.split(r"[\r\n]+", shown)]
    refusal = lines.index("line 3: This participant already has a ticket: line 3 repeats line 1.")
    assert [lines[refusal - 1].split()[-1], lines[refusal + 1].split()[-1]] == ["3/4", "3/4"]
    assert "4/4" in shown
    assert shown.rstrip().endswith("3 tickets, 1 refused; tickets.csv")


def test_the_progress_bar_counts_to_the_last_line(screen: OnScreen, large: Raffle, folder: Path) -> None:
    write_list(folder / "people.csv", [f"ann{number}" for number in range(201)])

    assert "201/201" in without_styles(screen(command(large, "--yes")).text)


def test_the_style_of_a_refusal_does_not_reach_the_bar(screen: OnScreen, large: Raffle) -> None:
    text = screen(command(large, "--yes")).text

    assert "\x1b[2mline 3" in text
    assert "\x1b[2mHanding out" not in text


def test_control_characters_in_a_list_are_escaped(screen: OnScreen, large: Raffle, folder: Path) -> None:
    (folder / "people.csv").write_text("\x1b]0;owned\x07,x\nann\n")

    text = screen(command(large, "--column who")).text

    assert r"only '\x1b]0;owned\x07', 'x'" in text.replace("\r\n", "")
    assert "\x1b]0" not in text


def test_another_process_resumes_a_run(process: Process, engine: RaffleEngine, large: Raffle, folder: Path) -> None:
    process(command(large))
    with (folder / "tickets.csv").open("r+b") as file:
        file.truncate(100)

    done = process(command(large))

    assert done.out == "3 tickets, 1 refused; tickets.csv\n"
    check_whole_run(engine, large, ["ann", "bob", "ann", "cy"], folder / "tickets.csv")
