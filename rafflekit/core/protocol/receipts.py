"""The check of a receipt by itself, for a client that has just received one (section 5)."""

from uuid import UUID

from rafflekit.core.protocol.checkpoints import Checkpoint, origin_of
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.protocol.notes import Note, NoteWrong, VerifierKey
from rafflekit.core.protocol.tree import ProofWrong, check_inclusion


class ReceiptWrong(Exception):
    """A receipt proves nothing; the message says why."""


def check_receipt(receipt: Receipt, raffle: UUID, key: VerifierKey) -> Checkpoint:
    """Check that a receipt's leaf is in a tree of this raffle that this key has signed; return its checkpoint.

    Raises:
        ReceiptWrong: it is not.
    """
    try:
        note = Note.read(receipt.checkpoint)
        if len(note.check(key)) != 1:
            raise ReceiptWrong(f"its checkpoint does not have exactly one signature by {key}")
        checkpoint = Checkpoint.read(note.text)
        if checkpoint.origin != origin_of(raffle):
            raise ReceiptWrong(f"its checkpoint belongs to {checkpoint.origin}")
        leaf = receipt.leaf
        check_inclusion(leaf.hash(raffle), leaf.serial, checkpoint.size, receipt.path, checkpoint.root)
    except (NoteWrong, ProofWrong) as error:
        raise ReceiptWrong(f"{error}") from error
    return checkpoint
