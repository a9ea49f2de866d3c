"""Sales: each raffle is loaded once, a process keeps a limited number, and damaged keys are reported at once."""

import pytest

from rafflekit import RaffleEngine, StorageUnavailable
from rafflekit.core.tickets import sales
from tests.databases import run
from tests.raffles import new_raffle


def test_a_process_keeps_a_limited_number_of_raffles(engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales, "_SALES_KNOWN", 2)
    raffles = [new_raffle(engine, 2) for _ in range(5)]

    numbers = [[engine.participate(raffle.id, person).number for raffle in raffles] for person in ("ann", "bob")]

    assert [set(pair) for pair in zip(*numbers, strict=True)] == [{1, 2}] * 5
    assert len(engine._issuing._sales._known) == 2


@pytest.mark.parametrize("key", ["numbering_key", "participant_key", "code_key"])
@pytest.mark.parametrize("damaged_key", [b"", bytes(31), bytes(70)], ids=len)
def test_a_raffle_with_damaged_keys_is_refused_at_once(
    database_url: str, engine: RaffleEngine, key: str, damaged_key: bytes
) -> None:
    damaged = new_raffle(engine, 10)
    run(database_url, f"UPDATE secrets SET {key} = {'%s' if 'postgresql' in database_url else '?'}", damaged_key)

    with pytest.raises(StorageUnavailable, match=f"A key of the raffle {damaged.id} is damaged in the database"):
        engine.participate(damaged.id, "ann")


def test_a_raffle_that_lost_its_keys_is_not_called_sold_out(database_url: str, engine: RaffleEngine) -> None:
    raffle = new_raffle(engine, 10)
    run(database_url, "DELETE FROM secrets")

    with pytest.raises(StorageUnavailable, match="is damaged in the database"):
        engine.participate(raffle.id, "ann")
