"""Raffles that were closed early or cancelled, and draws over other tickets or at another time."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rafflekit.core.prizes import count_wins, prizes_of_wins
from rafflekit.core.protocol.audit import Witnessed
from rafflekit.core.protocol.checkpoints import Cancellation, Checkpoint, End
from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.winners import seed_of, winners_digest, winning_serials
from tests.tamper.making.cases import COSIGNED, RECEIPT_SERIAL, RECEIPT_SIZE, Base, Case, Given, bases, written
from tests.tamper.making.outcomes import answer
from tests.vectors.examples import BEACON_ROUND, CLOSED, DRAWN, Example, digest, evidence, example

RAIN = Cancellation(CLOSED, "rain")


def early_closing_cases() -> Iterator[Case]:
    """Yield closings that step 4 has to refuse, or that a later step has to, because another one was drawn."""
    early, announced = bases()["early"], bases()["announced"]
    yield Case("signed closing: more tickets than announced", "closing", "early", early.closed_again(size=31))
    with_round = announced.closed_again(end=End(CLOSED, BEACON_ROUND))
    yield Case("signed closing: a round with announced entropy", "closing", "announced", with_round)
    yield Case("signed closing: a ticket less than was drawn", "seed", "early", _unseen(early.closed_again(size=19)))
    yield Case("signed closing: a ticket more than was drawn", "seed", "early", _unseen(early.closed_again(size=21)))


def cancellation_cases() -> Iterator[Case]:
    """Yield copies that step 7 has to refuse."""
    for base in (bases()["early"], bases()["secrets"], bases()["announced"]):
        cancelled = Witnessed(base.example.sign(_cancelled(base.closing).text()), COSIGNED)
        yield Case(
            f"a copy of a cancellation, with {base.name}",
            "witnessed",
            base.name,
            replace(base.given, witnessed=[cancelled]),
        )
        second = [*base.given.witnessed, cancelled]
        yield Case(
            f"a cancellation as the second copy, with {base.name}",
            "witnessed",
            base.name,
            replace(base.given, witnessed=second),
        )
    drand = bases()["drand"]
    other = replace(drand.closing, end=End(CLOSED - 1, BEACON_ROUND))
    copies = [Witnessed("nonsense"), Witnessed(drand.example.sign(other.text()))]
    yield Case("a mistake, and then a second closing", "witnessed", "drand", replace(drand.given, witnessed=copies))


def other_draw_cases() -> Iterator[Case]:
    """Yield entropy, values and draws that the steps 6, 8 and 9 have to refuse."""
    announced, drand = bases()["announced"], bases()["drand"]
    in_place = drand.changed(entropy=announced.proof.entropy)
    yield Case("an announced value in place of a beacon", "entropy", "drand", in_place)
    secret = announced.changed(entropy=evidence("secrets"))
    yield Case("secrets in place of an announced value", "entropy", "announced", secret)
    other = announced.edited(lambda proof: proof["entropy"].update(value="1 2 3 4 5 6"))
    yield Case("another announced value", "seed", "announced", other)
    for base in (drand, announced):
        before = base.drawn_again(drawn=CLOSED - 1)
        yield Case(f"signed draw: drawn before the closing, with {base.name}", "winners", base.name, before)
    yield Case("signed draw: over the announced tickets, not those handed out", "winners", "early", _drawn_over_all())


def early_leaf_cases() -> Iterator[Case]:
    """Yield leaves that step 10 has to refuse."""
    early = bases()["early"]
    lines, leaves = list(early.given.leaves or ()), early.example.leaves
    free = next(number for number in range(1, 31) if number not in {leaf.ticket_number for leaf in leaves})
    later = leaf_line(replace(leaves[0], serial=20, ticket_number=free))
    falsified = {
        "one handed out after the closing": [*lines, later],
        "the last one dropped from an early closing": lines[:-1],
        "a number that was not handed out": [leaf_line(replace(leaves[0], ticket_number=free)), *lines[1:]],
        "a number above N in an early closing": [leaf_line(replace(leaves[0], ticket_number=31)), *lines[1:]],
    }
    for name, given in falsified.items():
        yield Case(f"leaves: {name}", "leaves", "early", replace(early.given, leaves=given))


def other_receipt_cases() -> Iterator[Case]:
    """Yield receipts that step 11 has to refuse."""
    early, announced, drand = bases()["early"], bases()["announced"], bases()["drand"]
    part = early.example.receipt(RECEIPT_SERIAL, RECEIPT_SIZE)
    whole = early.example.receipt(RECEIPT_SERIAL, 20)
    plain = replace(early.closing, end=None)
    state = early.example.checkpoint(RECEIPT_SIZE)
    checkpoints = {
        "a cancellation": (part, _cancelled(state)),
        "a cancellation after the closing": (whole, _cancelled(early.closing)),
        "the size of the closing with another root": (whole, replace(plain, root=digest("another root"))),
        "the size of the closing with other terms": (whole, replace(plain, terms=digest("other terms"))),
        "a ticket more than the closing": (whole, replace(plain, size=21)),
        "all announced tickets without a closing": (whole, replace(plain, size=30)),
        "another early closing": (whole, replace(early.closing, end=End(CLOSED - 1, BEACON_ROUND))),
    }
    for name, (receipt, checkpoint) in checkpoints.items():
        signed = replace(receipt, checkpoint=early.example.sign(checkpoint.text()))
        given = replace(early.given, receipt=written(signed.shape()), leaves=None, consistency=None)
        yield Case(f"signed receipt: {name}", "receipt", "early", given)
    heir = next(each.leaf for each in announced.proof.forfeits or () if each.leaf is not None)
    leaves = list(announced.example.leaves)
    # Not the leaf of the heir itself, whatever place the shuffle gave it.
    serial = RECEIPT_SERIAL if heir.serial != RECEIPT_SERIAL else RECEIPT_SERIAL - 1
    leaves[serial] = replace(leaves[serial], ticket_number=heir.ticket_number)
    twin = written(replace(announced.example, leaves=leaves).receipt(serial, RECEIPT_SIZE).shape())
    given = replace(announced.given, receipt=twin, leaves=None, consistency=None)
    yield Case("signed receipt: the number of a ticket that took a prize over", "receipt", "announced", given)
    for name, text in _answers(json.loads(answer(drand))).items():
        yield Case(f"an answer to a participant {name}", "receipt", "drand", replace(drand.given, receipt=text))


def _answers(honest: dict[str, Any]) -> dict[str, str]:
    whole = written(honest)
    return {
        "without a receipt": written({name: value for name, value in honest.items() if name != "receipt"}),
        "with a receipt of null": written({**honest, "receipt": None}),
        "with its receipt as a text": written({**honest, "receipt": written(honest["receipt"])}),
        "with the answer as its receipt": written({**honest, "receipt": honest}),
        "with a protocol": written({**honest, "protocol": 1}),
        "with a key twice": whole.replace("{", '{"ticket_number":1,', 1),
        "with a number as 7.0": whole.replace("{", '{"odds":7.0,', 1),
        "in a list": f"[{whole}]",
    }


def _cancelled(checkpoint: Checkpoint) -> Checkpoint:
    return replace(checkpoint, end=None, cancellation=RAIN)


def _unseen(given: Given) -> Given:
    # The verifier's copy would be another closing.
    return replace(given, witnessed=[])


def _drawn_over_all() -> Given:
    honest = example("nineteen of twenty", issued=19)
    base = Base("nineteen of twenty", honest, honest.proof(), Given(""))
    closing_hash = base.closing.closing_hash()
    seed = seed_of(closing_hash, base.entropy_value)
    statement = honest.statement(closing_hash, base.entropy_value, seed)
    wins = _wins_over_all(honest, seed)
    rows = [(serial, honest.leaves[serial].ticket_number, prize) for serial, prize in wins]
    draw = honest.sign(replace(statement, drawn=DRAWN, winners_digest=winners_digest(rows)).text())
    given = base.changed(draw=draw, winners=[honest.win(*win) for win in wins])
    return replace(given, key=bases()["early"].given.key)


def _wins_over_all(honest: Example, seed: bytes) -> list[tuple[int, int]]:
    wins = count_wins(honest.terms.prizes)
    serials = winning_serials(seed, tickets=honest.terms.total_tickets, wins=wins)
    found = list(zip(serials, prizes_of_wins(prize.amount for prize in honest.terms.prizes), strict=True))
    assert found != honest.wins(seed)
    assert max(serial for serial, _ in found) < len(honest.leaves)
    return found
