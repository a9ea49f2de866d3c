"""`rafflekit export`: what a spreadsheet or a program reads back, from whichever format."""

import csv
import json
import os
import signal
import stat
import sys
import tracemalloc
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import openpyxl
import psutil
import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from rafflekit.cli.tables import xlsx
from rafflekit.core.protocol.quoting import visible
from tests.cli.conftest import Session, Terminal
from tests.cli.drawn import Drawn
from tests.programs import Program
from tests.raffles import sold_out
from tests.waiting import LIMIT_S, wait_until

# As a list has them, and as a spreadsheet may show them.
NAMES = {
    "=1+1": "'=1+1",
    "＝cmd()": "'＝cmd()",
    "-2+3": "'-2+3",
    "@SUM(A1)": "'@SUM(A1)",
    "+A1": "'+A1",
    "-2-3": "'-2-3",
    "+49-170-123": "'+49-170-123",
    "+49 170 12345": "+49 170 12345",
    "-5": "-5",
    "@ann": "@ann",
    "007": "007",
    "x;=A1;y": "x;'=A1;y",
    "'=A1": "''=A1",
    "#N/A": "#N/A",
    "Zoë": "Zoë",
    "דנה כהן": "דנה כהן",
    "a;b,c|d": "a;b,c|d",
    'the "big" one': 'the "big" one',
    "tab\there": "tab\\there",
    "line\nbreak": "line\\nbreak",
    "bell\x07": "bell\\x07",
    "\u202eesrever": "\\u202eesrever",
}

Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def folder(folder: Path) -> Path:
    """The empty folder in which the commands run."""
    return folder


@pytest.fixture
def named(terminal: Terminal, engine: RaffleEngine, folder: Path) -> Raffle:
    """A closed raffle whose tickets went to NAMES, in tickets.csv, and the last one to a passer-by.

    Formulas are in the list as the run wrote them, and everything else as in a list that was changed by hand.
    """
    raffle = engine.create("Named", total_tickets=40, prizes=[Prize("=cake", 10), Prize("tea")])
    (folder / "people.csv").write_text("".join(f"person {number}\n" for number in range(len(NAMES))))
    assert terminal("participate Named --from people.csv --out tickets.csv").status == 0
    header, *rows = csv.reader((folder / "tickets.csv").read_text().splitlines())
    for row, (name, shown) in zip(rows, NAMES.items(), strict=True):
        row[1] = shown if "'" in shown else name
    with (folder / "tickets.csv").open("w", newline="") as changed:
        csv.writer(changed).writerows([header, *rows])
    engine.participate(raffle.id, "a passer-by")
    engine.close_raffle(raffle.id)
    return raffle


def read_csv(file: Path, *, delimiter: str = ",", encoding: str = "utf-8-sig") -> Rows:
    return list(csv.DictReader(StringIO(file.read_bytes().decode(encoding), newline=""), delimiter=delimiter))


def read_json(file: Path) -> Rows:
    read: Rows = json.loads(file.read_bytes())
    return read


def read_json_lines(file: Path) -> Rows:
    return [json.loads(line) for line in file.read_bytes().decode().splitlines()]


def read_xlsx(file: Path) -> Rows:
    with file.open("rb") as opened:
        sheet = openpyxl.load_workbook(opened).worksheets[0]
    header, *rows = sheet.iter_rows()
    assert not [cell for row in rows for cell in row if cell.data_type not in "ns"], "a formula, or an error"
    return [dict(zip([cell.value for cell in header], [cell.value for cell in row], strict=True)) for row in rows]


READERS: dict[str, Callable[[Path], Rows]] = {
    "csv": read_csv,
    "json": read_json,
    "jsonl": read_json_lines,
    "xlsx": read_xlsx,
}
EVERY_FORMAT = pytest.mark.parametrize("ending", READERS)


def test_winners_are_exported_in_draw_order(terminal: Terminal, drawn: Drawn, folder: Path) -> None:
    first, second, heir = drawn.settle()

    done = terminal("export 'Foobar raffle' winners -o winners.csv")

    assert done == Session(0, "3 winners; winners.csv\n", "")
    rows = read_csv(folder / "winners.csv")
    assert [(row["win"], row["ticket_number"], row["prize"]) for row in rows] == [
        ("1", str(first), "invisibility"),
        ("2", str(second), "warm hug"),
        ("3", str(heir), "warm hug"),
    ]
    assert [(row["state"], row["in_place_of"], row["reason"]) for row in rows] == [
        ("redeemed", "", ""),
        ("passed on", "", "not collected"),
        ("unredeemed", str(second), ""),
    ]
    assert rows[0]["redeemed_at"].endswith("Z")


def test_claims_are_exported_with_who_and_why(terminal: Terminal, drawn: Drawn, folder: Path) -> None:
    first, second = drawn.wins
    drawn.engine.redeem(drawn.id, first, drawn.codes[first], by="Ann")
    drawn.engine.forfeit(drawn.id, second, why="disqualified", reason="a relative", by="Bob")

    done = terminal("export 'Foobar raffle' claims --out claims.jsonl --json")

    assert done == Session(0, '{"claims": 2, "out": "claims.jsonl"}\n', "")
    redeemed, passed = read_json_lines(folder / "claims.jsonl")
    assert redeemed | {"at": ""} == {
        "at": "",
        "event": "redeemed",
        "ticket_number": first,
        "prize": "invisibility",
        "by": "Ann",
        "why": None,
        "reason": None,
        "passed_to": None,
    }
    assert [passed[field] for field in ("event", "by", "why", "reason", "passed_to")] == [
        "passed on",
        "Bob",
        "disqualified",
        "a relative",
        drawn.next,
    ]


@EVERY_FORMAT
def test_every_format_says_the_same(terminal: Terminal, drawn: Drawn, folder: Path, ending: str) -> None:
    drawn.settle()
    for what in ("winners", "tickets", "claims"):
        terminal(f"export 'Foobar raffle' {what} -o {what}.json")
        terminal(f"export 'Foobar raffle' {what} -o {what}.other --format {ending}")

        as_text = [
            {column: "" if value is None else str(value) for column, value in row.items()}
            for row in READERS[ending](folder / f"{what}.other")
        ]
        assert as_text == [
            {column: "" if value is None else str(value) for column, value in row.items()}
            for row in read_json(folder / f"{what}.json")
        ]


@EVERY_FORMAT
def test_names_arrive_and_are_never_formulas(
    terminal: Terminal, engine: RaffleEngine, named: Raffle, folder: Path, ending: str
) -> None:
    engine.draw(named.id)

    done = terminal(f"export Named tickets --tickets tickets.csv -o named.{ending}")

    assert done.status == 0
    rows = READERS[ending](folder / f"named.{ending}")
    shown = [row["participant"] for row in rows[:-1]]
    expected = {"csv": list(NAMES.values()), "xlsx": [visible(name) for name in NAMES]}
    assert shown == expected.get(ending, list(NAMES))
    assert rows[-1]["participant"] in ("", None)
    assert {row["prize"] for row in rows} - {"", None} == {"'=cake" if ending == "csv" else "=cake", "tea"}


def test_a_formula_in_excel_stays_text_when_it_is_edited(terminal: Terminal, named: Raffle, folder: Path) -> None:
    terminal(f"export {named.id} tickets --tickets tickets.csv -o named.xlsx")

    sheet = openpyxl.load_workbook(folder / "named.xlsx").worksheets[0]
    quoted = {row[1].value: row[1].quotePrefix for row in sheet.iter_rows(min_row=2) if row[1].value is not None}
    assert quoted == {visible(name): shown == f"'{name}" and name[0] != "'" for name, shown in NAMES.items()}
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize(("option", "separator"), [(",", ","), (";", ";"), ("tab", "\t"), ("|", "|")])
def test_csv_is_separated_as_asked(
    terminal: Terminal, named: Raffle, folder: Path, option: str, separator: str
) -> None:
    terminal(f"export {named.id} tickets --tickets tickets.csv -o out.csv --separator '{option}'")

    rows = read_csv(folder / "out.csv", delimiter=separator)
    assert [row["participant"] for row in rows[:-1]] == list(NAMES.values())
    written = (folder / "out.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbfticket_number")
    assert written.count(b"\r\n") == written.count(b"\n") == len(rows) + 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_csv_is_encoded_as_asked(terminal: Terminal, named: Raffle, folder: Path, encoding: str) -> None:
    terminal(f"export {named.id} tickets --tickets tickets.csv -o out.csv --encoding {encoding}")

    rows = read_csv(folder / "out.csv", encoding=encoding)
    assert [row["participant"] for row in rows[:-1]] == list(NAMES.values())


@pytest.mark.usefixtures("named")
def test_a_name_that_an_encoding_lacks_is_named(terminal: Terminal, folder: Path) -> None:
    before = set(folder.iterdir())

    assert terminal("export Named tickets --tickets tickets.csv -o out.csv --encoding windows-1252") == Session(
        2,
        "",
        "rafflekit: --encoding: windows-1252 has no character “＝” (U+FF1D), which is in “＝cmd()”; leave --encoding "
        "out, or give utf-8-sig.\n",
    )
    assert set(folder.iterdir()) == before


@EVERY_FORMAT
def test_an_empty_list_has_only_its_columns(terminal: Terminal, raffle: Raffle, folder: Path, ending: str) -> None:
    done = terminal(f"export {raffle.id} tickets -o none.{ending}")

    assert done == Session(0, f"0 tickets; none.{ending}\n", "")
    assert READERS[ending](folder / f"none.{ending}") == []


@pytest.mark.usefixtures("loose_umask")
def test_only_public_lists_can_be_read_by_others(
    terminal: Terminal, engine: RaffleEngine, named: Raffle, folder: Path
) -> None:
    engine.draw(named.id)
    modes = {}
    for what in ("winners", "tickets", "claims", "winners --tickets tickets.csv"):
        terminal(f"export Named {what} -o out.csv")
        modes[what] = stat.S_IMODE((folder / "out.csv").stat().st_mode)
        (folder / "out.csv").unlink()

    assert modes == dict.fromkeys(modes, 0o600) | {"winners": 0o666}


@pytest.mark.usefixtures("sold_out")
@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        ("winners -o out.csv", 1, "Winners for the raffle have not been drawn yet"),
        ("claims -o out.csv", 1, "Winners for the raffle have not been drawn yet"),
        ("tickets -o -", 2, "--out needs a file: it cannot be standard output (-)."),
        (
            "tickets -o out.txt",
            2,
            "--out: the ending of out.txt names no format; end it with .csv, .json, .jsonl or .xlsx, or give --format.",
        ),
        ("tickets -o ./", 2, "--out: . is a folder; name a file in it."),
        (
            "prizes -o out.csv",
            2,
            "Invalid value for 'WHAT': 'prizes' is not one of winners, tickets, claims, invitations. 'rafflekit export "
            "--help' says more.",
        ),
        (
            "tickets -o out.csv --separator :",
            2,
            "Invalid value for '--separator': ':' is not one of ',', ';', 'tab', '|'. 'rafflekit export --help' says "
            "more.",
        ),
        ("tickets -o taken.csv", 2, "--out: taken.csv already exists; name a new file."),
        ("tickets -o out.json --separator ,", 2, "--separator is only for CSV; leave it out."),
        ("tickets -o out.xlsx --encoding utf-8", 2, "--encoding is only for CSV; leave it out."),
        ("tickets -o out.csv --count 3", 2, "--count is not for tickets; leave it out."),
        ("invitations -o out.csv", 2, "--count is missing: how many invitations?"),
        ("invitations -o out.csv --count 1 --tickets t.csv", 2, "--tickets is not for invitations; leave it out."),
        (
            "tickets -o out.csv --tickets none.csv",
            2,
            "--tickets: none.csv cannot be read: No such file or directory.",
        ),
        *(
            (
                f"tickets -o out.csv --encoding {name}",
                2,
                f"--encoding: '{name}' is not an encoding of text files; examples: utf-8, windows-1252, utf-16.",
            )
            for name in ("latin-17", "rot13", "idna", "undefined", "utf-7")
        ),
    ],
)
def test_export_refuses_in_a_sentence(terminal: Terminal, folder: Path, line: str, status: int, sentence: str) -> None:
    (folder / "taken.csv").write_text("mine")

    assert terminal(f"export 'Foobar raffle' {line}") == Session(status, "", f"rafflekit: {sentence}\n")
    assert [(each.name, each.read_text()) for each in folder.iterdir()] == [("taken.csv", "mine")]


@pytest.mark.usefixtures("named")
def test_the_list_of_another_raffle_is_refused(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    other = engine.create("Other", total_tickets=30, prizes=[Prize("tea")])
    for outcome in engine.participate_many(other.id, [f"person {number}" for number in range(30)]):
        assert outcome
    before = set(folder.iterdir())

    refused = terminal("export Other tickets --tickets tickets.csv -o out.csv")

    assert refused.status == 2
    assert refused.err.endswith("is not that of this raffle's ticket; is it the list of another raffle?\n")
    assert set(folder.iterdir()) == before


def test_excel_files_are_xml_whatever_a_prize_is_called(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    raffle = sold_out(engine, tickets=1, prizes=(Prize("odd \uffff"),))
    engine.draw(raffle.id)

    assert terminal(f"export {raffle.id} winners -o out.xlsx").status == 0
    assert read_xlsx(folder / "out.xlsx")[0]["prize"] == "odd \\uffff"


def test_a_killed_export_leaves_no_file(sold_out: Raffle, folder: Path) -> None:
    # Reading it waits for a writer, who never comes.
    os.mkfifo(folder / "tickets.csv")
    command = f"-m rafflekit export {sold_out.id} tickets --tickets tickets.csv -o out.xlsx"
    program = Program([sys.executable, *command.split()], env=os.environ | {"TMPDIR": str(folder)})
    exporting = psutil.Process(program.pid)
    try:
        # openpyxl makes its temporary file, notes that it is to be deleted, and only then opens it to write.
        wait_until(lambda: any("openpyxl." in each.path and each.mode == "w" for each in exporting.open_files()))
        program.send_signal(signal.SIGTERM)
        assert program.wait(LIMIT_S) == 128 + signal.SIGTERM
    finally:
        program.kill()
        program.wait()

    assert [each.name for each in folder.iterdir()] == ["tickets.csv"]


def test_a_sheet_of_excel_has_no_room_for_more(
    terminal: Terminal, sold_out: Raffle, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "SHEET_ROWS", 3)

    assert terminal(f"export {sold_out.id} tickets -o out.xlsx") == Session(
        2, "", "rafflekit: --out: a sheet of Excel has 3 rows, and this list has more; write a CSV file.\n"
    )
    assert list(folder.iterdir()) == []


def test_without_its_extra_excel_says_how_to_install_it(
    terminal: Terminal, sold_out: Raffle, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "rafflekit.cli.tables.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    assert terminal(f"export {sold_out.id} tickets -o out.xlsx") == Session(
        2,
        "",
        "rafflekit: An Excel file needs the extra 'xlsx'. In the clone of rafflekit, run: pip install '.[xlsx]'\n",
    )
    assert list(folder.iterdir()) == []


@EVERY_FORMAT
def test_a_longer_list_takes_no_more_memory(
    terminal: Terminal, engine: RaffleEngine, folder: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr("rafflekit.core.exports._ROWS_AT_ONCE", 100)
    few, many = (sold_out(engine, tickets=tickets, prizes=(Prize("hug", tickets),)) for tickets in (300, 3_000))
    peaks = []
    # The first export loads modules and fills caches.
    for raffle in (few, few, many):
        tracemalloc.start()
        try:
            assert terminal(f"export {raffle.id} tickets -o out.{ending}").status == 0
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        os.unlink(folder / f"out.{ending}")

    assert peaks[2] < 1.5 * peaks[1]
