"""The keys that sign the ledgers of a database: which of them are missing here."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rafflekit.core.errors import SigningKeyUnavailable
from rafflekit.core.ledger.keys import read_key_beside
from rafflekit.core.protocol.notes import OPERATOR, NoteWrong, SignerKey, VerifierKey
from rafflekit.core.storage.backend import Backend


@dataclass(frozen=True, slots=True)
class KeyAtHand:
    """The verifier key of the key that signs here, or why it is unknown."""

    known: str | None = None
    problem: str | None = None

    @classmethod
    def found(cls, backend: Backend, given: SignerKey | None) -> "KeyAtHand | None":
        """Return the given key or the one next to the database; None if it is unknown which key signs here."""
        if given is not None:
            return cls(str(given.verifier))
        file = backend.key_file
        if file is None:
            return None
        if not os.path.lexists(file):
            return cls()
        try:
            return cls(str(read_key_beside(file).verifier))
        except SigningKeyUnavailable as error:
            return cls(problem=str(error))

    def missing(self, used: Iterable[str]) -> Iterator[str]:
        """Yield a sentence for each key of the ledgers that is missing here; other texts than keys are ignored."""
        if self.problem is not None:
            yield self.problem
        for key, raffles in sorted(Counter(used).items()):
            if key != self.known and is_operator_key(key):
                signed = f"{raffles:,} of the raffles"
                yield f"The key {key} is missing here: {signed} can be neither drawn nor proven without it."


def is_operator_key(text: str) -> bool:
    """Return whether a text is the verifier key of an operator."""
    try:
        return VerifierKey.read(text).kind == OPERATOR
    except NoteWrong:
        return False
