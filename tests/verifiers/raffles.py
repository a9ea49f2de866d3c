"""Raffles of any kind with all their documents, written line by line as the protocol has them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from rafflekit.core.protocol.codes import CODE_BYTES, CodeHasher, spell
from rafflekit.core.protocol.dates import write_time
from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.entropy.drand import round_of
from rafflekit.core.protocol.hashing import tagged_hash
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import SignerKey, base64_of
from rafflekit.core.protocol.tiles import whole_hash
from rafflekit.core.protocol.tree import inclusion_proof, root
from rafflekit.core.protocol.winners import seed_of, winners_digest, winning_serials
from tests.vectors.examples import BEACON, BEACON_ROUND, CLOSED, digest, signer

DAY_S = 86_400
CREATED = CLOSED - 3 * DAY_S
MANY = 1_001
"""One prize more than a proof lists."""

Change = Callable[[str, Any], Any]
"""Returns what the operator uses in the place of a value; the first argument names the value."""


@dataclass
class Raffle:
    """What happens in a raffle, before anything is written down."""

    terms: dict[str, Any]
    leaves: list[Leaf]
    codes: list[str]
    closed: int
    drawn: int
    cosigned: list[tuple[SignerKey, int]]
    forfeits: list[dict[str, Any]] = field(default_factory=list)

    @property
    def wins(self) -> int:
        return sum(prize["amount"] for prize in self.terms["prizes"])


def fair(**terms: Any) -> Raffle:
    """Return a raffle that closed with 14 of 20 tickets, and where two winners did not collect their prizes."""
    codes = [spell(digest(f"code {serial} of a fair")[:CODE_BYTES]) for serial in range(14)]
    leaves = [
        Leaf(serial, 20 - serial, CodeHasher().hash(code, digest(f"salt {serial} of a fair")[:16]))
        for serial, code in enumerate(codes)
    ]
    announced = {
        "protocol": 1,
        "id": "5f0e8a2c-0000-4000-8000-0000000000fa",
        "name": "Village fair",
        "created_at": text_of(CREATED),
        "total_tickets": 20,
        "prizes": [{"name": "dinner", "amount": 1}, {"name": "radio", "amount": 2}],
        "entropy": "announced",
        "source": "dice, rolled on stage",
        "draw_at": text_of(CLOSED + 3_600),
        "claim_days": 2,
        "note": "“✓ free” entry",
    }
    drawn = CLOSED + 3_600
    late = drawn + 2 * DAY_S
    forfeits = [
        {"time": drawn + 60, "win": 2, "why": "renounced", "reason": "has a radio"},
        {"time": late, "win": 1, "why": "unclaimed", "reason": "never came"},
    ]
    return Raffle(announced | terms, leaves, codes, CLOSED, drawn, [], forfeits)


class Written:
    """The documents of a raffle, with what an operator changes before they sign it."""

    def __init__(self, raffle: Raffle, change: Change = lambda _name, value: value) -> None:
        self.raffle, self.change = raffle, change
        self.terms = change("terms", raffle.terms)
        self.leaves: list[Leaf] = change("leaves", raffle.leaves)
        self.origin = f"rafflekit/{raffle.terms['id']}"
        canonical = json.dumps(self.terms, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        # What is not Unicode is refused anyway.
        self.terms_hash = tagged_hash("terms", canonical.encode(errors="replace"))
        delay_s = self.terms.get("delay_s")
        round_line = f"round {round_of(raffle.closed, delay_s)}\n" if type(delay_s) is int else ""
        self.end = f"closed {raffle.closed}\n{round_line}"
        self.closing = change("closing", self.checkpoint(len(self.leaves)) + self.end)
        self.closing_hash = tagged_hash("closing", self.closing.encode())
        evidence, value = _entropy(self.terms.get("entropy"))
        self.entropy = change("entropy", evidence)
        self.seed: bytes = change("seed", seed_of(self.closing_hash, value))
        needed = min(raffle.wins + len(raffle.forfeits), len(self.leaves))
        self.serials = list(winning_serials(self.seed, tickets=len(self.leaves), wins=needed))
        prizes = [place for place, prize in enumerate(raffle.terms["prizes"]) for _ in range(prize["amount"])]
        self.wins = change("winners", list(zip(self.serials, prizes, strict=False)))
        signed = winners_digest((serial, self.leaves[serial].ticket_number, prize) for serial, prize in self.wins)
        self.draw = change(
            "draw",
            f"rafflekit draw v1\n{self.origin}\nclosing {base64_of(self.closing_hash)}\ndrawn {raffle.drawn}\n"
            f"entropy {value.hex()}\nseed {self.seed.hex()}\nwinners {raffle.wins} {base64_of(signed)}\n",
        )

    def subtree(self, height: int, position: int) -> bytes:
        first = position << height
        raffle_id = UUID(self.raffle.terms["id"])
        return whole_hash([leaf.hash(raffle_id) for leaf in self.leaves[first : first + (1 << height)]])

    def checkpoint(self, size: int) -> str:
        """Return the text of a checkpoint without an end."""
        return f"{self.origin}\n{size}\n{base64_of(root(self.subtree, size))}\nterms {base64_of(self.terms_hash)}\n"

    def signed(self, text: str) -> str:
        """Return a text as a note that the operator signed."""
        return f"{text}\n{signer('operator').line(text)}"

    def leaf(self, serial: int, size: int) -> dict[str, Any]:
        """Return a leaf and its path as documents have them."""
        path = [base64_of(each) for each in inclusion_proof(self.subtree, serial, size)]
        return {"leaf": json.loads(leaf_line(self.leaves[serial])), "path": path}

    def proof(self) -> dict[str, Any]:
        size, cosigned = len(self.leaves), self.raffle.cosigned
        many = self.raffle.wins >= MANY
        return {
            "protocol": 1,
            "terms": self.terms,
            "key": str(signer("operator").verifier),
            "closing": self.change(
                "signature of the closing",
                self.signed(self.closing) + "".join(key.line(self.closing, time=time) for key, time in cosigned),
            ),
            "witnesses": [str(key.verifier) for key, _ in cosigned],
            "entropy": self.entropy,
            "seed": self.seed.hex(),
            "draw": self.change("signature of the draw", self.signed(self.draw)),
            "winners": None if many else [{"prize": prize, **self.leaf(serial, size)} for serial, prize in self.wins],
            "forfeits": [self.forfeit(number) for number in range(1, 1 + len(self.raffle.forfeits))],
        }

    def forfeit(self, number: int) -> dict[str, Any]:
        about = self.raffle.forfeits[number - 1]
        place = self.raffle.wins + number - 1
        following, found = "none", dict[str, Any](leaf=None, path=[])
        if place < len(self.leaves):
            serial = self.serials[place]
            following = f"{serial} {self.leaves[serial].ticket_number}"
            found = self.leaf(serial, len(self.leaves))
        text = (
            f"rafflekit forfeit v1\n{self.origin}\ndraw {base64_of(tagged_hash('draw', self.draw.encode()))}\n"
            f"forfeit {number}\ntime {about['time']}\nwin {about['win']}\nwhy {about['why']}\n"
            f"reason {about['reason']}\nnext {following}\n"
        )
        note = self.signed(self.change(f"forfeit {number}", text))
        return {"note": self.change("signature of a forfeit", note), **found}

    def receipt(self, serial: int, size: int, end: str = "") -> dict[str, Any]:
        text = self.change("receipt", self.checkpoint(size) + end)
        return {"protocol": 1, **self.leaf(serial, size), "checkpoint": self.signed(text)}


def _entropy(kind: object) -> tuple[dict[str, Any], bytes]:
    if kind == "drand-quicknet":
        evidence = {"kind": kind, "round": BEACON_ROUND, "signature": BEACON.hex()}
        return evidence, sha256(BEACON).digest()
    if kind == "announced":
        return {"kind": kind, "value": "3 17 22 ü"}, sha256("3 17 22 ü".encode()).digest()
    return {"kind": "secrets", "value": "5c" * 32}, bytes.fromhex("5c" * 32)


def text_of(seconds: int) -> str:
    """Return a time as terms have it."""
    return write_time(datetime.fromtimestamp(seconds, UTC))
