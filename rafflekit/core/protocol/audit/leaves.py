"""Step 10: all leaves, in one pass. Memory holds only what is asked for, and which numbers were seen."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from rafflekit.core.protocol.audit.encoding import without_mark
from rafflekit.core.protocol.audit.form import ProofParts
from rafflekit.core.protocol.audit.report import Doubt, Mistaken, Refuted, Unproven
from rafflekit.core.protocol.documents import read_leaf_line
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.number_sets import IN_BITS, number_set
from rafflekit.core.protocol.strict_json import DocumentWrong
from rafflekit.core.protocol.tree import running_roots

COUNTED = 10**6
"""Every verifier counts the numbers of this many tickets, however many were announced (section 9)."""


@dataclass(frozen=True, slots=True)
class SeenLeaves:
    """What was asked for of the leaves, after they were found to be the closing's.

    `numbers` are ticket numbers by serial, `leaf` is one leaf, and `roots` are roots by size.
    """

    numbers: Mapping[int, int]
    leaf: Leaf | None
    roots: Mapping[int, bytes]


def see_leaves(
    parts: ProofParts,
    lines: Iterable[str | bytes],
    *,
    winning: Collection[int],
    serial: int | None,
    sizes: Collection[int],
) -> SeenLeaves:
    """Read all leaves and keep some of them.

    Kept are the numbers of the serials `winning`, the whole leaf of `serial`, and the roots of the trees of `sizes`.

    Raises:
        Mistaken: the list is empty, or its first line is not a leaf.
        Refuted: they are not the closing's, or they break a rule.
    """
    checkpoint, raffle = parts.closed.checkpoint, parts.proof.terms.id
    numbers = dict.fromkeys(winning, 0)
    kept: dict[int, Leaf | None] = {} if serial is None else {serial: None}
    read = _leaves(lines, size=checkpoint.size, highest=parts.proof.terms.total_tickets)
    hashes = (_kept(leaf, numbers, kept).hash(raffle) for leaf in read)
    wanted = sorted({*(size for size in sizes if size <= checkpoint.size), checkpoint.size})
    roots = dict(zip(wanted, running_roots(hashes, wanted), strict=False))
    if checkpoint.size not in roots:
        raise Refuted(f"There are fewer leaves than the {checkpoint.size:,} of the closing.")
    # One more leaf also ends the step as wrong.
    next(hashes, None)
    if roots[checkpoint.size] != checkpoint.root:
        raise Refuted("The leaves are not the ones that the operator signed: their root is not the closing's.")
    return SeenLeaves(numbers, kept.get(serial) if serial is not None else None, roots)


def check_leaves(parts: ProofParts) -> str:
    """Step 10, after `see_leaves`."""
    size, highest = parts.closed.checkpoint.size, parts.proof.terms.total_tickets
    if not _are_numbers_seen(size, highest):
        raise Unproven(
            f"All {size:,} leaves match the closing. Whether a number occurs twice was not checked, because there are "
            "too many numbers.",
            Doubt.REPEATED,
        )
    once = f"each ticket number from 1 to {size:,} occurs once"
    if size < highest:
        once = f"their numbers, from 1 to {highest:,}, are all different"
    return f"All {size:,} leaves match the closing, and {once}."


def _leaves(lines: Iterable[str | bytes], *, size: int, highest: int) -> Iterator[Leaf]:
    seen = number_set(highest) if _are_numbers_seen(size, highest) else None
    place = -1
    for place, line in enumerate(lines):
        if place >= size:
            raise Refuted(f"There are more leaves than the {size:,} of the closing.")
        try:
            leaf = read_leaf_line(line if place else without_mark(line))
        except DocumentWrong as error:
            # If not even the first line is a leaf, this is probably another file.
            outcome = Refuted if place else Mistaken
            raise outcome(f"Line {place + 1:,} of the leaves is not a leaf: {error}.") from error
        if leaf.serial != place:
            raise Refuted(f"Line {place + 1:,} of the leaves has the serial {leaf.serial:,} instead of {place:,}.")
        number = leaf.ticket_number
        if number > highest:
            raise Refuted(
                f"The ticket with the serial {place:,} has the number {number:,}, but the highest is {highest:,}."
            )
        if seen is not None:
            if number in seen:
                raise Refuted(f"The ticket number {number:,} occurs twice.")
            seen.add(number)
        yield leaf
    if place < 0:
        raise Mistaken("The file of leaves is empty.")


def _kept(leaf: Leaf, numbers: dict[int, int], kept: dict[int, Leaf | None]) -> Leaf:
    if leaf.serial in numbers:
        numbers[leaf.serial] = leaf.ticket_number
    if leaf.serial in kept:
        kept[leaf.serial] = leaf
    return leaf


def _are_numbers_seen(tickets: int, highest: int) -> bool:
    """Return whether there is room for the set of the numbers of this many tickets."""
    return highest <= IN_BITS or tickets <= COUNTED
