"""Write the test vectors of protocol 1 and its catalogue of tampering: `python -m tests.vectors.make_v1`.

The files are frozen and never change; this program shows how they were made. It writes the same on every machine.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from rafflekit.core.protocol import codes, tree
from rafflekit.core.protocol.audit import selftest
from rafflekit.core.protocol.entropy import drand
from rafflekit.core.protocol.entropy.announced import Announced, normalised
from rafflekit.core.protocol.forfeits import ForfeitStatement
from rafflekit.core.protocol.hashing import tagged_hash
from rafflekit.core.protocol.leaves import leaf_data
from rafflekit.core.protocol.notes import Note, base64_of
from rafflekit.core.protocol.terms import canonical_json
from rafflekit.core.protocol.tiles import whole_hash
from rafflekit.core.protocol.winners import seed_of, winners_digest, winning_serials
from rafflekit.core.protocol.words import words_of
from tests.tamper.making import Base, bases, catalogue
from tests.tamper.making.cases import COSIGNED, RECEIPT_SERIAL, RECEIPT_SIZE, Given, written
from tests.tamper.making.endings import RAIN
from tests.tamper.making.outcomes import chosen, differently_ended, differently_written, partly_given
from tests.vectors.examples import BEACON, BEACON_ROUND, CLOSED, VALUE, digest, example, signer, witness

VECTORS = Path(__file__).parent / "v1"
TAMPER = Path(selftest.__file__).parent / "frozen"

SIZES = (1, 2, 3, 7, 8, 255, 256, 257, 1000)
DRAWS = ((1, 1), (2, 1), (2, 2), (3, 2), (7, 7), (8, 3), (255, 20), (1000, 1000), (10**6, 20), (10**12, 20))
ODD_TEXTS = ("", 'a"\\b', "\u20ac\u00e9\U0001f600", "</script>", "\u2027 \ufeff", "\u007e")


def vectors() -> dict[str, bytes]:
    """Return the vectors: name of the file → content."""
    files = {
        "hashes.json": _hashes(),
        "terms.json": _terms(),
        "leaves.json": _leaves(),
        "codes.json": _codes(),
        "tree.json": _tree(),
        "keys.json": _keys(),
        "checkpoints.json": _checkpoints(),
        "drand.json": _drand(),
        "winners.json": _winners(),
        "draws.json": _draws(),
        "forfeits.json": _forfeits(),
        "announced.json": _announced(),
        "words.json": _words(),
        "audits.json": _audits(),
    }
    found = {
        name: (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode() for name, content in files.items()
    }
    for name, base in bases().items():
        found[f"proof-{name}.json"] = base.given.proof.encode()
        found[f"leaves-{name}.jsonl"] = "".join(f"{line}\n" for line in base.given.leaves or ()).encode()
        found[f"receipts-{name}.json"] = (json.dumps(_receipts(base), ensure_ascii=False, indent=1) + "\n").encode()
    return found


def tampering() -> dict[str, bytes]:
    """Return the catalogue of tampering: name of the file → content."""
    honest = {name: base.given.shape() for name, base in bases().items()}
    cases = []
    for case in catalogue():
        shape = case.given.shape()
        changed = {field: value for field, value in shape.items() if value != honest[case.base][field]}
        needs = {} if case.needs is None else {"needs": case.needs}
        cases.append({"name": case.name, "step": case.step, "base": case.base, **needs, "given": changed})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    return {
        "bases.json": (json.dumps(honest, ensure_ascii=False, indent=1) + "\n").encode(),
        "cases.json": f"[\n{lines}\n]\n".encode(),
    }


def _hashes() -> list[dict[str, str]]:
    inputs = [
        (tag, data) for tag in ("terms", "closing", "seed", "winners") for data in (b"", b"\0", b"abc", bytes(64))
    ]
    return [{"tag": tag, "data": data.hex(), "hash": tagged_hash(tag, data).hex()} for tag, data in inputs]


def _terms() -> list[dict[str, Any]]:
    shapes = [base.example.terms.shape() for base in bases().values()]
    odd = [{**shapes[0], "name": f"odd {text}", "prizes": [{"name": f"{text}.", "amount": 1}]} for text in ODD_TEXTS]
    largest = {**shapes[1], "total_tickets": 10**12, "prizes": [{"name": "p", "amount": 1_000_000}]}
    return [
        {
            "terms": shape,
            "canonical": canonical_json(shape).decode(),
            "hash": tagged_hash("terms", canonical_json(shape)).hex(),
        }
        for shape in (*shapes, *odd, largest)
    ]


def _leaves() -> list[dict[str, Any]]:
    raffle = example("drand").terms.id
    leaves = [(leaf.serial, leaf.ticket_number, leaf.code_hash) for leaf in example("drand").leaves[:3]]
    leaves += [(0, 1, "!"), (10**12 - 1, 10**12, "~" * 1_000)]
    found = []
    for serial, number, code_hash in leaves:
        data = leaf_data(raffle, serial, number, code_hash)
        leaf = {"serial": serial, "ticket_number": number, "code_hash": code_hash}
        found.append({"id": str(raffle), "leaf": leaf, "data": data.hex(), "hash": tree.leaf_hash(data).hex()})
    return found


def _codes() -> dict[str, Any]:
    found = []
    for place, (memory, passes, lanes) in enumerate([(8, 1, 1), (8, 1, 1), (64, 2, 2), (1024, 3, 4)]):
        code, salt = digest(f"vector code {place}")[:15], digest(f"vector salt {place}")[:16]
        hasher = codes.CodeHasher(time_cost=passes, memory_kib=memory, parallelism=lanes)
        spelled = codes.spell(code)
        bare = spelled.replace("-", "")
        found.append(
            {
                "code": code.hex(),
                "spelled": spelled,
                "also_read": [bare, bare.lower(), f" {spelled.lower()}\t", bare.replace("0", "O").replace("1", "l")],
                "hashed": bare,
                "salt": salt.hex(),
                "hash": hasher.hash(spelled, salt),
            }
        )
    too_long = found[0]["spelled"] + "0"
    return {"codes": found, "no_codes": ["", "0", too_long, "U" * 24, "é" * 24, found[0]["spelled"][:-1]]}


def _tree() -> list[dict[str, Any]]:
    found = []
    for size in SIZES:
        hashes = [tree.leaf_hash(f"leaf {index}".encode()) for index in range(size)]

        def subtree(height: int, position: int, hashes: list[bytes] = hashes) -> bytes:
            return whole_hash(hashes[position << height : (position + 1) << height])

        indexes = sorted({0, 1, size // 2, size - 2, size - 1} & set(range(size)))
        older = sorted({1, 2, 3, size // 2, 128, 255, 256, size - 1, size} & set(range(1, size + 1)))
        found.append(
            {
                "size": size,
                "root": base64_of(tree.root(subtree, size)),
                "inclusion": [
                    {"index": index, "path": _in_base64(tree.inclusion_proof(subtree, index, size))}
                    for index in indexes
                ],
                "consistency": [
                    {
                        "old_size": old,
                        "old_root": base64_of(tree.root(subtree, old)),
                        "proof": _in_base64(tree.consistency_proof(subtree, old, size)),
                    }
                    for old in older
                ],
            }
        )
    return found


def _keys() -> list[dict[str, Any]]:
    return [
        {
            "name": key.name,
            "type": key.kind,
            "private": key.private.private_bytes_raw().hex(),
            "public": key.verifier.public.hex(),
            "id": key.verifier.id.hex(),
            "verifier_key": str(key.verifier),
        }
        for key in (signer("operator"), witness(), signer("stranger", key_name="x"))
    ]


def _checkpoints() -> list[dict[str, Any]]:
    found = []
    kinds = [(name, size, None) for name, size in (("drand", RECEIPT_SIZE), ("drand", 20), ("secrets", 1))]
    kinds += [("secrets", 20, None), ("early", 20, None), ("early", 7, RAIN), ("announced", 9, None)]
    for name, size, cancellation in (*kinds, ("secrets", 0, RAIN)):
        honest = bases()[name].example
        checkpoint = honest.checkpoint(size)
        if cancellation is not None:
            checkpoint = replace(checkpoint, cancellation=cancellation)
        shape = {
            "id": str(honest.terms.id),
            "origin": checkpoint.origin,
            "size": size,
            "root": checkpoint.root.hex(),
            "terms": checkpoint.terms.hex(),
            "text": checkpoint.text(),
            "note": honest.sign(checkpoint.text()),
        }
        if checkpoint.cancellation is not None:
            shape |= {"cancelled": checkpoint.cancellation.time, "reason": checkpoint.cancellation.reason}
        if checkpoint.end is not None:
            cosignature = witness().line(checkpoint.text(), time=COSIGNED)
            shape |= {
                "closed": checkpoint.end.closed,
                "round": checkpoint.end.round,
                "closing_hash": checkpoint.closing_hash().hex(),
                "cosigned_at": COSIGNED,
                "cosigned_note": honest.sign(checkpoint.text()) + cosignature,
            }
        found.append(shape)
    return found


def _drand() -> dict[str, Any]:
    times = [(CLOSED, 60), (CLOSED, 1), (CLOSED, 2), (CLOSED, 3), (CLOSED, 604_800), (1692803367, 1), (1800000001, 60)]
    rounds = [{"closed": closed, "delay_s": delay, "round": drand.round_of(closed, delay)} for closed, delay in times]
    return {
        "rounds": rounds,
        "times": [{"round": each, "time": drand.time_of(each)} for each in (1, 2, BEACON_ROUND, 10**9)],
        "beacons": [{"round": BEACON_ROUND, "signature": BEACON.hex(), "entropy": drand.randomness_of(BEACON).hex()}],
    }


def _winners() -> list[dict[str, Any]]:
    found = []
    for tickets, wins in DRAWS:
        seed = digest(f"seed for {wins} of {tickets}")
        serials = list(winning_serials(seed, tickets=tickets, wins=wins))
        found.append({"seed": seed.hex(), "tickets": tickets, "wins": wins, "serials": serials})
    return found


def _draws() -> list[dict[str, Any]]:
    found = []
    for name in ("drand", "secrets", "early", "announced"):
        base = bases()[name]
        closing_hash = base.closing.closing_hash()
        seed = seed_of(closing_hash, base.entropy_value)
        wins = [(serial, base.example.leaves[serial].ticket_number, prize) for serial, prize in base.example.wins(seed)]
        statement = base.example.statement(closing_hash, base.entropy_value, seed)
        found.append(
            {
                "tickets": len(base.example.leaves),
                "closing_hash": closing_hash.hex(),
                "entropy": base.entropy_value.hex(),
                "seed": seed.hex(),
                "wins": [{"serial": serial, "ticket_number": number, "prize": prize} for serial, number, prize in wins],
                "digest": winners_digest(wins).hex(),
                "drawn": statement.drawn,
                "text": statement.text(),
                "draw_hash": statement.hash().hex(),
                "note": base.proof.draw,
            }
        )
    return found


def _forfeits() -> list[dict[str, Any]]:
    found = []
    for name in ("early", "announced"):
        for forfeit in bases()[name].proof.forfeits or ():
            statement = ForfeitStatement.read(Note.read(forfeit.note).text)
            following = None if statement.next is None else statement.next._asdict()
            found.append(
                {
                    "origin": statement.origin,
                    "draw_hash": statement.draw_hash.hex(),
                    "forfeit": statement.number,
                    "time": statement.time,
                    "win": statement.win,
                    "why": str(statement.why),
                    "reason": statement.reason,
                    "next": following,
                    "text": statement.text(),
                    "note": forfeit.note,
                }
            )
    return found


def _announced() -> list[dict[str, str]]:
    typed = (VALUE, "  3\t17 22\n31\u00a040\u3000\u200248  ", "4", "ein Kreuz \u271d, ein Stern \u2b50", "1" * 1_000)
    values = [(text, normalised(text)) for text in typed]
    return [
        {"typed": text, "value": value, "entropy": Announced().entropy_of(value.encode()).hex()}
        for text, value in values
    ]


def _words() -> list[dict[str, str]]:
    hashes = [bytes(32), b"\xff" * 32, *(tagged_hash("closing", b"vector %d" % n) for n in range(6))]
    return [{"closing_hash": each.hex(), "words": " ".join(words_of(each))} for each in hashes]


def _receipts(base: Base) -> list[dict[str, Any]]:
    tickets = len(base.example.leaves)
    found = []
    for serial, size in ((0, 1), (RECEIPT_SERIAL, RECEIPT_SIZE), (tickets - 1, tickets), (RECEIPT_SERIAL, tickets)):
        receipt = written(base.example.receipt(serial, size).shape())
        found.append({"serial": serial, "size": size, "receipt": receipt, "code": base.example.codes[serial]})
    return found


def _audits() -> list[dict[str, Any]]:
    """The outcomes of audits of documents in which no step is wrong, depending on what an audit is given."""
    found = []
    for base in bases().values():
        found += [_audited(base, what, given) for what, given in partly_given(base).items()]
    drand = bases()["drand"]
    found += [_audited(drand, what, given) for what, given in (differently_written(drand) | chosen(drand)).items()]
    announced, early = bases()["announced"], bases()["early"]
    found += [_audited(announced, what, given) for what, given in differently_ended(announced, early).items()]
    return found


def _audited(base: Base, what: str, given: Given) -> dict[str, Any]:
    honest = base.given.shape()
    fields = {field: value for field, value in given.shape().items() if value not in (None, [])}
    return {
        "base": base.name,
        "what": what,
        "uses": [field for field, value in fields.items() if value == honest[field]],
        "given": {field: value for field, value in fields.items() if value != honest[field]},
        "outcomes": {step.name: step.outcome for step in given.audit().steps},
    }


def _in_base64(hashes: list[bytes]) -> list[str]:
    return [base64_of(each) for each in hashes]


def main() -> None:
    """Write all files."""
    for folder, files in ((VECTORS, vectors()), (TAMPER, tampering())):
        for name, content in files.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
