"""A small witness: it cosigns a checkpoint only if it extends the last one that it saw of that raffle.

It signs one closing of a raffle: an operator with several closings of the same tickets, all cosigned before the beacon,
could choose among them afterwards.

The witness writes what it saw to a file before it signs anything: a witness that forgot, or was stopped between the
two, could be made to sign two histories.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from rafflekit.core.errors import InvalidValue, StorageUnavailable
from rafflekit.core.private_files import lock, partial_file, private, require_folder, sync, sync_name
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.documents import Consistency
from rafflekit.core.protocol.notes import Note, NoteWrong, SignerKey, VerifierKey
from rafflekit.core.protocol.tree import ProofWrong, check_consistency

_STATE_BYTES = 16 * 1024 * 1024


class Cosigned(NamedTuple):
    """A note with the witness's cosignature at the end, and whether it is the first one seen of its raffle."""

    note: str
    is_first: bool


class Witness:
    """A witness with its key (of the witnesses' kind) and the file that stores what it saw."""

    def __init__(self, key: SignerKey, state: Path) -> None:
        self._key = key
        self._state = state

    def cosign(
        self, note: str, operator: VerifierKey, proof: Callable[[int, int], Consistency], *, time: int
    ) -> Cosigned:
        """Cosign a note, dated `time` (seconds since 1970); the same text can be signed again.

        `proof` returns the consistency proof between two sizes; it is called only if a smaller tree was seen before.

        Raises:
            InvalidValue: the note is not a checkpoint signed by the operator, is a cancellation, or does not extend
                what was seen; or the folder of the witness's file does not exist.
            StorageUnavailable: what was seen cannot be read or stored.
        """
        try:
            read = Note.read(note)
            if not read.check(operator):
                raise InvalidValue("checkpoint", f"is not signed by {operator}.")
            checkpoint = Checkpoint.read(read.text)
        except NoteWrong as error:
            raise InvalidValue("checkpoint", f"{error}.") from error
        if checkpoint.cancellation is not None:
            raise InvalidValue("checkpoint", "says that the raffle is cancelled, so there is nothing to sign.")
        require_folder(self._state, field="state")
        with self._alone():
            everything = self._load()
            before = everything.get(checkpoint.origin)
            if before is not None:
                _check_that_it_extends(before, checkpoint, proof)
            self._keep(everything | {checkpoint.origin: checkpoint})
        return Cosigned(note + self._key.line(read.text, time=time), before is None)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        # Two processes that sign at once could each sign what the other has not seen.
        with ExitStack() as held:
            try:
                lock(held.enter_context(open(f"{self._state}.lock", "ab", opener=private)), waits=True)
            except OSError as error:
                raise _cannot_keep(error) from error
            yield

    def _load(self) -> dict[str, Checkpoint]:
        try:
            if not os.path.lexists(self._state):
                return {}
            with open(self._state, "rb", opener=private) as file:
                stored = json.loads(file.read(_STATE_BYTES))
            seen = [Checkpoint.read(text) for text in stored]
        except OSError as error:
            raise StorageUnavailable(f"What the witness saw cannot be read: {error.strerror}.") from error
        # RecursionError: brackets nested too deeply.
        except (ValueError, TypeError, RecursionError, NoteWrong) as error:
            raise StorageUnavailable(f"{self._state} is not a witness's file; nothing was signed.") from error
        return {checkpoint.origin: checkpoint for checkpoint in seen}

    def _keep(self, everything: Mapping[str, Checkpoint]) -> None:
        texts = [checkpoint.text() for checkpoint in everything.values()]
        try:
            with partial_file(self._state) as partial:
                with partial.open("w", encoding="utf-8") as file:
                    json.dump(texts, file)
                    sync(file, self._state)
                partial.replace(self._state)
                sync_name(self._state)
        except OSError as error:
            raise _cannot_keep(error) from error


def _cannot_keep(error: OSError) -> StorageUnavailable:
    return StorageUnavailable(f"What the witness saw cannot be stored: {error.strerror}.")


def _check_that_it_extends(
    before: Checkpoint, checkpoint: Checkpoint, proof: Callable[[int, int], Consistency]
) -> None:
    if checkpoint.size < before.size:
        raise InvalidValue(
            "checkpoint",
            f"has {checkpoint.size:,} leaves, and one with {before.size:,} was seen: it is outdated.",
        )
    if checkpoint.terms != before.terms:
        raise _contradiction("it has other terms")
    if checkpoint == before:
        return
    if before.end is not None:
        raise _contradiction("the ledger was closed before")
    if checkpoint.size == before.size:
        # A raffle that is closed before it is sold out: the same tickets, and now their end.
        if checkpoint.root == before.root and checkpoint.end is not None:
            return
        raise _contradiction("it differs for the same tickets")
    given = Consistency(0, checkpoint.size, ()) if before.size == 0 else proof(before.size, checkpoint.size)
    if (given.old, given.new) != (before.size, checkpoint.size):
        raise InvalidValue("proof", f"is not the proof from {before.size:,} to {checkpoint.size:,} leaves.")
    try:
        check_consistency(before.size, checkpoint.size, given.proof, before.root, checkpoint.root)
    except ProofWrong as error:
        raise _contradiction(str(error)) from error


def _contradiction(reason: str) -> InvalidValue:
    return InvalidValue(
        "checkpoint", f"does not extend what was seen of this raffle ({reason}): keep both, they are evidence."
    )
