"""How commands find their raffle: those that only show something by a part of its name, too."""

import pytest

from rafflekit import Raffle, RaffleEngine
from tests.cli.conftest import Session, Terminal


@pytest.mark.parametrize(
    "line",
    [
        "edit Foobar --name Fair",
        "export Foobar invitations --count 1 --out invitations.csv",
        "participate Foobar ann",
        "participate Foobar ann --count 1",
        "participate Foobar --from people.csv --out tickets.csv",
        "close Foobar --yes",
        "cancel Foobar --reason rain --yes",
        "draw Foobar --yes",
        "redeem Foobar 1 CODE --yes",
        "forfeit Foobar 1 --unclaimed --yes",
        "purge Foobar --yes",
    ],
)
def test_a_part_of_a_name_is_too_little_for_a_change(
    terminal: Terminal, engine: RaffleEngine, raffle: Raffle, line: str
) -> None:
    assert terminal(line) == Session(
        2,
        "",
        "rafflekit: RAFFLE: 'Foobar' is only a part of a name; give the whole name, or the beginning of the id: "
        f"{raffle.id.hex[:8]} (Foobar raffle).\n",
    )
    assert engine.get(raffle.id) == raffle


@pytest.mark.usefixtures("raffle", "folder")
@pytest.mark.parametrize("line", ["show Foobar", "winners Foobar", "export Foobar tickets -o tickets.csv"])
def test_a_part_of_a_name_is_enough_to_look(terminal: Terminal, line: str) -> None:
    assert terminal(line).status == 0
