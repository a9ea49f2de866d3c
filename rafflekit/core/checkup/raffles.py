"""What is wrong with one raffle: its prizes, tickets, secrets, numbers and wins; `ledgers` checks its ledger."""

from array import array
from collections.abc import Iterator
from itertools import islice, zip_longest

from rafflekit.core.checkup.ledgers import has_date, ledger_problems
from rafflekit.core.errors import StorageUnavailable
from rafflekit.core.prizes import prizes_of_wins
from rafflekit.core.protocol.forfeits import Why
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.winners import SEED_BYTES, winners_digest, winning_serials
from rafflekit.core.storage.database import Connection
from rafflekit.core.storage.statements import checkup as statements
from rafflekit.core.storage.statements import draws
from rafflekit.core.storage.statements.checkup import RaffleRecord, TicketCounts
from rafflekit.core.tickets import numbering, participants, sealing


def raffle_problems(connection: Connection, raffle: RaffleRecord, signer: SignerKey | None) -> Iterator[str]:
    """Yield what is wrong with a raffle, each as the end of a sentence; `signer` is its key, if that is here."""
    if not raffle.amounts:
        yield "it has no prizes, so it is shown nowhere"
    if raffle.places != list(range(len(raffle.places))):
        yield "its prizes are not numbered from 0 without gaps, so it cannot be drawn"
    if not has_date(raffle):
        yield "its creation date is not from 1970 to 9999, so it can be neither shown nor proven"
    try:
        yield from _row_problems(connection, raffle, signer)
    # A `StorageUnavailable` here is about the type of a value: failures of the database itself are not raised as such.
    except (TypeError, ValueError, ArithmeticError, AttributeError, StorageUnavailable):
        yield "it has a value of a wrong type"


def _row_problems(connection: Connection, raffle: RaffleRecord, signer: SignerKey | None) -> Iterator[str]:
    counted = statements.count_stored_tickets(connection, raffle.id, hash_bytes=participants.HASH_BYTES)
    yield from _ticket_problems(raffle, counted)
    yield from ledger_problems(connection, raffle)
    if raffle.is_drawn:
        yield from _draw_problems(connection, raffle)
    elif statements.count_stored_wins(connection, raffle.id):
        yield "it is not drawn, but has wins"
    elif raffle.is_cancelled:
        if raffle.sealed is not None:
            yield "it is cancelled, but its secrets are still stored"
    else:
        if counted.damaged_participants:
            without_hash = f"{counted.damaged_participants} tickets have no hash of their participant"
            yield f"{without_hash}, who could get another ticket"
        if raffle.sealed is None:
            yield "it is not drawn, but its secrets are missing"
        elif signer is not None:
            yield from _secret_problems(connection, raffle, raffle.sealed, signer)


def _ticket_problems(raffle: RaffleRecord, counted: TicketCounts) -> Iterator[str]:
    if raffle.issued != counted.rows:
        yield f"its counter says {raffle.issued} tickets, but {counted.rows} are stored"
    if counted.last_serial + 1 != counted.rows:
        yield f"its last ticket was issued as no. {counted.last_serial + 1}, but {counted.rows} are stored"
    if counted.rows > raffle.total_tickets or counted.last_number > raffle.total_tickets:
        yield f"it has {raffle.total_tickets} tickets, and {counted.rows} are stored, up to no. {counted.last_number}"
    if counted.numbers != counted.rows:
        yield f"{counted.rows - counted.numbers} tickets have the number of another ticket"
    if counted.damaged_codes:
        yield f"{counted.damaged_codes} tickets have no Argon2id hash of a code, so they can never be verified"
    if counted.participants * raffle.tickets_each < counted.rows or counted.most_each > raffle.tickets_each:
        yield f"participants have more tickets than the {raffle.tickets_each} that one can have"
    if sum(raffle.amounts) > raffle.total_tickets:
        yield f"it has {sum(raffle.amounts)} prizes for {raffle.total_tickets} tickets"


def _secret_problems(connection: Connection, raffle: RaffleRecord, sealed: bytes, signer: SignerKey) -> Iterator[str]:
    try:
        key = sealing.unseal(sealed, signer, raffle.id).numbering_key
    except sealing.SealBroken:
        yield "its secrets are damaged, so it can hand out no more tickets"
        return
    permutation = numbering.Numbering(key, raffle.total_tickets)
    wrong = [
        number
        for serial, number in statements.numbers(connection, raffle.id)
        if serial >= raffle.total_tickets or permutation.number(serial) != number
    ]
    if wrong:
        yield f"{len(wrong)} tickets do not have the number that they were given; the first is no. {wrong[0]}"


def _draw_problems(connection: Connection, raffle: RaffleRecord) -> Iterator[str]:
    if raffle.sealed is not None:
        yield "it is drawn, but its secrets are still stored"
    if raffle.closed_at is None:
        yield "it is drawn, but not closed"
    draw = draws.load_draw(connection, raffle.id)
    if draw is None:
        yield "it is drawn, but its draw record is missing; restore a backup"
    wins, issued = sum(raffle.amounts), raffle.issued or 0
    if not isinstance(raffle.seed, bytes) or len(raffle.seed) != SEED_BYTES or wins > issued:
        yield "its draw cannot be replayed, because its seed or its prizes are damaged"
        return
    serials = array("q", winning_serials(raffle.seed, tickets=issued, wins=wins))
    places = zip(serials, prizes_of_wins(raffle.amounts), strict=True)
    due = ((ordinal, *win) for ordinal, win in enumerate(places, start=1))
    different = sum(a != b for a, b in zip_longest(due, statements.wins_in_order(connection, raffle.id)))
    if different:
        yield f"{different} of its {wins} wins do not come from its seed"
        return
    yield from _claim_problems(connection, raffle, raffle.seed, wins=wins, issued=issued)
    numbers = draws.winning_numbers(connection, raffle.id, wins)
    if draw is None or len(numbers) != wins:
        return
    digest = winners_digest(zip(serials, numbers, prizes_of_wins(raffle.amounts), strict=True))
    if (draw.wins, draw.winners_digest) != (wins, digest):
        yield "its draw record does not match its seed and its tickets, so its proof is rejected"


def _claim_problems(
    connection: Connection, raffle: RaffleRecord, seed: bytes, *, wins: int, issued: int
) -> Iterator[str]:
    """Yield what is wrong with the prizes that were redeemed or passed on."""
    queue = islice(winning_serials(seed, tickets=issued, wins=issued), wins, None)
    standing = dict(enumerate(prizes_of_wins(raffle.amounts), start=1))
    wrong, earlier = 0, raffle.drawn_at or 0
    for place, forfeit in enumerate(statements.forfeits_as_stored(connection, raffle.id), start=1):
        is_next = (forfeit.number, forfeit.serial) == (place, next(queue, None))
        is_lost = standing.pop(forfeit.ordinal, None) == forfeit.prize
        wrong += not is_next or not is_lost or forfeit.forfeited_at < earlier or forfeit.why not in list(Why)
        earlier = forfeit.forfeited_at
        if forfeit.serial is not None:
            standing[wins + place] = forfeit.prize
    if wrong:
        yield f"{wrong} of its forfeits do not follow from its draw, so its proof is rejected"
    if impossible := statements.count_impossible_redemptions(connection, raffle.id, wins=wins):
        yield f"{impossible} of its redemptions are of prizes that no ticket has"
