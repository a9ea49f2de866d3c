"""Steps 6, 8 and 9: the entropy, the seed from it, and the winners from the seed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rafflekit.core.prizes import prizes_of_wins
from rafflekit.core.protocol.audit.form import ProofParts
from rafflekit.core.protocol.audit.report import AuditedWin, Refuted, Unproven
from rafflekit.core.protocol.audit.signatures import check_operator
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.documents import WINNERS_IN_A_PROOF, ProvenWin
from rafflekit.core.protocol.entropy import source_of
from rafflekit.core.protocol.entropy.source import EntropyUnproven, EntropyWrong
from rafflekit.core.protocol.tree import ProofWrong, check_inclusion
from rafflekit.core.protocol.winners import seed_of, winners_digest, winning_serials


class _ReplayedWin(NamedTuple):
    serial: int
    number: int
    prize: int


def check_entropy(parts: ProofParts) -> str:
    """Step 6: the entropy is of the announced kind, and no one chose it."""
    entropy, terms = parts.proof.entropy, parts.proof.terms
    if entropy.kind != terms.entropy:
        raise Refuted(f"The terms announce entropy from {terms.entropy}, but the proof has {entropy.kind}.")
    try:
        return source_of(entropy.kind).check(entropy, parts.closed.end, where=terms.source)
    except EntropyWrong as error:
        raise Refuted(str(error)) from error
    except EntropyUnproven as error:
        raise Unproven(str(error)) from error


def check_seed(parts: ProofParts) -> str:
    """Step 8: the seed follows from the closing and the entropy."""
    if parts.proof.seed != seed_of(parts.closed.checkpoint.closing_hash(), _entropy_value(parts)):
        raise Refuted("The seed does not follow from the closing and the entropy.")
    return f"The seed follows from the closing and the entropy: {parts.proof.seed.hex()}."


def slots_of(parts: ProofParts) -> list[int]:
    """Return the serials that win by the seed, in draw order, and after them the next ones, one per forfeit."""
    tickets = parts.closed.checkpoint.size
    needed = min(tickets, parts.wins + len(parts.forfeits or ()))
    return list(winning_serials(parts.proof.seed, tickets=tickets, wins=needed))


def check_winners(parts: ProofParts, serials: Sequence[int], numbers: Mapping[int, int] | None) -> str:
    """Step 9: the winners follow from the seed, and the operator signed them.

    `serials` are those of the wins, in draw order. `numbers` are their ticket numbers, if good leaves were given.
    """
    proven = parts.proof.winners
    if (proven is None) != (parts.wins > WINNERS_IN_A_PROOF) or (proven is not None and len(proven) != parts.wins):
        shown = "no list of winners" if proven is None else f"{len(proven):,} winners"
        raise Refuted(f"The proof has {shown}, but the terms promise {parts.wins:,} wins.")
    prizes = prizes_of_wins(prize.amount for prize in parts.proof.terms.prizes)
    expected = list(zip(serials, prizes, strict=True))
    wins: list[_ReplayedWin] | None = None
    if proven is not None:
        wins = list(_proven_wins(parts, proven, expected))
    elif numbers is not None:
        wins = [_ReplayedWin(serial, numbers[serial], prize) for serial, prize in expected]
    _check_statement(parts, wins)
    if wins is None:
        raise Unproven(
            f"The seed gives {len(serials):,} winning serials. Only the leaves show their ticket numbers, because a "
            "proof lists at most 1,000 wins."
        )
    follow = (
        f"All wins ({len(wins):,}) follow from the seed, each for a different ticket of the closing, and the operator "
        "signed them."
    )
    return parts.dated(follow, parts.draw.statement.drawn)


def wins_of(parts: ProofParts, serials: Sequence[int], numbers: Mapping[int, int] | None) -> list[AuditedWin] | None:
    """Return the wins in draw order, after `check_winners`; None if nothing shows the ticket numbers."""
    if parts.proof.winners is not None:
        found: Iterable[int] = (win.leaf.ticket_number for win in parts.proof.winners)
    elif numbers is not None:
        found = (numbers[serial] for serial in serials)
    else:
        return None
    prizes = parts.proof.terms.prizes
    places = prizes_of_wins(prize.amount for prize in prizes)
    return [AuditedWin(number, prizes[place].name) for number, place in zip(found, places, strict=True)]


def _entropy_value(parts: ProofParts) -> bytes:
    entropy = parts.proof.entropy
    return source_of(entropy.kind).entropy_of(entropy.value)


def _proven_wins(
    parts: ProofParts, proven: Sequence[ProvenWin], expected: Sequence[tuple[int, int]]
) -> Iterator[_ReplayedWin]:
    terms, checkpoint = parts.proof.terms, parts.closed.checkpoint
    numbers: set[int] = set()
    for place, (win, (serial, prize)) in enumerate(zip(proven, expected, strict=True), start=1):
        leaf = win.leaf
        if (leaf.serial, win.prize) != (serial, prize):
            raise Refuted(
                f"By the seed, win {place:,} is prize {prize:,} for serial {serial:,}; "
                f"in the proof it is prize {win.prize:,} for serial {leaf.serial:,}."
            )
        if leaf.ticket_number > terms.total_tickets:
            raise Refuted(
                f"Win {place:,} has the ticket number {leaf.ticket_number:,}, but the highest number is "
                f"{terms.total_tickets:,}."
            )
        if leaf.ticket_number in numbers:
            raise Refuted(f"The ticket number {leaf.ticket_number:,} wins twice.")
        numbers.add(leaf.ticket_number)
        try:
            check_inclusion(leaf.hash(terms.id), leaf.serial, checkpoint.size, win.path, checkpoint.root)
        except ProofWrong as error:
            raise Refuted(f"The leaf of win {place:,} is not in the closing's tree: {error}.") from error
        yield _ReplayedWin(leaf.serial, leaf.ticket_number, win.prize)


def _check_statement(parts: ProofParts, wins: Sequence[_ReplayedWin] | None) -> None:
    check_operator(parts.draw.note, parts.key, "draw")
    statement, checkpoint = parts.draw.statement, parts.closed.checkpoint
    if statement.drawn < parts.closed.end.closed:
        raise Refuted(f"The draw is dated {time_text(statement.drawn)}, before the closing.")
    lines = {
        "origin": statement.origin == checkpoint.origin,
        "closing": statement.closing_hash == checkpoint.closing_hash(),
        "entropy": statement.entropy == _entropy_value(parts),
        "seed": statement.seed == parts.proof.seed,
        "number of winners": statement.wins == parts.wins,
    }
    for name, holds in lines.items():
        if not holds:
            raise Refuted(f"The operator signed a draw with a different {name}.")
    if wins is not None and statement.winners_digest != winners_digest(wins):
        raise Refuted("The operator signed a draw with other winners: their digest is different.")
