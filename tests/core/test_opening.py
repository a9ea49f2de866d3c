"""Opening an engine for a server."""

from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.core.ledger.keys import make_signing_key
from rafflekit.core.opening import serving_engine_of
from rafflekit.core.settings import Settings


def test_raffles_that_need_another_key_are_logged(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own, other = tmp_path / "own.key", tmp_path / "other.key"
    make_signing_key(other)
    with RaffleEngine(database_url, signing_key=make_signing_key(own)) as engine:
        made = [engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")]).id for _ in range(3)]
        engine.cancel(made[0], "rain")
        engine.participate(made[1], "ann")
        engine.draw(made[1])

    logged = []
    for file in (own, other):
        serving_engine_of(Settings(signing_key=file), database_url).close()
        logged.append([record.getMessage() for record in caplog.records])

    assert logged[0] == []
    assert [line.partition(".")[0] for line in logged[1]] == ["Unfinished raffles that need another signing key: 1"]
