"""Winners, leaves, receipts and codes, falsified by a stranger or by an operator who signs."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.documents import ProvenWin, leaf_line
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import base64_of
from rafflekit.core.protocol.winners import winners_digest
from tests.tamper.making.cases import (
    RECEIPT_SERIAL,
    RECEIPT_SIZE,
    Base,
    Case,
    Given,
    bases,
    consistency,
    flipped,
    flipped_last_word,
    written,
)
from tests.vectors.examples import BEACON_ROUND, CLOSED, Example, digest, example, signer

Edit = Callable[[dict[str, Any]], object]


def winner_cases() -> Iterator[Case]:
    """Yield what step 9 has to refuse."""
    drand, secrets, many = (bases()[name] for name in ("drand", "secrets", "many"))
    edits: dict[str, Edit] = {
        "two in another order": lambda proof: _swap(proof["winners"], 0, 1),
        "two of the same prize in another order": lambda proof: _swap(proof["winners"], 1, 2),
        "one less": lambda proof: proof["winners"].pop(),
        "one more": lambda proof: proof["winners"].append(proof["winners"][-1]),
        "none": lambda proof: proof.update(winners=[]),
        "null": lambda proof: proof.update(winners=None),
        "one twice": lambda proof: proof["winners"].__setitem__(1, proof["winners"][0]),
        "another prize": lambda proof: proof["winners"][0].update(prize=1),
        "a prize that is none": lambda proof: proof["winners"][3].update(prize=2),
        "another serial": lambda proof: _leaf(proof).update(serial=_leaf(proof)["serial"] ^ 1),
        "another number": lambda proof: _leaf(proof).update(ticket_number=_leaf(proof)["ticket_number"] % 20 + 1),
        "a number above N": lambda proof: _leaf(proof).update(ticket_number=21),
        "one number twice": lambda proof: _leaf(proof, 1).update(ticket_number=_leaf(proof)["ticket_number"]),
        "another code hash": lambda proof: _leaf(proof).update(code_hash=_leaf(proof, 1)["code_hash"]),
        "a path with another bit": lambda proof: _path(proof).__setitem__(0, flipped(_path(proof)[0])),
        "a path in another order": lambda proof: _path(proof).reverse(),
        "a path that is too short": lambda proof: _path(proof).pop(),
        "a path that is too long": lambda proof: _path(proof).append(_path(proof)[0]),
        "no path": lambda proof: proof["winners"][0].update(path=[]),
        "the draw's signature with another bit": lambda proof: proof.update(draw=flipped_last_word(proof["draw"], -1)),
        "the draw's digest with another bit": lambda proof: proof.update(draw=flipped_last_word(proof["draw"], 5)),
        "a draw that is signed twice": lambda proof: proof.update(draw=_signed_twice(proof["draw"])),
    }
    for name, edit in edits.items():
        yield Case(f"winners: {name}", "winners", "drand", drand.edited(edit))
    for name, given in _false_draws(drand).items():
        yield Case(f"signed draw: {name}", "winners", "drand", given)
    for name, wins in _other_wins(drand).items():
        yield Case(f"winners: {name}", "winners", "drand", drand.changed(winners=wins))
        yield Case(f"signed winners: {name}", "winners", "drand", _signed_wins(drand, wins))
    four = example("four", tickets=4)
    for name, number in (("one number twice", four.leaves[2].ticket_number), ("a number above N", 5)):
        other = _rewritten(four, replace(four.leaves[3], ticket_number=number))
        given = Given(written(other.proof().shape()), key=drand.given.key)
        yield Case(f"signed winners: {name}, in the tree too", "winners", "drand", given)
    yield Case("winners: another raffle's", "winners", "drand", drand.changed(winners=secrets.proof.winners))
    yield Case("winners: a list of more than 1,000 wins", "winners", "many", many.changed(winners=drand.proof.winners))
    false = many.drawn_again(winners_digest=digest("other winners"))
    yield Case("signed draw: another digest of more than 1,000 wins", "winners", "many", false)


def leaf_cases() -> Iterator[Case]:
    """Yield what step 10 has to refuse."""
    drand, many = bases()["drand"], bases()["many"]
    lines = list(drand.given.leaves or ())
    leaves = list(drand.example.leaves)
    other = replace(leaves[9], code_hash=leaves[8].code_hash)
    falsified: dict[str, Sequence[str]] = {
        "none": [],
        "one dropped": lines[:9] + lines[10:],
        "one dropped, the serials closed up": _numbered(leaves[:9] + leaves[10:]),
        "the last one dropped": lines[:-1],
        "one twice": [*lines[:9], lines[8], *lines[9:]],
        "one in another's place": [*lines[:9], lines[8], *lines[10:]],
        "two in another order": [*lines[:9], lines[10], lines[9], *lines[11:]],
        "two with each other's serial": _numbered([*leaves[:9], leaves[10], leaves[9], *leaves[11:]]),
        "one more": [*lines, leaf_line(replace(leaves[0], serial=20))],
        "an empty line": [*lines[:9], "", *lines[9:]],
        "an empty line at the end": [*lines, ""],
        "another code hash": [*lines[:9], leaf_line(other), *lines[10:]],
        "another number": _with_number(leaves, 9, leaves[9].ticket_number % 20 + 1),
        "a number above N": _with_number(leaves, 9, 21),
        "number 0": _with_number(leaves, 9, 0),
        "an unknown field": [lines[0].replace("{", '{"code":"",', 1), *lines[1:]],
        "a key twice": [lines[0].replace("{", '{"serial":0,', 1), *lines[1:]],
        "a serial as 0.0": [lines[0].replace('"serial":0', '"serial":0.0'), *lines[1:]],
        "two in one line": [lines[0] + lines[1], *lines[2:]],
        "another raffle's": list(bases()["secrets"].given.leaves or ()),
    }
    for name, falsified_lines in falsified.items():
        yield Case(f"leaves: {name}", "leaves", "drand", replace(drand.given, leaves=falsified_lines))
    yield Case(
        "leaves: half of many", "leaves", "many", replace(many.given, leaves=list(many.given.leaves or ())[:505])
    )
    twice = _signed_otherwise(drand, replace(leaves[9], ticket_number=leaves[8].ticket_number))
    yield Case("leaves: one number twice, and all of it signed", "leaves", "drand", twice)
    above = _signed_otherwise(drand, replace(leaves[9], ticket_number=21))
    yield Case("leaves: a number above N, and all of it signed", "leaves", "drand", above)
    astray = _signed_otherwise(drand, replace(leaves[9], serial=12), place=9)
    yield Case("leaves: a serial out of order, and all of it signed", "leaves", "drand", astray)


def receipt_cases() -> Iterator[Case]:
    """Yield what the steps 11 and 12 have to refuse."""
    drand, secrets = bases()["drand"], bases()["secrets"]
    honest = str(drand.given.receipt)
    edits: dict[str, Edit] = {
        "of protocol 2": lambda receipt: receipt.update(protocol=2),
        "with an unknown field": lambda receipt: receipt.update(code="0000"),
        "without its path": lambda receipt: receipt.pop("path"),
        "with an empty path": lambda receipt: receipt.update(path=[]),
        "with another bit in its path": lambda receipt: receipt["path"].__setitem__(0, flipped(receipt["path"][0])),
        "with a path that is too long": lambda receipt: receipt["path"].append(base64_of(bytes(32))),
        "with another number": lambda receipt: receipt["leaf"].update(
            ticket_number=receipt["leaf"]["ticket_number"] + 1
        ),
        "with another serial": lambda receipt: receipt["leaf"].update(serial=5),
        "with a serial behind its tree": lambda receipt: receipt["leaf"].update(serial=RECEIPT_SIZE),
        "with another code hash": lambda receipt: receipt["leaf"].update(code_hash=drand.example.leaves[5].code_hash),
        "with another bit in its root": lambda receipt: receipt.update(
            checkpoint=flipped_last_word(receipt["checkpoint"], 2)
        ),
        "with another bit in its signature": lambda receipt: receipt.update(
            checkpoint=flipped_last_word(receipt["checkpoint"], -1)
        ),
        "with another size": lambda receipt: receipt.update(
            checkpoint=receipt["checkpoint"].replace(f"\n{RECEIPT_SIZE}\n", f"\n{RECEIPT_SIZE + 1}\n")
        ),
        "with CRLF": lambda receipt: receipt.update(checkpoint=receipt["checkpoint"].replace("\n", "\r\n")),
        "with a draw as its checkpoint": lambda receipt: receipt.update(checkpoint=drand.proof.draw),
    }
    for name, edit in edits.items():
        shape = json.loads(honest)
        edit(shape)
        yield Case(f"a receipt {name}", "receipt", "drand", replace(drand.given, receipt=written(shape)))
    texts = {
        "a receipt with something behind its end": honest + "x",
        "a receipt with a key twice": honest.replace("{", '{"protocol":1,', 1),
        "a receipt that is a proof": drand.given.proof,
        "another raffle's receipt": str(secrets.given.receipt),
    }
    for name, text in texts.items():
        yield Case(name, "receipt", "drand", replace(drand.given, receipt=text))
    for name, receipt, needs_leaves in _signed_receipts(drand):
        leaves = drand.given.leaves if needs_leaves else None
        given = replace(drand.given, receipt=receipt, leaves=leaves, consistency=None)
        yield Case(f"signed receipt: {name}", "receipt", "drand", given)
    proof = json.loads(str(drand.given.consistency))
    for name, falsified in _consistencies(drand, proof).items():
        given = replace(drand.given, leaves=None, consistency=written(falsified))
        yield Case(f"a consistency proof {name}", "receipt", "drand", given)
    codes = {
        "another ticket's code": drand.example.codes[5],
        "a code with another character": _another_character(drand.example.codes[RECEIPT_SERIAL]),
        "half a code": drand.example.codes[RECEIPT_SERIAL][:14],
        "no code": "",
    }
    for name, code in codes.items():
        yield Case(name, "code", "drand", replace(drand.given, code=code))
    garbled = replace(drand.example.leaves[RECEIPT_SERIAL], code_hash="$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA")
    yield Case("a leaf whose hash fits no code", "code", "drand", _signed_otherwise(drand, garbled))


def _false_draws(base: Base) -> dict[str, Given]:
    stranger = signer("stranger", key_name=base.example.signer.name)
    text = str(base.proof.draw).partition("\n\n")[0] + "\n"
    return {
        "by another key of the same name": base.changed(draw=f"{text}\n{stranger.line(text)}"),
        "of another raffle": base.changed(draw=bases()["secrets"].proof.draw),
        "another origin": base.drawn_again(origin=bases()["secrets"].closing.origin),
        "of another closing": base.drawn_again(closing_hash=digest("another closing")),
        "another entropy": base.drawn_again(entropy=digest("another entropy")),
        "another seed": base.drawn_again(seed=digest("another seed")),
        "another number of wins": base.drawn_again(wins=3),
        "other winners": base.drawn_again(winners_digest=digest("other winners")),
    }


def _signed_receipts(base: Base) -> Iterator[tuple[str, str, bool]]:
    example, closing = base.example, base.closing
    whole = example.receipt(RECEIPT_SERIAL, len(example.leaves))
    part = example.receipt(RECEIPT_SERIAL, RECEIPT_SIZE)
    state = example.checkpoint(RECEIPT_SIZE)
    rewritten = _rewritten(example, replace(example.leaves[2], code_hash=example.leaves[3].code_hash))
    taken_out = _rewritten(example, replace(example.leaves[RECEIPT_SERIAL], code_hash=example.leaves[3].code_hash))
    stranger = replace(example, signer=signer("stranger", key_name=example.signer.name))
    winner = base.proof.winners[0].leaf if base.proof.winners else example.leaves[0]
    second = _rewritten(example, replace(example.leaves[RECEIPT_SERIAL], ticket_number=winner.ticket_number))
    above = _rewritten(example, replace(example.leaves[RECEIPT_SERIAL], ticket_number=21))
    later = replace(closing, end=End(CLOSED - 1, BEACON_ROUND))
    checkpoints = {
        "another closing": (whole, later.text()),
        "a whole ledger that is no closing": (whole, replace(closing, end=None).text()),
        "a closing of a part": (part, replace(state, end=example.end()).text()),
        "other terms": (part, replace(state, terms=digest("other terms")).text()),
        "another origin": (part, replace(state, origin="rafflekit/elsewhere").text()),
        "more tickets than there are": (whole, replace(closing, size=21, end=None).text()),
    }
    for name, (receipt, text) in checkpoints.items():
        yield name, written(replace(receipt, checkpoint=example.sign(text)).shape()), False
    signed_twice = replace(part, checkpoint=_signed_twice(part.checkpoint))
    yield "signed twice", written(signed_twice.shape()), False
    yield "by another key of the same name", written(stranger.receipt(RECEIPT_SERIAL, RECEIPT_SIZE).shape()), False
    yield "a winner's number", written(second.receipt(RECEIPT_SERIAL, RECEIPT_SIZE).shape()), False
    yield "a number above N", written(above.receipt(RECEIPT_SERIAL, RECEIPT_SIZE).shape()), False
    yield "another history", written(rewritten.receipt(RECEIPT_SERIAL, RECEIPT_SIZE).shape()), True
    yield "another ticket in its place later", written(taken_out.receipt(RECEIPT_SERIAL, RECEIPT_SIZE).shape()), True


def _consistencies(base: Base, honest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    rewritten = replace(base.example.leaves[2], code_hash=base.example.leaves[3].code_hash)
    other = _rewritten(base.example, rewritten)
    return {
        "with another bit": {**honest, "proof": [flipped(honest["proof"][0]), *honest["proof"][1:]]},
        "that is too short": {**honest, "proof": honest["proof"][:-1]},
        "that is too long": {**honest, "proof": [*honest["proof"], honest["proof"][0]]},
        "that is empty": {**honest, "proof": []},
        "from another size": json.loads(consistency(base.example, RECEIPT_SIZE + 1)),
        "with another size in front": {**honest, "old": RECEIPT_SIZE + 1},
        "to another size": {**honest, "new": 19},
        "of another history": json.loads(consistency(other, RECEIPT_SIZE)),
        "with an unknown field": {**honest, "protocol": 1},
    }


def _rewritten(example: Example, leaf: Leaf, *, place: int | None = None) -> Example:
    leaves = list(example.leaves)
    leaves[leaf.serial if place is None else place] = leaf
    return replace(example, leaves=leaves)


def _signed_otherwise(base: Base, leaf: Leaf, *, place: int | None = None) -> Given:
    # Everything that an operator signs for a ledger with another leaf: the documents agree with each other.
    other = _rewritten(base.example, leaf, place=place)
    return replace(
        base.given,
        proof=written(other.proof().shape()),
        witnessed=[],
        leaves=[leaf_line(each) for each in other.leaves],
        receipt=written(other.receipt(RECEIPT_SERIAL, RECEIPT_SIZE).shape()),
        consistency=consistency(other, RECEIPT_SIZE),
    )


def _other_wins(base: Base) -> dict[str, Sequence[ProvenWin]]:
    first, second, *others = base.proof.winners or ()
    won = {win.leaf.serial for win in base.proof.winners or ()}
    friend = next(leaf for leaf in base.example.leaves if leaf.serial not in won)
    return {
        "a friend's ticket": [base.example.win(friend.serial, first.prize), second, *others],
        "each with the other's prize": [_with_prize(first, second), _with_prize(second, first), *others],
        "the second one first": [_with_prize(second, first), _with_prize(first, second), *others],
        "the first one in the second's place, too": [first, _with_prize(first, second), *others],
    }


def _with_prize(win: ProvenWin, other: ProvenWin) -> ProvenWin:
    return replace(win, prize=other.prize)


def _signed_wins(base: Base, wins: Sequence[ProvenWin]) -> Given:
    rows = [(win.leaf.serial, win.leaf.ticket_number, win.prize) for win in wins]
    statement = base.example.statement(base.closing.closing_hash(), base.entropy_value, base.proof.seed)
    signed = base.example.sign(replace(statement, winners_digest=winners_digest(rows)).text())
    return base.changed(winners=wins, draw=signed)


def _numbered(leaves: Sequence[Leaf]) -> list[str]:
    return [leaf_line(replace(leaf, serial=serial)) for serial, leaf in enumerate(leaves)]


def _with_number(leaves: Sequence[Leaf], serial: int, number: int) -> list[str]:
    return [leaf_line(replace(leaf, ticket_number=number) if leaf.serial == serial else leaf) for leaf in leaves]


def _another_character(code: str) -> str:
    return ("1" if code[0] == "0" else "0") + code[1:]


def _signed_twice(note: str) -> str:
    return note + note.removesuffix("\n").rpartition("\n")[2] + "\n"


def _leaf(proof: dict[str, Any], win: int = 0) -> Any:
    return proof["winners"][win]["leaf"]


def _path(proof: dict[str, Any]) -> Any:
    return proof["winners"][0]["path"]


def _swap(items: list[Any], one: int, other: int) -> None:
    items[one], items[other] = items[other], items[one]
