"""What the protocol asks of every source of entropy; `Source` lists the questions."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from rafflekit.core.protocol.checkpoints import End


class EntropyWrong(Exception):
    """The evidence is not what the source gave; the message is a sentence."""


class EntropyUnproven(Exception):
    """The evidence cannot be checked, now or ever; the message is a sentence."""


class SourceMissing(Exception):
    """Evidence of a source cannot be checked on this machine; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What decided a draw, as its proof has it: the source's name, the bytes that it gave, and its round if any."""

    kind: str
    value: bytes = b""
    round: int | None = None


@dataclass(frozen=True, slots=True)
class DelayBounds:
    """The bounds of a raffle's `delay_s`: seconds from the closing to the moment at which the source decides."""

    least: int
    most: int
    default: int


class Source(ABC):
    """A source of entropy: where the 32 bytes that decide a draw come from, and how anyone checks that they did.

    The 32 bytes come from the evidence, which is stored with the draw and published in its proof.
    """

    name: ClassVar[str]
    """The source's name in the terms, and the `kind` of its evidence in a proof."""

    delay: ClassVar[DelayBounds | None] = None
    """The bounds of `delay_s` in the terms; None if the terms have no `delay_s`."""

    is_announced: ClassVar[bool] = False
    """Whether the terms say, in `source`, where everyone will see the value that decides."""

    def require(self) -> None:  # noqa: B027 - most sources need nothing
        """Make sure that evidence can be checked on this machine.

        Raises:
            SourceMissing: it cannot.
        """

    def end_at(self, closed: int, delay_s: int | None) -> End:
        """Return the end of a ledger whose last ticket is issued at `closed` (seconds since 1970)."""
        assert delay_s is None
        return End(closed)

    def known_from(self, end: End) -> int | None:
        """Return when the entropy becomes public, in seconds since 1970, or None if no date is known."""
        assert end.round is None
        return None

    @abstractmethod
    def is_whole(self, evidence: bytes) -> bool:
        """Return whether stored evidence has the form that the source gives it."""

    @abstractmethod
    def entropy_of(self, evidence: bytes) -> bytes:
        """Return the 32 bytes that decide, from the stored evidence."""

    @abstractmethod
    def shape(self, evidence: Evidence) -> dict[str, Any]:
        """Return the evidence as the JSON of a proof has it."""

    @abstractmethod
    def read(self, value: Any) -> Evidence:
        """Read the evidence from the JSON of a proof.

        Raises:
            DocumentWrong: it does not have the form of this source.
        """

    @abstractmethod
    def check(self, evidence: Evidence, end: End, *, where: str | None) -> str:
        """Check that the source gave this evidence for the closing with this end; return a sentence that says so.

        `where` is `source` of the terms.

        Raises:
            EntropyWrong: it did not.
            EntropyUnproven: this cannot be checked.
        """
