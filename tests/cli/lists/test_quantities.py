"""`participate --from` in raffles with options: several tickets for a line, and raffles that give none now."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from tests.cli.conftest import Terminal
from tests.ticket_lists import ADVICE, after_preview, rows_of


def command(raffle: Raffle) -> str:
    return f"participate {raffle.id} --from people.csv --out tickets.csv --column who --count-column n"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"opens_at": datetime(2999, 12, 5, 18, tzinfo=UTC)},
            "This raffle is not open yet: it opens on 2999-12-05 18:00:00 UTC.",
        ),
        ({}, "This raffle has been cancelled"),
    ],
)
def test_a_run_that_can_give_no_ticket_leaves_no_file(
    terminal: Terminal, engine: RaffleEngine, folder: Path, options: dict[str, Any], sentence: str
) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")], **options)
    if not options:
        engine.cancel(raffle.id, "It rains.")

    (folder / "people.csv").write_text("ann\n")
    refused = terminal(f"participate {raffle.id} --from people.csv --out tickets.csv")

    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith(f"rafflekit: {sentence}")
    assert [file.name for file in folder.glob("*.csv*")] == ["people.csv"]


@pytest.fixture
def orders(engine: RaffleEngine, folder: Path) -> Raffle:
    """A raffle of three tickets for each participant, and a list in which people order some."""
    (folder / "people.csv").write_text("who,n\nann,3\nbob,2\ncy,many\ndan,4\n")
    return engine.create("Orders", total_tickets=100, prizes=[Prize("tea", 3)], tickets_each=3)


def test_a_column_of_numbers_gives_several_tickets_a_row_each(
    terminal: Terminal, engine: RaffleEngine, orders: Raffle, folder: Path
) -> None:
    done = terminal(command(orders))

    assert (done.status, done.out) == (1, "5 tickets, 2 refused; tickets.csv\n")
    assert after_preview(done.err) == (
        "line 4: The line's number of tickets must be a whole number from 1; 'many' is not one.\n"
        "line 5: The line asks for 4 tickets; a participant gets at most 3 tickets.\n" + ADVICE
    )
    rows = rows_of(folder / "tickets.csv")
    assert [(row["line"], row["participant"]) for row in rows] == [
        *[("2", "ann")] * 3,
        *[("3", "bob")] * 2,
        ("4", "cy"),
        ("5", "dan"),
    ]
    engine.close_raffle(orders.id)
    engine.draw(orders.id)
    numbers = {int(row["ticket_number"]) for row in rows[:5]}
    assert len(numbers) == 5
    for row in rows[:5]:
        engine.verify(orders.id, int(row["ticket_number"]), row["verification_code"])


def test_a_line_that_gets_some_of_its_tickets_says_how_many(terminal: Terminal, orders: Raffle, folder: Path) -> None:
    (folder / "people.csv").write_text("who,n\nann,2\nann,3\nbob,3\nann,2\n")

    done = terminal(command(orders))

    assert (done.status, done.out) == (1, "6 tickets, 4 refused; tickets.csv\n")
    assert after_preview(done.err) == (
        "line 3: 1 of 3 tickets was handed out: This participant already has all 3 tickets; line 2 names them too.\n"
        "line 5: This participant already has all 3 tickets; line 2 names them too.\n" + ADVICE
    )
    assert [(row["line"], row["refusal"]) for row in rows_of(folder / "tickets.csv")] == [
        *[("2", "")] * 2,
        ("3", ""),
        *[("3", "This participant already has all 3 tickets; line 2 names them too.")] * 2,
        *[("4", "")] * 3,
        *[("5", "This participant already has all 3 tickets; line 2 names them too.")] * 2,
    ]


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ("who,n\nann,3\nbob,1\ncy,many\ndan,4\n", (3, 5)),
        ("who,n\nann,3\nbob,3\ncy,many\ndan,4\n", (3, 5)),
        ("who,n\nann,4\nbob,2\ncy,many\ndan,4\n", (2, 2)),
    ],
)
def test_a_line_with_tickets_that_has_changed_is_named(
    terminal: Terminal, orders: Raffle, folder: Path, changed: str, lines: tuple[int, int]
) -> None:
    terminal(command(orders))
    (folder / "people.csv").write_text(changed)

    refused = terminal(command(orders))

    assert (refused.status, refused.out) == (2, "")
    assert refused.err.startswith(
        "rafflekit: Line {} of people.csv does not match line {} of tickets.csv, which has a ticket. ".format(*lines)
    )


def test_what_changed_after_half_a_line_of_tickets_is_named(terminal: Terminal, orders: Raffle, folder: Path) -> None:
    terminal(command(orders))
    rows = (folder / "tickets.csv").read_text().splitlines(keepends=True)
    (folder / "tickets.csv").write_text("".join(rows[:5]))
    (folder / "people.csv").write_text("who,n\nann,3\nbob,3\ncy,many\ndan,4\n")

    assert "people.csv has changed after line 2 since the last run began" in terminal(command(orders)).err


def test_a_run_that_resumes_in_a_refused_line_says_no_more_of_it(
    terminal: Terminal, orders: Raffle, folder: Path
) -> None:
    (folder / "people.csv").write_text("who,n\nann,2\nann,3\n")
    terminal(command(orders))
    whole = (folder / "tickets.csv").read_bytes()
    (folder / "tickets.csv").write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))

    assert "line 3" not in terminal(command(orders)).err
    assert (folder / "tickets.csv").read_bytes() == whole


@pytest.mark.parametrize("kept_rows", range(5))
def test_a_run_resumes_in_the_middle_of_a_line(
    terminal: Terminal, engine: RaffleEngine, orders: Raffle, folder: Path, kept_rows: int
) -> None:
    terminal(command(orders))
    whole = (folder / "tickets.csv").read_bytes()
    (folder / "tickets.csv").write_bytes(b"".join(whole.splitlines(keepends=True)[: 1 + kept_rows]))

    terminal(command(orders))

    assert (folder / "tickets.csv").read_bytes() == whole
    assert engine.get(orders.id).available_tickets == 95
