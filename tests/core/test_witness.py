"""A witness signs only what extends what it saw, whatever happens in between."""

import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from rafflekit import InvalidValue, Prize, RaffleEngine, StorageUnavailable
from rafflekit.core.protocol.checkpoints import Checkpoint, End
from rafflekit.core.protocol.documents import Consistency
from rafflekit.core.protocol.notes import WITNESS, Note, SignerKey
from rafflekit.core.witness import Witness

OPERATOR_KEY = SignerKey.make("raffles.example")
WITNESS_KEY = SignerKey.make("gazette.example", kind=WITNESS)
NOON = 1_800_000_000


class Scene:
    """A raffle that sells its tickets, and a witness that looks at it from time to time."""

    def __init__(self, engine: RaffleEngine, state: Path) -> None:
        self.engine = engine
        self.witness = Witness(WITNESS_KEY, state)
        self.raffle = engine.create("Foobar", total_tickets=300, prizes=[Prize("hug")]).id
        self.asked: list[tuple[int, int]] = []

    def sell(self, first: int, count: int) -> None:
        assert (
            len(list(self.engine.participate_many(self.raffle, [f"p{n}" for n in range(first, first + count)])))
            == count
        )

    def cosign(self, note: str | None = None) -> str:
        note = self.engine.proofs.checkpoint(self.raffle) if note is None else note
        return self.witness.cosign(note, OPERATOR_KEY.verifier, self.proof, time=NOON).note

    def proof(self, old: int, new: int) -> Consistency:
        self.asked.append((old, new))
        return self.engine.proofs.consistency(self.raffle, old, new)


@pytest.fixture
def scene(database: Path, tmp_path: Path) -> Iterator[Scene]:
    """The raffle in a SQLite file, the witness's memory in another."""
    with RaffleEngine(f"sqlite:///{database}", signing_key=OPERATOR_KEY) as engine:
        yield Scene(engine, tmp_path / "seen.json")


def test_a_witness_signs_a_ledger_that_only_grew(scene: Scene) -> None:
    for first, count in ((0, 5), (5, 0), (5, 258), (263, 37)):
        scene.sell(first, count)
        cosigned = Note.read(scene.cosign())
        assert cosigned.check(WITNESS_KEY.verifier) == [NOON]
        assert cosigned.check(OPERATOR_KEY.verifier) == [0]

    assert scene.asked == [(5, 263), (263, 300)]
    scene.engine.proofs.cosign(scene.raffle, scene.cosign(), str(WITNESS_KEY.verifier))


def test_a_witness_refuses_another_history_of_the_same_raffle(scene: Scene, tmp_path: Path) -> None:
    scene.sell(0, 20)
    scene.cosign()
    with RaffleEngine(f"sqlite:///{tmp_path}/fork.db", signing_key=OPERATOR_KEY) as forked:
        other = forked.create("Foobar", total_tickets=300, prizes=[Prize("hug")]).id
        for size in (20, 30):
            assert list(forked.participate_many(other, [f"q{n}" for n in range(size)]))
            text = Note.read(forked.proofs.checkpoint(other)).text.replace(str(other), str(scene.raffle))
            note = f"{text}\n{OPERATOR_KEY.line(text)}"
            before = scene.engine
            scene.engine, scene.raffle, kept = forked, other, scene.raffle
            with pytest.raises(InvalidValue, match="does not extend what was seen"):
                scene.cosign(note)
            scene.engine, scene.raffle = before, kept

    scene.sell(20, 5)
    assert Note.read(scene.cosign()).check(WITNESS_KEY.verifier)


def test_a_witness_signs_one_text_for_one_state(scene: Scene) -> None:
    """Otherwise an operator could have many closings cosigned before the beacon, and choose among them after it."""
    for count in (299, 1):
        scene.sell(300 - count if count == 1 else 0, count)
        note = scene.engine.proofs.checkpoint(scene.raffle)
        assert scene.cosign(note) == scene.cosign(note)
        checkpoint = Checkpoint.read(Note.read(note).text)
        end = checkpoint.end
        others = [replace(checkpoint, terms=bytes(32)), replace(checkpoint, root=bytes(32))]
        if end is not None:
            others.append(replace(checkpoint, end=None))
            others.append(replace(checkpoint, end=End(end.closed + 1)))
            others.append(replace(checkpoint, end=End(end.closed, 1000)))
            others.append(replace(checkpoint, size=301, end=None))
        for other in others:
            with pytest.raises(InvalidValue, match=r"does not extend what was seen .* evidence"):
                scene.cosign(f"{other.text()}\n{OPERATOR_KEY.line(other.text())}")

    assert scene.asked == [(299, 300)]


def test_a_witness_signs_one_closing_of_the_same_tickets(scene: Scene) -> None:
    """A raffle that was closed early ends with the tickets that the witness saw before."""
    scene.sell(0, 20)
    scene.cosign()
    scene.engine.close_raffle(scene.raffle)
    note = scene.engine.proofs.checkpoint(scene.raffle)

    assert Note.read(scene.cosign(note)).check(WITNESS_KEY.verifier) == [NOON]

    checkpoint = Checkpoint.read(Note.read(note).text)
    assert checkpoint.end is not None
    for other in (
        replace(checkpoint, end=End(checkpoint.end.closed + 1)),
        replace(checkpoint, end=None),
        replace(checkpoint, root=bytes(32)),
    ):
        with pytest.raises(InvalidValue, match=r"does not extend what was seen .* evidence"):
            scene.cosign(f"{other.text()}\n{OPERATOR_KEY.line(other.text())}")
    assert scene.cosign(note) == scene.cosign(note)


def test_a_closing_of_other_tickets_is_not_signed(scene: Scene) -> None:
    scene.sell(0, 20)
    seen = Checkpoint.read(Note.read(scene.cosign()).text)
    forged = replace(seen, root=bytes(32), end=End(NOON))

    with pytest.raises(InvalidValue, match="it differs for the same tickets"):
        scene.cosign(f"{forged.text()}\n{OPERATOR_KEY.line(forged.text())}")


def test_a_witness_does_not_sign_a_cancellation(scene: Scene) -> None:
    scene.sell(0, 3)
    scene.cosign()
    scene.engine.cancel(scene.raffle, "rain")

    with pytest.raises(InvalidValue, match="says that the raffle is cancelled"):
        scene.cosign()


def test_a_witness_does_not_sign_changed_terms(scene: Scene) -> None:
    scene.sell(0, 3)
    scene.cosign()
    scene.sell(3, 2)
    other = replace(Checkpoint.read(Note.read(scene.engine.proofs.checkpoint(scene.raffle)).text), terms=bytes(32))

    with pytest.raises(InvalidValue, match="it has other terms"):
        scene.cosign(f"{other.text()}\n{OPERATOR_KEY.line(other.text())}")


def test_a_witness_refuses_outdated_and_foreign_checkpoints(scene: Scene) -> None:
    scene.sell(0, 3)
    old = scene.engine.proofs.checkpoint(scene.raffle)
    scene.sell(3, 3)
    new = scene.engine.proofs.checkpoint(scene.raffle)
    scene.cosign(new)
    text = Note.read(new).text
    stranger = SignerKey.make("raffles.example")

    for note, words in (
        (old, "it is outdated"),
        (f"{text}\n{stranger.line(text)}", "is not signed by raffles.example"),
        (new.replace("\n6\n", "\n7\n"), "does not match this text"),
        ("Six tickets.\n", "it is not a signed note"),
    ):
        with pytest.raises(InvalidValue, match=words):
            scene.cosign(note)


def test_a_proof_of_another_growth_is_refused(scene: Scene) -> None:
    scene.sell(0, 3)
    scene.cosign()
    scene.sell(3, 5)
    checkpoint = scene.engine.proofs.checkpoint(scene.raffle)
    wrong = scene.engine.proofs.consistency(scene.raffle, 2, 8)

    with pytest.raises(InvalidValue, match="is not the proof from 3 to 8"):
        scene.witness.cosign(checkpoint, OPERATOR_KEY.verifier, lambda _old, _new: wrong, time=NOON)
    with pytest.raises(InvalidValue, match="does not extend"):
        scene.witness.cosign(
            checkpoint, OPERATOR_KEY.verifier, lambda old, new: Consistency(old, new, wrong.proof), time=NOON
        )


def test_a_witness_remembers_each_raffle_separately(scene: Scene) -> None:
    scene.sell(0, 3)
    scene.cosign()
    scene.raffle = UUID(str(scene.engine.create("Other", total_tickets=5, prizes=[Prize("hug")]).id))
    scene.sell(0, 1)

    scene.cosign()

    assert scene.asked == []


@pytest.mark.parametrize("content", [b"", b"1", b"[1]", b'["rafflekit/x\\n1\\n"]', b"\xff", b"[" * 100_000])
def test_a_damaged_memory_stops_the_witness(scene: Scene, tmp_path: Path, content: bytes) -> None:
    scene.sell(0, 1)
    (tmp_path / "seen.json").write_bytes(content)

    with pytest.raises(StorageUnavailable, match="is not a witness's file; nothing was signed"):
        scene.cosign()

    assert (tmp_path / "seen.json").read_bytes() == content


def test_a_witness_signs_only_what_it_can_store(database: Path, tmp_path: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}", signing_key=OPERATOR_KEY) as engine:
        scene = Scene(engine, tmp_path / "no folder" / "seen.json")
        scene.sell(0, 1)

        with pytest.raises(InvalidValue, match="there is no folder"):
            scene.cosign()


def test_a_full_disk_stops_a_witness_and_leaves_no_file(scene: Scene, tmp_path: Path) -> None:
    scene.sell(0, 3)
    note = scene.engine.proofs.checkpoint(scene.raffle)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(StorageUnavailable, match="cannot be stored: File too large"):
            scene.cosign(note)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [path.name for path in tmp_path.glob("seen.json*")] == ["seen.json.lock"]
