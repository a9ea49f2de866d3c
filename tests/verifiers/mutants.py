"""Random raffles with all their documents, most of them falsified in one place, for a comparison of the verifiers.

A mutant is made from its number, so a failure can be repeated. The person who falsifies has the operator's key and
signs what was changed, because most rules are reached only after a good signature. Ten mutants share each raffle, so
most of their signatures have to be checked only once.
"""

import copy
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

from rafflekit.core.protocol.codes import CODE_BYTES, CodeHasher, spell
from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.entropy.drand import time_of
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import base64_of
from rafflekit.core.protocol.terms import TEXTS
from rafflekit.core.protocol.tree import consistency_proof
from tests.vectors.examples import BEACON_ROUND, CLOSED, signer, witness
from tests.verifiers.falsified import changed_document, changed_number, changed_signature, changed_text
from tests.verifiers.raffles import CREATED, DAY_S, MANY, Raffle, Written, text_of

SHARING = 10
WITNESSES = [witness(f"witness-{number}") for number in range(5)]
PLACES = (
    *("nothing", "nothing", "document", "terms", "leaves", "closing", "entropy", "seed", "winners", "draw"),
    *("forfeit", "forfeit", "too many forfeits", "receipt", "history", "history"),
    *("signature of the closing", "signature of the draw", "signature of a forfeit"),
)
"""Where a mutant is falsified; "history" is that of the receipt."""

_TERMS: list[dict[str, Any]] = [
    *({"entry": each} for each in ("address", "desk", None)),
    *({"tickets_each": each} for each in (0, 1, 2, 1_000, 1_001)),
    *({"claim_days": each} for each in (0, 1, 3_650, 3_651)),
    *({"delay_s": each} for each in (0, 1, 604_800, 604_801)),
    *({"source": each} for each in ("x" * 200, "x" * 201, "\u3000 ", "a\x85b")),
    *({"name": each} for each in ("😀" * 200, "😀" * 201, "", "\u2003", "a\u2028b", "\ue000", "\u115f")),
    *({"entropy": each} for each in ("announced", "secrets", "drand-quicknet", "dice")),
    *({"closes_at": text_of(CREATED + later)} for later in (-1, 0, 1)),
    {"opens_at": text_of(CREATED - 9), "closes_at": text_of(CREATED - 5)},
    *({"opens_at": text_of(CREATED + 60), "closes_at": text_of(CREATED + later)} for later in (59, 60, 61)),
    *({"draw_at": text_of(CREATED + later)} for later in (-1, 0, 1, 100)),
    *({"closes_at": text_of(CREATED + 60), "draw_at": text_of(CREATED + later)} for later in (59, 60)),
    *({"opens_at": text_of(CREATED + 60), "draw_at": text_of(CREATED + later)} for later in (60, 61)),
    *({name: text} for name, text in zip(TEXTS, ("x" * 200, "x" * 201, "\u3000 ", "", "a\x85b", 5), strict=True)),
    {"price": "£1", "promoter": "us", "draw_at": text_of(CREATED + 999)},
    *(
        {"opens_at": each}
        for each in ("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-02-29T23:59:60Z")
    ),
    *({"total_tickets": each} for each in (0, 1, 10**12, 10**12 + 1)),
]


@cache
def raffle(number: int) -> Raffle:
    """Return the honest raffle of this number."""
    rng = Random(f"raffle {number}")
    many = number % 40 == 7
    terms = _terms(rng, many=many)
    wins = sum(prize["amount"] for prize in terms["prizes"])
    size = rng.choice([wins, terms["total_tickets"], rng.randint(wins, min(terms["total_tickets"], wins + 12))])
    size = min(size, wins + 12)
    numbers = rng.sample(range(1, terms["total_tickets"] + 1), size)
    codes = [spell(rng.randbytes(CODE_BYTES)) for _ in numbers]
    hasher = CodeHasher()
    leaves = [
        Leaf(serial, each, f"$argon2id${serial}" if many else hasher.hash(code, rng.randbytes(16)))
        for serial, (each, code) in enumerate(zip(numbers, codes, strict=True))
    ]
    # The one beacon that is known here decides: the round of the closing has to be its round.
    closed = time_of(BEACON_ROUND) - terms["delay_s"] if "delay_s" in terms else CLOSED + rng.randint(-99, 99)
    # Some are dated before the raffle was created, or after the beacon.
    dates = [*range(closed, closed + 10), CREATED - 1, closed + DAY_S * (number % 2)]
    cosigned = [(key, rng.choice(dates)) for key in rng.sample(WITNESSES, rng.randint(0, 5))]
    found = Raffle(terms, leaves, codes, closed, closed + rng.choice([0, 60, DAY_S]), cosigned)
    _forfeit(rng, found)
    return found


def _terms(rng: Random, *, many: bool) -> dict[str, Any]:
    amounts = [MANY - 1, 1] if many else [rng.randint(1, 3) for _ in range(rng.randint(1, 3))]
    entropy = rng.choice(["secrets", "drand-quicknet", "announced"])
    terms: dict[str, Any] = {
        "protocol": 1,
        "id": str(UUID(bytes=rng.randbytes(16), version=4)),
        "name": rng.choice(["Fair", "Füße ☂ 😀", "✓ “seed”:  ok\u202e", "a\u200db"]),
        "created_at": text_of(CREATED),
        "total_tickets": sum(amounts) + rng.choice([0, 1, 2, 9, 10**6]),
        "prizes": [{"name": f"prize {place}", "amount": amount} for place, amount in enumerate(amounts)],
        "entropy": entropy,
    }
    options = {
        "entry": rng.choice(["invitation", "desk"]),
        "tickets_each": rng.randint(2, 1_000),
        "opens_at": text_of(CREATED + rng.randint(-9, 9)),
        "closes_at": text_of(CREATED + rng.randint(10, 99)),
        "claim_days": rng.randint(1, 3),
    }
    terms |= {name: value for name, value in options.items() if rng.random() < 0.3}
    if rng.random() < 0.2:
        terms |= {"draw_at": text_of(CREATED + 100), **{name: rng.choice(["✓ “a”", "é"]) for name in TEXTS}}
    if entropy == "drand-quicknet":
        terms["delay_s"] = rng.randint(1, 90)
    if entropy == "announced":
        terms["source"] = "dice, rolled on stage"
    return terms


def _forfeit(rng: Random, raffle: Raffle) -> None:
    """Pass prizes on, some of them until every ticket has won."""
    won_at = dict.fromkeys(range(1, raffle.wins + 1), raffle.drawn)
    time = raffle.drawn
    for number in range(1, 1 + rng.choice([0, 0, 1, 2, 5, 20])):
        if not won_at:
            return
        win = rng.choice(list(won_at)[-9:])
        why = rng.choice(["unclaimed", "renounced", "disqualified"])
        due = won_at.pop(win) + raffle.terms.get("claim_days", 0) * DAY_S
        time = max(time, due if why == "unclaimed" else time + rng.choice([0, 9]))
        raffle.forfeits.append({"time": time, "win": win, "why": why, "reason": rng.choice(["gone home", "“x”", "é"])})
        if raffle.wins + number <= len(raffle.leaves):
            won_at[raffle.wins + number] = time


def mutant(number: int) -> dict[str, Any]:
    """Return all that an audit of this mutant is given."""
    rng = Random(f"mutant {number}")
    known = raffle(number // SHARING)
    place = rng.choice(PLACES)
    if place == "forfeit":
        place = f"forfeit {rng.randint(1, max(1, len(known.forfeits)))}"
    written = Written(known, lambda name, value: _changed(rng, name, value) if name == place else value)
    size = len(written.leaves)
    documents: dict[str, Any] = {"proof": written.proof()}
    if place == "too many forfeits":
        documents["proof"]["forfeits"] = None
    seen = rng.choice([size, rng.randint(1, size)])
    serial = rng.choice([rng.randrange(seen), *(each for each in written.serials[-3:] if each < seen)])
    end = rng.choice(["", "", "", written.end, written.end, "cancelled 5\nreason x\n"])
    in_receipt = _history(rng, number, place) or written
    documents["receipt"] = in_receipt.receipt(
        min(serial, len(in_receipt.leaves) - 1), min(seen, len(in_receipt.leaves)), end if seen == size else ""
    )
    proof = [base64_of(each) for each in consistency_proof(written.subtree, seen, size)]
    documents["consistency"] = {"old": seen, "new": size, "proof": proof}
    documents["leaves"] = [json.loads(leaf_line(leaf)) for leaf in written.leaves]
    if place == "document":
        name = rng.choice(["proof", "proof", "proof", *documents])
        documents[name] = changed_document(rng, documents[name])
    return _given(rng, written, documents, code=known.codes[serial])


def _history(rng: Random, number: int, place: str) -> Written | None:
    """Return the raffle that a receipt is from, if it is not that of the proof."""
    if place != "history":
        return None
    known = raffle(number // SHARING)
    kind = rng.choice(["leaves", "leaves", "terms", "another raffle"])
    if kind == "another raffle":
        return Written(raffle(number // SHARING + 1))
    return Written(known, lambda name, value: _changed(rng, name, value) if name == kind else value)


def _given(rng: Random, written: Written, documents: dict[str, Any], *, code: str) -> dict[str, Any]:
    """Choose what the verifier knows besides the proof."""
    leaves = documents["leaves"]
    lines = [json.dumps(leaf) for leaf in leaves] if isinstance(leaves, list) else [json.dumps(leaves)]
    receipt = json.dumps(documents["receipt"])
    if rng.random() < 0.3:
        answer = {"raffle_id": rng.choice(["x", 5]), "ticket_number": [10**13], "verification_code": code}
        receipt = json.dumps(answer | {"receipt": documents["receipt"]} | rng.choice([{}] * 9 + [{"protocol": 1}]))
    wrong_code = changed_text(rng, code)
    given = {
        "raffle": rng.choice([written.terms.get("id")] * 19 + [str(UUID(int=5))]),
        "key": str(signer(rng.choice(["operator"] * 19 + ["stranger"])).verifier),
        "witnesses": [str(key.verifier) for key in rng.choices(WITNESSES, k=rng.randint(0, 5))],
        "witnessed": [_copy(rng, written) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))],
        "leaves": _encoded(rng, lines),
        "receipt": _encoded(rng, [receipt])[0],
        "consistency": json.dumps(documents["consistency"]),
        "code": rng.choice([code, f"“{code}” ", code.replace("-", "\u2009–\u200b"), code.lower(), wrong_code]),
        "now": written.raffle.closed + rng.choice([99 * DAY_S] * 5 + [DAY_S, 0, -DAY_S, -DAY_S - 1]),
    }
    kept = {name: value for name, value in given.items() if rng.random() < 0.6}
    return {"proof": _encoded(rng, [json.dumps(documents["proof"])])[0], **kept}


def _copy(rng: Random, written: Written) -> dict[str, Any]:
    closed = written.raffle.closed
    text = written.closing
    kind = rng.choice(["closing"] * 12 + ["another", "cancellation", "plain", "of another raffle"])
    if kind == "another":
        text = changed_number(rng, text)
    elif kind == "cancellation":
        text = f"{written.checkpoint(len(written.leaves))}cancelled 9\nreason rain\n"
    elif kind == "plain":
        text = written.checkpoint(len(written.leaves))
    elif kind == "of another raffle":
        text = text.replace("rafflekit/", "rafflekit/0")
    note = text + "\n" + signer(rng.choice(["operator", "operator", "stranger"])).line(text)
    for key in rng.sample(WITNESSES, rng.randint(0, 3)):
        note += key.line(text, time=closed + rng.choice([1, 2, -4 * DAY_S, DAY_S]))
    if rng.random() < 0.1:
        note = changed_signature(rng, note)
    return {"note": note, "at": rng.choice([None, None, closed, CREATED - 1, closed + DAY_S])}


def _changed(rng: Random, name: str, value: Any) -> Any:
    """Return what an operator uses instead of this."""
    if name.startswith("signature"):
        return changed_signature(rng, value)
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, str):
        return changed_text(rng, value)
    if name == "entropy" and "round" in value and rng.random() < 0.5:
        return value | {"round": value["round"] + rng.choice([-1, 1])}
    if isinstance(value, dict):
        is_option = name == "terms" and rng.random() < 0.7
        return value | rng.choice(_TERMS) if is_option else changed_document(rng, value)
    return _changed_list(rng, value)


def _changed_list(rng: Random, value: list[Any]) -> list[Any]:
    """Return leaves, or wins as serial and prize, with one of them changed."""
    changed = copy.copy(value)
    place, other = rng.randrange(len(value)), rng.choice(value)
    if isinstance(other, tuple):
        changed[place] = rng.choice([other, (other[0], value[place][1])])
        return changed
    leaf = value[place]
    number = rng.choice([other.ticket_number, 10**12, leaf.ticket_number + 1])
    code_hash = rng.choice(["$argon2i$", leaf.code_hash.replace("m=8", "m=9999999")])
    change = rng.choice([{"ticket_number": number}, {"serial": other.serial}, {"code_hash": code_hash}])
    changed[place] = replace(leaf, **change)
    return changed


def _encoded(rng: Random, lines: Sequence[str]) -> list[str | bytes]:
    """Return lines as programs save them: some as bytes, some with a byte order mark, some in UTF-16."""
    first, *rest = (json.dumps(json.loads(line), ensure_ascii=rng.random() < 0.5) for line in lines)
    try:
        encoded = [line.encode() for line in (first, *rest)]
    except UnicodeEncodeError:
        return list(lines)
    choice = rng.random()
    if choice < 0.05:
        return [first.encode(rng.choice(["utf-16", "utf-16-be", "utf-16-le"])), *rest]
    if choice < 0.15:
        return [b"\xef\xbb\xbf" + encoded[0], *encoded[1:]]
    if choice < 0.2:
        return ["\ufeff" + first, *rest]
    return list(encoded) if choice < 0.5 else [first, *rest]
