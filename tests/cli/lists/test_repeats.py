"""Which lines of a list repeat an earlier one, and what their refusals say."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.cli.lists import repeats
from rafflekit.cli.lists.people import Line
from rafflekit.cli.lists.repeats import RepeatFinder, Repeats
from rafflekit.core.limits import check_participant
from rafflekit.core.tickets.participants import normalise
from tests.cli.conftest import Terminal
from tests.ticket_lists import rows_of, write_list

COMMAND = "participate Choir --from people.csv --out tickets.csv"


def canonical(participant: str) -> str:
    """Do what an engine does that counts networks of 64 bits."""
    check_participant(participant)
    return normalise(participant)


def found_in(names: Sequence[str]) -> Repeats:
    """Find the repeats in a list of names."""
    lines = [Line(number, name) for number, name in enumerate(names, start=1)]
    finder = RepeatFinder(canonical)
    for line in lines:
        finder.see(line)
    return finder.resolve(lines, tickets_each=1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusals(terminal: Terminal, folder: Path, people: list[str]) -> list[str]:
    """Run the command over a list, and return the refusal of each row."""
    write_list(folder / "people.csv", people)
    terminal(COMMAND)
    return [row["refusal"] for row in rows_of(folder / "tickets.csv")]


def test_repeats_are_found_in_the_engines_sense() -> None:
    names = ["ann", "bob", "Ann", "ann", "b\u200bob", "2001:db8::1", "2001:db8::2", "zo\u00eb", "Zoe\u0308", "", " "]

    found = found_in(names)

    assert (found.in_vain, found.is_complete) == (5, True)
    assert (found.repeated.count, found.repeated.first) == (1, [4])
    assert (found.respelled.count, found.respelled.first) == (4, [3, 5, 7, 9])


def test_lines_that_get_no_ticket_anyway_are_no_repeats() -> None:
    lines = [Line(1, "ann", "The line is odd."), Line(2, "ann", nth=1, tickets=2), Line(2, "ann", nth=2, tickets=2)]
    finder = RepeatFinder(canonical)
    for line in lines:
        finder.see(line)

    assert finder.resolve(lines, tickets_each=1).repeated.count == 0


def test_tickets_beyond_the_limit_are_in_vain() -> None:
    lines = [Line(number, "ann", nth=nth, tickets=2) for number in (1, 2, 3) for nth in (1, 2)]
    finder = RepeatFinder(canonical)
    for line in lines:
        finder.see(line)

    assert finder.resolve(lines, tickets_each=3).in_vain == 3


def test_only_the_first_line_numbers_are_kept() -> None:
    found = found_in(["ann"] * 101)

    assert (found.in_vain, found.repeated.count, found.repeated.first) == (100, 100, list(range(2, 22)))


def test_a_list_of_endless_repeats_is_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_MOST_KNOWN", 4)

    found = found_in([*(f"participant {number % 10}" for number in range(30)), "ann"])

    assert (found.repeated.count, found.is_complete) == (8, False)


def test_people_who_only_look_like_earlier_ones_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_WORDS", 2)

    found = found_in([f"participant {number}" for number in range(1_000)])

    assert (found.in_vain, found.repeated.count) == (0, 0)


def test_a_ticket_from_elsewhere_is_named_so(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    raffle = engine.create("Choir", total_tickets=9, prizes=[Prize("cake")])
    engine.participate(raffle.id, "ann")
    engine.participate(raffle.id, "bob")

    assert refusals(terminal, folder, ["Ann", "cy", "bob", "BOB"]) == [
        "This participant already has a ticket from elsewhere.",
        "",
        "This participant already has a ticket from elsewhere.",
        "This participant already has a ticket from elsewhere.",
    ]


def test_a_repeat_is_named_also_where_nothing_is_left(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    engine.create("Choir", total_tickets=2, prizes=[Prize("cake")])

    assert refusals(terminal, folder, ["ann", "bob", "cy", "ANN", "cy"])[2:] == [
        "Tickets to this raffle are no longer available",
        "This participant already has a ticket: line 4 repeats line 1.",
        "Tickets to this raffle are no longer available; line 5 repeats line 3.",
    ]


def test_several_tickets_each_are_repeats_only_above_the_limit(
    terminal: Terminal, engine: RaffleEngine, folder: Path
) -> None:
    raffle = engine.create("Choir", total_tickets=99, prizes=[Prize("cake")], tickets_each=2)
    engine.participate(raffle.id, "bob")
    engine.participate(raffle.id, "cy")
    engine.participate(raffle.id, "cy")
    (folder / "people.csv").write_text("who,n\nann,1\nann,1\nann,1\nbob,2\ncy,2\n")

    terminal(f"{COMMAND} --column who --count-column n")

    assert [row["refusal"] for row in rows_of(folder / "tickets.csv")] == [
        "",
        "",
        "This participant already has all 2 tickets; line 2 names them too.",
        "",
        "This participant already has all 2 tickets, some from elsewhere.",
        "This participant already has all 2 tickets, all from elsewhere.",
        "This participant already has all 2 tickets, all from elsewhere.",
    ]


def test_a_resumed_run_knows_which_line_has_the_ticket(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    engine.create("Choir", total_tickets=9, prizes=[Prize("cake")])
    refusals(terminal, folder, ["ann", "bob"])

    assert refusals(terminal, folder, ["ann", "bob", "ann"])[2] == (
        "This participant already has a ticket: line 3 repeats line 1."
    )
