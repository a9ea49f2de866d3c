"""Lists of participants, and the required result of a run over one, whatever interrupted it."""

import csv
import re
from pathlib import Path

from rafflekit import Raffle, RaffleEngine

ADVICE = (
    "To correct a refused line, change it in its place in people.csv and rerun the same command. Leave lines with "
    "tickets as they are.\n"
)
"""What a run ends with if lines of people.csv were refused."""


def after_preview(err: str) -> str:
    """Return what a run printed on standard error after the line that says how it reads people.csv."""
    preview, _, rest = err.partition("\n")
    assert preview.startswith("people.csv: ")
    return rest


def write_list(path: Path, people: list[str]) -> None:
    """Write a list in one column."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([person] for person in people)


def on_one_line(text: str) -> str:
    """Return a cell's text as the participant that it names: line breaks are spaces."""
    return " ".join(filter(None, re.split("[\n\r\x0b\x85\u2028\u2029]", text)))


def rows_of(out: Path) -> list[dict[str, str]]:
    """Return the rows of an output by the names of its columns."""
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def check_whole_run(engine: RaffleEngine, raffle: Raffle, people: list[str], out: Path) -> None:
    """Check that every line has one row, no participant two tickets, and every issued ticket a code that proves it.

    The raffle is sold out and drawn for that.
    """
    rows = rows_of(out)
    assert [(int(row["line"]), row["participant"]) for row in rows] == list(enumerate(people, start=1))
    tickets = {int(row["ticket_number"]): row for row in rows if row["ticket_number"]}
    issued = raffle.total_tickets - engine.get(raffle.id).available_tickets
    winners = [row["participant"] for row in tickets.values()]
    assert len(tickets) == len(set(winners)) == len(set(people)) == issued
    assert all(bool(row["verification_code"]) != bool(row["refusal"]) for row in rows)
    for _ in engine.participate_many(raffle.id, (f"one more {n}" for n in range(raffle.total_tickets - issued))):
        pass
    engine.draw(raffle.id)
    for number, row in tickets.items():
        engine.verify(raffle.id, number, row["verification_code"])
