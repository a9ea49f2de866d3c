"""`RaffleEngine.check`: does the database answer, and is it still the one that was opened."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from rafflekit import RaffleEngine, SchemaMismatch, StorageUnavailable
from tests.databases import run
from tests.waiting import LIMIT_S, wait_until


def test_an_unchanged_database_is_ready(engine: RaffleEngine) -> None:
    engine.check()


@pytest.mark.parametrize("layout", ["9999", "0000"])
def test_a_changed_layout_is_refused_with_both_names(engine: RaffleEngine, database_url: str, layout: str) -> None:
    run(database_url, f"UPDATE alembic_version SET version_num = '{layout}'")

    with pytest.raises(SchemaMismatch, match=rf"now has the layout {layout}, and .* knows only \d+;"):
        engine.check()


def test_a_database_that_lost_its_tables_is_not_ready(engine: RaffleEngine, database_url: str) -> None:
    run(database_url, "DROP TABLE alembic_version")

    with pytest.raises(StorageUnavailable):
        engine.check()


def test_callers_at_the_same_moment_share_one_query(engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    may_go = Event()
    real: Callable[[], None] = engine._database.check_layout

    def counted() -> None:
        asked.append(None)
        assert may_go.wait(LIMIT_S)
        real()

    monkeypatch.setattr(engine._database, "check_layout", counted)
    with ThreadPoolExecutor(21) as callers:
        first = callers.submit(engine.check)
        wait_until(lambda: asked)
        others = [callers.submit(engine.check) for _ in range(20)]
        wait_until(lambda: len(engine._checks._waiting) == 20)
        may_go.set()
        for caller in (first, *others):
            caller.result(LIMIT_S)

    assert len(asked) == 2
