"""Draws that an operator chose among several, with honest witnesses and without a false signature.

No step of these is wrong. They are caught only if a verifier says what is not proven.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from rafflekit.core.protocol.documents import leaf_line
from tests.tamper.making.cases import COSIGNED, NOW, Given, written
from tests.vectors.examples import Example, example, witness

FRIEND = 0
"""The serial of the operator's friend, whose ticket wins in the published draws."""

WITNESSES = [f"witness-{number}" for number in range(1, 14)]


@dataclass(frozen=True, slots=True)
class Choice:
    """The raffles or closings that the operator prepared, and the one that was published because the friend wins."""

    prepared: Sequence[Example]
    published: Example
    given: Given


@cache
def many_ids() -> Choice:
    """Fourteen raffles of one name, each with its id and its closing; one witness honestly cosigned all of them."""
    raffles = [example(f"twin {number}") for number in range(14)]
    prepared = [replace(each, terms=replace(each.terms, name="Harvest fair")) for each in raffles]
    published = _where_the_friend_wins(prepared)
    proof = published.proof(cosigned=[(witness(), COSIGNED)])
    return Choice(prepared, published, _given(published, written(proof.shape()), ["witness"]))


@cache
def a_closing_for_each_witness() -> Choice:
    """One raffle with as many closings as witnesses; each witness honestly cosigned the one that it was shown."""
    honest = example("drand")
    last = honest.leaves[-1]
    prepared = [
        replace(honest, leaves=[*honest.leaves[:-1], replace(last, code_hash=honest.leaves[number].code_hash)])
        for number in range(len(WITNESSES))
    ]
    published = _where_the_friend_wins(prepared)
    shown_to = witness(WITNESSES[prepared.index(published)])
    proof = published.proof(cosigned=[(shown_to, COSIGNED)])
    return Choice(prepared, published, _given(published, written(proof.shape()), WITNESSES))


def _where_the_friend_wins(prepared: Sequence[Example]) -> Example:
    return next(each for each in prepared if FRIEND in {serial for serial, _ in each.wins(each.proof().seed)})


def _given(published: Example, proof: str, witnesses: Sequence[str]) -> Given:
    return Given(
        proof,
        key=str(published.signer.verifier),
        witnesses=[str(witness(name).verifier) for name in witnesses],
        leaves=[leaf_line(leaf) for leaf in published.leaves],
        now=NOW,
    )
