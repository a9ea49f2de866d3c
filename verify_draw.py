#!/usr/bin/env python3
"""Check the proof of a rafflekit draw, without rafflekit.

Save the raffle's proof as a file and run:

    python3 verify_draw.py proof.json

The program prints the raffle, its prizes and its winners. Compare them with what was announced, because a website can
show other winners than the proof. It also prints the values that a certificate of the draw shows, and the closing, to
compare with what was published before the draw. Then the program prints one line per step of the check:

    ✓ step: ...               the step is proven
    ✗ step: ...               the step is wrong
    – not proven: step: ...   the step rests on trust, or this program skipped it

The exit status is 1 if any step is wrong, and 0 otherwise. The more you give the program, the more it can prove: the
raffle's id, the operator's key, all tickets, your receipt.

Python 3.8 or later is enough. Two libraries are optional: py-arkworks-bls12381 checks drand's signature, argon2-cffi
checks the code of a ticket. Without them the program skips these checks and says so.

The rules are those of rafflekit's docs/draw-protocol.md, version 1. Comments that name a section mean that document.
This file shares no code with rafflekit. Its parts, from top to bottom: the steps of a check, the JSON documents, the
signed notes and keys, the tree of tickets, the winners, drand's beacon, a ticket's code, Ed25519, what is printed, the
command line.
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
import unicodedata
import uuid
from base64 import b64decode, b64encode
from datetime import datetime, timezone
from hashlib import sha256, sha512
from struct import pack
from typing import Any, Callable, Iterable, Iterator, NamedTuple

# ---- The steps of a check: section 9 ----

STEPS = {
    "form": "the proof has the form of protocol 1",
    "terms": "the closing belongs to the raffle that you know, with these prizes and rules",
    "key": "the key is the operator's",
    "closing": "the operator signed all tickets",
    "witnesses": "most witnesses that you named signed the closing",
    "entropy": "drand signed the beacon of the closing's round",
    "witnessed": "the closing was known to others before the beacon was published",
    "seed": "the seed follows from the closing and the entropy",
    "winners": "the winners follow from the seed",
    "leaves": "these are all the tickets of the draw, and no number occurs twice",
    "receipt": "your ticket was in the draw",
    "code": "the code belongs to your ticket",
    "forfeits": "the proof lists no prize that passed on",
}
"""The steps in the order of the protocol, each with what it shows when it is ok."""

DAY_S = 86_400
MOST_WINS = 1_000_000
MOST_IN_PROOF = 1_000  # winners, and forfeits
AFTER_EVERY_COSIGNATURE = 2**64


class Wrong(ValueError):
    """The step is wrong; the message says why."""


class NotProven(Exception):
    """Nothing is wrong, but the step rests on trust or was skipped; the message says which."""


def require(condition: object, otherwise: str) -> None:
    """Raise `Wrong` with the message `otherwise` unless the condition holds."""
    if not condition:
        raise Wrong(otherwise)


class Copy(NamedTuple):
    """A copy of the closing that someone kept, and when you know that it was published, in seconds since 1970."""

    note: bytes
    published_at: int | None = None


class Given(NamedTuple):
    """What you know about the draw. None, or an empty tuple, means that you do not know it."""

    proof: bytes
    now: float
    raffle: str | None = None
    key: str | None = None
    witnesses: tuple[VerifierKey, ...] = ()
    copies: tuple[Copy, ...] = ()
    leaves: Iterable[bytes] | None = None
    receipt: bytes | None = None
    code: str | None = None


class Audit:
    """One check of a proof.

    Each step is a method that raises `Wrong` or `NotProven`. If the step is ok, the method returns a sentence, or None
    if the sentence in `STEPS` says enough. The steps leave what later steps need in attributes. If a step is wrong, its
    attributes stay empty.
    """

    def __init__(self, given: Given) -> None:
        self.given = given
        self.outcomes: dict[str, tuple[str, str]] = {}
        self.proof: Proof | None = None
        self.cosigned_at: list[int] = []  # when witnesses of the proof, and those that you named, signed the closing
        self.seen_at: dict[VerifierKey, list[int]] = {}  # the same, by each witness that you named
        self.tickets: dict[int, bytes] | None = None  # {ticket number: leaf hash} in the order of issue
        self.wins: list[dict[str, Any]] | None = None  # as `winners` gives them, before any forfeit
        self.forfeits: list[Forfeit] | None = None
        self.ticket: dict[str, Any] | None = None  # the leaf of the receipt

    def run(self) -> dict[str, tuple[str, str]]:
        """Return the outcome ("ok", "wrong" or "not proven") and a sentence for each step taken."""
        self.take("form", self.check_form)
        if self.proof is not None:
            self.take_steps(self.proof)
        self.outcomes = {name: self.outcomes[name] for name in STEPS if name in self.outcomes}
        return self.outcomes

    def take_steps(self, proof: Proof) -> None:
        """Take all steps after the first one."""
        necessary = {"terms": self.check_terms, "key": self.check_key, "closing": self.check_closing}
        for name, check in necessary.items():
            self.take(name, check, proof)
            if self.outcomes[name][0] == "wrong":
                return
        self.take("witnesses", self.check_witnesses, proof)
        self.take("entropy", self.check_entropy, proof)
        self.take("witnessed", self.check_witnessed, proof)
        self.take("seed", self.check_seed, proof)
        # Leaves before winners: a proof with more than 1,000 winners does not list them, so the leaves are needed.
        self.take("leaves", self.check_leaves, proof)
        self.take("winners", self.check_winners, proof)
        # Forfeits before the receipt, which says what the ticket has won in the end.
        self.take("forfeits", self.check_forfeits, proof)
        if self.given.receipt is not None:
            self.take("receipt", self.check_receipt, proof, self.given.receipt)
        if self.ticket is not None and self.given.code is not None:
            self.take("code", check_code, self.given.code, self.ticket["code_hash"])

    @property
    def is_good(self) -> bool:
        """Whether no step is wrong. Steps may still be not proven."""
        return all(outcome != "wrong" for outcome, _ in self.outcomes.values())

    def take(self, name: str, check: Callable[..., str | None], *arguments: object) -> None:
        """Take one step and note its outcome."""
        try:
            self.outcomes[name] = "ok", check(*arguments) or STEPS[name]
        except (NotProven, MemoryError, OSError) as reason:
            self.outcomes[name] = "not proven", str(reason) or "there is not enough memory"
        except ValueError as reason:
            self.outcomes[name] = "wrong", str(reason)

    def require_past(self, time: int, what: str) -> None:
        """Raise `NotProven` if a time is a day or more in the future. It is not wrong, because your clock may be."""
        if time > self.given.now + DAY_S:
            raise NotProven(
                f"{what} {time_text(time)}, which is in the future by this computer's clock: either the clock is "
                "wrong, or the operator signed a wrong date"
            )

    def check_form(self) -> None:
        """Step 1: the document and everything in it has the right form."""
        try:
            self.proof = read_proof(self.given.proof)
        except ValueError as reason:
            raise Wrong(f"this is not a proof: {reason}") from None

    def check_terms(self, proof: Proof) -> str:
        """Step 2: the closing commits to the terms, and the raffle is the one that you know from elsewhere."""
        raffle = proof.terms["id"]
        require(self.given.raffle in (None, raffle), "this is the proof of another raffle")
        canonical = json.dumps(proof.terms, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        terms_hash = tagged_hash("terms", canonical.encode())
        require(proof.closing.terms_hash == terms_hash, "the closing belongs to other terms")
        which = f"the raffle {raffle}, created {time_text(proof.created)}"
        if not self.is_raffle_known(proof):
            raise NotProven(
                f"this is {which}, and nothing shows that it is yours: the operator may have made others like it, and "
                "show you the one whose winners they like best; give its id with --raffle, or a receipt from "
                "before the closing"
            )
        return f"this is {which}, and the closing belongs to its prizes and rules"

    def is_raffle_known(self, proof: Proof) -> bool:
        """Return whether anything that does not come from the proof says which raffle this is."""
        if self.given.raffle is not None:
            return True
        for copy in self.given.copies:
            with contextlib.suppress(ValueError):
                if read_copy(copy).note.text == proof.closing.note.text:
                    return True
        with contextlib.suppress(ValueError):
            kept = read_receipt(self.given.receipt or b"").checkpoint
            require_signature(kept.note, proof.operator)
            # Anyone can fetch a receipt that has the closing, also after the draw.
            return kept.origin == proof.origin and kept.closed is None and kept.cancelled is None
        return False

    def check_key(self, proof: Proof) -> None:
        """Step 3: the key is the operator's."""
        require(self.given.key in (None, proof.key), "the proof has another key than the one that you gave")
        if self.given.key is None:
            raise NotProven("only the proof itself says that this is the operator's key; give their key with --key")

    def check_closing(self, proof: Proof) -> str:
        """Step 4: the operator signed the closing of all tickets, with a plausible time and the right round."""
        closing = proof.closing
        require_signature(closing.note, proof.operator)
        require(closing.origin == proof.origin, "the closing is of another raffle")
        require(closing.size >= proof.prize_count, "the closing has fewer tickets than there are prizes")
        require(closing.size <= proof.announced_tickets, "the closing has more tickets than were announced")
        require(proof.closed >= proof.created, "the raffle closed before it was created")
        require(closing.round == proof.round, "the closing names another round than the first after the delay")
        self.require_past(proof.closed, "the operator signed the closing, but the raffle closed")
        when = f"the raffle closed {time_text(proof.closed)}"
        if closing.size < proof.announced_tickets:
            when += " before it was sold out"
        return f"the operator signed the closing of {closing.size:,} of {proof.announced_tickets:,} tickets; {when}"

    def check_witnesses(self, proof: Proof) -> str:
        """Step 5: all witnesses of the proof signed the closing, and so did most of those that you named."""
        note, named = proof.closing.note, unique(self.given.witnesses)
        for witness in [*proof.witnesses, *named]:
            require(witness.public != proof.operator.public, "the operator's key cannot be a witness's key")
        times = {witness: cosignature_times(note, witness) for witness in unique([*proof.witnesses, *named])}
        require(all(len(signed_at) <= 1 for signed_at in times.values()), "a witness signed twice")
        require(all(times[witness] for witness in proof.witnesses), "a witness of the proof did not sign the closing")
        self.cosigned_at = [time for signed_at in times.values() for time in signed_at]
        self.seen_at = {witness: times[witness] for witness in named}
        if not named:
            raise NotProven("you named no witness with --witness, and the operator may have made all signatures")
        return require_majority(named, [witness for witness in named if times[witness]], "signed the closing")

    def check_entropy(self, proof: Proof) -> None:
        """Step 6: no one could know the entropy before the closing."""
        entropy, kind = proof.entropy, proof.entropy["kind"]
        require(kind == proof.terms["entropy"], "the entropy comes from another source than announced")
        if kind == "secrets":
            raise NotProven("you have only the operator's word that they generated the entropy once, after the closing")
        if kind == "announced":
            value, source = quoted(entropy["value"]), quoted(proof.terms["source"])
            raise NotProven(f"you have only the operator's word that {value} is what {source} gave; compare it")
        require(entropy["round"] == proof.round, "the beacon is of another round than the closing's")
        require_beacon(entropy["round"], bytes.fromhex(entropy["signature"]))

    def check_witnessed(self, proof: Proof) -> str:
        """Step 7: the closing was known to others before the beacon was published."""
        due = AFTER_EVERY_COSIGNATURE if proof.round is None else beacon_time(proof.round)
        require(max(self.cosigned_at, default=0) < due, "a witness signed when the beacon was already published")
        named = unique(self.given.witnesses)
        seen_at = {witness: list(self.seen_at.get(witness, ())) for witness in named}
        published_at = []
        copies = self.copies_of_closing(proof)
        for copy, note in copies:
            # A copy with a wrong cosignature shows nothing.
            with contextlib.suppress(ValueError):
                for witness, times in [(witness, cosignature_times(note, witness)) for witness in named]:
                    seen_at[witness] += times
                published_at += [] if copy.published_at is None else [copy.published_at]
        fit = f"your {'copy is' if len(copies) == 1 else 'copies are'} this closing; " if copies else ""
        if proof.terms["entropy"] == "announced":
            raise NotProven(
                f"{fit}the raffle closed {time_text(proof.closed)}, as the operator says; compare that with the moment "
                f"when {quoted(proof.terms['source'])} gave the value"
            )
        if proof.round is None:
            raise NotProven(f"{fit}you have only the operator's word that they made no other draws before this one")
        # No one can have seen the closing before the raffle was created.
        if any(proof.created <= time < due for time in published_at):
            return f"{fit}the copy that you dated was published before the beacon"
        early = [each for each in named if any(proof.created <= time < due for time in seen_at[each])]
        if not named:
            raise NotProven(f"{fit}only the operator's clock says that the closing came before the beacon")
        return require_majority(named, early, "had the closing before the beacon was published", fit)

    def copies_of_closing(self, proof: Proof) -> list[tuple[Copy, Note]]:
        """Return your copies, read. Raise `Wrong` if one is not a copy of the proof's closing."""
        copies, mistakes = [], []
        for copy in self.given.copies:
            try:
                kept = read_copy(copy)
            except ValueError as reason:
                mistakes.append(
                    f"your copy is not a copy of a closing: {reason}; copy all of it again, from the line that begins "
                    "with rafflekit/ to the last line that begins with —, and nothing else"
                )
                continue
            if kept.note.text == proof.closing.note.text:
                copies.append((copy, kept.note))
            elif kept.origin != proof.origin:
                mistakes.append("your copy is of another raffle")
            elif not is_signed(kept.note, proof.operator):
                mistakes.append(
                    "your copy is another text than the closing, and the operator did not sign it; if it was published "
                    "as the closing of this raffle, it and the proof contradict each other: keep both"
                )
            elif kept.cancelled is not None:
                raise Wrong(f"the operator cancelled this raffle, as your copy shows: {quoted(kept.reason or '')}")
            elif kept.closed is not None:
                raise Wrong(
                    "the operator signed two closings of this raffle, the proof's and that of your copy; keep both"
                )
            else:
                mistakes.append("your copy is a checkpoint from before the closing")
        require(not mistakes, "; ".join(mistakes))
        return copies

    def check_seed(self, proof: Proof) -> None:
        """Step 8: the seed follows from the closing and the entropy."""
        seed = tagged_hash("seed", proof.closing_hash + proof.entropy_value)
        require(proof.seed == seed, "the seed does not follow from the closing and the entropy")

    def check_winners(self, proof: Proof) -> None:
        """Step 9: the winners follow from the seed, and the operator signed this draw."""
        prizes = [prize for prize, each in enumerate(proof.terms["prizes"]) for _ in range(each["amount"])]
        serials = list(proof.shuffled(proof.prize_count))
        numbers = self.winning_numbers(proof, serials, prizes)
        require(len(set(numbers)) == len(numbers), "a number wins twice")
        require(max(numbers, default=1) <= proof.announced_tickets, "a winning number is larger than the last number")
        require_signature(proof.draw, proof.operator)
        require(proof.drawn >= proof.closed, "the draw is dated before the closing")
        digest = winners_digest(serials, numbers, prizes) if numbers else proof.draw.parts["digest"]
        require(proof.draw.text == draw_text(proof, digest), "the operator signed another draw")
        if not numbers:
            raise NotProven("you have only the operator's word which numbers won; give all tickets with --leaves")
        names = [prize["name"] for prize in proof.terms["prizes"]]
        self.wins = [{"ticket_number": number, "prize": names[prize]} for number, prize in zip(numbers, prizes)]
        self.require_past(proof.drawn, "the winners follow from the seed, but the draw is dated")

    def winning_numbers(self, proof: Proof, serials: list[int], prizes: list[int]) -> list[int]:
        """Return the numbers that won, from the proof or else from the leaves; an empty list if neither shows them."""
        if proof.winners is None:
            require(proof.prize_count > MOST_IN_PROOF, "the winners are missing")
            numbers = list(self.tickets or ())
            return [numbers[serial] for serial in serials] if numbers else []
        require(len(proof.winners) == proof.prize_count, "there are not as many winners as prizes")
        for win, serial, prize in zip(proof.winners, serials, prizes):
            follows = win["leaf"]["serial"] == serial and win["prize"] == prize
            require(follows, "a win does not follow from the seed")
            require_in_tree(win["leaf"], win["path"], proof.terms["id"], proof.closing)
        return [win["leaf"]["ticket_number"] for win in proof.winners]

    def check_leaves(self, proof: Proof) -> None:
        """Step 10: the leaves are all the tickets that the closing commits to, each with its own number."""
        if self.given.leaves is None:
            raise NotProven("a number could occur twice; give all tickets with --leaves")
        size = proof.closing.size
        tickets: dict[int, bytes] = {}
        for line in self.given.leaves:
            leaf = read_json(line if tickets else without_mark(line), LEAF_LINE_BYTES, LEAF)
            require(len(tickets) < size, "there are more leaves than tickets in the closing")
            require(leaf["serial"] == len(tickets), "a leaf is missing, or not in the order of issue")
            require(leaf["ticket_number"] not in tickets, "a ticket number occurs twice")
            require(leaf["ticket_number"] <= proof.announced_tickets, "a ticket number is larger than the last number")
            tickets[leaf["ticket_number"]] = leaf_hash(proof.terms["id"], leaf)
        require(len(tickets) == size, "there are fewer leaves than tickets in the closing")
        require(tree_root(list(tickets.values())) == proof.closing.root, "the tickets are not those of the closing")
        self.tickets = tickets

    def check_receipt(self, proof: Proof, document: bytes) -> str:
        """Step 11: the ticket of the receipt is in the draw, unchanged."""
        receipt, closing = read_receipt(document), proof.closing
        checkpoint = receipt.checkpoint
        self.ticket = ticket = receipt.leaf
        if checkpoint.origin != proof.origin and is_signed(checkpoint.note, proof.operator):
            raise Wrong(
                "your receipt is from another raffle that was run with the same key; keep the receipt and the proof"
            )
        require(checkpoint.origin == proof.origin, "your receipt is of another raffle")
        require_signature(checkpoint.note, proof.operator)
        require(checkpoint.terms_hash == closing.terms_hash, "your receipt was signed for other prizes or rules")
        require(checkpoint.size <= closing.size, "your receipt is from a tree with more tickets than the closing")
        require(ticket["ticket_number"] <= proof.announced_tickets, "your number is larger than the last number")
        require(checkpoint.cancelled is None, "the operator cancelled this raffle, as your receipt shows")
        is_earlier = checkpoint.closed is None and checkpoint.size < proof.announced_tickets
        require(is_earlier or checkpoint.note.text == closing.note.text, "your receipt is of another closing")
        require_in_tree(ticket, receipt.path, proof.terms["id"], checkpoint)
        for other in proof.winning_leaves:
            if other != ticket:
                require(other["serial"] != ticket["serial"], "a winner has your serial")
                require(other["ticket_number"] != ticket["ticket_number"], "a winner has your number")
        if self.tickets is not None:
            issued_then = list(self.tickets.values())[: checkpoint.size]
            require(tree_root(issued_then) == checkpoint.root, "tickets issued before your receipt were changed")
        elif checkpoint.size == closing.size:
            require(checkpoint.root == closing.root, "tickets issued before your receipt were changed")
        else:
            raise NotProven("you have only the operator's word that your ticket stayed; give all tickets with --leaves")
        return f"your ticket, number {ticket['ticket_number']}, was in the draw{self.won_by(ticket['ticket_number'])}"

    def check_forfeits(self, proof: Proof) -> None:
        """Step 13: each prize that its winner did not get passed to the next ticket of the shuffle."""
        if proof.forfeits is None:
            raise NotProven("a proof lists at most 1,000 prizes that passed on, and there were more")
        wins, draw_hash = proof.prize_count, encode_base64(tagged_hash("draw", proof.draw.text.encode()))
        queue = list(proof.shuffled(wins + len(proof.forfeits)))[wins:]
        numbers = {win["leaf"]["ticket_number"] for win in proof.winners or ()}
        won_at = dict.fromkeys(range(1, wins + 1), proof.drawn)  # when each win that can still be lost was won
        earliest = proof.drawn
        for place, forfeit in enumerate(proof.forfeits, start=1):
            require_signature(forfeit.note, proof.operator)
            is_ours = (forfeit.origin, forfeit.draw_hash) == (proof.origin, draw_hash)
            require(is_ours, "a forfeit is of another raffle or another draw")
            require(forfeit.place == place, "a forfeit is missing, or not in its place")
            require(forfeit.time >= earliest, "a forfeit is dated before the draw, or before the forfeit before it")
            earliest = forfeit.time
            require(forfeit.win in won_at, "a win was lost that did not exist, or that was lost before")
            due = won_at.pop(forfeit.win) + proof.terms.get("claim_days", 0) * DAY_S
            require(forfeit.why != "unclaimed" or forfeit.time >= due, "a prize passed on before its deadline")
            if place > len(queue):
                is_lapsed = forfeit.next is None and forfeit.leaf is None and not forfeit.path
                require(is_lapsed, "a prize passed on although every ticket had won")
                continue
            leaf = forfeit.leaf
            if leaf is None:
                raise Wrong("a prize lapsed although there was a next ticket")
            is_next = leaf["serial"] == queue[place - 1]
            require(is_next and forfeit.next == (leaf["serial"], leaf["ticket_number"]), "another ticket was next")
            require_in_tree(leaf, forfeit.path, proof.terms["id"], proof.closing)
            require(leaf["ticket_number"] <= proof.announced_tickets, "a number is larger than the last number")
            require(leaf["ticket_number"] not in numbers, "a number wins twice")
            numbers.add(leaf["ticket_number"])
            won_at[wins + place] = forfeit.time
        self.forfeits = proof.forfeits
        if self.forfeits:
            said = self.passed_on(proof, self.forfeits)
            self.require_past(earliest, f"{said}; the last forfeit is dated")
            raise NotProven(said)

    def passed_on(self, proof: Proof, forfeits: list[Forfeit]) -> str:
        """Return what there is to say about forfeits that follow the rules."""
        lapsed = sum(forfeit.next is None for forfeit in forfeits)
        said = (
            f"of the prizes that were lost, {len(forfeits) - lapsed:,} passed to the next ticket of the shuffle, "
            f"{lapsed:,} lapsed; you have only the operator's word why each was lost, and that no forfeit is missing"
        )
        if "claim_days" not in proof.terms and any(forfeit.why == "unclaimed" for forfeit in forfeits):
            said += "; at least one was lost as unclaimed, although no deadline was announced"
        return said

    def winners(self) -> list[dict[str, Any]] | None:
        """Return all wins in draw order, then those of the tickets that took a prize over; None if nothing shows them.

        A win that was lost has `forfeited_at`, `why` and `reason`, one that was taken over has `in_place_of`.
        """
        if self.wins is None or self.outcomes["forfeits"][0] == "wrong":
            return None
        wins = [dict(win) for win in self.wins]
        for forfeit in self.forfeits or ():
            lost = wins[forfeit.win - 1]
            lost.update(forfeited_at=iso_time(forfeit.time), why=forfeit.why, reason=forfeit.reason)
            if forfeit.next is not None:
                _, number = forfeit.next
                wins.append({"ticket_number": number, "prize": lost["prize"], "in_place_of": lost["ticket_number"]})
        return wins

    def values(self) -> dict[str, str | None] | None:
        """Return what people compare with a certificate of the draw, and the text of the closing, as it was published.

        None if any step is wrong.
        """
        if self.proof is None or not self.is_good:
            return None
        entropy = self.proof.entropy
        is_text = entropy["kind"] == "announced"
        return {
            "closed_list": encode_base64(self.proof.closing_hash),
            "random_number": None if is_text else entropy.get("signature", entropy.get("value")),
            "seed": self.proof.seed.hex(),
            "winners_digest": self.proof.draw.parts["digest"],
            "public_key": self.proof.key,
            "closing": self.proof.closing.note.text,
        }

    def won_by(self, number: int) -> str:
        """Return what a ticket won, as the rest of a sentence; nothing if the steps before do not show it."""
        wins = self.winners()
        if wins is None:
            return ""
        in_the_end = "" if self.forfeits is not None else "; the proof does not say which prizes passed on"
        for win in wins:
            if win["ticket_number"] == number:
                return f" and {win_text(win)}{in_the_end}"
        return f" and won nothing{in_the_end}"


def unique(witnesses: Iterable[VerifierKey]) -> list[VerifierKey]:
    """Return the witnesses without repetitions."""
    return list(dict.fromkeys(witnesses))


def require_majority(named: list[VerifierKey], those: list[VerifierKey], what: str, before: str = "") -> str:
    """Return who did `what`, after the words `before`.

    Raise `NotProven` if that is not more than half of the witnesses that you named. With half of them, the operator
    could show one closing to one half of the witnesses, and another to the others.
    """
    missing = ", ".join(witness.name for witness in named if witness not in those)
    said = f"{before}of the witnesses that you named ({len(named)}), {len(those)} {what}"
    if missing:
        said += f"; missing: {missing}"
    if 2 * len(those) <= len(named):
        raise NotProven(f"{said}; more than half are needed")
    return said


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

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PROOF_BYTES = 8 * 2**20
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


def record(forms: dict[str, Form], optional: dict[str, Form] | None = None) -> Form:
    """Accept objects with all keys of `forms` and any of those of `optional`, each with a value of its form."""
    known = {**forms, **(optional or {})}
    return lambda value: (
        type(value) is dict
        and forms.keys() <= value.keys() <= known.keys()
        and all(known[key](value[key]) for key in value)
    )


def one_of(*forms: Form) -> Form:
    """Accept what any of these forms accepts."""
    return lambda value: any(form(value) for form in forms)


def null(value: object) -> bool:
    """Accept null only."""
    return value is None


HASH_PATTERN = "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="  # strict Base64 of 32 bytes
KEY_PATTERN = r"([!-*,-~]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})"  # name, key id, type and public key
OTHER_SPACES = r"\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"  # category Zs without the common space
CONTROLS = r"\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"  # categories Cc, Zl, Zp and Cs
NAME_PATTERN = rf"(?=.*[^ {OTHER_SPACES}\n])[^{CONTROLS}]{{1,200}}"  # at least one character is not a space
ANNOUNCED_PATTERN = rf"(?!.{{1001}})[^ {OTHER_SPACES}{CONTROLS}]+( [^ {OTHER_SPACES}{CONTROLS}]+)*"
TIME_PATTERN = r"(19[7-9]|[2-9][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z"

PROTOCOL = integer(1, 1)
COUNT = integer(1, 10**12)
BYTES_32 = string("[0-9a-f]{64}")
HASH = string(HASH_PATTERN)
KEY = string(KEY_PATTERN)
NAME = string(NAME_PATTERN)
TIME = string(TIME_PATTERN)
NOTE = string(r"[^\ud800-\udfff]*")

TEXTS = ("collection", "promoter", "address", "price", "licence", "note")
OPTIONAL_TERMS = {
    "delay_s": integer(1, 604_800),
    "source": NAME,
    "entry": string("invitation|desk"),
    "tickets_each": integer(2, 1_000),
    "opens_at": TIME,
    "closes_at": TIME,
    "draw_at": TIME,
    "claim_days": integer(1, 3_650),
    **dict.fromkeys(TEXTS, NAME),
}
TERMS = record(
    {
        "protocol": PROTOCOL,
        "id": string("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        "name": NAME,
        "created_at": TIME,
        "total_tickets": COUNT,
        "prizes": array(record({"name": NAME, "amount": COUNT}), 1, 1_000),
        "entropy": string("secrets|drand-quicknet|announced"),
    },
    optional=OPTIONAL_TERMS,
)
LEAF = record({"serial": integer(0, 10**12 - 1), "ticket_number": COUNT, "code_hash": string("[!-~]{1,1000}")})
PATH = array(HASH, 0, 64)
ENTROPY = one_of(
    record({"kind": string("secrets"), "value": BYTES_32}),
    record({"kind": string("drand-quicknet"), "round": COUNT, "signature": string("[0-9a-f]{96}")}),
    record({"kind": string("announced"), "value": string(ANNOUNCED_PATTERN)}),
)
WINNER = record({"prize": integer(0, 999), "leaf": LEAF, "path": PATH})
FORFEIT = record({"note": NOTE, "leaf": one_of(LEAF, null), "path": PATH})
PROOF = record(
    {
        "protocol": PROTOCOL,
        "terms": TERMS,
        "key": KEY,
        "closing": NOTE,
        "witnesses": array(KEY, 0, 100),
        "entropy": ENTROPY,
        "seed": BYTES_32,
        "draw": NOTE,
        "winners": one_of(array(WINNER, 0, MOST_IN_PROOF), null),
        "forfeits": one_of(array(FORFEIT, 0, MOST_IN_PROOF), null),
    }
)
RECEIPT = record({"protocol": PROTOCOL, "leaf": LEAF, "path": PATH, "checkpoint": NOTE})


def without_mark(document: bytes) -> bytes:
    """Return a document without the byte order mark that some editors write before it."""
    is_utf_16 = document[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in document[:2]
    require(not is_utf_16, "the file is text in UTF-16; save it as UTF-8")
    return document[len(BYTE_ORDER_MARK) :] if document.startswith(BYTE_ORDER_MARK) else document


def decode_text(document: bytes) -> str:
    """Return the text in these bytes."""
    try:
        return document.decode()
    except UnicodeDecodeError:
        raise Wrong("the file is not text in UTF-8") from None


def read_json(document: bytes, limit: int, form: Form) -> Any:
    """Return the value of a JSON document of this form and of at most `limit` bytes."""
    value = parse_json(document, limit)
    require(form(value), "a key is missing, unknown, or has a value of another form")
    return value


def parse_json(document: bytes, limit: int) -> Any:
    """Return the value of a JSON document of any form and of at most `limit` bytes."""
    require(len(document) <= limit, "the document is too long")
    try:
        return json.loads(
            decode_text(document),
            object_pairs_hook=object_without_duplicates,
            parse_int=whole_number,
            parse_float=whole_number,
            parse_constant=whole_number,
        )
    except json.JSONDecodeError as reason:
        raise Wrong(f"the document is not JSON (line {reason.lineno}, column {reason.colno})") from None
    except RecursionError:
        raise Wrong("the document is nested too deeply") from None


def object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object with these keys and values."""
    require(len(dict(pairs)) == len(pairs), "a key occurs twice")
    return dict(pairs)


def whole_number(literal: str) -> int:
    """Return the number; refuse signs, fractions, and far more digits than any number of the protocol has."""
    require(re.fullmatch("[0-9]{1,30}", literal), "a number is too long, or not written in digits only")
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
    drawn: int
    winners: list[dict[str, Any]] | None
    forfeits: list[Forfeit] | None

    @property
    def origin(self) -> str:
        """The first line of every checkpoint of this raffle."""
        return f"rafflekit/{self.terms['id']}"

    @property
    def announced_tickets(self) -> int:
        """The number of tickets in the announcement, which is also the highest ticket number."""
        return int(self.terms["total_tickets"])

    @property
    def prize_count(self) -> int:
        """The number of prizes: the sum of their amounts."""
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
        kind = self.entropy["kind"]
        if kind == "drand-quicknet":
            return sha256(bytes.fromhex(self.entropy["signature"])).digest()
        if kind == "announced":
            return sha256(self.entropy["value"].encode()).digest()
        return bytes.fromhex(self.entropy["value"])

    @property
    def winning_leaves(self) -> list[dict[str, Any]]:
        """The leaves of the winners, and of those who took a prize over, as far as the proof has them."""
        heirs = [forfeit.leaf for forfeit in self.forfeits or () if forfeit.leaf is not None]
        return [win["leaf"] for win in self.winners or ()] + heirs

    def shuffled(self, count: int) -> Iterator[int]:
        """Yield the first `count` serials in the order of the shuffle, or all of them if there are fewer."""
        return shuffled_serials(self.seed, self.closing.size, min(count, self.closing.size))


class Forfeit(NamedTuple):
    """A prize that its winner did not get, and the ticket that it passed to: a note of section 7 and its leaf."""

    note: Note
    origin: str
    draw_hash: str
    place: int
    time: int
    win: int
    why: str
    reason: str
    next: tuple[int, int] | None
    leaf: dict[str, Any] | None
    path: list[str]


class Receipt(NamedTuple):
    """A participant's receipt (section 5)."""

    leaf: dict[str, Any]
    path: list[str]
    checkpoint: Checkpoint


def read_proof(document: bytes) -> Proof:
    """Return the proof in this document. Raise `Wrong` if it, or a key or note in it, has another form."""
    content = read_json(without_mark(document), PROOF_BYTES, PROOF)
    terms, closing = content["terms"], read_checkpoint(content["closing"])
    require_terms_fit(terms)
    if closing.closed is None:
        raise Wrong("the closing does not say when the raffle closed")
    draw, forfeits = read_note(content["draw"], DRAW_PATTERN), content["forfeits"]
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
        draw=draw,
        drawn=int(draw.parts["drawn"]),
        winners=content["winners"],
        forfeits=None if forfeits is None else [read_forfeit(forfeit) for forfeit in forfeits],
    )
    require(proof.prize_count <= min(proof.announced_tickets, MOST_WINS), "there are too many prizes")
    publics = {witness.public for witness in proof.witnesses}
    require(len(publics) == len(proof.witnesses), "two witnesses have the same public key")
    return proof


def require_terms_fit(terms: dict[str, Any]) -> None:
    """Raise `Wrong` unless the optional terms belong to the others (section 2)."""
    require(("delay_s" in terms) == (terms["entropy"] == "drand-quicknet"), "a delay is for drand only")
    require(("source" in terms) == (terms["entropy"] == "announced"), "a source is for announced entropy only")
    created, times = seconds_since_1970(terms["created_at"]), ("opens_at", "closes_at", "draw_at")
    opens, closes, draw = (seconds_since_1970(terms[key]) if key in terms else None for key in times)
    for end in (closes, draw):
        if end is not None:
            require(created < end, "the raffle was to close or be drawn before it was created")
            require(opens is None or opens < end, "the raffle was to close or be drawn before it opens")
    require(closes is None or draw is None or closes <= draw, "the raffle was to be drawn before it closes")
    require("price" not in terms or {"promoter", "draw_at"} <= terms.keys(), "a price needs a promoter and draw_at")


def read_forfeit(content: dict[str, Any]) -> Forfeit:
    """Return the forfeit of this form."""
    note = read_note(content["note"], FORFEIT_PATTERN)
    parts = note.parts
    return Forfeit(
        note=note,
        origin=parts["origin"],
        draw_hash=parts["draw"],
        place=int(parts["place"]),
        time=int(parts["time"]),
        win=int(parts["win"]),
        why=parts["why"],
        reason=parts["reason"],
        next=None if parts["serial"] is None else (int(parts["serial"]), int(parts["number"])),
        leaf=content["leaf"],
        path=content["path"],
    )


def read_receipt(document: bytes) -> Receipt:
    """Return the receipt in this document: the receipt alone, or the server's whole answer with ticket and code."""
    try:
        content = parse_json(without_mark(document), RECEIPT_BYTES)
        if type(content) is dict and "receipt" in content and "protocol" not in content:
            content = content["receipt"]
        require(RECEIPT(content), "a key is missing, unknown, or has a value of another form")
        return Receipt(content["leaf"], content["path"], read_checkpoint(content["checkpoint"]))
    except ValueError as reason:
        raise Wrong(f"this is not a receipt: {reason}") from None


def seconds_since_1970(text: str) -> int:
    """Return a time of the terms as seconds; raise ValueError if the calendar does not have it."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
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
    rf"(?:closed (?P<closed>{NUMBER_PATTERN})\n(?:round (?P<round>{NUMBER_PATTERN})\n)?"
    rf"|cancelled (?P<cancelled>{NUMBER_PATTERN})\nreason (?P<reason>{NAME_PATTERN})\n)?"
)
DRAW_PATTERN = (
    "rafflekit draw v1\n"
    ".+\n"
    f"closing {HASH_PATTERN}\n"
    f"drawn (?P<drawn>{NUMBER_PATTERN})\n"
    "entropy [0-9a-f]{64}\n"
    "seed [0-9a-f]{64}\n"
    f"winners {NUMBER_PATTERN} (?P<digest>{HASH_PATTERN})\n"
)
FORFEIT_PATTERN = (
    "rafflekit forfeit v1\n"
    "(?P<origin>.+)\n"
    f"draw (?P<draw>{HASH_PATTERN})\n"
    f"forfeit (?P<place>{NUMBER_PATTERN})\n"
    f"time (?P<time>{NUMBER_PATTERN})\n"
    f"win (?P<win>{NUMBER_PATTERN})\n"
    "why (?P<why>unclaimed|renounced|disqualified)\n"
    f"reason (?P<reason>{NAME_PATTERN})\n"
    f"next (?:none|(?P<serial>{NUMBER_PATTERN}) (?P<number>{NUMBER_PATTERN}))\n"
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
    """A note about a tree of tickets. If it says when the raffle closed, it is the closing; or it is a cancellation."""

    note: Note
    origin: str
    size: int
    root: bytes
    terms_hash: bytes
    closed: int | None
    round: int | None
    cancelled: int | None
    reason: str | None


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
    closed, drand_round, cancelled = (
        None if digits is None else int(digits) for digits in map(note.parts.get, ("closed", "round", "cancelled"))
    )
    return Checkpoint(
        note=note,
        origin=note.parts["origin"],
        size=int(note.parts["size"]),
        root=decode_base64(note.parts["root"]),
        terms_hash=decode_base64(note.parts["terms"]),
        closed=closed,
        round=drand_round,
        cancelled=cancelled,
        reason=note.parts["reason"],
    )


def read_copy(copy: Copy) -> Checkpoint:
    """Return the checkpoint in a copy that someone kept. Chats and editors change the ends of lines, and add some."""
    # A reason may have been signed with blanks at its end.
    lines = (
        line.rstrip("\r" if line.startswith("reason ") else " \t\r")
        for line in decode_text(without_mark(copy.note)).split("\n")
    )
    return read_checkpoint("\n".join(lines).strip("\n") + "\n")


def require_signature(note: Note, operator: VerifierKey) -> None:
    """Raise `Wrong` unless the operator signed this note, once."""
    signatures = note.signatures_of(operator)
    require(len(signatures) == 1, "the operator's signature is missing, or there twice")
    require(is_signature(operator.public, signatures[0], note.text), "the operator's signature is wrong")


def is_signed(note: Note, operator: VerifierKey) -> bool:
    """Return whether the operator signed this note, and no signature by their key is wrong."""
    signatures = note.signatures_of(operator)
    with contextlib.suppress(ValueError):
        return bool(signatures) and all(is_signature(operator.public, each, note.text) for each in signatures)
    return False


def cosignature_times(note: Note, witness: VerifierKey) -> list[int]:
    """Return when the witness signed the note, in seconds since 1970: nothing if they did not."""
    times = []
    for signature in note.signatures_of(witness):
        signed_at = int.from_bytes(signature[:8], "big")
        signed_text = f"cosignature/v1\ntime {signed_at}\n{note.text}"
        require(is_signature(witness.public, signature[8:], signed_text), "a witness's signature is wrong")
        times.append(signed_at)
    return times


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


def require_in_tree(leaf: dict[str, Any], path: list[str], raffle: str, checkpoint: Checkpoint) -> None:
    """Raise `Wrong` unless the path of a ticket leads from its leaf to the root of the checkpoint."""
    root = root_from_path(leaf_hash(raffle, leaf), leaf["serial"], checkpoint.size, path)
    require(root == checkpoint.root, "a ticket is not in its tree")


# ---- The winners: section 7 ----


def shuffled_serials(seed: bytes, tickets: int, count: int) -> Iterator[int]:
    """Yield the first `count` serials of the shuffle: those that win, in draw order, and then those that are next.

    It is the shuffle of Fisher and Yates. Only the slots that it has changed are stored.
    """
    counter = itertools.count()

    def uniform(bound: int) -> int:
        """Return a number below `bound`, each as likely as the others."""
        while True:
            block = int.from_bytes(sha256(seed + pack(">Q", next(counter))).digest(), "big")
            if block < bound * (2**256 // bound):
                return block % bound

    slots: dict[int, int] = {}
    for first in range(count):
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
        f"drawn {proof.drawn}\n"
        f"entropy {proof.entropy_value.hex()}\n"
        f"seed {proof.seed.hex()}\n"
        f"winners {proof.prize_count} {digest}\n"
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
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Unicode's White_Space
MINUS_SIGN = "\u2212"
QUOTES = "'\"“”„‘’‚«»‹›`"
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
    spelled = spelled_code(code)
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


def spelled_code(text: str) -> str:
    """Return a code as it is hashed, but in any letter case.

    Programs for writing put other dashes, quotes and invisible characters in and around a code that is copied.
    """
    written = re.sub(f"[{WHITE_SPACE}{MINUS_SIGN}]", "", text)
    letters = "".join(letter for letter in written if unicodedata.category(letter) not in ("Cf", "Pd"))
    return letters.strip(QUOTES).translate(str.maketrans("OoIiLl", "001111"))


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
    """Return whether this is the key's signature of the text. The check is the one without the cofactor."""
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


# ---- What is printed ----

MARKS = {"ok": "✓ ", "wrong": "✗ ", "not proven": "– not proven: "}
VALUES = {  # as a certificate of the draw calls them
    "closed_list": "Closed list",
    "random_number": "Random number",
    "seed": "Seed",
    "winners_digest": "Winners' digest",
    "public_key": "Public key",
}
OTHER_QUOTES = re.compile('["«»‘-‟‹›⹂〝-〟＂＇❛-❠🙶-🙸″‶ʺˮ]')
OTHER_MARKS = re.compile("[✓✔✅☑✗✘✕✖❌❎☒☓⍻√🗙🗴-🗸🗹]")
BLANKS = re.compile(f"[{WHITE_SPACE}\u115f\u1160\u2800\u3164\uffa0]+")  # white space, and letters that look like it
JOINERS = "\u200c\u200d"  # several scripts, and emoji, are written with them


def report(audit: Audit) -> list[str]:
    """Return the lines that are printed after a check."""
    steps = [f"{MARKS[outcome]}{name}: {sentence}" for name, (outcome, sentence) in audit.outcomes.items()]
    if audit.proof is None:
        return steps
    return [*about_raffle(audit.proof), *about_winners(audit), *about_values(audit), "", *steps]


def about_raffle(proof: Proof) -> list[str]:
    """Return lines with all that was announced."""
    terms = proof.terms
    rules = {key: terms[key] for key in ("entropy", *OPTIONAL_TERMS) if key in terms}
    rules |= {key: quoted(text) for key, text in rules.items() if key in ("source", *TEXTS)}
    return [
        f"Raffle {quoted(terms['name'])}",
        f"  id {terms['id']}, created {time_text(proof.created)}",
        f"  {proof.closing.size:,} of {proof.announced_tickets:,} tickets were handed out",
        *(f"  {key}: {value}" for key, value in rules.items()),
        "Prizes",
        *(f"  {prize['amount']:,} × {quoted(prize['name'])}" for prize in terms["prizes"]),
    ]


def about_winners(audit: Audit) -> list[str]:
    """Return lines with the winners, if the proof shows them."""
    wins = audit.winners()
    if wins is None:
        return ["Winners: the proof does not show them, see below"]
    lines = [f"  ticket {win['ticket_number']} {win_text(win)}" for win in wins[:MOST_IN_PROOF]]
    more = [f"  … and {len(wins) - len(lines):,} more; --json prints them all"] if len(wins) > len(lines) else []
    return ["Winners", *lines, *more]


def about_values(audit: Audit) -> list[str]:
    """Return lines with what a certificate of the draw shows, and with the closing, if no step is wrong."""
    values = audit.values()
    if audit.proof is None or values is None:
        return []
    shown = [(name, values[key]) for key, name in VALUES.items() if values[key] is not None]
    return [
        "Values to compare with a certificate of the draw",
        *(f"  {name}: {value}" for name, value in shown),
        "The closing, to compare line by line with the one that was published",
        *(f"  {line}" for line in audit.proof.closing.note.text.splitlines()),
    ]


def win_text(win: dict[str, Any]) -> str:
    """Return what a ticket won, as the rest of a sentence."""
    said = f"won {quoted(win['prize'])}"
    if "in_place_of" in win:
        said = f"took over {quoted(win['prize'])} from ticket {win['in_place_of']}"
    if "reason" in win:
        said += f" and lost it ({win['why']}: {quoted(win['reason'])})"
    return said


def quoted(text: str) -> str:
    """Return a text by others in quotes, so that it cannot look like anything that this program says."""
    text = OTHER_MARKS.sub("*", OTHER_QUOTES.sub("'", BLANKS.sub(" ", text)))
    return f"“{''.join(map(visible, text))}”"


def visible(letter: str) -> str:
    """Return the letter, or its number if it controls the text around it."""
    is_hidden = unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") and letter not in JOINERS
    return f"<U+{ord(letter):04X}>" if is_hidden else letter


def time_text(seconds: int) -> str:
    """Return a time, in seconds since 1970, for people."""
    return iso_time(seconds).replace("T", " ").replace("Z", " UTC")


def iso_time(seconds: int) -> str:
    """Return a time, in seconds since 1970, in the form of the terms. A calendar ends with the year 9999."""
    try:
        return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s after 1970"


def report_in_json(audit: Audit) -> str:
    """Return everything that a check found, as one line of JSON."""
    steps = [
        {"name": name, "outcome": outcome, "sentence": sentence} for name, (outcome, sentence) in audit.outcomes.items()
    ]
    terms = {} if audit.proof is None else audit.proof.terms
    raffle = {key: value for key, value in terms.items() if key != "protocol"} or None
    found = {"good": audit.is_good, "raffle": raffle, "winners": audit.winners(), "values": audit.values()}
    return json.dumps({**found, "steps": steps})


# ---- The command line ----


def main() -> int:
    """Check the proof that the arguments name; print what was found and return the exit status."""
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
                copies=tuple(Copy(read_file(path, NOTE_BYTES), at) for path, at in options.witnessed),
                leaves=leaves and lines_of(leaves),
                receipt=read_file(options.receipt, RECEIPT_BYTES) if options.receipt else None,
                code=read_code() if options.code == "-" else options.code,
            )
        except OSError as error:
            parser.error(f"{error.filename} cannot be read: {error.strerror}")
        audit = Audit(given)
        audit.run()
    print(report_in_json(audit) if options.json else "\n".join(report(audit)))
    return 0 if audit.is_good else 1


def argument_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    for_users, _, _ = (__doc__ or "").partition("\nThe rules are")
    parser = argparse.ArgumentParser(description=for_users, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", metavar="PROOF", help="the file with the proof")
    parser.add_argument(
        "--raffle", metavar="ID", type=raffle_id, help="the raffle's id, from a place other than the proof"
    )
    parser.add_argument("--key", type=operator_key, help="the operator's public key, from a place other than the proof")
    repeated: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument(
        "--witness",
        metavar="KEY",
        type=witness_key,
        help="the public key of a witness you trust; can be repeated",
        **repeated,
    )
    parser.add_argument(
        "--witnessed",
        metavar="FILE[@TIME]",
        type=dated_copy,
        help="a copy of the closing that someone kept, and when you know that it was published, such as "
        "copy.txt@2026-11-24T12:00:00Z; can be repeated",
        **repeated,
    )
    parser.add_argument("--leaves", metavar="FILE", help="the file with all tickets, one per line")
    parser.add_argument("--receipt", metavar="FILE", help="the file with the receipt of your ticket")
    parser.add_argument("--code", help="the verification code of your ticket; - reads it from the standard input")
    parser.add_argument("--json", action="store_true", help="print everything as one line of JSON")
    return parser


def raffle_id(text: str) -> str:
    """Return a raffle's id in the form of the protocol, as an argument gives it."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError("this is not a raffle's id; copy all of it") from None


def dated_copy(text: str) -> tuple[str, int | None]:
    """Return the path of a copy and when it was published, in seconds since 1970, as an argument gives them."""
    path, at, time = text.rpartition("@")
    if not at or os.path.exists(text):
        return text, None
    try:
        return path, seconds_since_1970(time)
    except ValueError:
        raise argparse.ArgumentTypeError("after the '@', give a time such as 2026-11-24T12:00:00Z") from None


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
    """Return the content of a file; of one that is too long, so much that it is still too long."""
    with open(path, "rb") as file:
        return file.read(limit + len(BYTE_ORDER_MARK) + 1)


def lines_of(leaves: io.BufferedReader) -> Iterator[bytes]:
    """Yield the lines of the file. Lines that are too long are cut, so that none fills the memory."""
    return iter(lambda: leaves.readline(LEAF_LINE_BYTES + len(BYTE_ORDER_MARK) + 1), b"")


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
