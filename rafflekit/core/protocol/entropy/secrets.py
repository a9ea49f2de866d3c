"""The source `secrets`: 32 random bytes from the machine that draws, so people have to trust its operator."""

from typing import Any, ClassVar, NoReturn

from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.entropy.source import EntropyUnproven, Evidence, Source
from rafflekit.core.protocol.hashing import HASH_BYTES
from rafflekit.core.protocol.strict_json import fields_of, hex_of


class Secrets(Source):
    """Random bytes of the operating system, made in the draw."""

    name: ClassVar = "secrets"

    def is_whole(self, evidence: bytes) -> bool:
        """Return whether it has 32 bytes."""
        return len(evidence) == HASH_BYTES

    def entropy_of(self, evidence: bytes) -> bytes:
        """Return the evidence, which is the entropy itself."""
        return evidence

    def shape(self, evidence: Evidence) -> dict[str, Any]:
        """Return the evidence as the JSON of a proof has it."""
        return {"kind": self.name, "value": evidence.value.hex()}

    def read(self, value: Any) -> Evidence:
        """Read the evidence from the JSON of a proof.

        Raises:
            DocumentWrong: it does not have this form.
        """
        return Evidence(self.name, hex_of(fields_of(value, "entropy", "kind", "value"), "value", HASH_BYTES))

    def check(self, evidence: Evidence, end: End, *, where: str | None) -> NoReturn:
        """Say that nothing can be checked.

        Raises:
            EntropyUnproven: always.
        """
        raise EntropyUnproven("Only the operator says that the entropy was generated once, and after the closing.")
