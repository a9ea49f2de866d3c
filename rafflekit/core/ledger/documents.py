"""Receipts and proofs: the documents that people keep, written as JSON and read strictly (sections 5 and 8; pure).

Reading checks the form alone: what is in a document, and whether any of it is true, is `audit`'s to say.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.ledger.hashing import HASH_BYTES, PROTOCOL
from rafflekit.core.ledger.leaves import Leaf
from rafflekit.core.ledger.notes import NoteWrong, base64_of, read_base64
from rafflekit.core.ledger.terms import DELAY_S, DRAND_QUICKNET, SECRETS, Terms
from rafflekit.core.models import Prize

WINNERS_IN_A_PROOF = 1_000
"""Up to so many wins stand in a proof each with its leaf; of more, only their digest is signed."""

_BEACON_BYTES = 48
_PATH_HASHES = 64
_CODE_HASH_CHARACTERS = 1_000
_MOST_DIGITS = 30
_SHOWN_CHARACTERS = 40

UNBOUND: Literal["unbound"] = "unbound"
"""The kind of entropy of draws that an earlier release made, whose seed nothing binds to a closing."""


class DocumentWrong(Exception):
    """Say where a document is not of the form that the protocol gives it."""


@dataclass(frozen=True, slots=True)
class Entropy:
    """What decided, and the evidence for it: 32 bytes (`secrets`), a round and its signature (drand), or nothing."""

    kind: str
    value: bytes = b""
    round: int | None = None

    def shape(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        if self.kind == SECRETS:
            return {"kind": SECRETS, "value": self.value.hex()}
        if self.kind == DRAND_QUICKNET:
            return {"kind": DRAND_QUICKNET, "round": self.round, "signature": self.value.hex()}
        return {"kind": UNBOUND}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A participant's evidence that a ticket is in the ledger: leaf, inclusion proof, and a signed checkpoint."""

    leaf: Leaf
    path: Sequence[bytes]
    checkpoint: str

    def shape(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "protocol": PROTOCOL,
            "leaf": _leaf_shape(self.leaf),
            "path": [base64_of(each) for each in self.path],
            "checkpoint": self.checkpoint,
        }


@dataclass(frozen=True, slots=True)
class ProvenWin:
    """A win: which prize (from 0), the ticket's leaf, and its inclusion proof in the closing's tree."""

    prize: int
    leaf: Leaf
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that a draw is checked by; `winners` is None where they are more than `WINNERS_IN_A_PROOF`."""

    terms: Terms
    key: str
    closing: str
    witnesses: Sequence[str]
    entropy: Entropy
    seed: bytes
    draw: str | None
    winners: Sequence[ProvenWin] | None

    def shape(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "protocol": PROTOCOL,
            "terms": self.terms.shape(),
            "key": self.key,
            "closing": self.closing,
            "witnesses": list(self.witnesses),
            "entropy": self.entropy.shape(),
            "seed": self.seed.hex(),
            "draw": self.draw,
            "winners": None if self.winners is None else [_win_shape(win) for win in self.winners],
        }


def leaf_line(leaf: Leaf) -> str:
    """Return the line of a leaf in the stream of all leaves, without its newline."""
    return json.dumps(_leaf_shape(leaf), separators=(",", ":"))


def read_leaf_line(line: str) -> Leaf:
    """Read a line of the stream of all leaves.

    Raises:
        DocumentWrong: it is none.
    """
    return _leaf(read_json(line), "leaf")


def read_receipt(text: str) -> Receipt:
    """Read a receipt.

    Raises:
        DocumentWrong: it is none, or of another protocol.
    """
    fields = _fields(_of_this_protocol(text), "receipt", "protocol", "leaf", "path", "checkpoint")
    return Receipt(_leaf(fields["leaf"], "leaf"), _path(fields["path"], "path"), _text(fields, "checkpoint"))


def read_proof(text: str) -> Proof:
    """Read a proof.

    Raises:
        DocumentWrong: it is none, or of another protocol.
    """
    fields = _fields(
        _of_this_protocol(text),
        "proof",
        "protocol",
        "terms",
        "key",
        "closing",
        "witnesses",
        "entropy",
        "seed",
        "draw",
        "winners",
    )
    winners, draw = fields["winners"], fields["draw"]
    return Proof(
        terms=_terms(fields["terms"]),
        key=_text(fields, "key"),
        closing=_text(fields, "closing"),
        witnesses=[_as_text(each, "witnesses") for each in _list(fields["witnesses"], "witnesses")],
        entropy=_entropy(fields["entropy"]),
        seed=_hex(fields, "seed", HASH_BYTES),
        draw=None if draw is None else _as_text(draw, "draw"),
        winners=None if winners is None else _winners(winners),
    )


def read_json(text: str) -> Any:
    """Read JSON as the protocol has it: no key twice, whole numbers only, nothing behind its end.

    Raises:
        DocumentWrong: it is none.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_whole_number,
            parse_float=_refused,
            parse_constant=_refused,
        )
    except (ValueError, RecursionError) as error:
        raise DocumentWrong(f"it is no JSON as the protocol has it: {error}") from error


def _of_this_protocol(text: str) -> Any:
    document = read_json(text)
    # Before anything else: of another version, all else may be otherwise.
    protocol = document.get("protocol") if isinstance(document, dict) else None
    if protocol != PROTOCOL or isinstance(protocol, bool):
        raise DocumentWrong(f"it is no JSON object with protocol {PROTOCOL}, the only one known here")
    return document


def _terms(value: Any) -> Terms:
    names = ("protocol", "id", "name", "created_at", "total_tickets", "prizes", "entropy")
    has_delay = isinstance(value, dict) and "delay_s" in value
    fields = _fields(value, "terms", *names, *(["delay_s"] if has_delay else []))
    if _number(fields, "protocol", 1, PROTOCOL) != PROTOCOL:
        raise DocumentWrong("the terms are of another protocol")
    prizes = [
        Prize(_text(prize, "name"), _number(prize, "amount", 1, limits.PRIZES))
        for prize in (
            _fields(each, "terms.prizes", "name", "amount") for each in _list(fields["prizes"], "terms.prizes")
        )
    ]
    total_tickets = _number(fields, "total_tickets", 1, limits.TICKETS)
    entropy = fields["entropy"]
    if entropy not in (SECRETS, DRAND_QUICKNET) or has_delay != (entropy == DRAND_QUICKNET):
        raise DocumentWrong(f"terms.entropy is {SECRETS}, or {DRAND_QUICKNET} with delay_s")
    try:
        limits.check_raffle(_text(fields, "name"), total_tickets, prizes)
    except InvalidValue as error:
        raise DocumentWrong(f"terms.{error.field} {error.reason}") from error
    return Terms(
        id=_uuid(_text(fields, "id")),
        name=fields["name"],
        created_at=_time(_text(fields, "created_at")),
        total_tickets=total_tickets,
        prizes=prizes,
        entropy=entropy,
        delay_s=_number(fields, "delay_s", 1, DELAY_S) if has_delay else None,
    )


def _entropy(value: Any) -> Entropy:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == SECRETS:
        return Entropy(SECRETS, _hex(_fields(value, "entropy", "kind", "value"), "value", HASH_BYTES))
    if kind == DRAND_QUICKNET:
        fields = _fields(value, "entropy", "kind", "round", "signature")
        return Entropy(
            DRAND_QUICKNET, _hex(fields, "signature", _BEACON_BYTES), _number(fields, "round", 1, limits.TICKETS)
        )
    if kind == UNBOUND:
        _fields(value, "entropy", "kind")
        return Entropy(UNBOUND)
    raise DocumentWrong(f"entropy.kind is {SECRETS}, {DRAND_QUICKNET} or {UNBOUND}")


def _winners(value: Any) -> list[ProvenWin]:
    found = [_fields(each, "winners", "prize", "leaf", "path") for each in _list(value, "winners")]
    if len(found) > WINNERS_IN_A_PROOF:
        raise DocumentWrong(f"a proof has at most {WINNERS_IN_A_PROOF:,} winners")
    return [
        ProvenWin(
            _number(win, "prize", 0, limits.PRIZE_KINDS),
            _leaf(win["leaf"], "winners.leaf"),
            _path(win["path"], "winners.path"),
        )
        for win in found
    ]


def _leaf(value: Any, place: str) -> Leaf:
    fields = _fields(value, place, "serial", "ticket_number", "code_hash")
    code_hash = _text(fields, "code_hash")
    if not 0 < len(code_hash) <= _CODE_HASH_CHARACTERS or not code_hash.isascii():
        raise DocumentWrong(f"{place}.code_hash is 1 to {_CODE_HASH_CHARACTERS:,} characters of ASCII")
    return Leaf(
        _number(fields, "serial", 0, limits.TICKETS - 1), _number(fields, "ticket_number", 1, limits.TICKETS), code_hash
    )


def _path(value: Any, place: str) -> list[bytes]:
    try:
        path = [read_base64(_as_text(each, place)) for each in _list(value, place)]
    except NoteWrong as error:
        raise DocumentWrong(f"{place}: {error}") from error
    if len(path) > _PATH_HASHES or any(len(each) != HASH_BYTES for each in path):
        raise DocumentWrong(f"{place} is at most {_PATH_HASHES} hashes of {HASH_BYTES} bytes")
    return path


def _fields(value: Any, place: str, *names: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DocumentWrong(f"{place} is no JSON object")
    for name in names:
        if name not in value:
            raise DocumentWrong(f"{place}.{name} is missing")
    for name in value:
        if name not in names:
            raise DocumentWrong(f"{place}.{name} is no field that is known")
    return value


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise DocumentWrong(f"{place} is no list")
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    return _as_text(fields[name], name)


def _as_text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise DocumentWrong(f"{place} is no text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DocumentWrong(f"{place} is no Unicode text (a lone surrogate)") from error
    return value


def _number(fields: dict[str, Any], name: str, least: int, most: int) -> int:
    value = fields[name]
    if type(value) is not int or not least <= value <= most:
        raise DocumentWrong(f"{name} is no whole number from {least:,} to {most:,}")
    return value


def _hex(fields: dict[str, Any], name: str, length: int) -> bytes:
    text = _text(fields, name)
    try:
        content = bytes.fromhex(text)
    except ValueError:
        content = b""
    if len(content) != length or content.hex() != text:
        raise DocumentWrong(f"{name} is not {2 * length} hexadecimal digits in lower case")
    return content


def _uuid(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError as error:
        raise DocumentWrong("terms.id is no raffle's id") from error
    if str(found) != text:
        raise DocumentWrong("terms.id is not written as ids are")
    return found


def _time(text: str) -> datetime:
    try:
        found = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise DocumentWrong("terms.created_at is no time YYYY-MM-DDThh:mm:ssZ") from error
    if len(text) != len("2026-01-01T00:00:00Z"):
        raise DocumentWrong("terms.created_at is no time YYYY-MM-DDThh:mm:ssZ")
    return found


def _leaf_shape(leaf: Leaf) -> dict[str, Any]:
    return {"serial": leaf.serial, "ticket_number": leaf.ticket_number, "code_hash": leaf.code_hash}


def _win_shape(win: ProvenWin) -> dict[str, Any]:
    return {"prize": win.prize, "leaf": _leaf_shape(win.leaf), "path": [base64_of(each) for each in win.path]}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"{twice[:_SHOWN_CHARACTERS]!r} is there more than once")
    return fields


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS or digits == "-0":
        raise ValueError("a number is none that the protocol has")
    return int(digits)


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text[:_SHOWN_CHARACTERS]} is no whole number in digits")
