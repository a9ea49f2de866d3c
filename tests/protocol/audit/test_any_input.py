"""Whatever an audit is given, it returns a report, and it notices every change."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rafflekit.core.protocol.audit import (
    NOT_PROVEN,
    OK,
    Witnessed,
    audit,
)
from rafflekit.core.protocol.documents import leaf_line
from tests.protocol.audit.reports import (
    ANNOUNCED,
    DRAND,
    EARLY,
    MANY,
    SECRETS,
    anything,
    at_place,
    outcome,
    places,
    replaced,
)
from tests.tamper.making import Base
from tests.tamper.making.cases import written
from tests.vectors.examples import CLOSED, example, witness


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_get_a_report(noise: bytes) -> None:
    for report in (
        audit(noise),
        audit(DRAND.given.proof, receipt=DRAND.given.receipt, consistency=noise),
        audit(DRAND.given.proof, receipt=noise, code=noise.decode("latin-1"), leaves=[noise]),
        audit(DRAND.given.proof, key=noise.decode("latin-1"), raffle=noise.decode("latin-1")),
        audit(
            DRAND.given.proof,
            witnesses=[noise.decode("latin-1")],
            witnessed=[Witnessed(noise), Witnessed(noise.decode("utf-8", "surrogateescape"))],
        ),
    ):
        assert not report.good or outcome(report, "witnessed") == NOT_PROVEN


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([DRAND, SECRETS, MANY, EARLY, ANNOUNCED]))
def test_any_value_anywhere_in_a_proof_gets_a_report(data: st.DataObject, base: Base) -> None:
    proof = json.loads(base.given.proof)
    path = data.draw(st.sampled_from(list(places(proof))))
    value = data.draw(anything)

    report = replace(base.given, proof=json.dumps(replaced(proof, path, value))).audit()

    # The operator's list of witnesses is not signed, and it proves nothing. Forfeits can be left out.
    is_unsigned = path == ("witnesses",) or (path == ("forfeits",) and value in (None, []))
    assert not report.good or is_unsigned or value == at_place(proof, path)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([DRAND, SECRETS, MANY, EARLY, ANNOUNCED]))
def test_a_changed_character_of_a_proof_is_always_noticed(data: st.DataObject, base: Base) -> None:
    text = base.given.proof
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8", exclude_characters=text[at]))
    # The verifier knows only the key; leaves and receipts would show more.
    changed = audit(text[:at] + other + text[at + 1 :], key=base.given.key)

    assert not changed.good


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_changed_character_of_receipt_or_leaves_is_noticed(data: st.DataObject) -> None:
    lines = list(DRAND.given.leaves or ())
    receipt = str(DRAND.given.receipt)
    place = data.draw(st.integers(0, len(lines)))
    text = receipt if place == len(lines) else lines[place]
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.characters(codec="utf-8", exclude_characters=text[at])) + text[at + 1 :]
    if place == len(lines):
        report = replace(DRAND.given, receipt=changed).audit()
    else:
        report = replace(DRAND.given, leaves=[*lines[:place], changed, *lines[place + 1 :]]).audit()

    assert not report.good


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=200), st.sampled_from(["closing", "draw", "key"]))
def test_any_text_in_place_of_a_note_or_key_gets_a_report(text: str, place: str) -> None:
    assert not DRAND.edited(lambda proof: proof.update({place: text})).audit().good
    longer = DRAND.edited(lambda proof: proof.update({place: proof[place].replace("\n", text, 1) + text}))
    assert not longer.audit().good


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.data())
def test_an_honest_raffle_of_any_size_is_good(tickets: int, data: st.DataObject) -> None:
    issued = data.draw(st.integers(1, tickets))
    prize = replace(DRAND.example.terms.prizes[0], amount=1)
    honest = example("any", tickets=tickets, issued=issued, prizes=[prize])
    size = data.draw(st.integers(1, issued))
    serial = data.draw(st.integers(0, size - 1))

    report = audit(
        written(honest.proof(cosigned=[(witness(), CLOSED)]).shape()),
        leaves=[leaf_line(leaf) for leaf in honest.leaves],
        receipt=written(honest.receipt(serial, size).shape()),
        code=honest.codes[serial],
    )

    assert report.good
    assert (outcome(report, "leaves"), outcome(report, "receipt"), outcome(report, "code")) == (OK, OK, OK)
