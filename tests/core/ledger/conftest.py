"""Tests of the ledgers sign with `KEY`."""

from collections.abc import Sequence

import pytest

from rafflekit import Ticket
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.documents import Receipt
from rafflekit.core.protocol.notes import Note, SignerKey
from tests.core.conftest import KEY


@pytest.fixture
def signing_key() -> SignerKey:
    """What the engine signs with: `KEY`."""
    return KEY


def signed(note: str) -> Checkpoint:
    """Return a checkpoint that the operator has signed."""
    read = Note.read(note)
    assert read.check(KEY.verifier) == [0]
    return Checkpoint.read(read.text)


def receipts_of(tickets: Sequence[Ticket]) -> list[Receipt]:
    """Return the receipts of tickets that have one."""
    return [ticket.receipt for ticket in tickets if ticket.receipt is not None]
