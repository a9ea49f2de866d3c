#!/usr/bin/env python3
"""Check the proof of a rafflekit draw, without rafflekit.

Save the raffle's proof as a file and run:

    python3 verify_draw.py proof.json

The program checks the proof step by step and prints one line per step:

    ✓ step: ...               the step is proven
    ✗ step: ...               the step is wrong
    – not proven: step: ...   the step rests on trust, or this program skipped it

The exit status is 1 if any step is wrong, and 0 otherwise. The more you give the program, the more it can prove: the
operator's key, all tickets, your receipt.

Python 3.8 or later is enough. Two libraries are optional: py-arkworks-bls12381 checks drand's signature, argon2-cffi
checks the code of a ticket. Without them the program skips these checks and says so.

The rules are those of rafflekit's docs/draw-protocol.md, version 1. Comments that name a section mean that document.
This file shares no code with rafflekit. Its parts, from top to bottom: the steps of a check, the JSON documents, the
signed notes and keys, the tree of tickets, the winners, drand's beacon, a ticket's code, Ed25519, the command line.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import re
import sys
import time
import uuid
from base64 import b64decode, b64encode
from datetime import datetime, timezone
from hashlib import sha256, sha512
from struct import pack
from typing import Any, Callable, Iterable, Iterator, NamedTuple

# ---- The steps of a check: section 9 ----

STEPS = {
    "form": "the proof has the form of protocol 1",
    "terms": "the closing belongs to a raffle with these prizes, tickets and source of randomness",
    "key": "the key is the operator's",
    "closing": "the operator signed all tickets",
    "witnesses": "a witness you trust signed the closing",
    "entropy": "drand signed the beacon of the closing's round",
    "witnessed": "a witness you trust had the closing before the beacon was published",
    "seed": "the seed follows from the closing and the entropy",
    "winners": "the winners follow from the seed",
    "leaves": "these are all the tickets of the draw, and no number occurs twice",
    "receipt": "your ticket was in the draw",
    "code": "the code belongs to your ticket",
}
"""The steps in the order of the protocol, each with what it shows when it is ok."""

DAY_S = 86_400
MOST_WINS = 1_000_000
MOST_WINNERS_IN_PROOF = 1_000
AFTER_EVERY_COSIGNATURE = 2**64


class Wrong(ValueError):
    """The step is wrong; the message says why."""


class NotProven(Exception):
    """Nothing is wrong, but the step rests on trust or was skipped; the message says which."""


def require(condition: object, otherwise: str) -> None:
    """Raise `Wrong` with the message `otherwise` unless the condition holds."""
    if not condition:
        raise Wrong(otherwise)


class Given(NamedTuple):
    """What you know about the draw. None means that you do not know it."""

    proof: bytes
    now: float
    raffle: str | None = None
    key: str | None = None
    witnesses: tuple[VerifierKey, ...] = ()
    leaves: Iterable[bytes] | None = None
    receipt: bytes | None = None
    code: str | None = None


class Audit:
    """One check of a proof. Each step is a method that raises `Wrong` or `NotProven`, or returns if the step is ok.

    The steps leave what later steps need in attributes. If a step is wrong, its attributes stay empty.
    """

    def __init__(self, given: Given) -> None:
        self.given = given
        self.outcomes: dict[str, tuple[str, str]] = {}
        self.proof: Proof  # if the form is wrong, no other step is taken
        self.cosigned_at: list[int] = []  # by the witnesses of the proof and by those you trust
        self.cosigned_for_you_at: list[int] = []  # by those you trust
        self.tickets: dict[int, bytes] | None = None  # {ticket number: leaf hash} in the order of issue
        self.ticket: dict[str, Any] | None = None  # the leaf of the receipt

    def run(self) -> dict[str, tuple[str, str]]:
        """Return the outcome ("ok", "wrong" or "not proven") and a sentence for each step taken."""
        necessary = {
            "form": self.check_form,
            "terms": self.check_terms,
            "key": self.check_key,
            "closing": self.check_closing,
        }
        for name, check in necessary.items():
            self.take(name, check)
            if self.outcomes[name][0] == "wrong":
                return self.outcomes
        self.take("witnesses", self.check_witnesses)
        self.take("entropy", self.check_entropy)
        self.take("witnessed", self.check_witnessed)
        self.take("seed", self.check_seed)
        # Leaves before winners: a proof with more than 1,000 winners does not list them, so the leaves are needed.
        self.take("leaves", self.check_leaves)
        self.take("winners", self.check_winners)
        if self.given.receipt is not None:
            self.take("receipt", self.check_receipt, self.given.receipt)
        if self.ticket is not None and self.given.code is not None:
            self.take("code", check_code, self.given.code, self.ticket["code_hash"])
        return {name: self.outcomes[name] for name in STEPS if name in self.outcomes}

    def take(self, name: str, check: Callable[..., None], *arguments: object) -> None:
        """Take one step and note its outcome."""
        try:
            check(*arguments)
            self.outcomes[name] = "ok", STEPS[name]
        except (NotProven, MemoryError, OSError) as reason:
            self.outcomes[name] = "not proven", str(reason) or "there is not enough memory"
        except ValueError as reason:
            self.outcomes[name] = "wrong", str(reason)

    def check_form(self) -> None:
        """Step 1: the document and everything in it has the right form."""
        try:
            self.proof = read_proof(self.given.proof)
        except ValueError as reason:
            raise Wrong(f"this is not a proof: {reason}") from None

    def check_terms(self) -> None:
        """Step 2: the closing commits to the terms, and the raffle is the one asked for."""
        terms = self.proof.terms
        require(self.given.raffle in (None, terms["id"]), "this is the proof of another raffle")
        canonical = json.dumps(terms, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        terms_hash = tagged_hash("terms", canonical.encode())
        require(self.proof.closing.terms_hash == terms_hash, "the closing belongs to other terms")

    def check_key(self) -> None:
        """Step 3: the key is the operator's."""
        require(self.given.key in (None, self.proof.key), "the proof has another key than the one that you gave")
        if self.given.key is None:
            raise NotProven("only the proof itself says that this is the operator's key; give their key with --key")

    def check_closing(self) -> None:
        """Step 4: the operator signed the closing of all tickets, with a plausible time and the right round."""
        proof, closing = self.proof, self.proof.closing
        require_signature(closing.note, proof.operator)
        require(closing.origin == proof.origin, "the closing is of another raffle")
        require(closing.size == proof.tickets, "the closing does not cover all tickets")
        require(proof.closed >= proof.created, "the raffle closed before it was created")
        require(proof.closed <= self.given.now + DAY_S, "the raffle closed in the future")
        require(closing.round == proof.round, "the closing names another round than the first after the delay")

    def check_witnesses(self) -> None:
        """Step 5: all witnesses of the proof signed the closing, and so did one you trust."""
        proof, note = self.proof, self.proof.closing.note
        for witness in [*proof.witnesses, *self.given.witnesses]:
            require(witness.public != proof.operator.public, "the operator's key cannot be a witness's key")
        by_listed = [cosignature_time(note, witness) for witness in proof.witnesses]
        by_trusted = [cosignature_time(note, witness) for witness in self.given.witnesses]
        require(None not in by_listed, "a witness of the proof did not sign the closing")
        self.cosigned_at = [time for time in by_listed + by_trusted if time is not None]
        self.cosigned_for_you_at = [time for time in by_trusted if time is not None]
        if not self.cosigned_for_you_at:
            raise NotProven("no witness that you named with --witness signed the closing")

    def check_entropy(self) -> None:
        """Step 6: no one could know the entropy before the closing."""
        proof = self.proof
        kind = proof.entropy["kind"]
        require(kind == proof.terms["entropy"], "the entropy comes from another source than announced")
        if proof.round is None:
            raise NotProven("you have only the operator's word that they generated the entropy once, after the closing")
        require(proof.entropy["round"] == proof.round, "the beacon is of another round than the closing's")
        require_beacon(proof.round, bytes.fromhex(proof.entropy["signature"]))

    def check_witnessed(self) -> None:
        """Step 7: the closing was known to others before the beacon was published."""
        proof = self.proof
        due = AFTER_EVERY_COSIGNATURE if proof.round is None else beacon_time(proof.round)
        require(max(self.cosigned_at, default=0) < due, "a witness signed when the beacon was already published")
        if proof.round is None:
            raise NotProven("you have only the operator's word that they made no other draws before this one")
        # No one can have seen the closing before the raffle was created.
        if max(self.cosigned_for_you_at, default=-1) < proof.created:
            raise NotProven("only the operator's clock says that the closing came before the beacon")

    def check_seed(self) -> None:
        """Step 8: the seed follows from the closing and the entropy."""
        proof = self.proof
        seed = tagged_hash("seed", proof.closing_hash + proof.entropy_value)
        require(proof.seed == seed, "the seed does not follow from the closing and the entropy")

    def check_winners(self) -> None:
        """Step 9: the winners follow from the seed, and the operator signed this draw."""
        proof = self.proof
        prizes = [prize for prize, each in enumerate(proof.terms["prizes"]) for _ in range(each["amount"])]
        serials = list(winning_serials(proof.seed, proof.tickets, proof.wins))
        numbers = self.winning_numbers(serials, prizes)
        require(len(set(numbers)) == len(numbers), "a number wins twice")
        require(max(numbers, default=1) <= proof.tickets, "a winning number is larger than the number of tickets")
        require_signature(proof.draw, proof.operator)
        digest = winners_digest(serials, numbers, prizes) if numbers else proof.draw.parts["digest"]
        require(proof.draw.text == draw_text(proof, digest), "the operator signed another draw")
        if not numbers:
            raise NotProven("you have only the operator's word which numbers won; give all tickets with --leaves")

    def winning_numbers(self, serials: list[int], prizes: list[int]) -> list[int]:
        """Return the numbers that won, from the proof or else from the leaves; none if neither can say."""
        proof = self.proof
        if proof.winners is None:
            require(proof.wins > MOST_WINNERS_IN_PROOF, "the winners are missing")
            numbers = list(self.tickets or ())
            return [numbers[serial] for serial in serials] if numbers else []
        require(len(proof.winners) == proof.wins, "there are not as many winners as prizes")
        for win, serial, prize in zip(proof.winners, serials, prizes):
            follows = win["leaf"]["serial"] == serial and win["prize"] == prize
            require(follows, "a win does not follow from the seed")
            require_in_tree(win, proof.terms["id"], proof.closing)
        return [win["leaf"]["ticket_number"] for win in proof.winners]

    def check_leaves(self) -> None:
        """Step 10: the leaves are all the tickets that the closing commits to, each with its own number."""
        proof = self.proof
        if self.given.leaves is None:
            raise NotProven("a number could occur twice; give all tickets with --leaves")
        tickets: dict[int, bytes] = {}
        for line in self.given.leaves:
            leaf = read_json(line, LEAF_LINE_BYTES, LEAF)
            require(len(tickets) < proof.tickets, "there are more leaves than tickets")
            require(leaf["serial"] == len(tickets), "a leaf is missing, or not in the order of issue")
            require(leaf["ticket_number"] not in tickets, "a ticket number occurs twice")
            tickets[leaf["ticket_number"]] = leaf_hash(proof.terms["id"], leaf)
        require(len(tickets) == proof.tickets, "there are fewer leaves than tickets")
        require(max(tickets) <= proof.tickets, "a ticket number is larger than the number of tickets")
        require(tree_root(list(tickets.values())) == proof.closing.root, "the tickets are not those of the closing")
        self.tickets = tickets

    def check_receipt(self, document: bytes) -> None:
        """Step 11: the ticket of the receipt is in the draw, unchanged."""
        proof, closing = self.proof, self.proof.closing
        receipt = read_json(document, RECEIPT_BYTES, RECEIPT)
        checkpoint = read_checkpoint(receipt["checkpoint"])
        self.ticket = ticket = receipt["leaf"]
        require_signature(checkpoint.note, proof.operator)
        same_raffle = (checkpoint.origin, checkpoint.terms_hash) == (closing.origin, closing.terms_hash)
        require(same_raffle, "the receipt is of another raffle")
        require(checkpoint.size <= proof.tickets, "the receipt is from a tree with too many tickets")
        require(ticket["ticket_number"] <= proof.tickets, "your number is larger than the number of tickets")
        is_earlier = checkpoint.size < proof.tickets and checkpoint.closed is None
        is_closing = checkpoint.note.text == closing.note.text
        require(is_earlier or is_closing, "the receipt is of another closing")
        require_in_tree(receipt, proof.terms["id"], checkpoint)
        for win in proof.winners or ():
            if win["leaf"] != ticket:
                require(win["leaf"]["serial"] != ticket["serial"], "a winner has your serial")
                require(win["leaf"]["ticket_number"] != ticket["ticket_number"], "a winner has your number")
        if self.tickets is not None:
            issued_then = list(self.tickets.values())[: checkpoint.size]
            require(tree_root(issued_then) == checkpoint.root, "tickets issued before your receipt were changed")
        elif checkpoint.size < proof.tickets:
            raise NotProven("you have only the operator's word that your ticket stayed; give all tickets with --leaves")


# ---- Hashes and Base64: section 1 ----


def tagged_hash(tag: str, data: bytes) -> bytes:
    """Return H(tag, data) of section 1."""
    return sha256(b"rafflekit v1 " + tag.encode() + b"\0" + data).digest()


def encode_base64(data: bytes) -> str:
    """Return the Base64 of these bytes."""
    return b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """Return the bytes of this Base64. Accept only the one spelling that `encode_base64` gives."""
    data = b64decode(text, validate=True)
    require(encode_base64(data) == text, "a text is not strict Base64")
    return data


# ---- JSON documents: sections 1, 2, 5 and 8 ----
# A form is a function that accepts or refuses a value: it returns whether the protocol allows it there.

PROOF_BYTES = 4 * 2**20
RECEIPT_BYTES = 128 * 2**10
LEAF_LINE_BYTES = 8 * 2**10

Form = Callable[[Any], bool]


def integer(least: int, most: int) -> Form:
    """Accept whole numbers in these bounds, but not JSON's true and false, which are ints in Python."""
    return lambda value: type(value) is int and least <= value <= most


def string(pattern: str) -> Form:
    """Accept texts that this pattern matches as a whole."""
    return lambda value: type(value) is str and re.fullmatch(pattern, value) is not None


def array(form: Form, least: int, most: int) -> Form:
    """Accept lists with a length in these bounds and items of this form."""
    return lambda value: type(value) is list and least <= len(value) <= most and all(map(form, value))


def record(**forms: Form) -> Form:
    """Accept objects with exactly these keys, each with a value of its form."""
    return lambda value: (
        type(value) is dict and value.keys() == forms.keys() and all(forms[key](value[key]) for key in forms)
    )


def one_of(*forms: Form) -> Form:
    """Accept what any of these forms accepts."""
    return lambda value: any(form(value) for form in forms)


def null(value: object) -> bool:
    """Accept null only."""
    return value is None


HASH_PATTERN = "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="  # strict Base64 of 32 bytes
KEY_PATTERN = r"([!-*,-~]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})"  # name, key id, type and public key
NAME_PATTERN = (
    r"(?=.*[^ \xa0\u1680\u2000-\u200a\u202f\u205f\u3000])"  # one character that is not a space
    r"[^\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}"
)
TIME_PATTERN = r"(19[7-9]|[2-9][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z"

PROTOCOL = integer(1, 1)
COUNT = integer(1, 10**12)
BYTES_32 = string("[0-9a-f]{64}")
HASH = string(HASH_PATTERN)
KEY = string(KEY_PATTERN)
NAME = string(NAME_PATTERN)
NOTE = string(r"[^\ud800-\udfff]*")

COMMON_TERMS = {
    "protocol": PROTOCOL,
    "id": string("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "name": NAME,
    "created_at": string(TIME_PATTERN),
    "total_tickets": COUNT,
    "prizes": array(record(name=NAME, amount=COUNT), 1, 1_000),
}
TERMS = one_of(
    record(entropy=string("secrets"), **COMMON_TERMS),
    record(entropy=string("drand-quicknet"), delay_s=integer(1, 604_800), **COMMON_TERMS),
)
LEAF = record(serial=integer(0, 10**12 - 1), ticket_number=COUNT, code_hash=string("[!-~]{1,1000}"))
PATH = array(HASH, 0, 64)
ENTROPY = one_of(
    record(kind=string("secrets"), value=BYTES_32),
    record(kind=string("drand-quicknet"), round=COUNT, signature=string("[0-9a-f]{96}")),
)
PROOF = record(
    protocol=PROTOCOL,
    terms=TERMS,
    key=KEY,
    closing=NOTE,
    witnesses=array(KEY, 0, 100),
    entropy=ENTROPY,
    seed=BYTES_32,
    draw=NOTE,
    winners=one_of(array(record(prize=integer(0, 999), leaf=LEAF, path=PATH), 0, MOST_WINNERS_IN_PROOF), null),
)
RECEIPT = record(protocol=PROTOCOL, leaf=LEAF, path=PATH, checkpoint=NOTE)


def read_json(document: bytes, limit: int, form: Form) -> Any:
    """Return the value of a JSON document of this form and of at most `limit` bytes."""
    require(len(document) <= limit, "the document is too long")
    try:
        value = json.loads(
            document.decode(),
            object_pairs_hook=object_without_duplicates,
            parse_int=whole_number,
            parse_float=whole_number,
            parse_constant=whole_number,
        )
    except UnicodeDecodeError:
        raise Wrong("the document is not text in UTF-8") from None
    except json.JSONDecodeError as reason:
        raise Wrong(f"the document is not JSON (line {reason.lineno}, column {reason.colno})") from None
    except RecursionError:
        raise Wrong("the document is nested too deeply") from None
    require(form(value), "a key is missing, unknown, or has a value of another form")
    return value


def object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object with these keys and values."""
    require(len(dict(pairs)) == len(pairs), "a key occurs twice")
    return dict(pairs)


def whole_number(literal: str) -> int:
    """Return the number; refuse signs, fractions, and more digits than any number of the protocol has."""
    require(re.fullmatch("[0-9]{1,13}", literal), "a number is too long, or not written in digits only")
    return int(literal)


class Proof(NamedTuple):
    """A proof of the right form (section 8), and values that follow from it."""

    terms: dict[str, Any]
    key: str
    operator: VerifierKey
    witnesses: list[VerifierKey]
    created: int
    closing: Checkpoint
    closed: int
    entropy: dict[str, Any]
    seed: bytes
    draw: Note
    winners: list[dict[str, Any]] | None

    @property
    def origin(self) -> str:
        """The first line of every checkpoint of this raffle."""
        return f"rafflekit/{self.terms['id']}"

    @property
    def tickets(self) -> int:
        """The number of the raffle's tickets."""
        return int(self.terms["total_tickets"])

    @property
    def wins(self) -> int:
        """The number of wins: the sum of the prizes' amounts."""
        return sum(prize["amount"] for prize in self.terms["prizes"])

    @property
    def closing_hash(self) -> bytes:
        """The hash of the closing, on which the seed depends."""
        return tagged_hash("closing", self.closing.note.text.encode())

    @property
    def round(self) -> int | None:
        """The first drand round at least `delay_s` seconds after the closing; None without drand."""
        if "delay_s" not in self.terms:
            return None
        return beacon_round(self.closed + self.terms["delay_s"])

    @property
    def entropy_value(self) -> bytes:
        """The 32 bytes from the announced source, section 6."""
        if self.entropy["kind"] == "drand-quicknet":
            return sha256(bytes.fromhex(self.entropy["signature"])).digest()
        return bytes.fromhex(self.entropy["value"])


def read_proof(document: bytes) -> Proof:
    """Return the proof in this document. Raise `Wrong` if it, or a key or note in it, has another form."""
    content = read_json(document, PROOF_BYTES, PROOF)
    terms, closing = content["terms"], read_checkpoint(content["closing"])
    if closing.closed is None:
        raise Wrong("the closing does not say when the raffle closed")
    proof = Proof(
        terms=terms,
        key=content["key"],
        operator=read_key(content["key"], OPERATOR),
        witnesses=[read_key(key, WITNESS) for key in content["witnesses"]],
        created=seconds_since_1970(terms["created_at"]),
        closing=closing,
        closed=closing.closed,
        entropy=content["entropy"],
        seed=bytes.fromhex(content["seed"]),
        draw=read_note(content["draw"], DRAW_PATTERN),
        winners=content["winners"],
    )
    require(proof.wins <= min(proof.tickets, MOST_WINS), "there are too many prizes")
    publics = {witness.public for witness in proof.witnesses}
    require(len(publics) == len(proof.witnesses), "two witnesses have the same public key")
    return proof


def seconds_since_1970(created_at: str) -> int:
    """Return the time in the terms as seconds; raise ValueError if the calendar does not have it."""
    moment = datetime.strptime(created_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return int(moment.timestamp())


# ---- Signed notes and keys: section 4 ----

OPERATOR = 1  # the types of keys
WITNESS = 4

NOTE_BYTES = 64 * 2**10
NUMBER_PATTERN = "(?:0|[1-9][0-9]{0,11}|10{12})"
CHECKPOINT_PATTERN = (
    r"(?P<origin>.+)\n"
    rf"(?P<size>{NUMBER_PATTERN})\n"
    rf"(?P<root>{HASH_PATTERN})\n"
    rf"terms (?P<terms>{HASH_PATTERN})\n"
    rf"(?:closed (?P<closed>{NUMBER_PATTERN})\n(?:round (?P<round>{NUMBER_PATTERN})\n)?)?"
)
DRAW_PATTERN = (
    "rafflekit draw v1\n"
    ".+\n"
    f"closing {HASH_PATTERN}\n"
    "entropy [0-9a-f]{64}\n"
    "seed [0-9a-f]{64}\n"
    f"winners {NUMBER_PATTERN} (?P<digest>{HASH_PATTERN})\n"
)
SIGNATURES_PATTERN = r"\n(?P<signatures>(— [!-*,-~]{1,200} [A-Za-z0-9+/=]{8,}\n){1,100})"


class VerifierKey(NamedTuple):
    """A public key, and the name and the key id by which a signature line claims it."""

    name: str
    key_id: bytes
    public: bytes


class Note(NamedTuple):
    """A signed text: the parts that its pattern names, and the signatures of each key name and key id."""

    text: str
    parts: dict[str, Any]
    signatures: dict[tuple[str, bytes], list[bytes]]

    def signatures_of(self, key: VerifierKey) -> list[bytes]:
        """Return what follows the key id in each signature line that claims this key."""
        return self.signatures.get((key.name, key.key_id), [])


class Checkpoint(NamedTuple):
    """A note about a tree of tickets. If it says when the raffle closed, it is the closing."""

    note: Note
    origin: str
    size: int
    root: bytes
    terms_hash: bytes
    closed: int | None
    round: int | None


def read_key(text: str, kind: int) -> VerifierKey:
    """Return the verifier key in this text. Its type must be `kind`: `OPERATOR` or `WITNESS`."""
    match = re.fullmatch(KEY_PATTERN, text)
    if not match:
        raise Wrong("this is not a verifier key")
    name, key_id, typed_key = match[1], bytes.fromhex(match[2]), decode_base64(match[3])
    require(sha256(name.encode() + b"\n" + typed_key).digest()[:4] == key_id, "a key does not fit its key id")
    require(typed_key[0] == kind, f"a key is not of type {kind}")
    public = typed_key[1:]
    require(int.from_bytes(public, "little") % 2**255 not in SMALL_ORDER, "any signature would fit this key")
    return VerifierKey(name, key_id, public)


def read_note(signed_text: str, pattern: str) -> Note:
    """Return the note whose text matches this pattern."""
    require(len(signed_text.encode()) <= NOTE_BYTES, "a note is too long")
    require(not re.search(r"[\0-\x09\x0b-\x1f]", signed_text), "a note has a control character")
    match = re.fullmatch(pattern + SIGNATURES_PATTERN, signed_text)
    if not match:
        raise Wrong("a note has another form")
    signatures: dict[tuple[str, bytes], list[bytes]] = {}
    for line in match["signatures"].splitlines():
        _, name, encoded = line.split(" ")
        data = decode_base64(encoded)
        require(len(data) > 4, "a signature line has no signature")
        signatures.setdefault((name, data[:4]), []).append(data[4:])
    text = signed_text[: match.start("signatures") - 1]  # without the empty line after it
    return Note(text, match.groupdict(), signatures)


def read_checkpoint(signed_text: str) -> Checkpoint:
    """Return the checkpoint in this note."""
    note = read_note(signed_text, CHECKPOINT_PATTERN)
    closed, drand_round = note.parts["closed"], note.parts["round"]
    return Checkpoint(
        note=note,
        origin=note.parts["origin"],
        size=int(note.parts["size"]),
        root=decode_base64(note.parts["root"]),
        terms_hash=decode_base64(note.parts["terms"]),
        closed=None if closed is None else int(closed),
        round=None if drand_round is None else int(drand_round),
    )


def require_signature(note: Note, operator: VerifierKey) -> None:
    """Raise `Wrong` unless the operator signed this note, once."""
    signatures = note.signatures_of(operator)
    require(len(signatures) == 1, "the operator's signature is missing, or there twice")
    require(is_signature(operator.public, signatures[0], note.text), "the operator's signature is wrong")


def cosignature_time(note: Note, witness: VerifierKey) -> int | None:
    """Return when the witness signed the note, in seconds since 1970; None if they did not."""
    signatures = note.signatures_of(witness)
    if not signatures:
        return None
    require(len(signatures) == 1, "a witness signed twice")
    signed_at = int.from_bytes(signatures[0][:8], "big")
    signed_text = f"cosignature/v1\ntime {signed_at}\n{note.text}"
    require(is_signature(witness.public, signatures[0][8:], signed_text), "a witness's signature is wrong")
    return signed_at


# ---- The tree of tickets: section 3, RFC 9162 section 2.1 ----


def leaf_hash(raffle: str, leaf: dict[str, Any]) -> bytes:
    """Return the hash of a ticket's leaf in the tree of the raffle with this id."""
    code_hash = leaf["code_hash"].encode()
    head = pack(">BB16sQQH", 0, 1, uuid.UUID(raffle).bytes, leaf["serial"], leaf["ticket_number"], len(code_hash))
    return sha256(head + code_hash).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above these two."""
    return sha256(b"\1" + left + right).digest()


def tree_root(hashes: list[bytes]) -> bytes:
    """Return the root of the tree with these leaf hashes, at least one."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2])
        unpaired = hashes[-1:] if len(hashes) % 2 else []
        hashes = [node_hash(left, right) for left, right in pairs] + unpaired
    return hashes[0]


def root_from_path(leaf: bytes, index: int, size: int, path: list[str]) -> bytes:
    """Return the root of the tree with `size` leaves to which this path leads from the leaf hash at `index`."""
    require(index < size and bool(path) == (size > 1), "a ticket is not in its tree")
    if not path:
        return leaf
    *lower, last = path
    sibling = decode_base64(last)
    left_size = 1 << (size - 1).bit_length() - 1  # the largest power of two below the size
    if index < left_size:
        return node_hash(root_from_path(leaf, index, left_size, lower), sibling)
    return node_hash(sibling, root_from_path(leaf, index - left_size, size - left_size, lower))


def require_in_tree(ticket: dict[str, Any], raffle: str, checkpoint: Checkpoint) -> None:
    """Raise `Wrong` unless the path of a ticket leads from its leaf to the root of the checkpoint."""
    leaf = ticket["leaf"]
    root = root_from_path(leaf_hash(raffle, leaf), leaf["serial"], checkpoint.size, ticket["path"])
    require(root == checkpoint.root, "a ticket is not in its tree")


# ---- The winners: section 7 ----


def winning_serials(seed: bytes, tickets: int, wins: int) -> Iterator[int]:
    """Yield the serials that win, in draw order: a Fisher-Yates shuffle that stores only the slots it has changed."""
    counter = itertools.count()

    def uniform(bound: int) -> int:
        """Return a number below `bound`, each as likely as the others."""
        while True:
            block = int.from_bytes(sha256(seed + pack(">Q", next(counter))).digest(), "big")
            if block < bound * (2**256 // bound):
                return block % bound

    slots: dict[int, int] = {}
    for first in range(wins):
        chosen = first + uniform(tickets - first)
        yield slots.get(chosen, chosen)
        slots[chosen] = slots.get(first, first)


def winners_digest(serials: list[int], numbers: list[int], prizes: list[int]) -> str:
    """Return the digest of all wins in draw order, in Base64."""
    wins = b"".join(pack(">QQI", *win) for win in zip(serials, numbers, prizes))
    return encode_base64(tagged_hash("winners", wins))


def draw_text(proof: Proof, digest: str) -> str:
    """Return the text that the operator signs after the draw of this proof."""
    return (
        "rafflekit draw v1\n"
        f"{proof.origin}\n"
        f"closing {encode_base64(proof.closing_hash)}\n"
        f"entropy {proof.entropy_value.hex()}\n"
        f"seed {proof.seed.hex()}\n"
        f"winners {proof.wins} {digest}\n"
    )


# ---- drand's beacon: section 6 ----

GENESIS = 1_692_803_367  # when round 1 of drand's quicknet was published
PERIOD_S = 3
QUICKNET_KEY = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
QUICKNET_TAG = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


def beacon_round(seconds: int) -> int:
    """Return the first round that is not published before this time, in seconds since 1970."""
    periods = -((GENESIS - seconds) // PERIOD_S)  # rounded up
    return max(1, periods + 1)


def beacon_time(drand_round: int) -> int:
    """Return when this round is published, in seconds since 1970."""
    return GENESIS + PERIOD_S * (drand_round - 1)


def require_beacon(drand_round: int, signature: bytes) -> None:
    """Raise `Wrong` unless this is drand's signature of the round."""
    try:
        from py_arkworks_bls12381 import GT, G1Point, G2Point
    except ImportError:
        raise NotProven("skipped: drand's signature needs py-arkworks-bls12381") from None
    message = G1Point.hash_to_curve(sha256(pack(">Q", drand_round)).digest(), QUICKNET_TAG)
    on_g1 = [G1Point.from_compressed_bytes(signature), -message]
    on_g2 = [G2Point(), G2Point.from_compressed_bytes(QUICKNET_KEY)]
    require(GT.pairing_check(on_g1, on_g2), "drand did not sign this beacon")


# ---- The last step, a ticket's code: section 3 ----

CODE_PATTERN = "[0-9A-TV-Za-tv-z]{24}"
ARGON2ID_PATTERN = (
    r"\$argon2id\$v=19\$m=(?P<memory_kib>[1-9][0-9]{0,9}),t=(?P<passes>[1-9][0-9]{0,9}),p=[1-9][0-9]{0,2}"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}"
)
GIB_IN_KIB = 2**20


def check_code(code: str, code_hash: str) -> None:
    """Step 12: the code belongs to the ticket with this Argon2id string."""
    match = re.fullmatch(ARGON2ID_PATTERN, code_hash)
    if not match:
        raise Wrong("the ticket does not have the hash of a code")
    spelled = re.sub("[- \t]", "", code).translate(str.maketrans("OoIiLl", "001111"))
    require(re.fullmatch(CODE_PATTERN, spelled), "this is not a code, which has 24 letters and digits")
    memory_kib, passes = int(match["memory_kib"]), int(match["passes"])
    if memory_kib > GIB_IN_KIB or memory_kib * passes > 4 * GIB_IN_KIB:
        raise NotProven("skipped: the code's hash asks for too much memory or time")
    try:
        from argon2 import exceptions, low_level
    except ImportError:
        raise NotProven("skipped: the code of a ticket needs argon2-cffi") from None
    try:
        low_level.verify_secret(code_hash.encode(), spelled.upper().encode(), low_level.Type.ID)
    except exceptions.VerifyMismatchError:
        raise Wrong("the code is not that of your ticket") from None
    except exceptions.Argon2Error as reason:
        raise NotProven(f"skipped: {reason}") from None


# ---- Ed25519: RFC 8032 section 5.1 ----
# A point of the curve is a pair (x, y) of integers modulo FIELD.

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, -1, FIELD) % FIELD
ROOT_OF_MINUS_1 = pow(2, (FIELD - 1) // 4, FIELD)
BASE = bytes.fromhex("58" + 31 * "66")
NEUTRAL = (0, 1)

# The points of small order, as their y in all its spellings. A signature by such a key fits every text.
EIGHTH = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")  # has order 8
EIGHTH_Y = int.from_bytes(EIGHTH, "little")
SMALL_ORDER = {0, 1, FIELD - 1, FIELD, FIELD + 1, EIGHTH_Y, FIELD - EIGHTH_Y}


def is_signature(public: bytes, signature: bytes, text: str) -> bool:
    """Tell whether this is the key's signature of the text. The check is the one without the cofactor."""
    x, y = decode_point(public)
    if len(signature) != 64:
        return False
    first_half, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    k = int.from_bytes(sha512(first_half + public + text.encode()).digest(), "little") % ORDER
    minus_key = (FIELD - x, y)
    expected = add_points(multiply_point(s, decode_point(BASE)), multiply_point(k, minus_key))
    return first_half == encode_point(expected)


def add_points(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    """Return the sum of two points."""
    (x1, y1), (x2, y2) = first, second
    product = CURVE_D * x1 * x2 * y1 * y2 % FIELD
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, FIELD)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, FIELD)
    return x % FIELD, y % FIELD


def multiply_point(factor: int, point: tuple[int, int]) -> tuple[int, int]:
    """Return the point added to itself this many times: doubled for each bit, and added for each 1."""
    total = NEUTRAL
    for bit in f"{factor:b}":
        total = add_points(total, total)
        if bit == "1":
            total = add_points(total, point)
    return total


def decode_point(encoded: bytes) -> tuple[int, int]:
    """Return the point that 32 bytes encode: y, and in the highest bit whether x is odd."""
    y, x_is_odd = int.from_bytes(encoded, "little") % 2**255, encoded[31] >> 7
    x_squared = (y * y - 1) * pow(CURVE_D * y * y + 1, -1, FIELD) % FIELD
    x = pow(x_squared, (FIELD + 3) // 8, FIELD)
    if x * x % FIELD != x_squared:
        x = x * ROOT_OF_MINUS_1 % FIELD
    require(y < FIELD and x * x % FIELD == x_squared, "a public key is not a point of the curve")
    return (x if x % 2 == x_is_odd else FIELD - x), y


def encode_point(point: tuple[int, int]) -> bytes:
    """Return the 32 bytes that encode a point."""
    x, y = point
    return (y | x % 2 << 255).to_bytes(32, "little")


# ---- The command line ----

MARKS = {"ok": "✓ ", "wrong": "✗ ", "not proven": "– not proven: "}


def main() -> int:
    """Check the proof that the arguments name; print the steps and return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    parser = argument_parser()
    options = parser.parse_args()
    if options.code and not options.receipt:
        parser.error("--code is the code of your ticket, so it needs --receipt")
    with contextlib.ExitStack() as stack:
        try:
            leaves = stack.enter_context(open(options.leaves, "rb")) if options.leaves else None
            given = Given(
                proof=read_file(options.proof, PROOF_BYTES),
                now=time.time(),
                raffle=options.raffle,
                key=options.key,
                witnesses=tuple(options.witness),
                leaves=leaves and lines_of(leaves),
                receipt=read_file(options.receipt, RECEIPT_BYTES) if options.receipt else None,
                code=read_code() if options.code == "-" else options.code,
            )
        except OSError as error:
            parser.error(f"{error.filename} cannot be read: {error.strerror}")
        outcomes = Audit(given).run()
    for name, (outcome, sentence) in outcomes.items():
        print(f"{MARKS[outcome]}{name}: {sentence}")
    return int(any(outcome == "wrong" for outcome, _ in outcomes.values()))


def argument_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    for_users, _, _ = (__doc__ or "").partition("\nThe rules are")
    parser = argparse.ArgumentParser(description=for_users, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", metavar="PROOF", help="the file with the proof")
    parser.add_argument("--raffle", metavar="ID", help="the raffle's id, as you know it")
    parser.add_argument("--key", type=operator_key, help="the operator's public key, from a place other than the proof")
    parser.add_argument(
        "--witness",
        metavar="KEY",
        type=witness_key,
        action="append",
        default=[],
        help="the public key of a witness you trust; can be repeated",
    )
    parser.add_argument("--leaves", metavar="FILE", help="the file with all tickets, one per line")
    parser.add_argument("--receipt", metavar="FILE", help="the file with the receipt of your ticket")
    parser.add_argument("--code", help="the verification code of your ticket; - reads it from the standard input")
    return parser


def operator_key(text: str) -> str:
    """Return the text of an operator's key, as an argument gives it."""
    try:
        read_key(text, OPERATOR)
    except ValueError:
        raise argparse.ArgumentTypeError("this is not an operator's public key; copy the whole line") from None
    return text


def witness_key(text: str) -> VerifierKey:
    """Return a witness's key, as an argument gives it."""
    try:
        return read_key(text, WITNESS)
    except ValueError:
        raise argparse.ArgumentTypeError("this is not a witness's public key; copy the whole line") from None


def read_code() -> str:
    """Return the first line of the standard input."""
    return sys.stdin.buffer.readline().decode(errors="replace").strip() if sys.stdin else ""


def read_file(path: str, limit: int) -> bytes:
    """Return the content of a file; of one that is too long, one byte more than the limit."""
    with open(path, "rb") as file:
        return file.read(limit + 1)


def lines_of(leaves: io.BufferedReader) -> Iterator[bytes]:
    """Yield the lines of the file, cut one byte after the limit, so that no line fills the memory."""
    return iter(lambda: leaves.readline(LEAF_LINE_BYTES + 1), b"")


def run() -> int:
    """Run `main`, and end without a traceback if it is interrupted or if its output cannot be written."""
    try:
        status = main()
        print(end="", flush=True)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        # Otherwise Python would try to write again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not isinstance(error, BrokenPipeError):
            print(f"verify_draw.py: the output could not be written: {error.strerror}", file=sys.stderr)
        return 74
    return status


if __name__ == "__main__":
    sys.exit(run())
