"""Audits in which no step is wrong, and what is proven depends on what the verifier gives."""

import json
from collections.abc import Sequence
from dataclasses import replace

from rafflekit.core.protocol.audit import Witnessed
from rafflekit.core.protocol.forfeits import DAY_S
from tests.tamper.making.cases import COSIGNED, RECEIPT_SERIAL, Base, Given, written
from tests.tamper.making.forgeries import a_closing_for_each_witness, many_ids
from tests.vectors.examples import CLOSED, DRAWN, Example, witness


def partly_given(base: Base) -> dict[str, Given]:
    """Return audits with a part of what belongs to a raffle."""
    whole = base.given
    return {
        "all": whole,
        "the proof alone": Given(whole.proof),
        "proof and key": Given(whole.proof, key=whole.key),
        "proof and id": Given(whole.proof, raffle=whole.raffle),
        "proof, key and witness": Given(whole.proof, key=whole.key, witnesses=whole.witnesses),
        "proof, key and copy": Given(whole.proof, key=whole.key, witnessed=whole.witnessed),
        "proof and leaves": Given(whole.proof, leaves=whole.leaves),
        "proof, receipt and code": Given(whole.proof, receipt=whole.receipt, code=whole.code),
        "proof, receipt and consistency": Given(whole.proof, receipt=whole.receipt, consistency=whole.consistency),
        "proof and the receipt of the last ticket": Given(whole.proof, receipt=last_receipt(base.example)),
    }


def differently_written(base: Base) -> dict[str, Given]:
    """Return audits of documents as people and programs save them."""
    whole = base.given
    lines = list(whole.leaves or ())
    return {
        "a byte order mark before every document": replace(
            whole,
            proof=f"\ufeff{whole.proof}",
            witnessed=[replace(copy, note=f"\ufeff{copy.note!s}") for copy in whole.witnessed],
            leaves=[f"\ufeff{lines[0]}", *lines[1:]],
            receipt=f"\ufeff{whole.receipt}",
        ),
        "a byte order mark before the consistency proof": replace(
            whole, leaves=None, consistency=f"\ufeff{whole.consistency}"
        ),
        "a copy of the closing as chats and editors change it": replace(
            whole, witnessed=[replace(copy, note=_chatted(str(copy.note))) for copy in whole.witnessed]
        ),
        "the whole answer to a participant as the receipt": replace(whole, receipt=answer(base)),
    }


def _chatted(note: str) -> str:
    return "\n" + note.removesuffix("\n").replace("\n", " \t\r\n")


def chosen(base: Base) -> dict[str, Given]:
    """Return audits that depend on how many of the witnesses signed, and draws that the operator chose."""
    ids, closings = many_ids(), a_closing_for_each_witness()
    return {
        "two of three witnesses": _cosigned_by_two(base, 3),
        "two of four witnesses": _cosigned_by_two(base, 4),
        "two of three witnesses, on two copies": _on_copies(base, ["a", "b"]),
        "one of three witnesses, on two copies": _on_copies(base, ["a", "a"]),
        "one raffle of fourteen with one name": ids.given,
        "one closing of thirteen, each for another witness": closings.given,
    }


def differently_ended(announced: Base, early: Base) -> dict[str, Given]:
    """Return audits of raffles that were closed early or whose prizes passed on."""
    plain = early.example.sign(replace(early.closing, end=None).text())
    receipt = replace(early.example.receipt(RECEIPT_SERIAL, len(early.example.leaves)), checkpoint=plain)
    before = (announced.proof.forfeits or ())[:2]
    return {
        "more forfeits than a proof lists": replace(announced.given, proof=announced.changed(forfeits=None).proof),
        "only the first two forfeits": announced.changed(forfeits=before),
        "no forfeit": announced.changed(forfeits=[]),
        "a clock before the forfeits": replace(announced.given, now=DRAWN),
        "a clock before the draw": replace(announced.given, now=DRAWN - DAY_S - 1),
        "a clock before the closing": replace(announced.given, now=CLOSED - DAY_S - 1),
        "a receipt of all tickets from before the closing": Given(
            early.given.proof, key=early.given.key, receipt=written(receipt.shape())
        ),
        "no consistency proof of an early closing": Given(
            early.given.proof, key=early.given.key, receipt=early.given.receipt
        ),
    }


def answer(base: Base) -> str:
    """Return the answer in which the participant of `Given.receipt` got ticket, code and receipt."""
    leaf = base.example.leaves[RECEIPT_SERIAL]
    return written(
        {
            "raffle_id": str(base.example.terms.id),
            "ticket_number": leaf.ticket_number,
            "verification_code": base.example.codes[RECEIPT_SERIAL],
            "receipt": json.loads(str(base.given.receipt)),
        }
    )


def last_receipt(honest: Example) -> str:
    """Return the receipt of the last ticket, which has the closing."""
    tickets = len(honest.leaves)
    return written(honest.receipt(tickets - 1, tickets).shape())


def _cosigned_by_two(base: Base, named: int) -> Given:
    two = [(witness(name), COSIGNED) for name in "ab"]
    return Given(written(base.example.proof(cosigned=two).shape()), witnesses=_keys("abcd"[:named]))


def _on_copies(base: Base, names: Sequence[str]) -> Given:
    text = base.closing.text()
    note = base.example.sign(text)
    copies = [Witnessed(note + witness(name).line(text, time=COSIGNED)) for name in names]
    return Given(written(base.example.proof().shape()), witnesses=_keys("abc"), witnessed=copies)


def _keys(names: str) -> list[str]:
    return [str(witness(name).verifier) for name in names]
