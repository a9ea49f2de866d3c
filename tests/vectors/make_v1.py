"""Write the test vectors of protocol 1 and its catalogue of tampering: `python -m tests.vectors.make_v1`.

The files are frozen and never change; this program shows how they were made. It writes the same on every machine.
"""

import json
from pathlib import Path
from typing import Any

from rafflekit.core.protocol import codes, tree
from rafflekit.core.protocol.audit import selftest
from rafflekit.core.protocol.entropy import drand
from rafflekit.core.protocol.hashing import tagged_hash
from rafflekit.core.protocol.leaves import leaf_data
from rafflekit.core.protocol.notes import base64_of
from rafflekit.core.protocol.terms import canonical_json
from rafflekit.core.protocol.tiles import whole_hash
from rafflekit.core.protocol.winners import seed_of, winners_digest, winning_serials
from tests.tamper.making import Base, bases, catalogue
from tests.tamper.making.cases import COSIGNED, RECEIPT_SERIAL, RECEIPT_SIZE, Given, written
from tests.vectors.examples import BEACON, BEACON_ROUND, CLOSED, Example, digest, example, signer, witness

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
    for name, size in (("drand", RECEIPT_SIZE), ("drand", 20), ("secrets", 1), ("secrets", 20)):
        honest = example(name, entropy="drand-quicknet" if name == "drand" else name)
        checkpoint = honest.checkpoint(size)
        shape = {
            "id": str(honest.terms.id),
            "origin": checkpoint.origin,
            "size": size,
            "root": checkpoint.root.hex(),
            "terms": checkpoint.terms.hex(),
            "text": checkpoint.text(),
            "note": honest.sign(checkpoint.text()),
        }
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
    for name in ("drand", "secrets"):
        base = bases()[name]
        closing_hash = base.closing.closing_hash()
        seed = seed_of(closing_hash, base.entropy_value)
        wins = [(serial, base.example.leaves[serial].ticket_number, prize) for serial, prize in base.example.wins(seed)]
        statement = base.example.statement(closing_hash, base.entropy_value, seed)
        found.append(
            {
                "closing_hash": closing_hash.hex(),
                "entropy": base.entropy_value.hex(),
                "seed": seed.hex(),
                "wins": [{"serial": serial, "ticket_number": number, "prize": prize} for serial, number, prize in wins],
                "digest": winners_digest(wins).hex(),
                "text": statement.text(),
                "note": base.proof.draw,
            }
        )
    return found


def _receipts(base: Base) -> list[dict[str, Any]]:
    tickets = len(base.example.leaves)
    found = []
    for serial, size in ((0, 1), (RECEIPT_SERIAL, RECEIPT_SIZE), (tickets - 1, tickets), (RECEIPT_SERIAL, tickets)):
        receipt = written(base.example.receipt(serial, size).shape())
        found.append({"serial": serial, "size": size, "receipt": receipt, "code": base.example.codes[serial]})
    return found


def _audits() -> list[dict[str, Any]]:
    """The outcomes of audits of honest documents, depending on what an audit is given."""
    found = []
    for name, base in bases().items():
        whole = base.given
        for what, given in {
            "all": whole,
            "the proof alone": Given(whole.proof),
            "proof and key": Given(whole.proof, key=whole.key),
            "proof, key and witness": Given(whole.proof, key=whole.key, witnesses=whole.witnesses),
            "proof, key and copy": Given(whole.proof, key=whole.key, witnessed=whole.witnessed),
            "proof and leaves": Given(whole.proof, leaves=whole.leaves),
            "proof, receipt and code": Given(whole.proof, receipt=whole.receipt, code=whole.code),
            "proof, receipt and consistency": Given(whole.proof, receipt=whole.receipt, consistency=whole.consistency),
            "proof and the receipt of the last ticket": Given(whole.proof, receipt=_last_receipt(base.example)),
        }.items():
            uses = [field for field, value in given.shape().items() if value not in (None, [])]
            outcomes = {step.name: step.outcome for step in given.audit().steps}
            receipt = {} if given.receipt is None or given.receipt == whole.receipt else {"receipt": given.receipt}
            found.append({"base": name, "what": what, "uses": uses, **receipt, "outcomes": outcomes})
    return found


def _last_receipt(honest: Example) -> str:
    tickets = len(honest.leaves)
    return written(honest.receipt(tickets - 1, tickets).shape())


def _in_base64(hashes: list[bytes]) -> list[str]:
    return [base64_of(each) for each in hashes]


def main() -> None:
    """Write all files."""
    for folder, files in ((VECTORS, vectors()), (TAMPER, tampering())):
        for name, content in files.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
