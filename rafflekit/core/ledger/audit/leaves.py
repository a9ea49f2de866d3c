"""Step 10: all leaves, once, as they go by: memory grows with what is asked for of them, not with their number."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from rafflekit.core.ledger.audit.form import ProofParts
from rafflekit.core.ledger.audit.report import Refuted, Unproven
from rafflekit.core.ledger.documents import read_leaf_line
from rafflekit.core.ledger.leaves import Leaf
from rafflekit.core.ledger.strict_json import DocumentWrong
from rafflekit.core.ledger.tree import running_roots

COUNTED = 10**8
"""Of so many tickets every number is noted as a bit, to see that none is there twice: 12.5 MB."""


@dataclass(frozen=True, slots=True)
class SeenLeaves:
    """What was seen of the leaves, which are the closing's: the leaves and the roots that were asked for."""

    leaves: Mapping[int, Leaf]
    roots: Mapping[int, bytes]

    def numbers(self) -> dict[int, int]:
        """Return the ticket numbers of the leaves that were asked for, by serial."""
        return {serial: leaf.ticket_number for serial, leaf in self.leaves.items()}


def see_leaves(
    parts: ProofParts, lines: Iterable[str | bytes], *, serials: Collection[int], sizes: Collection[int]
) -> SeenLeaves:
    """Let all leaves go by, and keep those with these serials, and the roots of the trees of these sizes.

    Raises:
        Refuted: they are not the closing's, or a rule is broken.
    """
    checkpoint = parts.closed.checkpoint
    kept: dict[int, Leaf] = {}
    hashes = _hashes(lines, parts.proof.terms.id, checkpoint.size, frozenset(serials), kept)
    wanted = sorted({*(size for size in sizes if size <= checkpoint.size), checkpoint.size})
    roots = dict(zip(wanted, running_roots(hashes, wanted), strict=False))
    if checkpoint.size not in roots:
        raise Refuted(f"There are fewer leaves than the closing has, {checkpoint.size:,}.")
    if next(hashes, None) is not None:
        raise Refuted(f"There are more leaves than the closing has, {checkpoint.size:,}.")
    if roots[checkpoint.size] != checkpoint.root:
        raise Refuted("The leaves are not the ones that the operator signed: their root is not the closing's.")
    return SeenLeaves(kept, roots)


def check_leaves(parts: ProofParts) -> str:
    """Step 10, after `see_leaves`."""
    size = parts.closed.checkpoint.size
    if size > COUNTED:
        raise Unproven(
            f"All {size:,} leaves are the closing's. That no number is there twice was not counted: it is for up to "
            f"{COUNTED:,} tickets."
        )
    return f"All {size:,} leaves are the closing's, and each ticket number from 1 to {size:,} is there once."


def _hashes(
    lines: Iterable[str | bytes], raffle: UUID, size: int, serials: frozenset[int], kept: dict[int, Leaf]
) -> Iterator[bytes]:
    seen = bytearray(size // 8 + 1 if size <= COUNTED else 0)
    for place, line in enumerate(lines):
        if place >= size:
            # Not read: that it is there is too much already.
            yield b""
            return
        try:
            leaf = read_leaf_line(line)
        except DocumentWrong as error:
            raise Refuted(f"Line {place + 1:,} of the leaves is no leaf: {error}.") from error
        if leaf.serial != place:
            raise Refuted(f"Line {place + 1:,} of the leaves has the serial {leaf.serial:,}, where {place:,} belongs.")
        number = leaf.ticket_number
        if number > size:
            raise Refuted(f"The ticket with the serial {place:,} has the number {number:,}, of {size:,} tickets.")
        if seen:
            byte, bit = number >> 3, 1 << (number & 7)
            if seen[byte] & bit:
                raise Refuted(f"The ticket number {number:,} is there twice.")
            seen[byte] |= bit
        if place in serials:
            kept[place] = leaf
        yield leaf.hash(raffle)
