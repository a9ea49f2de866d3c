"""Sales: each raffle is loaded once, a process keeps a limited number, and damaged secrets are reported at once."""

from typing import Any

import pytest

from rafflekit import RaffleEngine, StorageUnavailable
from rafflekit.core.records import RaffleKeys
from rafflekit.core.tickets import sales, sealing
from tests.databases import run
from tests.raffles import new_raffle


def test_a_process_keeps_a_limited_number_of_raffles(engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales, "_SALES_KNOWN", 2)
    raffles = [new_raffle(engine, 2) for _ in range(5)]

    numbers = [[engine.participate(raffle.id, person).number for raffle in raffles] for person in ("ann", "bob")]

    assert [set(pair) for pair in zip(*numbers, strict=True)] == [{1, 2}] * 5
    assert len(engine._issuing._sales._known) == 2


@pytest.mark.parametrize("damage", [b"", bytes(11), bytes(12), bytes(123), bytes(124), bytes(125)], ids=len)
def test_a_raffle_with_damaged_secrets_is_refused_at_once(
    database_url: str, engine: RaffleEngine, damage: bytes
) -> None:
    damaged = new_raffle(engine, 10)
    run(database_url, f"UPDATE secrets SET sealed = {'%s' if 'postgresql' in database_url else '?'}", damage)

    with pytest.raises(StorageUnavailable, match=f"The secrets of the raffle {damaged.id} are damaged in the database"):
        engine.participate(damaged.id, "ann")


def test_the_secrets_of_another_raffle_do_not_open(database_url: str, engine: RaffleEngine) -> None:
    """A copied row would give its numbers and codes to two raffles."""
    first, second = new_raffle(engine, 10), new_raffle(engine, 10)
    sealed = run(database_url, "SELECT sealed FROM secrets")
    assert len({bytes(each) for (each,) in sealed}) == 2
    one = "(SELECT min(sealed) FROM secrets)"
    run(database_url, f"UPDATE secrets SET sealed = {one} WHERE sealed <> {one}")

    outcomes = []
    for raffle in (first, second):
        try:
            outcomes.append(type(engine.participate(raffle.id, "ann")))
        except StorageUnavailable as error:
            outcomes.append(type(error))

    assert sorted(each.__name__ for each in outcomes) == ["StorageUnavailable", "Ticket"]


def test_a_raffle_that_lost_its_secrets_is_not_called_sold_out(database_url: str, engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 10)
    run(database_url, "DELETE FROM secrets")

    with pytest.raises(StorageUnavailable, match="are damaged in the database"):
        engine.participate(raffle.id, "ann")


def test_secrets_are_opened_once_for_all_tickets_of_a_process(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    unseal = sealing.unseal

    def noted(*given: Any) -> RaffleKeys:
        opened.append(given)
        return unseal(*given)

    raffle = new_raffle(engine, 10)
    engine.participate(raffle.id, "ann")
    monkeypatch.setattr(sealing, "unseal", noted)

    for person in ("bob", "cid", "dan"):
        engine.participate(raffle.id, person)

    assert len(opened) == 1
