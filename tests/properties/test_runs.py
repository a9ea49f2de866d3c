"""With any list, a run that was cut off anywhere and resumed ends like one that was never disturbed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rafflekit import Prize, RaffleEngine
from rafflekit.cli import main
from tests.ticket_lists import rows_of, write_list

characters = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
names_of_people = st.text(characters, min_size=1, max_size=5)
people = st.lists(names_of_people, min_size=1, max_size=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the database and the files of all examples."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def one_engine(folder: Path) -> Iterator[RaffleEngine]:
    """One engine for all examples: their raffles share one database."""
    with RaffleEngine(f"sqlite:///{folder / 'raffles.db'}") as engine:
        yield engine


def tickets_of(out: Path) -> list[tuple[str, ...]]:
    """Return the rows without the reason of a refusal: a second ticket to a sold-out raffle has another reason."""
    columns = ("line", "participant", "ticket_number", "verification_code")
    return [(*(row[column] for column in columns), str(bool(row["refusal"]))) for row in rows_of(out)]


@settings(max_examples=40)
@given(names=people, tickets=st.integers(1, 12), kept=st.floats(0, 1))
def test_a_run_cut_off_anywhere_ends_like_a_whole_one(
    folder: Path, one_engine: RaffleEngine, names: list[str], tickets: int, kept: float
) -> None:
    raffle = one_engine.create("Any", total_tickets=tickets, prizes=[Prize("hug")])
    source, out = folder / "people.csv", folder / f"{raffle.id}.csv"
    url = f"sqlite:///{folder / 'raffles.db'}"
    command = ["participate", str(raffle.id), "--from", str(source), "--out", str(out), "--database-url", url]
    # Nothing is left to doubt.
    command += ["--no-header", "--separator", ","]
    write_list(source, names)

    status = main(command)

    assert (status == 2) == (not any(name.strip() for name in names))
    if status == 2:
        return
    assert status == int(any(row["refusal"] for row in rows_of(out)))
    undisturbed = tickets_of(out)
    with out.open("r+b") as file:
        file.truncate(int(kept * out.stat().st_size))

    assert main(command) == status
    assert tickets_of(out) == undisturbed
