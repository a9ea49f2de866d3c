"""What a client checks in a receipt before it trusts it."""

from dataclasses import replace
from uuid import UUID

import pytest

from rafflekit.core.ledger.proofs import check_ticket
from rafflekit.core.models import Ticket
from rafflekit.core.protocol.checkpoints import Checkpoint, origin_of
from rafflekit.core.protocol.codes import CodeHasher, spell
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.receipts import ReceiptWrong, check_receipt

KEY = SignerKey.make("raffles.example.org")
RAFFLE, OTHER = UUID(int=1), UUID(int=2)
CODE = "0000-0000-0000-0000-0000-0000"
LEAF = Leaf(0, 7, CodeHasher().hash_all([spell(bytes(15))])[0])


def receipt(*, raffle: UUID = RAFFLE, origin: UUID = RAFFLE, signer: SignerKey = KEY) -> Receipt:
    """A receipt of the only leaf of a tree."""
    text = Checkpoint(origin_of(origin), 1, LEAF.hash(raffle), b"\0" * 32).text()
    return Receipt(LEAF, [], f"{text}\n{signer.line(text)}")


def test_a_good_receipt_gives_its_checkpoint() -> None:
    assert check_receipt(receipt(), RAFFLE, KEY.verifier).size == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (receipt(origin=OTHER), "its checkpoint belongs to rafflekit/00000000-0000-0000-0000-000000000002"),
        (receipt(raffle=OTHER), "the path does not lead to the root"),
        (receipt(signer=SignerKey.make("raffles.example.org")), "exactly one signature by raffles.example.org"),
        (
            replace(receipt(), checkpoint=receipt().checkpoint + receipt().checkpoint.split("\n\n")[1]),
            "exactly one signature",
        ),
    ],
    ids=["another raffle's origin", "another raffle's leaf", "another key", "signed twice"],
)
def test_a_receipt_of_something_else_proves_nothing(wrong: Receipt, words: str) -> None:
    with pytest.raises(ReceiptWrong, match=words):
        check_receipt(wrong, RAFFLE, KEY.verifier)


def test_a_tickets_receipt_has_its_number_and_its_code() -> None:
    ticket = Ticket(RAFFLE, 7, CODE, receipt())

    check_ticket(ticket, KEY.verifier)
    for wrong, words in (
        (replace(ticket, number=8), "it belongs to ticket 7"),
        (replace(ticket, verification_code="1" + CODE[1:]), "it belongs to another code"),
        (replace(ticket, receipt=None), "it is missing"),
    ):
        with pytest.raises(ReceiptWrong, match=words):
            check_ticket(wrong, KEY.verifier)
