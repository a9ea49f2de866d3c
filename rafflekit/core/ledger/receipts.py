"""Whether a receipt is good: whoever gets one checks it before anything is believed (section 5; pure)."""

from uuid import UUID

from rafflekit.core.codes import CodeHasher
from rafflekit.core.ledger.checkpoints import Checkpoint, origin_of
from rafflekit.core.ledger.documents import Receipt
from rafflekit.core.ledger.notes import Note, NoteWrong, VerifierKey
from rafflekit.core.ledger.tree import ProofWrong, check_inclusion
from rafflekit.core.models import Ticket


class ReceiptWrong(Exception):
    """Say why a receipt proves nothing."""


def check_receipt(receipt: Receipt, raffle: UUID, key: VerifierKey) -> Checkpoint:
    """Check that a receipt's leaf is in a tree of this raffle that this key has signed; return its checkpoint.

    Raises:
        ReceiptWrong: it is not.
    """
    try:
        note = Note.read(receipt.checkpoint)
        if len(note.check(key)) != 1:
            raise ReceiptWrong(f"its checkpoint is not signed by {key}, once")
        checkpoint = Checkpoint.read(note.text)
        if checkpoint.origin != origin_of(raffle):
            raise ReceiptWrong(f"its checkpoint is that of {checkpoint.origin}")
        leaf = receipt.leaf
        check_inclusion(leaf.hash(raffle), leaf.serial, checkpoint.size, receipt.path, checkpoint.root)
    except (NoteWrong, ProofWrong) as error:
        raise ReceiptWrong(f"{error}") from error
    return checkpoint


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
