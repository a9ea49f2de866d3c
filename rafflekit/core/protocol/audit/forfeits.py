"""Step 13: prizes that their winners did not get passed to the next tickets of the draw's own shuffle."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rafflekit.core.protocol.audit.form import ProofParts, SignedForfeit
from rafflekit.core.protocol.audit.report import AuditedWin, Doubt, Refuted, Unproven
from rafflekit.core.protocol.audit.signatures import check_operator
from rafflekit.core.protocol.dates import time_text
from rafflekit.core.protocol.documents import FORFEITS_IN_A_PROOF
from rafflekit.core.protocol.forfeits import DAY_S, ForfeitStatement, NextTicket, Why
from rafflekit.core.protocol.tree import ProofWrong, check_inclusion


def check_forfeits(parts: ProofParts, slots: Sequence[int]) -> str:
    """Step 13; `slots` are the serials of the wins, and after them those of the tickets that are next."""
    if parts.forfeits is None:
        raise Unproven(
            f"The proof does not list its forfeits, because a proof lists at most {FORFEITS_IN_A_PROOF:,}. Nothing "
            "shows to whom these prizes passed."
        )
    following = _Following(parts, slots)
    for forfeit in parts.forfeits:
        following.take(forfeit)
    if parts.forfeits:
        shown, doubts = _summary(parts, parts.forfeits)
        # The last one has the latest date.
        raise Unproven(parts.dated(shown, parts.forfeits[-1].statement.time, *doubts), *doubts)
    return "The proof lists no prize that passed on."


def wins_after(parts: ProofParts, wins: Sequence[AuditedWin]) -> Sequence[AuditedWin]:
    """Return the wins of the draw, and after them those that forfeits made; `check_forfeits` did not fail."""
    if not parts.forfeits:
        return wins
    # By ordinal - 1; None where a prize lapsed.
    found: list[AuditedWin | None] = list(wins)
    for forfeit in parts.forfeits:
        place = forfeit.statement.win - 1
        lost = found[place]
        assert lost is not None
        found[place] = replace(lost, lost=forfeit.statement)
        next_number = None if forfeit.leaf is None else forfeit.leaf.ticket_number
        found.append(None if next_number is None else AuditedWin(next_number, lost.prize, lost.ticket_number))
    return [win for win in found if win is not None]


class _Following:
    """The wins that were lost, when each prize passed on, and the numbers that have had a prize."""

    def __init__(self, parts: ProofParts, slots: Sequence[int]) -> None:
        self._parts = parts
        self._next = slots[parts.wins :]
        self._draw_hash = parts.draw.statement.hash()
        self._lost: set[int] = set()
        self._times: list[int] = []
        self._numbers = {win.leaf.ticket_number for win in parts.proof.winners or ()}

    def take(self, forfeit: SignedForfeit) -> None:
        """Check the next forfeit.

        Raises:
            Refuted: it is wrong.
        """
        place = f"statement of forfeit {len(self._times) + 1:,}"
        check_operator(forfeit.note, self._parts.key, place)
        for problem in self._problems(forfeit, forfeit.statement):
            raise Refuted(f"The {place} is wrong: {problem}.")
        self._lost.add(forfeit.statement.win)
        self._times.append(forfeit.statement.time)

    def _problems(self, forfeit: SignedForfeit, statement: ForfeitStatement) -> Iterator[str]:
        number = len(self._times) + 1
        if statement.origin != self._parts.closed.checkpoint.origin or statement.draw_hash != self._draw_hash:
            yield "it belongs to another draw"
        if statement.number != number:
            yield f"its number is {statement.number:,}"
        earliest = self._times[-1] if self._times else self._parts.draw.statement.drawn
        if statement.time < earliest:
            yield f"it is dated {time_text(statement.time)}, before what happened earlier ({time_text(earliest)})"
        yield from self._problems_of_win(statement, number)
        if number > len(self._next):
            if statement.next is not None or forfeit.leaf is not None or forfeit.path:
                yield "it names a next ticket, but every ticket has had a prize already"
        else:
            yield from self._problems_of_next(forfeit, self._next[number - 1])

    def _problems_of_win(self, statement: ForfeitStatement, number: int) -> Iterator[str]:
        wins, win = self._parts.wins, statement.win
        if not 1 <= win < wins + number:
            yield f"there is no win {win:,} at that time"
            return
        if win > self._parts.closed.checkpoint.size:
            yield f"the prize of win {win:,} had lapsed"
        if win in self._lost:
            yield f"win {win:,} was lost before"
        days = self._parts.proof.terms.claim_days
        since = self._parts.draw.statement.drawn if win <= wins else self._times[win - wins - 1]
        deadline = since + (days or 0) * DAY_S
        if statement.why == Why.UNCLAIMED and statement.time < deadline:
            yield f"its winner had time until {time_text(deadline)}, but it is dated {time_text(statement.time)}"

    def _problems_of_next(self, forfeit: SignedForfeit, serial: int) -> Iterator[str]:
        leaf, closing = forfeit.leaf, self._parts.closed.checkpoint
        if leaf is None or leaf.serial != serial:
            yield f"by the seed, the next ticket has the serial {serial:,}"
            return
        if forfeit.statement.next != NextTicket(leaf.serial, leaf.ticket_number):
            yield "the note and the leaf name different tickets"
        if leaf.ticket_number > self._parts.proof.terms.total_tickets:
            yield f"there is no ticket number {leaf.ticket_number:,}"
        if leaf.ticket_number in self._numbers:
            yield f"the ticket number {leaf.ticket_number:,} has had a prize already"
        self._numbers.add(leaf.ticket_number)
        try:
            check_inclusion(
                leaf.hash(self._parts.proof.terms.id), leaf.serial, closing.size, forfeit.path, closing.root
            )
        except ProofWrong as error:
            yield f"the leaf of the next ticket is not in the closing's tree: {error}"


def _summary(parts: ProofParts, forfeits: Sequence[SignedForfeit]) -> tuple[str, list[Doubt]]:
    passed = sum(forfeit.leaf is not None for forfeit in forfeits)
    shown = f"Prizes that passed on ({passed:,}) went to the next tickets of the same shuffle."
    if passed < len(forfeits):
        shown += f" Prizes that lapsed because no ticket was left: {len(forfeits) - passed:,}."
    # The proof shows neither whether a reason is true nor whether the last forfeits were left out.
    shown += " Only the operator says why each was lost, and that no forfeit is missing."
    doubts = [Doubt.REASONS]
    if parts.proof.terms.claim_days is None and any(each.statement.why == Why.UNCLAIMED for each in forfeits):
        shown += " At least one was lost as unclaimed, although no deadline was announced."
        doubts.append(Doubt.NO_DEADLINE)
    return shown, doubts
