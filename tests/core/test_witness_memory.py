"""A witness's memory: on the disk before anything is signed, and one witness at a time looks at it."""

import fcntl
import os
from functools import partial
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.core.protocol.documents import Consistency
from rafflekit.core.protocol.notes import WITNESS, SignerKey
from rafflekit.core.witness import Witness
from tests.core.conftest import KEY

NOON = 1_800_000_000


@pytest.fixture
def signing_key() -> SignerKey:
    """What the engine signs with: `KEY`."""
    return KEY


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A witness that remembers in `seen.json`."""
    return Witness(SignerKey.make("gazette.example", kind=WITNESS), tmp_path / "seen.json")


def test_two_processes_sign_one_after_the_other(engine: RaffleEngine, witness: Witness, tmp_path: Path) -> None:
    raffle = engine.create("Foobar", total_tickets=5, prizes=[Prize("hug")]).id
    engine.participate(raffle, "ann")
    tried = []

    def proof(old: int, new: int) -> Consistency:
        with (tmp_path / "seen.json.lock").open("ab") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        tried.append((old, new))
        return engine.proofs.consistency(raffle, old, new)

    witness.cosign(engine.proofs.checkpoint(raffle), KEY.verifier, proof, time=NOON)
    engine.participate(raffle, "bob")
    witness.cosign(engine.proofs.checkpoint(raffle), KEY.verifier, proof, time=NOON)

    assert tried == [(1, 2)]


def test_what_was_seen_is_on_the_disk_before_it_is_signed(
    engine: RaffleEngine, witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raffle = engine.create("Foobar", total_tickets=5, prizes=[Prize("hug")]).id
    engine.participate(raffle, "ann")
    note = engine.proofs.checkpoint(raffle)
    synced: list[tuple[Path, bool]] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append((Path(os.readlink(f"/proc/self/fd/{descriptor}")), (tmp_path / "seen.json").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)

    witness.cosign(note, KEY.verifier, partial(engine.proofs.consistency, raffle), time=NOON)

    content, seen_before = synced[0]
    assert content.name.startswith("seen.json.")
    assert not seen_before
    assert synced[-1] == (tmp_path, True)
