"""Whether a code is a ticket's, at any time: `claims` says what the ticket won, which only a drawn raffle knows."""

from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import InvalidVerificationCode
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.statements.tickets import load_code_hash


def check_ticket_code(database: Database, hasher: CodeHasher, raffle: UUID, number: int, code: str) -> None:
    """Check that a code is a ticket's.

    Raises:
        InvalidVerificationCode, InvalidValue: see `RaffleEngine.check_code`.
    """
    limits.check_ticket_number(number)
    limits.check_verification_code(code)
    possible = limits.possible_number(number, limits.TICKETS)
    stored = database.query(lambda connection: load_code_hash(connection, raffle, possible))
    if not hasher.check(stored, code):
        raise InvalidVerificationCode
