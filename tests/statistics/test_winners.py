"""Who wins is uniform: for the shuffle alone, and for whole raffles through the engine.

Each test has one false alarm in 10⁶ runs. Seeds are new in every run.
"""

import secrets
from collections import Counter
from functools import cache
from itertools import permutations
from typing import Any

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.core.protocol.winners import SEED_BYTES, winning_serials
from tests.raffles import sell_all
from tests.statistics.chi_square import SAMPLES, assert_uniform


def winners(tickets: int, wins: int) -> tuple[int, ...]:
    return tuple(winning_serials(secrets.token_bytes(SEED_BYTES), tickets=tickets, wins=wins))


@pytest.mark.parametrize(
    ("tickets", "wins", "samples"), [(2, 1, 10_000), (2, 2, 10_000), (3, 2, 10_000), (3, 3, 10_000), (10, 2, 20_000)]
)
def test_every_sequence_of_winners_is_equally_likely(tickets: int, wins: int, samples: int) -> None:
    seen = Counter(winners(tickets, wins) for _ in range(SAMPLES * samples))

    assert_uniform([seen[each] for each in permutations(range(tickets), wins)])


@cache
def draws_of_1000() -> list[tuple[int, ...]]:
    return [winners(1000, 10) for _ in range(SAMPLES * 20_000)]


@pytest.mark.parametrize("place", [0, 1, 9])
def test_every_ticket_of_1000_wins_every_prize_equally_often(place: int) -> None:
    seen = Counter(drawn[place] for drawn in draws_of_1000())

    assert_uniform([seen[serial] for serial in range(1000)])


def test_whole_raffles_favour_no_one(engine: RaffleEngine) -> None:
    """In raffles of 3 tickets, each number, and each place in the queue, wins equally often."""
    by_number: Counter[Any] = Counter()
    by_place: Counter[Any] = Counter()
    for _ in range(SAMPLES * 150):
        raffle = engine.create("Three", total_tickets=3, prizes=[Prize("hug")])
        numbers = [ticket.number for ticket in sell_all(engine, raffle)]
        winner = engine.draw(raffle.id)[0].ticket_number
        by_number[winner] += 1
        by_place[numbers.index(winner)] += 1

    assert_uniform([by_number[number] for number in (1, 2, 3)])
    assert_uniform([by_place[place] for place in (0, 1, 2)])


def test_raffles_closed_early_favour_no_one(engine: RaffleEngine) -> None:
    """Of 5 tickets 3 are handed out: each number, and each order of the winner and the queue, is equally likely."""
    by_number: Counter[Any] = Counter()
    by_order: Counter[Any] = Counter()
    for _ in range(SAMPLES * 150):
        raffle = engine.create("Three of five", total_tickets=5, prizes=[Prize("hug")])
        numbers = [engine.participate(raffle.id, f"participant {n}").number for n in range(3)]
        engine.close_raffle(raffle.id)
        winner = engine.draw(raffle.id)[0].ticket_number
        by_number[winner] += 1
        by_order[tuple(numbers.index(number) for number in (winner, *engine.queue(raffle.id).items))] += 1

    assert_uniform([by_number[number] for number in range(1, 6)])
    assert_uniform([by_order[order] for order in permutations(range(3))])


def test_a_prize_passes_to_any_ticket_equally_often(engine: RaffleEngine) -> None:
    """In raffles of 4 tickets with 2 prizes, both pass on: each ticket is first in the queue equally often."""
    by_place: Counter[Any] = Counter()
    by_order: Counter[Any] = Counter()
    for _ in range(SAMPLES * 150):
        raffle = engine.create("Four", total_tickets=4, prizes=[Prize("hug", 2)])
        numbers = [ticket.number for ticket in sell_all(engine, raffle)]
        wins = engine.draw(raffle.id)
        heirs = [engine.forfeit(raffle.id, win.ticket_number, why="disqualified", reason="too young") for win in wins]
        places = [numbers.index(heir.ticket_number) for heir in heirs if heir is not None]
        by_place[places[0]] += 1
        by_order[places[0] < places[1]] += 1

    assert_uniform([by_place[place] for place in range(4)])
    assert_uniform([by_order[first] for first in (True, False)])
