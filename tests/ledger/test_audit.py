"""An audit says of each step what was looked at, never more than was shown, and survives whatever it is given."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rafflekit.core.protocol.audit import (
    NOT_PROVEN,
    OK,
    STEPS,
    WRONG,
    AuditReport,
    Witnessed,
    audit,
    leaves,
)
from rafflekit.core.protocol.checkpoints import Closing
from rafflekit.core.protocol.documents import LEAF_LINE_BYTES, PROOF_BYTES, RECEIPT_BYTES, leaf_line
from rafflekit.core.protocol.entropy import drand
from rafflekit.core.protocol.entropy.drand import BlsMissing, time_of
from rafflekit.core.protocol.notes import WITNESS
from tests.tamper.making import Base, bases, catalogue
from tests.tamper.making.cases import COSIGNED, Given, written
from tests.vectors.examples import BEACON_ROUND, CLOSED, CREATED, example, signer, witness

DRAND, SECRETS, MANY = (bases()[name] for name in ("drand", "secrets", "many"))
BEACON = time_of(BEACON_ROUND)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=8), values, max_size=4),
    max_leaves=12,
)


def outcome(report: AuditReport, name: str) -> str | None:
    return next((step.outcome for step in report.steps if step.name == name), None)


def sentence(report: AuditReport, name: str) -> str:
    return next(step.sentence for step in report.steps if step.name == name)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, by the keys that lead to it."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from places(below, (*path, key))


def at_place(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A JSON value with another one in one place."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


class TestWhatIsProven:
    def test_an_honest_raffle_with_all_that_can_be_asked_is_proven_in_every_step(self) -> None:
        report = DRAND.given.audit()

        assert [(step.name, step.outcome) for step in report.steps] == [(name, OK) for name in STEPS]

    def test_the_proof_alone_shows_only_that_it_fits_itself(self) -> None:
        report = audit(DRAND.given.proof)

        assert report.good
        assert report.unproven == ["key", "witnesses", "witnessed", "leaves"]

    def test_secrets_are_never_more_than_the_operators_word(self) -> None:
        with_witness = SECRETS.changed(closing=SECRETS.cosigned(SECRETS.closing.text()))
        report = replace(with_witness, witnesses=[str(witness().verifier)]).audit()

        assert report.good
        assert report.unproven == ["entropy", "witnessed"]

    def test_more_than_1_000_wins_need_the_leaves(self) -> None:
        assert outcome(MANY.given.audit(), "winners") == OK
        assert outcome(replace(MANY.given, leaves=None).audit(), "winners") == NOT_PROVEN

    def test_a_beacon_that_nothing_can_check_is_not_proven(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(*_: object) -> None:
            raise BlsMissing

        monkeypatch.setattr(drand, "check_beacon", missing)
        report = DRAND.given.audit()

        assert (report.good, outcome(report, "entropy"), outcome(report, "witnessed")) == (True, NOT_PROVEN, OK)
        assert "pip install '.[drand]'" in sentence(report, "entropy")

    def test_a_raffle_may_close_in_the_second_of_its_creation_and_a_day_in_the_future(self) -> None:
        created = int(CREATED.timestamp())
        for closed, now in ((created, created), (CLOSED, CLOSED - 86_400), (CLOSED, None)):
            again = SECRETS.closed_again(closing=Closing(closed))

            assert outcome(replace(again, now=now).audit(), "closing") == OK


class TestWitnesses:
    def test_a_witness_that_only_the_operator_names_proves_nothing(self) -> None:
        report = replace(DRAND.given, witnesses=[], witnessed=None).audit()

        assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (NOT_PROVEN, NOT_PROVEN)
        assert "nobody vouches for the witnesses" in sentence(report, "witnesses")

    def test_a_witness_that_only_the_verifier_names_proves_as_much_as_one_in_the_proof(self) -> None:
        report = replace(DRAND.changed(witnesses=[]), witnessed=None).audit()

        assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (OK, OK)

    def test_a_cosignature_of_a_key_that_nobody_names_is_ignored_even_if_it_is_wrong(self) -> None:
        line = witness("passer-by").line("another text\n", time=BEACON + 9)

        assert DRAND.changed(closing=DRAND.proof.closing + line).audit() == DRAND.given.audit()

    def test_a_witness_of_the_operators_name_with_another_key_is_a_witness(self) -> None:
        namesake = signer("namesake", kind=WITNESS, key_name=DRAND.example.signer.name)
        closing = DRAND.example.sign(DRAND.closing.text()) + namesake.line(DRAND.closing.text(), time=COSIGNED)
        key = str(namesake.verifier)

        report = replace(DRAND.changed(closing=closing, witnesses=[key]), witnesses=[key], witnessed=None).audit()

        assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (OK, OK)

    @pytest.mark.parametrize("time", [0, int(CREATED.timestamp()) - 1])
    def test_a_cosignature_that_tells_no_time_proves_none(self, time: int) -> None:
        closing = DRAND.cosigned(DRAND.closing.text(), time=time)

        report = replace(DRAND.changed(closing=closing), witnessed=None).audit()

        assert (outcome(report, "witnesses"), outcome(report, "witnessed")) == (OK, NOT_PROVEN)

    @pytest.mark.parametrize("time", [2**64 - 1, 2**40])
    def test_a_cosignature_of_a_time_beyond_all_calendars_is_late(self, time: int) -> None:
        closing = DRAND.cosigned(DRAND.closing.text(), time=time)

        assert outcome(DRAND.changed(closing=closing).audit(), "witnessed") == WRONG

    @pytest.mark.parametrize(
        ("at", "expected"),
        [(BEACON - 1, OK), (BEACON, NOT_PROVEN), (None, NOT_PROVEN), (0, NOT_PROVEN), (-(10**30), NOT_PROVEN)],
    )
    def test_a_copy_counts_by_the_date_for_which_the_verifier_vouches(self, at: int | None, expected: str) -> None:
        copy = Witnessed(SECRETS.example.sign(DRAND.closing.text()), at)

        report = audit(DRAND.given.proof, witnessed=copy)

        assert (report.good, outcome(report, "witnessed")) == (True, expected)

    def test_a_copy_counts_by_its_own_cosignature(self) -> None:
        bare = DRAND.changed(closing=DRAND.example.sign(DRAND.closing.text()), witnesses=[])
        copy = Witnessed(DRAND.proof.closing)

        assert outcome(replace(bare, witnessed=copy).audit(), "witnessed") == OK
        assert outcome(replace(bare, witnessed=copy, witnesses=[]).audit(), "witnessed") == NOT_PROVEN

    @pytest.mark.parametrize(
        "note",
        [
            "",
            "\ud800",
            SECRETS.proof.closing,
            DRAND.example.sign(DRAND.example.checkpoint(7).text()),
            # Another closing, and somebody else's signature.
            replace(DRAND.example, signer=signer("stranger")).sign(
                DRAND.closing.text().replace("closed 1", "closed 2")
            ),
            DRAND.proof.closing + witness().line("another text\n", time=COSIGNED),
        ],
    )
    def test_a_copy_that_is_none_shows_nothing_and_makes_nothing_wrong(self, note: str) -> None:
        bare = replace(DRAND.given, witnessed=Witnessed(note, COSIGNED))

        assert outcome(bare.audit(), "witnessed") == OK
        unwitnessed = replace(
            bare, proof=DRAND.changed(closing=DRAND.example.sign(DRAND.closing.text()), witnesses=[]).proof
        )
        assert outcome(unwitnessed.audit(), "witnessed") == NOT_PROVEN

    @pytest.mark.parametrize("base", [SECRETS, DRAND], ids=["secrets", "drand"])
    @pytest.mark.parametrize("witnesses", [[], [str(witness().verifier)]], ids=["no witness", "a witness"])
    def test_a_copy_that_is_none_is_called_so_whatever_else_decides(self, base: Base, witnesses: list[str]) -> None:
        given = replace(base.given, witnesses=witnesses, witnessed=Witnessed("nonsense", COSIGNED))

        assert "The copy that you kept is no closing: " in sentence(given.audit(), "witnessed")

    def test_of_a_copy_that_is_the_closing_nothing_is_said_with_secrets(self) -> None:
        given = replace(SECRETS.given, witnessed=Witnessed(SECRETS.proof.closing, COSIGNED))

        assert sentence(given.audit(), "witnessed").endswith("that it was not known before the closing.")

    def test_a_key_that_is_none_is_the_verifiers_mistake_and_said_so(self) -> None:
        for keys in (["nonsense"], [str(DRAND.example.signer.verifier)], ["\ud800+00000000+AAAA"]):
            report = replace(DRAND.given, witnesses=keys).audit()

            assert outcome(report, "witnesses") == WRONG
            assert "You named a witness" in sentence(report, "witnesses")


class TestReceipts:
    def test_the_receipt_of_a_part_needs_leaves_or_a_consistency_proof_and_that_of_the_whole_neither(self) -> None:
        tickets = len(DRAND.example.leaves)
        whole = written(DRAND.example.receipt(4, tickets).shape())

        bare = replace(DRAND.given, leaves=None, consistency=None)

        assert outcome(bare.audit(), "receipt") == NOT_PROVEN
        assert outcome(replace(bare, receipt=whole).audit(), "receipt") == OK
        assert outcome(replace(bare, leaves=DRAND.given.leaves).audit(), "receipt") == OK
        assert outcome(replace(bare, consistency=DRAND.given.consistency).audit(), "receipt") == OK

    def test_a_ticket_that_was_exchanged_later_is_named_as_such(self) -> None:
        exchanged = next(
            case for case in catalogue() if case.name == "signed receipt: another ticket in its place later"
        )

        assert "At the serial 4 the closing has another ticket" in sentence(exchanged.given.audit(), "receipt")

    def test_it_is_told_what_the_ticket_won(self) -> None:
        wins = {win.leaf.serial: win.prize for win in DRAND.proof.winners or ()}
        for serial in range(20):
            receipt = written(DRAND.example.receipt(serial, 20).shape())
            report = audit(DRAND.given.proof, receipt=receipt)
            prize = "nothing" if serial not in wins else f"“{DRAND.example.terms.prizes[wins[serial]].name}”"

            assert sentence(report, "receipt").endswith(f"is in the draw and won {prize}.")

    def test_what_it_won_is_not_told_of_winners_that_are_wrong(self) -> None:
        swapped = DRAND.edited(lambda proof: proof["winners"].reverse())

        assert sentence(swapped.audit(), "receipt").endswith("is in the draw.")

    def test_a_code_is_never_in_a_report_or_a_repr(self) -> None:
        report = DRAND.given.audit()

        assert str(DRAND.given.code) not in f"{report!r} {json.dumps(report.shape())} {DRAND.given!r}"
        assert outcome(report, "code") == OK

    @pytest.mark.parametrize("cost", ["m=1048577,t=1,p=1", "m=8,t=524289,p=1", "m=9999999999,t=9999999999,p=255"])
    def test_a_hash_that_asks_for_too_much_is_not_tried(self, cost: str) -> None:
        leaf = DRAND.example.leaves[4]
        dear = replace(leaf, code_hash=leaf.code_hash.replace("m=8,t=1,p=1", cost))
        other = replace(DRAND.example, leaves=[*DRAND.example.leaves[:4], dear, *DRAND.example.leaves[5:]])

        report = audit(
            written(other.proof().shape()), receipt=written(other.receipt(4, 20).shape()), code=DRAND.given.code
        )

        assert (report.good, outcome(report, "code")) == (True, NOT_PROVEN)

    def test_a_hash_with_which_argon2_can_do_nothing_is_not_proven(self) -> None:
        leaf = DRAND.example.leaves[4]
        odd = replace(leaf, code_hash="$argon2id$v=19$m=8,t=1,p=9$AAAAAAAAAAA$AAAAAAAAAAAAAAAAA")
        other = replace(DRAND.example, leaves=[*DRAND.example.leaves[:4], odd, *DRAND.example.leaves[5:]])

        report = audit(
            written(other.proof().shape()), receipt=written(other.receipt(4, 20).shape()), code=DRAND.given.code
        )

        assert outcome(report, "code") == NOT_PROVEN
        assert leaf.code_hash != odd.code_hash


class TestMistakes:
    def test_what_belongs_to_another_raffle_is_a_mistake_and_what_this_one_signed_is_none(self) -> None:
        stranger = replace(DRAND.example, signer=signer("stranger"))
        of_another_key = written(stranger.receipt(4, 7).shape())
        mistaken = {
            "raffle": replace(DRAND.given, raffle=SECRETS.given.raffle),
            "key": replace(DRAND.given, key=str(stranger.signer.verifier)),
            "no receipt": replace(DRAND.given, receipt=DRAND.given.proof),
            "another raffle's receipt": replace(DRAND.given, receipt=SECRETS.given.receipt),
            "code": replace(DRAND.given, code=DRAND.example.codes[5]),
        }
        evidence = {
            # Two keys for one raffle: who has an older receipt must not be talked out of it by a newer key.
            "another key's receipt": replace(DRAND.given, receipt=of_another_key),
            "another key's receipt, of two unknown ones": replace(DRAND.given, receipt=of_another_key, key=None),
            "leaves": replace(DRAND.given, leaves=SECRETS.given.leaves),
        }

        for expected, cases in ((True, mistaken), (False, evidence)):
            for name, each in cases.items():
                wrong = each.audit().first_wrong
                assert wrong is not None, name
                assert wrong.is_mistaken is expected, name

    def test_only_a_code_that_can_fit_is_mistaken(self) -> None:
        no_hash = next(case for case in catalogue() if case.name == "a leaf whose hash fits no code")
        wrong = no_hash.given.audit().first_wrong

        assert wrong is not None
        assert (wrong.name, wrong.is_mistaken) == ("code", False)

    def test_a_report_without_a_wrong_step_has_no_first_one(self) -> None:
        assert DRAND.given.audit().first_wrong is None


class TestBounds:
    @pytest.mark.parametrize(
        ("given", "step"),
        [
            (replace(DRAND.given, proof=DRAND.given.proof + " " * PROOF_BYTES), "form"),
            (replace(DRAND.given, receipt=f"{DRAND.given.receipt}{' ' * RECEIPT_BYTES}"), "receipt"),
            (
                replace(DRAND.given, leaves=[" " * LEAF_LINE_BYTES + DRAND.given.leaves[0], *DRAND.given.leaves[1:]]),
                "leaves",
            ),
            (DRAND.changed(closing="x" * 70_000 + DRAND.proof.closing), "form"),
        ],
        ids=["proof", "receipt", "leaf", "note"],
    )
    def test_what_is_larger_than_the_protocol_has_it_is_refused(self, given: Given, step: str) -> None:
        assert outcome(given.audit(), step) == WRONG

    def test_white_space_up_to_the_largest_size_is_none_of_our_business(self) -> None:
        padding = " " * (PROOF_BYTES - len(DRAND.given.proof.encode()))

        assert DRAND.written(DRAND.given.proof + padding).audit().good

    def test_a_proof_with_many_keys_takes_no_time_to_speak_of(self) -> None:
        # Looking for the one that is there twice must not compare each with each: that were 10¹⁰ steps.
        keys = ",".join(f'"k{number}":0' for number in range(200_000))

        assert "is there more than once" in sentence(audit('{"protocol":1,' + keys + ',"k199999":0}'), "form")

    def test_leaves_are_not_read_for_a_proof_that_is_wrong_already(self) -> None:
        def never() -> Iterator[str]:
            raise AssertionError("a leaf was read")
            yield ""

        for wrong in ("{}", DRAND.edited(lambda proof: proof["terms"].update(name="x")).proof):
            assert not audit(wrong, leaves=never()).good

    def test_of_leaves_without_an_end_one_too_many_is_read(self) -> None:
        read = 0

        def endless() -> Iterator[str]:
            nonlocal read
            for line in DRAND.given.leaves or ():
                read += 1
                yield line
            while True:
                read += 1
                yield "{}"

        report = replace(DRAND.given, leaves=endless()).audit()  # type: ignore[arg-type]  # replace knows no types

        assert (outcome(report, "leaves"), read) == (WRONG, 21)

    def test_more_tickets_than_can_be_counted_are_not_proven(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leaves, "COUNTED", 19)

        report = DRAND.given.audit()

        assert (report.good, outcome(report, "leaves")) == (True, NOT_PROVEN)
        # Where no number is counted, one leaf more has to be seen by its place.
        one_more = [*(DRAND.given.leaves or ()), leaf_line(replace(DRAND.example.leaves[0], serial=20))]
        assert outcome(replace(DRAND.given, leaves=one_more).audit(), "leaves") == WRONG

    def test_an_error_of_reading_the_leaves_is_the_readers(self) -> None:
        def broken() -> Iterator[str]:
            yield from (DRAND.given.leaves or ())[:3]
            raise OSError("the line is cut")

        with pytest.raises(OSError, match="the line is cut"):
            audit(DRAND.given.proof, leaves=broken())


class TestWhateverComes:
    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes_get_a_report(self, noise: bytes) -> None:
        for report in (
            audit(noise),
            audit(DRAND.given.proof, receipt=DRAND.given.receipt, consistency=noise),
            audit(DRAND.given.proof, receipt=noise, code=noise.decode("latin-1"), leaves=[noise]),
            audit(DRAND.given.proof, key=noise.decode("latin-1"), raffle=noise.decode("latin-1")),
            audit(
                DRAND.given.proof,
                witnesses=[noise.decode("latin-1")],
                witnessed=Witnessed(noise.decode("utf-8", "surrogateescape")),
            ),
        ):
            assert not report.good or outcome(report, "witnessed") == NOT_PROVEN

    @settings(max_examples=150, deadline=None)
    @given(st.data(), st.sampled_from([DRAND, SECRETS, MANY]))
    def test_any_value_in_any_place_of_a_proof_gets_a_report(self, data: st.DataObject, base: Base) -> None:
        proof = json.loads(base.given.proof)
        path = data.draw(st.sampled_from(list(places(proof))))
        value = data.draw(anything)

        report = replace(base.given, proof=json.dumps(replaced(proof, path, value))).audit()

        # Only that the operator names a witness is bound to nothing, and proves nothing.
        assert not report.good or path == ("witnesses",) or value == at_place(proof, path)

    @settings(max_examples=150, deadline=None)
    @given(st.data(), st.sampled_from([DRAND, SECRETS, MANY]))
    def test_no_character_of_a_proof_can_be_changed_unseen(self, data: st.DataObject, base: Base) -> None:
        text = base.given.proof
        at = data.draw(st.integers(0, len(text) - 1))
        other = data.draw(st.characters(codec="utf-8", exclude_characters=text[at]))
        # All that the verifier knows is the key; leaves and receipts would help.
        changed = audit(text[:at] + other + text[at + 1 :], key=base.given.key)

        assert not changed.good

    @settings(max_examples=100, deadline=None)
    @given(st.data())
    def test_no_character_of_a_receipt_or_the_leaves_can_be_changed_unseen(self, data: st.DataObject) -> None:
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
    def test_any_text_in_the_place_of_a_note_or_key_gets_a_report(self, text: str, place: str) -> None:
        assert not DRAND.edited(lambda proof: proof.update({place: text})).audit().good
        longer = DRAND.edited(lambda proof: proof.update({place: proof[place].replace("\n", text, 1) + text}))
        assert not longer.audit().good

    @settings(max_examples=15, deadline=None)
    @given(st.integers(1, 40), st.data())
    def test_an_honest_raffle_of_any_size_is_good(self, tickets: int, data: st.DataObject) -> None:
        honest = example("any", tickets=tickets, prizes=[replace(DRAND.example.terms.prizes[0], amount=1)])
        size = data.draw(st.integers(1, tickets))
        serial = data.draw(st.integers(0, size - 1))

        report = audit(
            written(honest.proof(cosigned=[(witness(), CLOSED)]).shape()),
            leaves=[leaf_line(leaf) for leaf in honest.leaves],
            receipt=written(honest.receipt(serial, size).shape()),
            code=honest.codes[serial],
        )

        assert report.good
        assert (outcome(report, "leaves"), outcome(report, "receipt"), outcome(report, "code")) == (OK, OK, OK)
