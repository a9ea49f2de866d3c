"""Proofs for the public: what a raffle's ledger shows to anyone who asks."""

from rafflekit.core.models import Ticket
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.protocol.notes import VerifierKey
from rafflekit.core.protocol.receipts import ReceiptWrong, check_receipt


def check_ticket(ticket: Ticket, key: VerifierKey) -> Receipt:
    """Check that a new ticket has a good receipt, and that it is of this number and of this code; return it.

    Raises:
        ReceiptWrong: it is not.
    """
    if ticket.receipt is None:
        raise ReceiptWrong("there is none")
    check_receipt(ticket.receipt, ticket.raffle_id, key)
    leaf = ticket.receipt.leaf
    if leaf.ticket_number != ticket.number:
        raise ReceiptWrong(f"it is of the ticket {leaf.ticket_number:,}")
    if not CodeHasher().check(leaf.code_hash, ticket.verification_code):
        raise ReceiptWrong("it is of another code")
    return ticket.receipt
