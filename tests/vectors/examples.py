"""Small raffles made of constants, with proofs and receipts as a server makes them, for test vectors.

Everything here is public and the same on every machine, the private keys too: they sign nothing but examples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from rafflekit.core.prizes import Prize, count_wins, prizes_of_wins
from rafflekit.core.protocol.checkpoints import Checkpoint, End, origin_of
from rafflekit.core.protocol.codes import CODE_BYTES, CodeHasher, spell
from rafflekit.core.protocol.documents import (
    WINNERS_IN_A_PROOF,
    Proof,
    ProvenForfeit,
    ProvenWin,
    Receipt,
)
from rafflekit.core.protocol.entropy import Evidence, source_of
from rafflekit.core.protocol.entropy.announced import Announced
from rafflekit.core.protocol.entropy.drand import DrandQuicknet, round_of
from rafflekit.core.protocol.forfeits import ForfeitStatement, NextTicket, Why
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import OPERATOR, WITNESS, SignerKey
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.protocol.tiles import whole_hash
from rafflekit.core.protocol.tree import inclusion_proof, root
from rafflekit.core.protocol.winners import DrawStatement, seed_of, winners_digest, winning_serials

BEACON_ROUND = 1000
BEACON = bytes.fromhex(
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
)
"""The beacon of quicknet's round 1000, as drand published it on 2023-08-23 at 15:59:24 UTC."""

CLOSED = 1692806304
"""A minute before that."""

DRAWN = CLOSED + 120
"""Two minutes after it, when the beacon is public."""

VALUE = "3 17 22 31 40 48"
"""What the source of a raffle with announced entropy gave."""

CREATED = datetime(2023, 8, 23, 15, 0, tzinfo=UTC)
PRIZES = (Prize("invisibility", 1), Prize("warm hug", 3))
TICKETS = 20
MANY_PRIZES = (Prize("tea", 1_000), Prize("biscuit", 3))
MANY_TICKETS = 1_010


class Loss(NamedTuple):
    """A win that was lost: its ordinal, why, the reason for everyone to read, and when."""

    win: int
    why: Why
    reason: str
    time: int


@dataclass(frozen=True, slots=True)
class Example:
    """A raffle with all of its tickets: what was announced, the leaves, and the codes that the participants got."""

    terms: Terms
    leaves: Sequence[Leaf]
    codes: Sequence[str]
    signer: SignerKey

    def subtree(self, height: int, position: int) -> bytes:
        """Return the hash of a whole subtree (`tree.Subtree`)."""
        first = position << height
        return whole_hash([leaf.hash(self.terms.id) for leaf in self.leaves[first : first + (1 << height)]])

    def checkpoint(self, size: int) -> Checkpoint:
        """Return the checkpoint of the ledger with this many tickets."""
        end = self.end() if size == len(self.leaves) else None
        return Checkpoint(origin_of(self.terms.id), size, root(self.subtree, size), self.terms.hash(), end)

    def end(self) -> End:
        """Return when the raffle was closed, and which round decides."""
        delay_s = self.terms.delay_s
        return End(CLOSED, None if delay_s is None else round_of(CLOSED, delay_s))

    def sign(self, text: str) -> str:
        """Return a text as a note that the operator signed."""
        return f"{text}\n{self.signer.line(text)}"

    def receipt(self, serial: int, size: int) -> Receipt:
        """Return the receipt of a ticket with the checkpoint of this size."""
        path = inclusion_proof(self.subtree, serial, size)
        return Receipt(self.leaves[serial], path, self.sign(self.checkpoint(size).text()))

    def slots(self, seed: bytes) -> list[int]:
        """Return all serials in the order in which a seed shuffles them."""
        return list(winning_serials(seed, tickets=len(self.leaves), wins=len(self.leaves)))

    def forfeits(self, draw: DrawStatement, losses: Sequence[Loss]) -> list[ProvenForfeit]:
        """Return the forfeits of a draw, in the order of their losses."""
        following = self.slots(draw.seed)[draw.wins :]
        return [
            self.forfeit(draw, number, loss, following[number - 1] if number <= len(following) else None)
            for number, loss in enumerate(losses, start=1)
        ]

    def forfeit(self, draw: DrawStatement, number: int, loss: Loss, serial: int | None) -> ProvenForfeit:
        """Return a forfeit that passes a prize on to the ticket with this serial, whether it is next or not."""
        leaf = None if serial is None else self.leaves[serial]
        following = None if leaf is None else NextTicket(leaf.serial, leaf.ticket_number)
        statement = ForfeitStatement(
            draw.origin, draw.hash(), number, loss.time, loss.win, loss.why, loss.reason, following
        )
        path = [] if serial is None else inclusion_proof(self.subtree, serial, len(self.leaves))
        return ProvenForfeit(self.sign(statement.text()), leaf, path)

    def win(self, serial: int, prize: int) -> ProvenWin:
        """Return a win of a ticket, whether the seed gives it or not."""
        return ProvenWin(prize, self.leaves[serial], inclusion_proof(self.subtree, serial, len(self.leaves)))

    def wins(self, seed: bytes) -> list[tuple[int, int]]:
        """Return serial and prize of all wins that a seed gives."""
        serials = winning_serials(seed, tickets=len(self.leaves), wins=count_wins(self.terms.prizes))
        return list(zip(serials, prizes_of_wins(prize.amount for prize in self.terms.prizes), strict=True))

    def statement(self, closing_hash: bytes, entropy: bytes, seed: bytes) -> DrawStatement:
        """Return the operator's statement of a draw with this seed."""
        wins = [(serial, self.leaves[serial].ticket_number, prize) for serial, prize in self.wins(seed)]
        digest_of_wins = winners_digest(wins)
        return DrawStatement(origin_of(self.terms.id), closing_hash, DRAWN, entropy, seed, len(wins), digest_of_wins)

    def proof(self, *, cosigned: Sequence[tuple[SignerKey, int]] = (), losses: Sequence[Loss] = ()) -> Proof:
        """Return the proof of an honest draw; `cosigned` are witnesses with their times, `losses` make the forfeits."""
        text = self.checkpoint(len(self.leaves)).text()
        closing_hash = self.checkpoint(len(self.leaves)).closing_hash()
        entropy = evidence(self.terms.entropy)
        entropy_value = source_of(entropy.kind).entropy_of(entropy.value)
        seed = seed_of(closing_hash, entropy_value)
        wins = self.wins(seed)
        statement = self.statement(closing_hash, entropy_value, seed)
        return Proof(
            terms=self.terms,
            key=str(self.signer.verifier),
            closing=self.sign(text) + "".join(key.line(text, time=time) for key, time in cosigned),
            witnesses=[str(key.verifier) for key, _ in cosigned],
            entropy=entropy,
            seed=seed,
            draw=self.sign(statement.text()),
            winners=[self.win(*win) for win in wins] if len(wins) <= WINNERS_IN_A_PROOF else None,
            forfeits=self.forfeits(statement, losses),
        )


def example(
    name: str,
    *,
    entropy: str = DrandQuicknet.name,
    tickets: int = TICKETS,
    issued: int | None = None,
    prizes: Sequence[Prize] = PRIZES,
    **options: Any,
) -> Example:
    """Return the example with this name; other names give other raffles.

    With `issued`, it was closed after that many tickets. `options` are further terms.
    """
    issued = tickets if issued is None else issued
    terms = Terms(
        id=UUID(bytes=digest(f"id of {name}")[:16], version=4),
        name=f"Example {name}: ü ☂ 😀",
        created_at=CREATED,
        total_tickets=tickets,
        prizes=tuple(prizes),
        entropy=entropy,
        delay_s=60 if entropy == DrandQuicknet.name else None,
        **options,
    )
    hasher = CodeHasher()
    codes = [spell(digest(f"code {serial} of {name}")[:CODE_BYTES]) for serial in range(issued)]
    numbers = winning_serials(digest(f"numbers of {name}"), tickets=tickets, wins=issued)
    leaves = [
        Leaf(serial, number + 1, hasher.hash(code, digest(f"salt {serial} of {name}")[:16]))
        for serial, (number, code) in enumerate(zip(numbers, codes, strict=True))
    ]
    return Example(terms, leaves, codes, signer("operator"))


def evidence(kind: str) -> Evidence:
    """Return what decides the examples with this kind of entropy."""
    if kind == DrandQuicknet.name:
        return Evidence(kind, BEACON, BEACON_ROUND)
    return Evidence(kind, VALUE.encode() if kind == Announced.name else digest("entropy"))


def signer(name: str, *, kind: int = OPERATOR, key_name: str | None = None) -> SignerKey:
    """Return the key pair of an example's operator or witness; `key_name` gives it another name."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(digest(f"private key of {name}"))
    return SignerKey(key_name or f"example.test/{name}", kind, private)


def witness(name: str = "witness") -> SignerKey:
    """Return the key pair of an example's witness."""
    return signer(name, kind=WITNESS)


def digest(what: str) -> bytes:
    """Return 32 bytes that depend only on this text."""
    return sha256(f"rafflekit example: {what}".encode()).digest()
