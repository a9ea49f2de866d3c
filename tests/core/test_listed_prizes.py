"""The prizes in a list of raffles, which can be asked to omit some."""

import pytest

from rafflekit import InvalidValue, Prize, RaffleEngine
from rafflekit.core import limits


@pytest.mark.parametrize("most", [0, -1, True, limits.PRIZE_KINDS + 1])
def test_a_list_shows_at_least_one_prize_of_each_raffle(engine: RaffleEngine, most: int) -> None:
    with pytest.raises(InvalidValue) as refusal:
        engine.list(most_prizes=most)

    assert refusal.value.field == "most_prizes"


def test_a_list_can_omit_prizes_and_counts_them(engine: RaffleEngine) -> None:
    few, many = (
        engine.create("Foobar", total_tickets=9, prizes=[Prize(f"prize {n}") for n in range(kinds)]) for kinds in (2, 5)
    )

    listed = engine.list(most_prizes=2).items
    found = engine.list(most_prizes=2, name="foo", state="open").items

    assert listed == found
    assert [(each.prizes, each.more_prizes) for each in listed] == [(many.prizes[:2], 3), (few.prizes, 0)]
    assert engine.list().items == (many, few)
