"""The source `announced`: a value that everyone can see elsewhere, such as lottery numbers or dice rolled on stage."""

import unicodedata
from hashlib import sha256
from typing import Any, ClassVar, NoReturn

from rafflekit.core import limits
from rafflekit.core.characters import without_invisible
from rafflekit.core.errors import InvalidValue
from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.entropy.source import EntropyUnproven, Evidence, Source
from rafflekit.core.protocol.quoting import quoted
from rafflekit.core.protocol.strict_json import DocumentWrong, fields_of, text_of


class Announced(Source):
    """The value that a source gave, as the manager typed it at the draw."""

    name: ClassVar = "announced"
    is_announced: ClassVar = True

    def is_whole(self, evidence: bytes) -> bool:
        """Return whether it is a value with its white space normalised."""
        try:
            limits.check_announced_value(evidence.decode())
        except (InvalidValue, UnicodeDecodeError):
            return False
        return True

    def entropy_of(self, evidence: bytes) -> bytes:
        """Return the SHA-256 of the value."""
        return sha256(evidence).digest()

    def shape(self, evidence: Evidence) -> dict[str, Any]:
        """Return the evidence as the JSON of a proof has it."""
        return {"kind": self.name, "value": evidence.value.decode()}

    def read(self, value: Any) -> Evidence:
        """Read the evidence from the JSON of a proof.

        Raises:
            DocumentWrong: it does not have this form.
        """
        text = text_of(fields_of(value, "entropy", "kind", "value"), "value")
        try:
            limits.check_announced_value(text)
        except InvalidValue as error:
            raise DocumentWrong(f"entropy.{error.field}: {error.reason.rstrip('.')}") from error
        return Evidence(self.name, text.encode())

    def check(self, evidence: Evidence, end: End, *, where: str | None) -> NoReturn:
        """Say which value has to be compared with what the source gave.

        Raises:
            EntropyUnproven: always.
        """
        raise EntropyUnproven(
            f"The operator says that the source {quoted(where or '')} gave {quoted(evidence.value.decode())}. Compare "
            "this value with what the source gave."
        )


def normalised(text: str) -> str:
    r"""Return the value that decides, of what a manager typed: nothing that cannot be seen makes another draw.

    Invisible characters are dropped, compatibility forms become plain ones (NFKC), each run of white space becomes one
    space, and there are no spaces at the ends. The value of a value is itself.

    >>> normalised(" 3  17\t22\u200b ")
    '3 17 22'

    Raises:
        InvalidValue: it is empty, too long, or has control characters.
    """
    # In this order: an invisible character can keep a letter and its accent apart.
    value = " ".join(unicodedata.normalize("NFKC", without_invisible(text)).split())
    limits.check_announced_value(value)
    return value
