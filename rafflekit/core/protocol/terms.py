"""The terms of a raffle: what was announced when it was created, and the hash that binds it (section 2)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.dates import write_time
from rafflekit.core.protocol.entropy import SECRETS
from rafflekit.core.protocol.hashing import PROTOCOL, tagged_hash
from rafflekit.core.protocol.shapes import TermsShape


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms; `entropy` names the source, and `delay_s` is None if that source has no delay."""

    id: UUID
    name: str
    created_at: datetime
    total_tickets: int
    prizes: Sequence[Prize]
    entropy: str = SECRETS
    delay_s: int | None = None

    def shape(self) -> TermsShape:
        """Return the terms as JSON has them."""
        shape: TermsShape = {
            "protocol": PROTOCOL,
            "id": str(self.id),
            "name": self.name,
            "created_at": write_time(self.created_at),
            "total_tickets": self.total_tickets,
            "prizes": [{"name": prize.name, "amount": prize.amount} for prize in self.prizes],
            "entropy": self.entropy,
        }
        if self.delay_s is not None:
            shape["delay_s"] = self.delay_s
        return shape

    def hash(self) -> bytes:
        """Return the terms hash."""
        return tagged_hash("terms", canonical_json(self.shape()))


def canonical_json(value: Any) -> bytes:
    r"""Return the canonical JSON (RFC 8785) of dicts with ASCII keys, lists, texts and whole numbers.

    For these, Python's own form is the canonical one: numbers below 2⁵³ in digits, texts with the shortest escapes.

    >>> canonical_json({"b": [1, "é\n"], "a": 10**12})
    b'{"a":1000000000000,"b":[1,"\xc3\xa9\\n"]}'
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
