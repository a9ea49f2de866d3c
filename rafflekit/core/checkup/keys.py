"""The keys that sign the ledgers of a database: which of them are missing here."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rafflekit.core.errors import SigningKeyUnavailable
from rafflekit.core.ledger.keys import read_key_beside
from rafflekit.core.protocol.notes import OPERATOR, NoteWrong, SignerKey, VerifierKey
from rafflekit.core.storage.backend import Backend


@dataclass(frozen=True, slots=True)
class KeyAtHand:
    """The key that signs here, or why it cannot be used; neither, if it is missing."""

    signer: SignerKey | None = field(default=None, repr=False)
    problem: str | None = None

    @classmethod
    def found(cls, backend: Backend, given: SignerKey | None) -> "KeyAtHand | None":
        """Return the given key or the one next to the database; None if it is unknown which key signs here."""
        if given is not None:
            return cls(given)
        file = backend.key_file
        if file is None:
            return None
        if not os.path.lexists(file):
            return cls()
        try:
            return cls(read_key_beside(file))
        except SigningKeyUnavailable as error:
            return cls(problem=str(error))

    def missing(self, used: Iterable[str]) -> Iterator[str]:
        """Yield a sentence for each key of the ledgers that is missing here; other texts than keys are ignored."""
        if self.problem is not None:
            yield self.problem
        for key, raffles in sorted(Counter(used).items()):
            if not self.is_key(key) and is_operator_key(key):
                without = f"without it, {raffles:,} of the raffles can neither hand out tickets nor be drawn or proven"
                yield f"The key {key} is missing here: {without}."

    def is_key(self, verifier_key: str) -> bool:
        """Return whether this is the key here."""
        return self.signer is not None and str(self.signer.verifier) == verifier_key


def is_operator_key(text: str) -> bool:
    """Return whether a text is the verifier key of an operator."""
    try:
        return VerifierKey.read(text).kind == OPERATOR
    except NoteWrong:
        return False
